"""Customers who claim unusually often: looked at by a person, never refused by a rule.

Claims come at a rate of their own for each customer, Poisson in the number of orders. With a usual
rate of a₀ claims in b₀ orders as the prior, Gamma(a₀, b₀), after k claims in n orders the rate is

    Gamma(a₀ + k, b₀ + n),

and a customer is looked at where the probability that it is above `factor` times the usual rate
a₀/b₀ reaches the policy's `review_probability`. Few orders prove little: the prior says so.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc

from clv.errors import RequestError, rows_at_fault
from clv.recommend.policy import AbuseRules

__all__ = ["AbuseReview", "abuse_review", "p_abuse"]


def p_abuse(rules: AbuseRules, claims: npt.ArrayLike, orders: npt.ArrayLike) -> Any:
    """Probability that customers claim more than `factor` times as often as is usual.

    Parameters
    ----------
    rules : AbuseRules
        What is usual, and what is too often.
    claims : array_like
        Claims of each customer so far, at least 0.
    orders : array_like
        Orders of each customer so far, at least 0.

    Returns
    -------
    ndarray or float
        Of the broadcast shape.

    Raises
    ------
    RequestError
        Where a number is negative or not finite.

    Examples
    --------
    >>> [round(float(p), 4) for p in p_abuse(AbuseRules(), [6, 1], [40, 10])]
    [0.3987, 0.04]
    """
    k, n = np.broadcast_arrays(np.asarray(claims, dtype=float), np.asarray(orders, dtype=float))
    faults = [
        fault
        for name, v in (("claims", k), ("orders", n))
        for fault in rows_at_fault(
            ~(np.isfinite(v) & (v >= 0)), f"a number of {name} that is negative or not finite"
        )
    ]
    if faults:
        raise RequestError.of(faults)
    too_often = rules.factor * rules.prior_claims / rules.prior_orders
    return gammaincc(rules.prior_claims + k, too_often * (rules.prior_orders + n))


@dataclass(frozen=True)
class AbuseReview:
    """Whether a person should look at a customer's claims.

    Attributes
    ----------
    claims, orders : float
        The customer's so far.
    probability : float
        That the customer claims more than `factor` times as often as is usual.
    review : bool
        Whether a person looks at it. It changes nothing in what is offered.
    sentence : str
        The same in words; empty where there is nothing to look at.
    """

    claims: float
    orders: float
    probability: float
    review: bool
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return asdict(self)


def abuse_review(rules: AbuseRules, claims: float, orders: float) -> AbuseReview:
    """Return whether a person should look at one customer's claims.

    Parameters
    ----------
    rules : AbuseRules
        What is usual, what is too often, and how sure one must be.
    claims, orders : float
        The customer's so far, this one included.

    Returns
    -------
    AbuseReview

    Raises
    ------
    RequestError
        Where a number is negative or not finite.

    Examples
    --------
    >>> abuse_review(AbuseRules(), 6, 40).review, abuse_review(AbuseRules(), 1, 10).review
    (True, False)
    """
    p = float(p_abuse(rules, claims, orders))
    review = p >= rules.review_probability
    told = (
        f"{claims:g} claims in {orders:g} orders: with a probability of {100 * p:.0f} % this "
        f"customer claims more than {rules.factor:g} times as often as is usual. Have a person "
        "look at it afterwards; it changes nothing in what you offer now."
    )
    return AbuseReview(float(claims), float(orders), p, review, told if review else "")
