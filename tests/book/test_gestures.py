"""What a typical customer of each stage is given, against the medians of the book's values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import clv
from clv.book.budget import stages
from clv.book.gestures import StageGestures, stage_gestures
from clv.recommend.recovery import recovery_limit
from clv.recommend.stages import STAGES


@pytest.fixture(scope="module")
def book(cdnow_book: Path) -> clv.Book:
    """A book of the CDNOW sample; not to be changed."""
    return clv.Book(cdnow_book)


@pytest.fixture(scope="module")
def told(book: clv.Book) -> tuple[StageGestures, ...]:
    return stage_gestures(book)


def test_stages_add_up_to_the_book(book: clv.Book, told: tuple[StageGestures, ...]) -> None:
    frame = book.values()
    labels = [book.policy.stages.labels[name] for name in STAGES]
    assert [one.stage for one in told] == [labels[at] for at in np.unique(stages(book))]
    assert sum(one.customers for one in told) == len(frame)
    assert sum(one.value for one in told) == pytest.approx(frame["lifetime_value"].sum())


def test_a_gesture_is_that_of_a_customer_with_the_medians(
    book: clv.Book, told: tuple[StageGestures, ...]
) -> None:
    codes, frame = stages(book), book.values()
    for one, at in zip(told, np.unique(codes), strict=True):
        rows = frame[codes == at]
        assert one.loss == rows["expected_spend"].median()
        assert [g.problem for g in one.gestures] == list(book.policy.problems)
        for gesture in one.gestures:
            single = recovery_limit(
                book.policy,
                gesture.problem,
                rows["expected_spend"].median(),
                value_if_alive=rows["value_if_alive"].median(),
                frequency=rows["frequency"].median(),
                value_share=1.0 if STAGES[at] == "integral" else 0.0,
            )
            assert gesture.recommended == single.recommended
            assert gesture.first_gesture == single.first_gesture
            assert gesture.authority == single.authority
    json.dumps([one.to_dict() for one in told], allow_nan=False)


def test_of_integral_customers_a_person_decides(told: tuple[StageGestures, ...]) -> None:
    by_label = {one.stage: one for one in told}
    assert {g.authority for g in by_label["integral"].gestures} == {"a person decides"}
    assert len({g.authority for g in by_label["short-time"].gestures}) > 1
