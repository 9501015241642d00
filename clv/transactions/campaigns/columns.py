"""Which column of a campaign log is what; names are compared as those of orders are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clv.errors import CampaignsError
from clv.transactions.columns import CUSTOMER, in_first_tier, looks_like_values
from clv.transactions.logs import faults_of_choice, faults_of_given, faults_of_taken

__all__ = ["CampaignColumns", "recognise"]

REQUIRED = {
    "customer_id": "who was in the campaign",
    "date": "from which day on it could work",
    "arm": "what the customer got; one arm got nothing",
}

ROLES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "customer_id": CUSTOMER,
    "date": (
        ("date",),
        (
            *("campaigndate", "startdate", "sentat", "senton", "sentdate", "dateofcampaign"),
            *("treatmentdate", "contactdate", "contactedat", "mailedat", "start"),
        ),
        ("datetime", "timestamp", "createdat"),
    ),
    "arm": (
        ("arm",),
        ("assignedarm", "treatmentarm", "treatment", "variant", "testgroup", "treatmentgroup"),
        ("group", "cell", "bucket", "segment"),
    ),
    "campaign": (("campaign",), ("campaignid", "campaignname")),
    "spend": (
        ("spend",),
        ("cost", "spent", "costpercustomer", "spendpercustomer", "amountspent", "unitcost"),
    ),
    "assignment_probability": (
        ("assignmentprobability",),
        ("propensity", "armprobability", "probability"),
    ),
}


@dataclass(frozen=True)
class CampaignColumns:
    """The columns of the log that were taken.

    Attributes
    ----------
    roles : dict of str to str
        The name in the log of each role that it has: `customer_id`, `date`, `arm`, and any of
        `campaign`, `spend`, `assignment_probability`.
    """

    roles: Mapping[str, str]

    def __str__(self) -> str:
        """Say it in a sentence."""
        taken = ", ".join(f"{role} {name!r}" for role, name in self.roles.items())
        return f"Columns taken: {taken}."


def recognise(names: Sequence[str], given: Mapping[str, str] | None = None) -> CampaignColumns:
    """Take the columns that were named, and recognise the others.

    Parameters
    ----------
    names : sequence of str
        The columns of the log.
    given : mapping of str to str, optional
        Canonical name to the name in the log, where the user said it.

    Raises
    ------
    CampaignsError
        Where a column is missing or could be more than one; all faults at once.

    Examples
    --------
    >>> recognise(["Customer ID", "Sent at", "Variant", "Cost"]).roles["arm"]
    'Variant'
    """
    given = dict(given or {})
    faults = faults_of_given(names, given, ROLES)
    roles: dict[str, str] = {}
    for role, tiers in ROLES.items():
        found = [given[role]] if role in given else in_first_tier(names, tiers)
        faults += faults_of_choice(role, found)
        if found:
            roles[role] = found[0]
    faults += faults_of_taken(roles, REQUIRED)
    if faults:
        then = f"The columns are: {', '.join(map(repr, names))}.{looks_like_values(names)}"
        raise CampaignsError.of(faults, then=then)
    return CampaignColumns(roles)
