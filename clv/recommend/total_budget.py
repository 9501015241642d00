"""How much to spend on retention in all, where nothing is known customer by customer.

Blattberg & Deighton (1996, "Manage marketing by the customer equity test", Harvard Business Review
74(4), 136-144) ask managers three questions: what do you spend per customer, what part of them do
you keep with it, and what part would you keep at most, whatever you spent. That gives a curve,

    r(R) = C (1 − exp(−kR)),      k = −ln(1 − r0/C) / R0

and a customer who brings m a period, kept at a rate r for R and discounted at d, is worth

    (m r − R) / (1 + d − r)

The best R makes its derivative 0. With y = kR, Q = k m (1 + d) − 1 and β = (1 + d − C)/C,

    Q − y = β exp(y)     ⟹     (Q − y) exp(Q − y) = β exp(Q)     ⟹     Q − y = W0(β exp(Q))

with Lambert's W0. exp(Q) overflows where money works fast; ω(x) = W0(exp(x)), Wright's function,
takes the exponent instead. And y = ln((Q − y)/β) keeps the digits that Q − ω loses to a large Q.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import wrightomega

from clv.errors import AllocationError

__all__ = ["RetentionCurve", "TotalBudget"]


@dataclass(frozen=True)
class TotalBudget:
    """What to spend on keeping one customer for one period.

    Attributes
    ----------
    spend : float
        R, in money per customer and period; 0 where no spending pays.
    rate : float
        r(R), the part of the customers that it keeps.
    value : float
        Worth of a customer from here on at that spend, in money.
    """

    spend: float
    rate: float
    value: float


@dataclass(frozen=True)
class RetentionCurve:
    """The part of the customers kept, as spending on each of them rises.

    Parameters
    ----------
    ceiling : float
        C, the part that would be kept at most, whatever were spent: above 0 and at most 1.
    k : float
        How fast spending gets there, per unit of money, above 0.

    Raises
    ------
    AllocationError
        Where a figure makes no sense.

    Examples
    --------
    >>> best = RetentionCurve(ceiling=0.8, k=0.05).best(margin=100, discount_rate=0.1)
    >>> round(best.spend, 6), round(best.rate, 6), round(best.value, 6)
    (38.524182, 0.68344, 71.586059)
    """

    ceiling: float
    k: float

    def __post_init__(self) -> None:
        faults = []
        if not 0 < self.ceiling <= 1:
            faults.append(
                f"The part kept at most must be above 0 and at most 1; got {self.ceiling:g}."
            )
        if not (math.isfinite(self.k) and self.k > 0):
            faults.append(f"k must be a finite number above 0; got {self.k:g}.")
        if faults:
            raise AllocationError.of(faults)

    @classmethod
    def from_answers(cls, *, spend: float, rate: float, ceiling: float) -> RetentionCurve:
        """Return the curve through what is spent and kept now, below what could be kept.

        Parameters
        ----------
        spend : float
            R0, spent now on keeping one customer for one period, in money, above 0.
        rate : float
            r0, the part of the customers that is kept with it, above 0.
        ceiling : float
            C, the part that would be kept at most, above `rate`.

        Raises
        ------
        AllocationError
            Where the three do not lie on such a curve.

        Examples
        --------
        >>> round(RetentionCurve.from_answers(spend=20, rate=0.6, ceiling=0.8).k, 7)
        0.0693147
        """
        faults = []
        if not (math.isfinite(spend) and spend > 0):
            faults.append(
                f"What is spent now per customer must be an amount above 0; got {spend:g}. Nothing "
                "is learned from customers on whom nothing is spent."
            )
        if not 0 < ceiling <= 1:
            faults.append(f"The part kept at most must be above 0 and at most 1; got {ceiling:g}.")
        if not 0 < rate < 1:
            faults.append(f"The part kept now must be above 0 and below 1; got {rate:g}.")
        elif rate >= ceiling:
            faults.append(
                f"The part kept now, {rate:g}, must be below the part that would be kept at most, "
                f"{ceiling:g}."
            )
        if faults:
            raise AllocationError.of(faults)
        return cls(ceiling, -math.log1p(-rate / ceiling) / spend)

    def rate(self, spend: float) -> float:
        """Return r(R), the part of the customers kept at a spend per customer."""
        return -self.ceiling * math.expm1(-self.k * spend)

    def value(self, spend: float, *, margin: float, discount_rate: float) -> float:
        """Return the worth of a customer from here on, at a spend on each of them, in money.

        Parameters
        ----------
        spend : float
            R, per customer and period.
        margin : float
            m, what a kept customer brings in a period, before that spend.
        discount_rate : float
            d, of one period.
        """
        rate = self.rate(spend)
        return (margin * rate - spend) / (1 + discount_rate - rate)

    def best(self, *, margin: float, discount_rate: float) -> TotalBudget:
        """Return the spend per customer that makes a customer worth most.

        Parameters
        ----------
        margin : float
            m, what a kept customer brings in a period, in money.
        discount_rate : float
            d, of one period, at least 0; above 0 where all customers could be kept.

        Raises
        ------
        AllocationError
            Where a figure makes no sense.
        """
        faults = []
        if not math.isfinite(margin):
            faults.append(f"The margin must be an amount; got {margin:g}.")
        if not (math.isfinite(discount_rate) and discount_rate >= 0):
            faults.append(f"The discount rate must be at least 0; got {discount_rate:g}.")
        elif 1 + discount_rate - self.ceiling <= 0:
            faults.append(
                "Customers who could all be kept, with nothing discounted, have no finite worth: "
                "state a discount rate above 0, or a part kept at most below 1."
            )
        if faults:
            raise AllocationError.of(faults)
        k, q = self.k, self.k * margin * (1 + discount_rate) - 1
        ln_beta = math.log(1 + discount_rate - self.ceiling) - math.log(self.ceiling)
        # below y = 0 the first unit already returns less than itself
        y = float(np.log(wrightomega(q + ln_beta))) - ln_beta if q > math.exp(ln_beta) else 0.0
        spend = max(0.0, y / k)
        return TotalBudget(
            spend,
            self.rate(spend),
            self.value(spend, margin=margin, discount_rate=discount_rate),
        )
