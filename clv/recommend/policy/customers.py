"""Kinds of customer: the stage of a relationship, and those whose loss the company would feel."""

from __future__ import annotations

from pydantic import model_validator

from clv.recommend.policy.section import Count, OneLine, Section, figure, unstated

__all__ = ["IntegralRules", "StageRules"]


class StageRules(Section):
    """Where a customer stands: prospect, new, short time, long time, integral, or lapsed."""

    new_days: float = figure(90.0, "New: the first order is fewer days ago than this,", gt=0)
    new_purchases: int = figure(
        2, "and there are at most so many purchases, the first included.", ge=1
    )
    long_time_days: float = figure(
        365.0, "Long-time: the first order is at least so many days ago,", gt=0
    )
    long_time_purchases: int = figure(
        3, "and there are at least so many purchases, the first included.", ge=1
    )
    lapsed_below: float = figure(
        0.2,
        "Lapsed: the probability of being a customer still is below this (0: nobody is lapsed).",
        ge=0,
        le=1,
    )
    label_prospect: OneLine = figure("prospect", "What people call each stage.", min_length=1)
    label_new: OneLine = figure("new", "", min_length=1)
    label_short_time: OneLine = figure("short-time", "", min_length=1)
    label_long_time: OneLine = figure("long-time", "", min_length=1)
    label_integral: OneLine = figure("integral", "", min_length=1)
    label_lapsed: OneLine = figure("lapsed", "", min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> StageRules:
        if self.long_time_days < self.new_days:
            raise ValueError(
                f"a customer cannot be long-time (long_time_days {self.long_time_days:g}) while "
                f"still new (new_days {self.new_days:g})"
            )
        return self

    @property
    def labels(self) -> dict[str, str]:
        """What people call each stage, in the order of a relationship."""
        names = ("prospect", "new", "short_time", "long_time", "integral", "lapsed")
        return {name: getattr(self, f"label_{name}") for name in names}


class IntegralRules(Section):
    """Customers who are an integral part of the company: for them a person decides."""

    value_share: float = figure(
        0.01,
        "A customer is integral whose value from here on is at least this part of all customers'.",
        gt=0,
        le=1,
    )
    risk_tolerance: Count = unstated(
        "The amount that the company would risk to win it at even odds, losing half of it; about "
        "6 % of a year's sales in large companies that Howard (1988) advised. Without it the "
        "risk-averse figure is not shown.",
        letter="R",
    )
