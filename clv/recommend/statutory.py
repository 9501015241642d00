"""What the law owes a customer for a problem: shown beside goodwill, never weighed against it.

The tables are the company's own (``[[statutory]]`` of the policy): none is assumed, and whether
they state the law is for its lawyers to say. What is owed counts against no cap, is not rounded,
and does not depend on what the customer is worth.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from clv.errors import RequestError
from clv.recommend.policy import Policy, StatutoryRemedy, money

__all__ = ["Owed", "owed_by_law", "without_table"]


@dataclass(frozen=True)
class Owed:
    """What one remedy owes for one problem.

    Attributes
    ----------
    name : str
        What the remedy is called.
    amount : float
        What is owed, in money.
    country : str
        Where it holds, where the customer's country was not known; empty: it holds.
    source : str
        The law.
    sentence : str
        The same in words.
    """

    name: str
    amount: float
    country: str
    source: str
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return asdict(self)


def owed_by_law(
    policy: Policy, problem: str, loss: float, *, on: date, country: str = ""
) -> tuple[Owed, ...]:
    """Return what is owed for a problem on a day, by the tables of the policy.

    Parameters
    ----------
    policy : Policy
        Its `statutory` tables are used.
    problem : str
        Key of a problem type of the policy.
    loss : float
        What the customer lost by it, in money, at least 0.
    on : date
        The day of the problem.
    country : str
        Where the customer is, as the tables name it, in any case; empty: not known, and remedies
        of single countries are told with theirs.

    Returns
    -------
    tuple of Owed
        In the order of the policy. Several may exclude each other: that is for the law to say.

    Raises
    ------
    UnknownNameError
        Where the policy has no such problem type.
    RequestError
        Where the loss makes no sense.

    Examples
    --------
    >>> policy = Policy.parse('''
    ... [[statutory]]
    ... name = "refund of the shipping fee"
    ... problems = ["late_delivery"]
    ... amount = 5.0
    ... valid_from = 2022-01-01
    ... source = "an invented law"
    ... ''')
    >>> (owed,) = owed_by_law(policy, "late_delivery", 40.0, on=date(2024, 3, 1))
    >>> print(owed.sentence)
    Owed by law, whatever else is given: 5.00, refund of the shipping fee (an invented law).
    """
    policy.problem(problem)
    if not (math.isfinite(loss) and loss >= 0):
        raise RequestError(f"The loss must be a finite amount of at least 0; got {loss:g}.")
    return tuple(
        _owed(remedy, loss, policy.currency, known=bool(_plain(country)))
        for remedy in policy.statutory
        if _applies(remedy, problem, on, country)
    )


def without_table(policy: Policy, country: str) -> str:
    """Say that no table is for a customer's country, so that nobody takes it for nothing owed.

    Parameters
    ----------
    policy : Policy
        Its `statutory` tables are looked at.
    country : str
        Where the customer is; empty: not known.

    Returns
    -------
    str
        A sentence; empty where a table names the country, or no table names any.

    Examples
    --------
    >>> policy = Policy.parse('''
    ... [[statutory]]
    ... name = "refund of the price"
    ... country = "NL"
    ... share_of_loss = 1.0
    ... valid_from = 2022-01-01
    ... source = "an invented law"
    ... ''')
    >>> without_table(policy, "nl")
    ''
    >>> without_table(policy, "Netherlands")[:64]
    "No table of the policy says what the law gives in 'Netherlands';"
    """
    named = dict.fromkeys(remedy.country for remedy in policy.statutory if _plain(remedy.country))
    if not _plain(country) or not named or _plain(country) in map(_plain, named):
        return ""
    return (
        f"No table of the policy says what the law gives in {country.strip()!r}; its tables are "
        f"for {', '.join(named)}. Write the country as they do, or add a table: something may be "
        "owed."
    )


def _applies(remedy: StatutoryRemedy, problem: str, on: date, country: str) -> bool:
    return (
        (not remedy.problems or problem in remedy.problems)
        and (not remedy.country or not _plain(country) or _plain(remedy.country) == _plain(country))
        and remedy.valid_from <= on
        and (remedy.valid_until is None or on <= remedy.valid_until)
    )


def _plain(country: str) -> str:
    return country.strip().casefold()


def _owed(remedy: StatutoryRemedy, loss: float, currency: str, *, known: bool) -> Owed:
    amount = max(remedy.share_of_loss * loss, remedy.amount)
    country = "" if known else remedy.country
    where = f" in {country}" if country else ""
    return Owed(
        name=remedy.name,
        amount=amount,
        country=country,
        source=remedy.source,
        sentence=(
            f"Owed by law{where}, whatever else is given: {money(amount, currency)}, {remedy.name} "
            f"({remedy.source})."
        ),
    )
