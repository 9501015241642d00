"""What money spent on keeping customers does, and how it is to be divided."""

from __future__ import annotations

from pydantic import model_validator

from clv.recommend.policy.section import Section, figure

__all__ = ["RetentionRules"]


STAGES_WITH_BUDGET = ("new", "short_time", "long_time", "integral")


class RetentionRules(Section):
    """What money spent on keeping customers does, before anything has gone wrong."""

    effect: float = figure(
        0.3,
        "Of the customers who would leave in the period, the part that money can keep; below 0 "
        "where being contacted drives customers away (Ascarza 2018): then nothing is spent.",
        ge=-1,
        le=1,
        letter="e",
    )
    money_scale: float = figure(
        0.5,
        "Spend on a customer that does about 63 % of that, as a multiple of the customer's "
        "expected spend per purchase.",
        gt=0,
        letter="1/k",
    )
    min_per_customer: float = figure(
        0.0, "Least to spend on each customer who has anything to save.", ge=0
    )
    max_per_customer: float = figure(50.0, "Most to spend on one customer in the period.", ge=0)
    min_new: float = figure(
        0.0,
        "The same for customers of one stage, where that is more: new (see [stages]),",
        ge=0,
    )
    min_short_time: float = figure(0.0, "short-time,", ge=0)
    min_long_time: float = figure(0.0, "long-time,", ge=0)
    min_integral: float = figure(0.0, "integral.", ge=0)
    appreciation_new: float = figure(
        0.0,
        "Set aside in the period for a token of thanks to each customer of a stage, whether or not "
        "it keeps anybody: new,",
        ge=0,
    )
    appreciation_short_time: float = figure(0.0, "short-time,", ge=0)
    appreciation_long_time: float = figure(1.0, "long-time,", ge=0)
    appreciation_integral: float = figure(10.0, "integral.", ge=0)
    period_months: int = figure(12, "Months that the budget is for.", ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> RetentionRules:
        least = {"min_per_customer": self.min_per_customer}
        least |= {f"min_{stage}": value for stage, value in self.stage_minimums.items()}
        above = [f"{name} {v:g}" for name, v in least.items() if v > self.max_per_customer]
        if above:
            verb = "is" if len(above) == 1 else "are"
            raise ValueError(
                f"{', '.join(above)} {verb} above max_per_customer {self.max_per_customer:g}"
            )
        return self

    @property
    def stage_minimums(self) -> dict[str, float]:
        """Least to spend on a customer of each stage; other stages have none of their own."""
        return {stage: getattr(self, f"min_{stage}") for stage in STAGES_WITH_BUDGET}

    @property
    def stage_appreciation(self) -> dict[str, float]:
        """Set aside as thanks to each customer of a stage; nothing for the others."""
        return {stage: getattr(self, f"appreciation_{stage}") for stage in STAGES_WITH_BUDGET}
