"""Let chance vary a few offers of goodwill, so that what goodwill does can be learned.

Two arms: "usual", the offer as recommended, and "step", a fixed amount more, with probability
below one half. More, never less: nobody gets worse than the rules say. Below one half, the logged
probability tells the arms apart.

Seen is whether the customer bought again within a window of follow-up. The estimate weights each
incident by 1/probability of its arm (Hájek 1971) and takes the incidents of one customer as one in
its standard error. The arm with the step is small, and next to everybody may have come back in it:
the variance of what was seen there is then next to 0, however little was seen. So the interval is
that of shares with one customer more in each arm who came back and one who did not (Agresti & Caffo
2000, doi:10.1080/00031305.2000.10474560), each with the weight of an effective customer of the arm,
Σ W²/Σ W over the customers' weights W. How many incidents it takes:
:mod:`clv.recommend.experiment_size`.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from clv.errors import RequestError
from clv.recommend.experiment_size import SIGNIFICANCE
from clv.recommend.policy import Policy, money

__all__ = ["Assignment", "ExperimentEstimate", "assign", "estimate"]

Arm = Literal["usual", "step"]


@dataclass(frozen=True)
class Assignment:
    """What one customer is offered for one incident, and what to write into the incident log.

    Attributes
    ----------
    customer_id, incident_id : str
        Whose incident it is.
    usual_offer : float or None
        The recommended goodwill, in money at face value; for the log. None where a person decides.
    step_offer : float or None
        That with the step on top, for the log; None where the incident is not in the experiment.
    offer : float or None
        What to offer; None where a person decides.
    assigned_arm : {"usual", "step"} or None
        For the log; None where the incident is not in the experiment.
    assignment_probability : float or None
        With which this arm is drawn, for the log.
    reason : str
        Why it is not in the experiment; empty where it is.
    """

    customer_id: str
    incident_id: str
    usual_offer: float | None
    step_offer: float | None
    offer: float | None
    assigned_arm: Arm | None
    assignment_probability: float | None
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return asdict(self)


def assign(
    policy: Policy,
    customer_id: str,
    incident_id: str,
    offer: float,
    *,
    most: float,
    experiment: str = "goodwill",
) -> Assignment:
    r"""Draw the arm of one incident; asked again, the answer is the same.

    The draw is a hash of customer, incident and experiment: nobody has to keep it, and nobody can
    ask until they like the answer.

    Parameters
    ----------
    policy : Policy
        Says which part of the offers is varied, and by how many steps of the grid.
    customer_id, incident_id : str
        Whose incident it is.
    offer : float
        The recommended goodwill, in money, at least 0.
    most : float
        The most that may be given on it, all limits considered, in money.
    experiment : str
        Name of the experiment; another name draws anew.

    Returns
    -------
    Assignment

    Raises
    ------
    RequestError
        Where amounts are negative, or the policy varies half of the offers or more.

    Examples
    --------
    >>> from clv.recommend.policy import Policy
    >>> policy = Policy.parse("[experiment]\nshare = 0.2\ngrid_steps = 10")
    >>> [assign(policy, "0509", f"ticket {i}", 5.0, most=50.0).offer for i in range(6)]
    [15.0, 5.0, 5.0, 5.0, 5.0, 5.0]
    """
    rules = policy.experiment
    _refuse_share(rules.share)
    faults = [
        f"The {name} must be an amount of at least 0; got {value:g}."
        for name, value in (("offer", offer), ("most that may be given", most))
        if not (math.isfinite(value) and value >= 0)
    ]
    if faults:
        raise RequestError.of(faults)
    step = rules.grid_steps * policy.recovery.grid
    reason = ""
    if rules.share == 0:
        reason = "The policy varies no offers (experiment.share is 0)."
    elif offer == 0:
        reason = "Nothing is recommended, so there is no offer to vary."
    elif offer + step > most:
        told = money(step, policy.currency)
        reason = f"The offer with a step of {told} on top would go beyond what may be given."
    if reason:
        return Assignment(customer_id, incident_id, offer, None, offer, None, None, reason)
    drawn = _uniform(experiment, customer_id, incident_id) < rules.share
    return Assignment(
        customer_id,
        incident_id,
        offer,
        offer + step,
        offer + step if drawn else offer,
        "step" if drawn else "usual",
        rules.share if drawn else 1 - rules.share,
        "",
    )


def _uniform(*names: str) -> float:
    """A number from 0 to 1, the same for the same names, as if drawn for each anew."""
    text = "\x1f".join(names)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def _refuse_share(share: float) -> None:
    if not 0 <= share < 0.5:
        raise RequestError(
            f"The part of the offers that is varied must be below one half; got {share:g}. At one "
            "half and above, the log's probabilities do not tell which offers were varied."
        )


@dataclass(frozen=True)
class ExperimentEstimate:
    """What varying the offers did to who comes back.

    Attributes
    ----------
    usual, step : int
        Incidents in each arm.
    customers : int
        Of how many customers.
    returned_usual, returned_step : float
        Part who bought again within the window, as if all had been in that arm.
    difference, low, high : float
        The step's less the usual one's; 95 % interval.
    """

    usual: int
    step: int
    customers: int
    returned_usual: float
    returned_step: float
    difference: float
    low: float
    high: float

    @property
    def shows(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return asdict(self) | {"shows": self.shows}


def estimate(
    returned: npt.ArrayLike,
    step: npt.ArrayLike,
    probability: npt.ArrayLike,
    customer: npt.ArrayLike,
) -> ExperimentEstimate:
    """Estimate what the step did to the share who come back.

    Parameters
    ----------
    returned : array_like of bool, shape (n,)
        Whether the customer bought again within the window.
    step : array_like of bool, shape (n,)
        Whether the incident was in the arm with the step.
    probability : array_like, shape (n,)
        With which it came into its arm, above 0 and below 1: where there was no other arm to come
        into, nothing can be compared.
    customer : array_like, shape (n,)
        Whose it was.

    Returns
    -------
    ExperimentEstimate

    Raises
    ------
    RequestError
        Where an arm has fewer than two incidents, or a probability is none of a draw.

    Examples
    --------
    >>> one = estimate([1, 1, 0, 1, 0, 0], [1, 1, 1, 0, 0, 0], [0.4] * 3 + [0.6] * 3, range(6))
    >>> round(one.difference, 3), one.shows
    (0.333, False)
    """
    y, p = (np.asarray(v, dtype=float) for v in (returned, probability))
    arm = np.asarray(step, dtype=bool)
    faults = []
    if not np.all((p > 0) & (p < 1)):
        faults.append("The probabilities of assignment must be above 0 and below 1.")
    faults += [
        f"The arm {name!r} has {int(of_arm.sum())} incidents; it takes two of each to compare."
        for name, of_arm in (("step", arm), ("usual", ~arm))
        if of_arm.sum() < 2
    ]
    if faults:
        raise RequestError.of(faults)
    _, who = np.unique(np.asarray(customer), return_inverse=True)
    influence = np.zeros(len(y))
    shares, centre, of_added = {}, 0.0, 0.0
    for sign, of_arm in ((1, arm), (-1, ~arm)):
        w = of_arm / p
        w /= w.sum()
        shares[sign] = float(w @ y)
        of_each = np.bincount(who, w)
        added = float(of_each @ of_each)  # the weight of one effective customer
        w, added = w / (1 + 2 * added), added / (1 + 2 * added)
        share = float(w @ y) + added
        centre += sign * share
        influence += sign * w * (y - share)
        of_added += added**2 * ((1 - share) ** 2 + share**2)
    of_customers = np.bincount(who, influence)
    g = len(of_customers)
    error = math.sqrt(float(of_customers @ of_customers) * g / max(g - 1, 1) + of_added)
    reach = float(ndtri(1 - SIGNIFICANCE / 2)) * error
    return ExperimentEstimate(
        usual=int((~arm).sum()),
        step=int(arm.sum()),
        customers=g,
        returned_usual=shares[-1],
        returned_step=shares[1],
        difference=shares[1] - shares[-1],
        low=centre - reach,
        high=centre + reach,
    )
