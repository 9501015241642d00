"""What goodwill does for a customer with a problem, and who may give how much."""

from __future__ import annotations

from pydantic import model_validator

from clv.recommend.policy.section import Section, figure

__all__ = ["AuthorityRules", "RecoveryRules"]


class RecoveryRules(Section):
    """How goodwill and time act on a customer with a problem, and what limits goodwill."""

    savable_share: float = figure(
        0.6,
        "Of the customers who would leave over a problem, the part that the best recovery keeps.",
        "assumed; studies agree on the direction, none is precise enough to quote",
        ge=0,
        le=1,
        letter="e",
    )
    goodwill_share: float = figure(
        0.6,
        "Of that part, what takes goodwill; a proper fix and an apology win the rest without it.",
        "assumed, after Smith, Bolton & Wagner 1999",
        ge=0,
        le=1,
        letter="ρ",
    )
    money_scale: float = figure(
        0.5,
        "Goodwill that does about 63 % of what goodwill can do, as a multiple of the loss.",
        "assumed; little is gained beyond 1.5 times the price (Haesevoets et al. 2017)",
        gt=0,
        le=10,
        letter="κ_rel",
    )
    slow_share: float = figure(
        0.5,
        "What a very late answer still does, as a part of what a prompt one does.",
        "assumed; a slow fix keeps about half of what a fast one keeps (TARP)",
        ge=0,
        le=1,
        letter="g∞",
    )
    prompt_hours: float = figure(
        4.0,
        "Hours within which an answer counts as prompt.",
        ge=0,
        letter="h0",
    )
    half_life_hours: float = figure(
        24.0,
        "Hours after that in which half of what waiting can destroy is gone.",
        gt=0,
        letter="H",
    )
    most_of_loss: float = figure(
        1.5,
        "Most goodwill on one problem, as a multiple of the loss.",
        "assumed; little is gained beyond it (Haesevoets et al. 2017)",
        ge=0,
    )
    grid: float = figure(1.0, "Goodwill is rounded down to whole steps of this amount.", gt=0)
    handling_cost: float = figure(
        1.0, "Goodwill below this amount is not worth handling; none is given.", ge=0
    )
    credit_redemption: float = figure(
        0.7, "Part of the store credit given that customers use in the end.", gt=0, le=1
    )
    most_in_12_months: float = figure(
        500.0,
        "Most goodwill for one customer in any 12 months.",
        "assumed: what a manager may give on one problem",
        ge=0,
    )
    escalation_cost: float = figure(
        5.0, "Cost of asking a higher authority once, in staff time.", ge=0
    )
    escalation_hours: float = figure(
        24.0, "Hours that a customer waits for the answer of a higher authority.", ge=0
    )


class AuthorityRules(Section):
    """What each tier may give on one problem without asking the next one."""

    automatic: float = figure(25.0, "Given without anyone being asked.", ge=0)
    agent: float = figure(50.0, "Most that the agent on the case may give.", ge=0)
    senior: float = figure(150.0, "Most that a senior agent may give.", ge=0)
    manager: float = figure(
        500.0, "Most that a manager may give; above it a person decides, outside these rules.", ge=0
    )

    @model_validator(mode="after")
    def _rises(self) -> AuthorityRules:
        caps = list(self.tiers.values())
        if caps != sorted(caps):
            told = ", ".join(f"{name} {cap:g}" for name, cap in self.tiers.items())
            raise ValueError(f"each tier must be allowed at least as much as the one below: {told}")
        return self

    @property
    def tiers(self) -> dict[str, float]:
        """The tiers from the lowest to the highest, with the most that each may give."""
        return {name: getattr(self, name) for name in type(self).model_fields}
