"""Tables as spreadsheets save them: any separator, decimals either way, nothing guessed."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import RequestError
from clv.small_tables import SmallTable, read_small_table

CELL = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
"""What stands in a cell: separators, quotes and commas too; no spaces, which are stripped."""


@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=5),
    separator=st.sampled_from([",", ";", "\t"]),
    mark=st.booleans(),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str]],
    separator: str,
    ending: str,
    *,
    mark: bool,
) -> None:
    file = tmp_path_factory.getbasetemp() / "table.csv"
    with file.open("w", encoding="utf-8-sig" if mark else "utf-8", newline="") as opened:
        writer = csv.writer(opened, delimiter=separator, lineterminator=ending)
        writer.writerows([("Customer", "Region", "Loss"), *rows])
    table = read_small_table(file)
    assert table.columns == ["customer", "region", "loss"]
    assert table.rows == [list(row) for row in rows]
    assert table.lines == list(range(2, len(rows) + 2))


def table(separator: str) -> SmallTable:
    return SmallTable(Path("any.csv"), [], [], [], separator)


@given(st.integers(-(10**6), 10**6))
def test_decimals_by_point_or_comma(cents: int) -> None:
    """Two decimals mean one amount in every file in which they can stand."""
    written = f"{cents / 100:.2f}"
    assert table(",").number(written) == cents / 100
    assert table(";").number(written) == cents / 100
    assert table(";").number(written.replace(".", ",")) == cents / 100


@pytest.mark.parametrize("cell", ["1.234", "1,234", "12,345,678", "1.234,50", "much", "", "inf"])
def test_what_could_mean_two_amounts_is_none(cell: str) -> None:
    assert math.isnan(table(";").number(cell))


@pytest.mark.parametrize("cell", ["0,125", "0.125"])
def test_a_share_has_three_decimals(cell: str) -> None:
    assert table(";").number(cell) == 0.125


def test_a_comma_before_decimals_is_no_second_cell(tmp_path: Path) -> None:
    file = tmp_path / "offers.csv"
    file.write_text("offer,cost\nletter,1,50\ncall,4\n", encoding="utf-8")
    with pytest.raises(RequestError, match=r"more cells in 1 line than .* \(first: line 2\)"):
        read_small_table(file)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no file"):
        read_small_table(tmp_path / "none.csv")
    with pytest.raises(RequestError, match="cannot be read as CSV"):
        read_small_table(tmp_path)
    (tmp_path / "latin.csv").write_bytes("kunde,ort\n1,Köln\n".encode("latin-1"))
    with pytest.raises(RequestError, match="no text in UTF-8"):
        read_small_table(tmp_path / "latin.csv")
    (tmp_path / "empty.csv").write_text("\n\n", encoding="utf-8")
    assert read_small_table(tmp_path / "empty.csv").columns == []
