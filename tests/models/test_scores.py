"""Scores: the derivative of each pattern's log-likelihood, for every model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.errors import RequestError
from clv.history import Histories, SpendPatterns
from clv.models.base import Model
from clv.models.bg_bb import BGBB
from clv.models.bg_cnbd import BGCNBD
from clv.models.bg_nbd import BGNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.mbg_cnbd import MBGCNBD
from clv.models.mbg_nbd import MBGNBD
from clv.models.pareto_nbd import ParetoNBD
from clv.models.scores import scores
from clv.models.shifted_beta_geometric import ShiftedBetaGeometric
from clv.models.survival_counts import SurvivalCounts
from tests.battery import log_uniform

KINDS: tuple[type[Model[Any]], ...] = (
    BGNBD, MBGNBD, ParetoNBD, BGBB, ShiftedBetaGeometric, GammaGamma,
    BGCNBD.with_k(1), BGCNBD.with_k(2), MBGCNBD.with_k(3),
)  # fmt: skip

of_every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def some_data(kind: type[Model[Any]]) -> Any:
    """Patterns with edges among them: no purchase, one on the last day, no time at all."""
    if kind is ShiftedBetaGeometric:
        return SurvivalCounts(np.array([30.0, 0, 5, 2]), np.array([0.0, 4, 1, 60]))
    x = np.array([0, 0, 1, 1, 2, 3, 7, 12])
    T = np.array([0, 9, 4, 9, 12, 9, 14, 14])
    t_x = np.array([0, 0, 4, 3, 9, 8, 10, 14])
    m = np.where(x > 0, 12.5 + 3 * x, 0)
    unit = "period" if kind is BGBB else "week"
    return Histories.from_arrays(x, t_x, T, m, weights=1 + x % 3, unit=unit)


def one_by_one(kind: type[Model[Any]], data: Any) -> list[Any]:
    """The same data, one customer of one pattern at a time."""
    if kind is ShiftedBetaGeometric:
        ages = np.eye(len(data.left))
        nobody = np.zeros(len(data.left))
        return [SurvivalCounts(age, nobody) for age in ages] + [
            SurvivalCounts(nobody, age) for age in ages
        ]
    if kind is GammaGamma:
        return [
            replace(data, spend=SpendPatterns(*(np.array([v]) for v in (x, m, 1.0))))
            for x, m in zip(data.spend.frequency, data.spend.mean_value, strict=True)
        ]
    columns = (data.frequency, data.recency, data.T)
    return [Histories.from_arrays(*row, unit=data.unit) for row in zip(*columns, strict=True)]


@of_every_kind
@settings(max_examples=25)
@given(data=st.data())
def test_each_row_is_the_gradient_of_a_customer_with_that_pattern(
    kind: type[Model[Any]], data: st.DataObject
) -> None:
    theta = np.array([data.draw(log_uniform(0.05, 50)) for _ in kind.parameter_names()])
    given_data = some_data(kind)
    rows, n = scores(kind, theta, given_data)
    alone = [theta * kind.likelihood(theta, one).gradient for one in one_by_one(kind, given_data)]
    assert rows == pytest.approx(np.array(alone), rel=1e-8, abs=1e-8)
    assert n.sum() == kind.size(given_data)[0]
    whole = theta * kind.likelihood(theta, given_data).gradient
    assert n @ rows == pytest.approx(whole, rel=1e-8, abs=1e-8)


def test_a_model_without_scores_is_told_what_to_take() -> None:
    class Another(Model[Any]):
        label = "Another"

    another: Any = Another
    with pytest.raises(RequestError, match=r"scores of Another are not written out.*bootstrap"):
        scores(another, np.ones(1), None)


@pytest.mark.parametrize("family", [BGCNBD, MBGCNBD])
def test_a_family_of_models_has_no_scores(family: type[Any]) -> None:
    """A family stands for every k, as 0: there is no likelihood of it."""
    h = Histories.from_arrays([2, 0], [30.43, 0], [38.86, 38.86], unit="week")
    with pytest.raises(RequestError, match=r"stands for every k.*with_k\(2\)"):
        scores(family, np.array([0.5, 7.0, 0.9, 2.0]), h)
    rows, _ = scores(family.with_k(2), np.array([0.5, 7.0, 0.9, 2.0]), h)
    assert np.isfinite(rows).all()
