"""Which column of an incident log is what, and which log is an export of Zendesk tickets.

Names are compared as those of orders are: without case, spaces and punctuation. A Zendesk export
names its custom fields with their kind behind them, as in `Ticket Category [list]`; the kind is
no part of the name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clv.errors import IncidentsError
from clv.transactions.column_names import CUSTOMER, in_first_tier, plain
from clv.transactions.logs import LogColumns, roles_of

__all__ = ["ROLES", "IncidentColumns", "recognise"]

REQUIRED = {
    "customer_id": "who had the problem",
    "occurred_at": "when it happened, or was reported",
    "type": "what went wrong",
}

ROLES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "customer_id": CUSTOMER,
    "occurred_at": (
        ("occurredat",),
        (
            *("occurredon", "incidentdate", "incidentat", "incidenttime", "dateofincident"),
            *("complaintdate", "reportedat", "reporteddate", "problemdate"),
        ),
        ("createdat", "created", "openedat", "requested", "date", "datetime", "timestamp"),
    ),
    "type": (
        ("type",),
        (
            *("incidenttype", "problemtype", "complainttype", "issuetype", "ticketcategory"),
            *("problem", "category", "reason", "contactreason", "issue"),
        ),
    ),
    "order_id": (
        ("orderid",),
        ("ordernumber", "orderno", "invoiceid", "invoicenumber", "invoiceno"),
        ("order", "invoice"),
    ),
    "severity": (("severity",), ("severitylevel",)),
    "loss_amount": (("lossamount",), ("loss", "amountatstake", "valueatstake", "amountlost")),
    "goodwill_amount": (
        ("goodwillamount",),
        ("goodwill", "compensation", "compensationamount", "goodwillpaid", "gesture"),
    ),
    "goodwill_form": (("goodwillform",), ("goodwilltype", "compensationform", "compensationtype")),
    "response_hours": (("responsehours",), ("hourstoresponse", "responsetimehours")),
    "detected_by": (("detectedby",), ("detectedthrough", "foundby")),
    "resolved": (("resolved",), ("isresolved", "fixed")),
    "problem_id": (("problemid",), ("rootcause", "cause", "causeid")),
    "product": (
        ("product",),
        ("productid", "sku", "productcode", "stockcode", "articleid", "articlenumber"),
        ("item", "article", "productname"),
    ),
    "fault": (("fault",), ("faultof", "atfault")),
    "assigned_arm": (("assignedarm",), ("arm", "treatmentarm")),
    "assignment_probability": (("assignmentprobability",), ("propensity", "armprobability")),
    "usual_offer": (("usualoffer",), ("usualgoodwill",)),
    "step_offer": (("stepoffer",), ("stepgoodwill",)),
}

ZENDESK_REQUESTER = ("requesterexternalid", "requesteremail", "requesterid", "requester")
ZENDESK_MINUTES = (
    ("firstreplytimeinminutes", "first reply"),
    ("firstresolutiontimeinminutes", "first resolution"),
    ("fullresolutiontimeinminutes", "full resolution"),
)
KIND_OF_FIELD = re.compile(r"\s*\[\w+\]\s*$")


@dataclass(frozen=True)
class IncidentColumns(LogColumns):
    """The columns of an incident log that were taken.

    Attributes
    ----------
    roles : dict of str to str
        The name in the log of each role that it has: `customer_id`, `occurred_at`, `type`, and
        any of `order_id`, `severity`, `loss_amount`, `goodwill_amount`, `goodwill_form`,
        `response_hours`, `detected_by`, `resolved`, `problem_id`, `product`, `fault`,
        `assigned_arm`, `assignment_probability`, `usual_offer`, `step_offer`.
    zendesk : bool
        Whether it is an export of Zendesk tickets: `severity` is then taken from the priority,
        `resolved` from the status, and the type from `tags` where no column holds it.
    customers : tuple of str
        The columns that could name the customer of a ticket, the best first.
    tags, solved_at, reply_minutes : str or None
        Columns that only tickets have.
    """

    zendesk: bool = False
    customers: tuple[str, ...] = ()
    tags: str | None = None
    solved_at: str | None = None
    reply_minutes: str | None = None
    reply: str = field(default="", repr=False)


def recognise(names: Sequence[str], given: Mapping[str, str] | None = None) -> IncidentColumns:
    """Take the columns that were named, and recognise the others.

    Parameters
    ----------
    names : sequence of str
        The columns of the log.
    given : mapping of str to str, optional
        Canonical name to the name in the log, where the user said it.

    Raises
    ------
    IncidentsError
        Where a column is missing or could be more than one; all faults at once.

    Examples
    --------
    >>> recognise(["Customer", "occurred at", "Problem type", "Loss"]).roles["type"]
    'Problem type'
    >>> recognise(["Id", "Requester email", "Created at", "Priority", "Tags"]).zendesk
    True
    """
    given = dict(given or {})
    bare = {KIND_OF_FIELD.sub("", name): name for name in names}
    by_plain = {plain(short): name for short, name in bare.items()}
    zendesk = _is_zendesk(set(by_plain))
    candidates = {}
    for role, tiers in ROLES.items():
        found = [bare[short] for short in in_first_tier(list(bare), tiers)]
        candidates[role] = _of_tickets(role, found, by_plain) if zendesk else found
    tags = by_plain.get("tags") if zendesk else None
    required = {role: said for role, said in REQUIRED.items() if not (role == "type" and tags)}
    roles = roles_of(names, given, candidates, required, IncidentsError)
    if not zendesk:
        return IncidentColumns(roles)
    minutes = [(by_plain[key], said) for key, said in ZENDESK_MINUTES if key in by_plain]
    column, said = minutes[0] if minutes and "response_hours" not in roles else (None, "")
    return IncidentColumns(
        roles,
        zendesk=True,
        customers=tuple(by_plain[key] for key in ZENDESK_REQUESTER if key in by_plain)
        if "customer_id" not in given
        else (roles["customer_id"],),
        tags=tags if "type" not in roles else None,
        solved_at=by_plain.get("solvedat") if column is None else None,
        reply_minutes=column,
        reply=said,
    )


def _is_zendesk(found: set[str]) -> bool:
    """Whether the names are those of tickets: who asked, when, and how Zendesk files it."""
    return (
        bool(found & set(ZENDESK_REQUESTER))
        and bool(found & {"createdat", "requested"})
        and bool(found & {"tags", "tickettype", "priority"})
        and not found & {"occurredat", "customerid"}
    )


def _of_tickets(role: str, found: list[str], by_plain: Mapping[str, str]) -> list[str]:
    """Return the columns of a ticket export that can have a role."""
    if role == "customer_id":
        return [by_plain[key] for key in ZENDESK_REQUESTER if key in by_plain][:1]
    if role == "severity":
        return [by_plain["priority"]] if "priority" in by_plain else found
    if role == "resolved":
        return [by_plain["status"]] if "status" in by_plain else found
    if role == "type":  # a ticket's own `type` is question, incident, problem or task
        return [name for name in found if plain(name) != "type"]
    return found
