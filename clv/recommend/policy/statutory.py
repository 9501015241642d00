"""What the law owes the customer: tables that the company keeps, with dates and sources.

Owed is owed: it is never weighed against what a customer is worth, and counts against no limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator

from clv.recommend.policy.section import OneLine, Section, figure, none

__all__ = ["StatutoryRemedy", "as_tuple", "contradictions"]


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
    def _agrees(self) -> StatutoryRemedy:
        if told := contradictions(dict(self)):
            raise ValueError("; ".join(told))
        return self


def contradictions(said: Mapping[str, Any]) -> list[str]:
    """Say how the values of one remedy contradict each other; those that are no values say nothing.

    Parameters
    ----------
    said : mapping of str to object
        Key to value, as stated.

    Returns
    -------
    list of str
        Clauses, to stand after the place.

    Examples
    --------
    >>> contradictions({"amount": 0.0})
    ['must owe something: state share_of_loss or amount']
    """
    told = []
    if not (said.get("share_of_loss") or said.get("amount")):
        told.append("must owe something: state share_of_loss or amount")
    begins, ends = said.get("valid_from"), said.get("valid_until")
    if type(begins) is type(ends) is date and ends < begins:
        told.append(f"ends {ends}, before it begins {begins}")
    return told
