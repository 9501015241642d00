"""What the check of a book's orders holds against its figures, to be repeated beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from dateutil.relativedelta import relativedelta

from clv.quality.report import FINE, UNSUITED

if TYPE_CHECKING:
    from clv.book.customer_book import Book

__all__ = ["beyond_the_log", "cautions", "horizon_beyond_the_log", "mostly_integral"]


def cautions(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Say where the models do not suit the orders, or miss something about when customers buy.

    Parameters
    ----------
    manifest : mapping
        Of a book.

    Returns
    -------
    tuple of str
        Sentences with what to do.

    Examples
    --------
    >>> season = {"verdict": "look at this", "sentence": "December stands out.", "advice": "See."}
    >>> cautions({"quality": {"findings": {"season": season}}})
    ('December stands out. See.',)
    """
    return tuple(
        f"{found['sentence']} {found['advice']}".strip()
        for topic, found in manifest["quality"]["findings"].items()
        if found["verdict"] == UNSUITED or (found["verdict"] != FINE and _is_missed(topic, found))
    )


def _is_missed(topic: str, found: Mapping[str, Any]) -> bool:
    """Whether every forecast is wrong for it: a season, and customers who buy by the clock."""
    return topic == "season" or (topic == "regularity" and found["dispersion"] < 1)


def beyond_the_log(manifest: Mapping[str, Any], last: date | None, what: str) -> tuple[str, ...]:
    """Say where figures reach further ahead than the log reaches back; nothing where they do not.

    Parameters
    ----------
    manifest : mapping
        Of a book.
    last : date or None
        The last day that counts; None: there is none.
    what : str
        What reaches ahead, with its verb, such as "The forecast goes".

    Examples
    --------
    >>> about = {"end": "2024-12-31", "quality": {"findings": {"span": {"days": 60}}}}
    >>> beyond_the_log(about, date(2025, 2, 28), "The forecast goes")
    ()
    """
    end, seen = date.fromisoformat(manifest["end"]), manifest["quality"]["findings"]["span"]["days"]
    if last is not None and (last - end).days <= seen + 1:
        return ()
    to = "without end" if last is None else f"to {last}"
    told = (
        f"{what} {to}, further than the log reaches back ({seen + 1:,} days up to {end}). What "
        "customers do after so long nobody has seen: beyond that the figures are the models' word "
        "alone."
    )
    return (told,)


def horizon_beyond_the_log(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Say the same of the horizon of a book's values.

    Parameters
    ----------
    manifest : mapping
        Of a book.
    """
    months = manifest["terms"]["horizon_months"]
    end = date.fromisoformat(manifest["end"])
    last = None if months is None else end + relativedelta(months=months)
    return beyond_the_log(manifest, last, "Values count purchases")


def mostly_integral(book: Book) -> str:
    """Say where a person decides about more than half of the customers, by their share of value.

    Parameters
    ----------
    book : Book
        Of a small shop, where there are such.

    Returns
    -------
    str
        Empty where there are fewer.
    """
    share = book.policy.integral.value_share
    total = book.manifest["totals"]["lifetime_value"]
    if book.customers * share >= 2 or not total:  # half of them would be worth more than all
        return ""
    values = book.read(["lifetime_value"]).column("lifetime_value").to_numpy()
    many = int((values >= share * total).sum())
    if 2 * many <= book.customers:
        return ""
    return (
        f"{many:,} of {book.customers:,} customers are each worth {100 * share:.3g} % of all or "
        "more, from which a person decides about goodwill. If that is too many: value_share in "
        "[integral] of the policy."
    )
