"""Who comes back in time: the closed form against the integral that it is."""

from __future__ import annotations

import mpmath
import pytest

from clv.history import Histories
from clv.incident_history import IncidentHistories
from clv.incidents.purchases import buys_within
from clv.models.incidents.model import IncidentBGNBD

MODEL = IncidentBGNBD(0.243, 4.414, 0.793, 2.426, {"type:late": -0.85})


def test_who_is_there_comes_back_as_the_posterior_of_the_rate_says() -> None:
    """P(a purchase within t) = 1 - E[exp(-λt)], integrated over the Gamma law of λ."""
    x, time, t_x, T = [0.0, 3.0, 20.0], [2.0, 30.0, 38.0], [0.0, 29.0, 38.0], [10.0, 40.0, 39.0]
    h = IncidentHistories.from_arrays(
        Histories.from_arrays([2], [30.43], [38.86], unit="week"), x, t_x, T,
        incident_customer=[0, 1, 2], time=time, contact=[True] * 3, kind=[0] * 3,
        kinds=["late"], earlier_purchases=x,
    )  # fmt: skip
    for days in (7.0, 90.0, 365.0):
        found = buys_within(days, h, MODEL)
        for one, purchases, at in zip(found, x, time, strict=True):
            stays = no_purchase(MODEL.r + purchases, MODEL.alpha + at, days / 7)
            assert one == pytest.approx(1 - stays, rel=1e-10)


def no_purchase(shape: float, rate: float, t: float) -> float:
    """E[exp(-λt)] by quadrature in ln λ, λ ~ Gamma(shape, rate)."""
    with mpmath.workdps(30):
        norm = mpmath.mpf(rate) ** shape / mpmath.gamma(shape)
        inside = mpmath.quad(
            lambda u: mpmath.exp(shape * u - (rate + t) * mpmath.exp(u)),
            mpmath.linspace(-300, 6, 52),
        )
        return float(norm * inside)
