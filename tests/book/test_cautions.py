"""What the check of a book's orders holds against its figures."""

from __future__ import annotations

from datetime import date
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest

from clv.book.cautions import (
    beyond_the_log,
    cautions,
    horizon_beyond_the_log,
    mostly_integral,
)
from clv.quality.report import FINE
from clv.recommend.policy import Policy


def manifest(**findings: dict[str, Any]) -> dict[str, Any]:
    told = {t: {"sentence": f"{t}.", "advice": "Do."} | f for t, f in findings.items()}
    return {
        "end": "2024-12-31",
        "quality": {"findings": told | {"span": {"verdict": FINE, "days": 60}}},
    }


@pytest.mark.parametrize(
    ("topic", "about", "told"),
    [
        ("season", {"verdict": "look at this"}, True),
        ("season", {"verdict": "fine"}, False),
        ("regularity", {"verdict": "look at this", "dispersion": 0.6}, True),
        ("regularity", {"verdict": "look at this", "dispersion": 1.6}, False),
        ("regularity", {"verdict": "the models do not suit", "dispersion": 0.01}, True),
        ("duplicates", {"verdict": "look at this"}, False),
        ("repeat_purchases", {"verdict": "the models do not suit"}, True),
    ],
)
def test_what_every_forecast_misses_is_repeated(
    topic: str, about: dict[str, Any], *, told: bool
) -> None:
    assert cautions(manifest(**{topic: about})) == ((f"{topic}. Do.",) if told else ())


def test_a_horizon_may_be_as_long_as_the_log_and_no_longer() -> None:
    about = manifest()  # 61 days, 2024-11-01 to 2024-12-31
    assert beyond_the_log(about, date(2025, 3, 2), "It goes") == ()  # 61 days on
    (told,) = beyond_the_log(about, date(2025, 3, 3), "It goes")
    assert told.startswith("It goes to 2025-03-03, further than the log reaches back (61 days up")
    (told,) = beyond_the_log(about, None, "It goes")
    assert told.startswith("It goes without end, further")
    assert horizon_beyond_the_log(about | {"terms": {"horizon_months": 2}}) == ()
    assert horizon_beyond_the_log(about | {"terms": {"horizon_months": 3}})


@pytest.mark.parametrize(("values", "many"), [([5, 5, 5, 0.01], 3), ([9, 0.01, 0.01, 0.01], 0)])
def test_where_most_customers_are_integral_it_is_said(values: list[float], many: int) -> None:
    book = mock.Mock(
        customers=len(values),
        manifest={"totals": {"lifetime_value": sum(values)}},
        policy=Policy(),
        read=lambda names: pa.table({names[0]: pa.array(values, pa.float64())}),
    )
    told = mostly_integral(book)
    assert told.startswith(f"{many} of 4 customers are each worth 1 % of all") == bool(many)
    assert bool(told) == bool(many)
