"""What the law owes the customer: tables that the company keeps, with dates and sources.

Owed is owed: it is never weighed against what a customer is worth, and counts against no limit.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator

from clv.recommend.policy.section import OneLine, Section, figure, none

__all__ = ["StatutoryRemedy", "as_tuple"]


def as_tuple(value: Any) -> Any:
    """Read the list of a policy file as what cannot be changed."""
    return tuple(value) if isinstance(value, list) else value


class StatutoryRemedy(Section):
    """What the law gives for a problem: paid in any case, beside goodwill, outside all limits."""

    name: OneLine = figure(..., "What it is called.", "", min_length=1)
    problems: Annotated[tuple[OneLine, ...], BeforeValidator(as_tuple)] = figure(
        (), "Keys of the problem types it is for; empty: all.", ""
    )
    country: OneLine = figure("", "Where it holds, as your data name it; empty: everywhere.", "")
    share_of_loss: float = figure(0.0, "What is owed, as a part of the loss,", "", ge=0)
    amount: float = figure(0.0, "or as an amount; where both are set the larger counts.", "", ge=0)
    valid_from: date = figure(..., "First day on which a problem falls under it.", "")
    valid_until: Annotated[date | None, BeforeValidator(none)] = figure(
        None, 'Last such day; "none": no end is known.', ""
    )
    source: OneLine = figure(
        ..., "The law, its section, and who looked it up when.", "", min_length=1
    )

    @model_validator(mode="after")
    def _owes(self) -> StatutoryRemedy:
        if not (self.share_of_loss or self.amount):
            raise ValueError("must owe something: state share_of_loss or amount")
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError(f"ends {self.valid_until}, before it begins {self.valid_from}")
        return self
