"""What a fit of campaigns found, to be printed, written and followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from clv.recommend.campaigns import Qini, RetentionPosterior
from clv.recommend.learned import Basis, Learned

__all__ = ["ArmResult", "CampaignFit", "CampaignResult", "SegmentResult"]


@dataclass(frozen=True)
class ArmResult:
    """What one arm did, against the control; bounds are those of 95 % intervals.

    Attributes
    ----------
    arm : str
        Its name.
    customers : int
        In the arm.
    spend : float
        Mean on each, in money; nan where it is not known.
    purchases, purchases_low, purchases_high : float
        More purchases in the window, per customer.
    margin, margin_low, margin_high : float
        More margin in the window, per customer, in money, before what the arm cost.
    kept, kept_low, kept_high : float
        Part kept of those who would have left in the window; below 0 where more left.
    margin_per_unit, value_per_unit : float or None
        Margin in the window, and value from then on of those who were kept, per unit of money
        spent; None where nothing was, or it is not known. Each with its bounds.
    """

    arm: str
    customers: int
    spend: float
    purchases: float
    purchases_low: float
    purchases_high: float
    margin: float
    margin_low: float
    margin_high: float
    kept: float
    kept_low: float
    kept_high: float
    margin_per_unit: float | None
    margin_per_unit_low: float | None
    margin_per_unit_high: float | None
    value_per_unit: float | None
    value_per_unit_low: float | None
    value_per_unit_high: float | None


@dataclass(frozen=True)
class SegmentResult:
    """What one arm did for customers of one segment, pooled as far as segments are alike.

    Attributes
    ----------
    segment : str
        Its name.
    customers : int
        Compared in it, the control's included.
    kept, kept_low, kept_high : float
        Part kept of those who would have left in the window; a 95 % interval.
    kept_alone : float
        The same from these customers alone.
    p_harm : float
        Probability that more leave.
    """

    segment: str
    customers: int
    kept: float
    kept_low: float
    kept_high: float
    kept_alone: float
    p_harm: float

    @property
    def treat(self) -> bool:
        """Whether to spend on them at all: not where contact is thought to do harm."""
        return self.kept > 0


@dataclass(frozen=True, eq=False)
class CampaignResult:
    """What one campaign did.

    Attributes
    ----------
    campaign : str
        Its name.
    first_date : date
        Its first day.
    window : int
        Days looked at, the first included.
    basis : {"causal", "associational"}
        Whether chance decided who was treated.
    control : str
        The arm that got nothing.
    control_customers : int
        In it.
    control_purchases, expected_purchases : float
        What they bought in the window, per customer, and what the model expected.
    arms : tuple of ArmResult
        The others.
    segments : mapping of str to tuple of SegmentResult
        By arm: for whom it did what.
    qini : mapping of str to Qini
        By arm: whether ranking by value at stake finds those whom the arm changes, in margin.
    concerns : tuple of str
        What a reader of the figures must know.
    set_aside : tuple of str
        Customers who were not compared, and why.
    """

    campaign: str
    first_date: date
    window: int
    basis: Basis
    control: str
    control_customers: int
    control_purchases: float
    expected_purchases: float
    arms: tuple[ArmResult, ...]
    segments: Mapping[str, tuple[SegmentResult, ...]] = field(repr=False)
    qini: Mapping[str, Qini] = field(repr=False)
    concerns: tuple[str, ...] = ()
    set_aside: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return {
            "campaign": self.campaign,
            "first_date": self.first_date.isoformat(),
            "window": self.window,
            "basis": self.basis,
            "control": self.control,
            "control_customers": self.control_customers,
            "control_purchases": self.control_purchases,
            "expected_purchases": self.expected_purchases,
            "arms": [asdict(arm) for arm in self.arms],
            "segments": {
                arm: [asdict(one) | {"treat": one.treat} for one in segments]
                for arm, segments in self.segments.items()
            },
            "qini": {
                arm: {
                    "area": curve.area,
                    "low": curve.interval()[0],
                    "high": curve.interval()[1],
                    "customers": curve.customers,
                }
                for arm, curve in self.qini.items()
            },
            "concerns": list(self.concerns),
            "set_aside": list(self.set_aside),
        }


@dataclass(frozen=True, eq=False)
class CampaignFit:
    """What campaigns did, and what the policy learns of it.

    Attributes
    ----------
    campaigns : tuple of CampaignResult
        In the order of their first days.
    posterior : RetentionPosterior or None
        Of the policy's retention figures, from the campaigns in which chance decided; where there
        are none, from the others. None where no campaign says what was spent.
    learned : Learned
        The figures for :meth:`clv.Book.learn`; empty where there are none.
    notices : tuple of str
        How log and orders were read.
    set_aside : tuple of str
        Rows of the log that were not used, and why.
    currency : str
        Code of the currency; empty where the policy does not state it.
    policy_version : str
        Of the policy whose figures were the prior.
    """

    campaigns: tuple[CampaignResult, ...]
    posterior: RetentionPosterior | None
    learned: Learned
    notices: tuple[str, ...]
    set_aside: tuple[str, ...]
    currency: str
    policy_version: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return {
            "campaigns": [one.to_dict() for one in self.campaigns],
            "learned": self.learned.to_dict(),
            "notices": list(self.notices),
            "set_aside": list(self.set_aside),
            "currency": self.currency,
            "policy_version": self.policy_version,
        }
