"""Which column of a campaign log is what; names are compared as those of orders are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clv.errors import CampaignsError
from clv.transactions.column_names import CUSTOMER, in_first_tier
from clv.transactions.logs import LogColumns, roles_of

__all__ = ["recognise"]

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


def recognise(names: Sequence[str], given: Mapping[str, str] | None = None) -> LogColumns:
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
    candidates = {role: in_first_tier(names, tiers) for role, tiers in ROLES.items()}
    return LogColumns(roles_of(names, given or {}, candidates, REQUIRED, CampaignsError))
