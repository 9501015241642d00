"""Effects by segment: which customers have which, and what is said of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from clv.errors import RequestError
from clv.recommend.retention_segments import By, LearnedSegment, RetentionSegments
from clv.recommend.retention_words import told_of_segments


def segment(code: int = 0, effect: float = 0.3, sd: float = 0.1) -> LearnedSegment:
    return LearnedSegment(code, f"segment {code}", effect, sd, 0.2, 100)


some = st.lists(
    st.builds(segment, st.integers(0, 4), st.floats(-1, 1), st.floats(1e-3, 1)),
    unique_by=lambda one: one.code,
    max_size=5,
)


@given(some, st.lists(st.floats(0, 1e6), min_size=4, max_size=4).map(sorted))
def test_segments_survive_json(segments: list[LearnedSegment], bounds: list[float]) -> None:
    learned = RetentionSegments("value", tuple(bounds), tuple(segments))
    assert RetentionSegments.from_dict(json.loads(json.dumps(learned.to_dict()))) == learned


@given(some, st.lists(st.integers(0, 5), min_size=1, max_size=30), st.floats(-1, 1))
def test_everybody_has_the_effect_of_the_own_segment_or_of_all(
    segments: list[LearnedSegment], codes: list[int], otherwise: float
) -> None:
    learned = RetentionSegments("stage", (), tuple(segments))
    code = learned.codes(worth=np.zeros(len(codes)), stage=codes)
    known = {one.code: one for one in segments}
    effect = learned.effect(code, otherwise=otherwise)
    sd, correlation = learned.doubt(code, sd=0.5, correlation=-0.1)
    for i, mine in enumerate(codes):
        one = known.get(mine)
        assert effect[i] == (one.effect if one else otherwise)
        assert (sd[i], correlation[i]) == ((one.sd, 0.2) if one else (0.5, -0.1))


def test_a_bound_belongs_to_the_fifth_below_it() -> None:
    learned = RetentionSegments("value", (1.0, 2.0, 3.0, 4.0), ())
    code = learned.codes(worth=[0.0, 1.0, 1.5, 4.0, 9.0], stage=np.zeros(5))
    assert code.tolist() == [0, 0, 1, 3, 4]


@pytest.mark.parametrize("effect", [-0.2, 0.0, 0.15])
def test_probability_of_harm_is_that_of_the_normal(effect: float) -> None:
    assert segment(0, effect, 0.1).p_harm == pytest.approx(norm.cdf(0, effect, 0.1))


@pytest.mark.parametrize(
    ("effect", "sd", "said"),
    [
        (0.3, 0.1, None),  # P(harm) .001
        (0.1, 0.1, ("Unsure for 'segment 0' (2 customers, worth 30.00 EUR from here on): with a "
                   "probability of 16 % contact drives them away")),
        (-0.05, 0.1, ("contact rather drives them away (effect -0.05 ± 0.10), though that is "
                     "unsure: with a probability of 31 % it keeps some")),
        (-0.3, 0.1, ("Nothing for 'segment 0' (2 customers, worth 30.00 EUR from here on): by your "
                    "campaigns contact drives them away (effect -0.30 ± 0.10).")),
    ],
)  # fmt: skip
def test_harm_and_doubt_are_said(effect: float, sd: float, said: str | None) -> None:
    # Φ(−1) = .159, 1 − Φ(.5) = .309
    learned = RetentionSegments("stage", (), (segment(0, effect, sd),))
    told = told_of_segments(learned, np.array([0, 0, 1]), np.array([10.0, 20.0, 40.0]), "EUR")
    assert len(told) == (said is not None)
    assert said is None or said in told[0]


def test_a_segment_without_customers_is_not_spoken_of() -> None:
    learned = RetentionSegments("stage", (), (segment(2, -0.5),))
    assert told_of_segments(learned, np.array([0, 1]), np.ones(2)) == ()


def test_what_cannot_have_been_learned_is_refused_all_at_once() -> None:
    with pytest.raises(RequestError, match="1 more fault") as told:
        LearnedSegment(0, "new", 1.5, 0.0, 0.0, 10)
    assert "effect must be from -1 to 1" in str(told.value)
    assert "sd must be" in str(told.value)
    with pytest.raises(RequestError, match="twice"):
        RetentionSegments("stage", (), (segment(1), segment(1)))
    with pytest.raises(RequestError, match="must rise"):
        RetentionSegments("value", (2.0, 1.0), ())
    by: By = "luck"  # type: ignore[assignment]
    with pytest.raises(RequestError, match="told apart by value, stage"):
        RetentionSegments(by, (), ())
