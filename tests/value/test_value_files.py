"""Values that the engine writes by itself: it replaces folders of values, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import clv
from clv.errors import RequestError


def write(place: Path) -> None:
    """Write the values of two customers; with what Fader, Hardie & Lee (2005) found of CDNOW."""
    orders = clv.read_orders(
        pd.DataFrame(
            {
                "customer_id": ["a", "a", "b"],
                "date": ["2024-01-01", "2024-02-01", "2024-02-05"],
                "amount": [10.0, 5.0, 7.0],
            }
        )
    )
    clv.write_lifetime_values(
        place,
        clv.histories(orders, end="2024-06-30", unit="week"),
        clv.BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426),
        clv.GammaGamma(p=6.25, q=3.74, v=15.44),
        margin=0.4,
        discount_rate=0.1,
    )


def test_a_folder_of_values_is_replaced(tmp_path: Path) -> None:
    place = tmp_path / "values"
    (place / "cohort=1990-01").mkdir(parents=True)
    (place / "cohort=1990-01" / "old.parquet").write_text("old")
    (place / "_SUCCESS").touch()  # Spark leaves it
    write(place)
    write(place)
    files = place.rglob("*.parquet")
    assert {file.parent.name for file in files} == {"cohort=2024-01", "cohort=2024-02"}
    assert pq.read_table(place / "cohort=2024-02")["customer_id"].to_pylist() == ["b"]


def test_other_things_are_left_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    mine = tmp_path / "photos" / "a.jpg"
    mine.write_text("mine")
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(RequestError, match=r"other things than values \(photos, thesis\.txt\)"):
        write(tmp_path)
    assert mine.read_text() == "mine"
    with pytest.raises(RequestError, match="it is a file"):
        write(tmp_path / "thesis.txt")
