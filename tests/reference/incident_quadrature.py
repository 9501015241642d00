"""The likelihood of a history with incidents, by integrating over λ and p on a grid.

Nothing of the package's closed forms is used: the customer's history is walked through for each
(λ, p), keeping two densities, that of what was seen with the customer still there and with the
customer gone, and both are integrated over λ ~ Gamma(r, α) and p ~ Beta(a, b).

The rule is the double exponential one of Takahasi & Mori (1974), doi:10.2977/prims/1195192451: with
λ = exp(t − e^−t) and p = 1/(1 + e^(−π sinh t)) the integrands fall off doubly exponentially at both
ends, whatever their powers at 0 and 1, and the trapezoidal rule converges exponentially.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, gammaln

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Incident:
    """When, whether the customer reported it, and what it does: π, or ω with the shared link."""

    time: float
    contact: bool
    effect: float


def log_likelihood_and_p_alive(
    parameters: tuple[float, float, float, float],
    history: tuple[float, float, float],
    incidents: list[Incident],
    *,
    shared: bool,
    nodes: int = 360,
) -> tuple[float, float]:
    """ln L and P(alive at T) of one customer."""
    r, alpha, a, b = parameters
    x, t_x, T = history
    ln_rate, ln_rate_weight = _rates(nodes)
    ln_p, ln_q, ln_p_weight = _probabilities(nodes)
    rate = np.exp(ln_rate)[:, None]
    ln_prior = (
        (r * np.log(alpha) - gammaln(r) + (r - 1) * ln_rate + ln_rate_weight)[:, None]
        - alpha * rate
        + ((a - 1) * ln_p + (b - 1) * ln_q - betaln(a, b) + ln_p_weight)[None, :]
    )

    def ln_stays(incident: Incident) -> Floats:
        if shared:
            return np.asarray(incident.effect * ln_q[None, :])
        return np.full((1, nodes), np.log1p(-incident.effect))

    # Until just after the last purchase: x purchases at rate λ, and nothing ended it before.
    there = ln_prior + x * np.log(rate) - rate * t_x
    gone = np.full_like(there, -np.inf)
    before = [i for i in incidents if i.time < t_x]
    for incident in before:
        there = there + ln_stays(incident)
    if x > 0:
        there = there + (x - 1) * ln_q[None, :]
        gone = there + ln_p[None, :]
        there = there + ln_q[None, :]
    now = t_x
    for incident in incidents[len(before) :]:
        there = there - rate * (incident.time - now)
        now = incident.time
        if incident.contact:
            gone = np.full_like(gone, -np.inf)
        stays = ln_stays(incident)
        leaves = np.log(-np.expm1(stays))
        gone = np.logaddexp(gone, there + leaves)
        there = there + stays
    there = there - rate * (T - now)
    most = max(there.max(), gone.max())
    alive, left = np.exp(there - most).sum(), np.exp(gone - most).sum()
    return float(most + np.log(alive + left)), float(alive / (alive + left))


def _rates(nodes: int) -> tuple[Floats, Floats]:
    """Ln λ and the log of the trapezoidal weight, dλ = λ (1 + e^−t) dt."""
    t, step = np.linspace(-6.0, 8.0, nodes, retstep=True)
    ln_rate = t - np.exp(-t)
    return ln_rate, np.asarray(ln_rate + np.log1p(np.exp(-t)) + np.log(step))


def _probabilities(nodes: int) -> tuple[Floats, Floats, Floats]:
    """Ln p, ln(1 − p) and the log of the weight, dp = π cosh(t) p (1 − p) dt."""
    t, step = np.linspace(-5.5, 5.5, nodes, retstep=True)
    u = np.pi * np.sinh(t)
    ln_p, ln_q = -np.logaddexp(0, -u), -np.logaddexp(0, u)
    return ln_p, ln_q, np.asarray(np.log(np.pi * np.cosh(t)) + ln_p + ln_q + np.log(step))
