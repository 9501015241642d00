"""Models side by side on CDNOW, and what is said of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

import clv
from clv.errors import NotIdentifiedError, UnknownNameError
from clv.evaluate.comparison import Compared, Comparison, holdout_log_likelihood
from clv.transactions.orders import Orders


@pytest.fixture(scope="module")
def orders() -> Orders:
    return clv.read_orders(clv.datasets.path("cdnow"))


@pytest.fixture(scope="module")
def early(orders: Orders) -> Comparison:
    return clv.compare(
        clv.histories(orders, end="1997-09-30", unit="week"),
        models=["bg-nbd", "mbg-nbd", "pareto-nbd"],
    )


def test_published_log_likelihoods_in_order(early: Comparison) -> None:
    # Batislam et al. (2007) and Fader, Hardie & Lee (2005) on CDNOW: three printed decimals.
    found = {row.model: row.fit.log_likelihood for row in early.rows if row.fit}
    assert list(found) == ["mbg-nbd", "bg-nbd", "pareto-nbd"]
    assert found["mbg-nbd"] == pytest.approx(-9582.136, abs=5e-4)
    assert found["bg-nbd"] == pytest.approx(-9582.429, abs=5e-4)
    assert found["pareto-nbd"] == pytest.approx(-9594.976, abs=5e-4)


def test_close_models_are_called_close(early: Comparison) -> None:
    assert "close" in early.sentences[0]
    assert "MBG/NBD" in early.sentences[0]


def test_one_time_buyers_of_bg_nbd_are_pointed_out(early: Comparison) -> None:
    bg = next(row for row in early.rows if row.model == "bg-nbd")
    assert bg.one_time_alive == 1
    told = " ".join(early.sentences)
    assert "BG/NBD takes every one of the 1,411 one-time buyers" in told
    assert f"{bg.one_time_orders:,.0f}" in told


def test_holdout_decides_where_there_is_one(orders: Orders) -> None:
    found = clv.compare(
        clv.histories(orders, end="1998-06-30", unit="week"),
        models=["bg-nbd", "mbg-nbd"],
        orders=orders,
        calibration_end="1997-09-30",
    )
    assert found.holdout_actual == 1882
    by_name = {row.model: row for row in found.rows}
    # Sums of conditional expectations over the 39 weeks; one printed decimal.
    assert by_name["bg-nbd"].holdout_expected == pytest.approx(1653.4, abs=0.05)
    assert by_name["mbg-nbd"].holdout_expected == pytest.approx(1576.7, abs=0.05)
    assert found.best.holdout_log_likelihood == max(
        row.holdout_log_likelihood or -np.inf for row in found.rows
    )
    json.dumps(found.to_dict(), allow_nan=False)


def test_difference_of_models_carries_its_error(orders: Orders) -> None:
    found = clv.compare(
        clv.histories(orders, end="1998-06-30", unit="week"),
        models=["bg-nbd", "mbg-nbd"],
        orders=orders,
        calibration_end="1997-09-30",
    )
    # Paired over the 2,357 customers with pandas: 5.5 with a standard error of 4.0.
    split = clv.holdout(orders, calibration_end="1997-09-30", end="1998-06-30", unit="week")
    frame = split.to_pandas()
    asked = (frame["holdout_frequency"], split.duration)
    history = (frame["frequency"], frame["recency"], frame["T"])
    one, two = (
        np.log(model.fit(split.calibration).model.pmf(*asked, *history))
        for model in (clv.MBGNBD, clv.BGNBD)
    )
    error = float(np.std(one - two)) * np.sqrt(len(frame))
    assert f"{float(np.sum(one - two)):,.1f} ± {error:,.1f} above BG/NBD" in found.sentences[0]
    assert "hardly tells them apart" in found.sentences[0]
    # 1,576.7 and 1,653.4 (above) of 1,882: 16.2 and 12.1 % fewer.
    assert found.sentences[1].startswith("All 2 models expect 12 to 16 % fewer orders than came")


@pytest.mark.parametrize(
    ("actual", "told"),
    [(1000, "35 to 36 % more"), (1300, ""), (1355, ""), (1400, ""), (2712, "50 % fewer")],
)
def test_what_all_models_miss_on_one_side_is_told(actual: int, told: str) -> None:
    h = clv.Histories.from_arrays([2, 0, 1, 3, 0, 1], [5, 0, 3, 8, 0, 6], [9] * 6)
    prior = {name: clv.LogNormal(1.0, 0.5) for name in clv.BGNBD.parameter_names()}
    fit = clv.BGNBD.fit(h, prior=prior)
    rows = tuple(
        Compared(f"m{n}", f"M{n}", fit, holdout_expected=n, holdout_log_likelihood=-1.0)
        for n in (1350.0, 1360.0)
    )
    off = [s for s in Comparison(rows, 0, actual).sentences if "models expect" in s]
    assert [told in s for s in off] == ([True] if told else [])


def test_holdout_log_likelihood_is_the_sum_over_customers(orders: Orders) -> None:
    split = clv.holdout(orders, calibration_end="1997-09-30", end="1998-06-30", unit="week")
    model = clv.BGNBD.fit(split.calibration).model
    (n, terms), _ = holdout_log_likelihood(model, split)
    found = float(n @ terms)
    frame = split.to_pandas()
    p = model.pmf(
        frame["holdout_frequency"], split.duration, frame["frequency"], frame["recency"], frame["T"]
    )
    assert found == pytest.approx(float(np.log(p).sum()), rel=1e-10)


def test_unknown_model_is_named() -> None:
    h = clv.Histories.from_arrays([2, 0, 1], [5, 0, 3], [9, 9, 9])
    with pytest.raises(UnknownNameError, match="mbg-nbd"):
        clv.compare(h, models=["mbgnbd"])


def test_nothing_identified_says_why_for_each_model() -> None:
    h = clv.Histories.from_arrays([0, 0, 0], [0, 0, 0], [9, 8, 7])
    with pytest.raises(NotIdentifiedError, match="BG/NBD: None of the 3 customers"):
        clv.compare(h, models=["bg-nbd", "mbg-nbd"])
