"""Types of problem: how many customers each drives away, and what moves that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clv.recommend.policy.section import OneLine, Section, figure

__all__ = ["PROBLEMS", "DropoutRules", "ProblemType"]

DROPOUT_SOURCE = "assumed, from the ranges in studies of complaints and switching"


class ProblemType(Section):
    """One type of problem: how many it drives away, and what every customer with it gets."""

    label: OneLine = figure("", "What people call it.", min_length=1)
    dropout: float = figure(
        ...,
        "Part of the customers who leave over it if nothing is done.",
        DROPOUT_SOURCE,
        ge=0,
        le=1,
        letter="π0",
    )
    floor_share: float = figure(
        0.0,
        "Goodwill that every customer with it gets, whatever the customer's value: part of the "
        "loss (of an outage: of the price of the time without service).",
        ge=0,
        le=1,
    )
    floor_fixed: float = figure(
        0.0, "The same as an amount; where both are set the larger one counts.", ge=0
    )
    person_decides: bool = figure(
        default=False, meaning="true: a person decides; no tier may settle it alone."
    )


PROBLEMS: Mapping[str, Mapping[str, Any]] = {
    "late_delivery": {"label": "late delivery", "dropout": 0.08, "floor_share": 0.05},
    "out_of_stock": {"label": "out of stock after the order", "dropout": 0.10, "floor_share": 0.05},
    "defective": {"label": "defective item", "dropout": 0.15, "floor_share": 0.05},
    "wrong_item": {"label": "wrong or missing item", "dropout": 0.12, "floor_share": 0.10},
    "returned_item": {"label": "return friction", "dropout": 0.10},
    "billing_error": {"label": "billing error", "dropout": 0.18, "floor_share": 0.10},
    # pro rata: the loss is the price of the time without service, and all of it comes back
    "outage": {"label": "outage", "dropout": 0.10, "floor_share": 1.0},
    "mistreated": {"label": "mistreated by staff", "dropout": 0.25, "floor_fixed": 10.0},
    "safety_or_privacy": {"label": "safety or privacy", "dropout": 0.45, "person_decides": True},
}
"""The built-in types, as far as they differ from the defaults of :class:`ProblemType`."""


class DropoutRules(Section):
    """What moves the dropout of a problem type, each on the scale of log-odds."""

    per_severity_level: float = figure(
        0.5, "Added to the log-odds of leaving for each level of severity above 1 (1 to 4)."
    )
    per_log_purchases: float = figure(
        -0.35,
        "Added to the log-odds of leaving, times ln(1 + earlier purchases).",
        "assumed, after Knox & van Oest 2014: earlier purchases protect",
    )
    earlier_incident: float = figure(
        0.8,
        "Added to the log-odds of leaving for a problem before this one, fading with time.",
        "assumed, after Maxham & Netemeyer 2002: a second failure soon after hurts most",
    )
    earlier_incident_days: float = figure(
        60.0, "Days in which that fades to 1/e, about 37 % of it.", gt=0
    )
