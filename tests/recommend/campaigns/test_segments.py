from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.errors import RequestError
from clv.recommend.campaigns import segment_effects

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.floats(0, 3))
@settings(max_examples=40)
def test_pooling_moves_each_towards_the_others_and_never_past(seed: int, apart: float) -> None:
    rng = np.random.default_rng(seed)
    code = rng.integers(0, 4, 400)
    found = segment_effects(rng.normal(apart * code, 2.0), code, "abcd")
    alone = np.array([one.estimate for one in found])
    pooled = np.array([one.mean for one in found])
    assert alone.min() - 1e-9 <= pooled.min() <= pooled.max() <= alone.max() + 1e-9
    assert all(one.standard_deviation <= one.standard_error * (1 + 1e-9) for one in found)
    assert sum(one.customers for one in found) == 400


def test_segments_that_differ_by_chance_alone_become_one() -> None:
    # Three estimates of equal precision, closer than chance puts them: ω = 0, all at their mean.
    psi = np.concatenate([np.tile([centre - 5, centre + 5], 50) for centre in (0.9, 1.0, 1.1)])
    found = segment_effects(psi, np.repeat([0, 1, 2], 100), "abc")
    assert [one.mean for one in found] == pytest.approx([1.0] * 3)
    # the precision of all 300: sd of ±5 is 5.0252 with ddof 1, / √300
    assert found[0].standard_deviation == pytest.approx(5 * np.sqrt(100 / 99) / np.sqrt(300))


def test_segments_that_differ_much_stay_apart_and_harm_is_seen() -> None:
    rng = np.random.default_rng(1)
    code = np.repeat([0, 1, 2], 2000)
    found = segment_effects(rng.normal(np.array([2.0, 1.0, -1.0])[code], 3.0), code, "abc")
    assert [one.mean for one in found] == pytest.approx([2, 1, -1], abs=0.25)
    assert [one.treat for one in found] == [True, True, False]
    assert found[2].p_harm > 0.999
    assert found[0].p_harm < 0.001


def test_a_segment_alone_is_what_it_is() -> None:
    (one,) = segment_effects([1.0, 3.0, np.nan], [0, 0, 0], ["all"])
    assert (one.mean, one.customers) == (2.0, 2)
    assert one.standard_deviation == pytest.approx(1.0)  # √2 / √2


def test_an_empty_segment_is_left_out() -> None:
    assert [one.segment for one in segment_effects([1.0, 2.0], [1, 1], "ab")] == ["b"]
    assert segment_effects([np.nan, np.nan], [0, 1], "ab") == ()


def test_lengths_must_agree() -> None:
    with pytest.raises(RequestError, match="one score and one segment"):
        segment_effects([1.0], [0, 1], "ab")
