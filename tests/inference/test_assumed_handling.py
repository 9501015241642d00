"""What somebody chose never carries what happened away from what the log says of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit, logit

from clv.arrays import Floats
from clv.incident_history import IncidentHistories
from clv.inference.assumed_handling import AssumedHandling, with_assumed_handling
from clv.inference.incident_posterior import IncidentPosterior, incident_posterior
from clv.models.incidents.model import IncidentBGNBD
from clv.models.incidents.simulation import IncidentProcess
from clv.recommend.incident_prior import incident_prior
from clv.recommend.policy import Policy

PRIOR = incident_prior(Policy())
LATE = "type:late_delivery"
HIDDEN = 1.5
"""What being upset adds to the log-odds of half of the incidents, and no column says; assumed."""

Handle = Callable[[np.random.Generator, Floats], dict[str, Floats]]


def upset(severity: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(severity == 2)


def goodwill(to_upset: float, to_calm: float) -> Handle:
    def handle(rng: np.random.Generator, severity: Floats) -> dict[str, Floats]:
        usual = np.where(upset(severity), to_upset, to_calm)
        return {"goodwill_ratio": usual * rng.uniform(0.8, 1.2, len(severity))}

    return handle


def answered(share_of_upset: float) -> Handle:
    """Within the hour to this share of the upset and the others of the calm, else after 80."""

    def handle(rng: np.random.Generator, severity: Floats) -> dict[str, Floats]:
        fast = np.where(upset(severity), share_of_upset, 1 - share_of_upset)
        return {"hours": np.where(rng.random(len(severity)) < fast, 1.0, 80.0)}

    return handle


def a_shop(handle: Handle, *, hidden: float = HIDDEN, customers: int = 6000) -> IncidentHistories:
    """Goodwill works as the policy assumes; waiting does nothing."""
    coefficients = {LATE: PRIOR[LATE][0], "severity": hidden, "goodwill": PRIOR["goodwill"][0]}
    true = IncidentBGNBD(0.8, 6.0, 0.8, 2.4, coefficients)
    rng = np.random.default_rng(1)
    process = IncidentProcess(
        0.2, {"late_delivery": 1.0}, delay=0.5, severities=(0.5, 0.5, 0, 0),
        handle=lambda rng, severity, _: handle(rng, severity),
    )  # fmt: skip
    seen = true.simulate(rng.uniform(30, 78, customers), rng, process)
    return replace(seen, severity=np.ones(seen.incidents))


def learned(seen: IncidentHistories) -> tuple[IncidentPosterior, AssumedHandling]:
    posterior = incident_posterior(IncidentBGNBD.fit(seen, PRIOR), draws=500)
    return posterior, with_assumed_handling(posterior, PRIOR)


def of(held: AssumedHandling, name: str) -> tuple[float, float]:
    at = held.names.index(name)
    return float(held.mean[at]), math.sqrt(held.covariance[at, at])


# of incidents answered at once, without goodwill: the mean over the calm and the upset
TRUE = float(logit((expit(PRIOR[LATE][0]) + expit(PRIOR[LATE][0] + HIDDEN)) / 2))


@pytest.mark.parametrize(
    ("one", "other"),
    [(goodwill(0.3, 1.0), goodwill(1.0, 0.3)), (answered(0.95), answered(0.05))],
)
def test_whomever_the_desk_favours_the_problem_is_as_bad(one: Handle, other: Handle) -> None:
    free, found = [], []
    for handle in (one, other):
        posterior, held = learned(a_shop(handle))
        mean, sd = of(held, LATE)
        assert abs(mean - TRUE) < 1.96 * sd
        free.append(posterior.mean[LATE])
        found.append((mean, sd))
    (first, first_sd), (second, second_sd) = found
    assert abs(first - second) < 1.96 * math.hypot(first_sd, second_sd)
    assert abs(free[0] - free[1]) > 2 * abs(first - second)  # carried along the associations


def test_what_nobody_chose_is_left_as_it_is() -> None:
    """Without handling that differs there is nothing to carry, and no doubt to keep."""
    seen = a_shop(lambda _rng, _severity: {}, hidden=0.0)
    posterior, held = learned(seen)
    for name in (LATE, "earlier_purchases"):
        mean, sd = of(held, name)
        assert mean == pytest.approx(posterior.mean[name], abs=0.02 * sd)
        assert sd == pytest.approx(posterior.standard_deviation[name], rel=0.05)


def test_the_doubt_about_goodwill_stays_in_what_it_was_given_for() -> None:
    """All get half of the loss: θ_type is what is seen less θ_g ln 1.5, with the prior's doubt."""
    seen = a_shop(goodwill(0.5, 0.5), hidden=0.0, customers=20_000)
    same = replace(seen, goodwill_ratio=np.full(seen.incidents, 0.5))
    _, held = learned(same)
    _, sd = of(held, LATE)
    v, doubt = math.log(1.5), PRIOR["goodwill"][1]
    assert sd > v * doubt
    wide = PRIOR | {"goodwill": (PRIOR["goodwill"][0], 2 * doubt)}
    posterior = incident_posterior(IncidentBGNBD.fit(same, wide), draws=500)
    _, wider = of(with_assumed_handling(posterior, wide), LATE)
    # a little less, since the prior of the type (standard deviation .7) holds against it
    assert wider**2 - sd**2 == pytest.approx(3 * (v * doubt) ** 2, rel=0.15)


def test_the_covariance_is_one() -> None:
    _, held = learned(a_shop(goodwill(0.3, 1.0)))
    assert "goodwill" not in held.names  # it was chosen
    assert held.covariance == pytest.approx(held.covariance.T)
    assert np.linalg.eigvalsh(held.covariance).min() > 0
    rho = held.covariance[held.names.index(LATE), held.names.index("earlier_purchases")]
    assert rho < 0  # who bought often is left over by the type: the two trade off
