"""Whether the models suit the customers: repeat purchases, time to see them, and independence."""

from __future__ import annotations

import json
from typing import Any

from clv.errors import NotIdentifiedError
from clv.history import DAYS_PER_UNIT
from clv.inference.independence import WEAK, spend_independence
from clv.quality.purchase_times import usual_wait
from clv.quality.report import FINE, LOOK, UNSUITED, Finding, percent
from clv.transactions.orders import Orders
from clv.transactions.report import counted
from clv.transactions.summary import CustomerHistories

__all__ = ["daily_buyers", "independence", "observed_span", "repeat_purchases"]

FEW_REPEAT = 100
"""Repeat customers below which parameters are told badly (assumed)."""

RARE_REPEAT = 0.05
"""Share of repeat customers below which values rest on a few of them (assumed)."""

SHORT, TOO_SHORT = 6.0, 3.0
"""Spans of the log in usual waits, below which it is short, or too short (assumed). Waits longer
than the log cannot be seen in it: where customers hardly come back, the usual wait that is seen is
a fifth to a third of the log, whatever the true one."""

SURE = 1e-3
"""The p-value below which a correlation is told as one that matters."""

DAILY_SHARE, DAILY_PURCHASES = 0.8, 20
"""Who buys on at least this share of the days from the first to the last purchase, and so often,
buys by the day (assumed)."""


def repeat_purchases(orders: Orders, found: CustomerHistories) -> Finding:
    """Say how many customers came back.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    del orders
    again, all_of_them = found.repeat_customers, found.customers
    share = again / all_of_them
    one_time = all_of_them - again
    figures = {
        "customers": all_of_them,
        "repeat_customers": again,
        "repeat_share": share,
        "one_time_customers": one_time,
        "one_time_share": one_time / all_of_them,
        "purchases": int(found.weight @ (found.frequency + 1)),
    }
    told = (
        f"{again:,} of {counted(all_of_them, 'customer')} ({percent(share)}) bought again; "
        f"{one_time:,} ({percent(one_time / all_of_them)}) bought once."
    )
    if not again:
        return Finding(
            "repeat_purchases",
            UNSUITED,
            f"{_nobody_of(all_of_them)} bought on a second day: how often "
            "customers come back, and when they leave, cannot be learned.",
            "Use a longer log, or check that the customer column says who buys, not which order "
            "it is.",
            figures,
        )
    if again < FEW_REPEAT:
        return Finding(
            "repeat_purchases",
            LOOK,
            told,
            "So few repeat customers leave the parameters open: read the intervals, not the "
            "figures alone, and use a longer log.",
            figures,
        )
    if share < RARE_REPEAT:
        return Finding(
            "repeat_purchases",
            LOOK,
            told,
            "Nearly all worth lies in the few who come back. Does the customer column say who "
            "buys, also of guests? Then compare models (clv fit --model all): they differ most in "
            "what they say of those who bought once.",
            figures,
        )
    return Finding("repeat_purchases", FINE, told, "", figures)


def observed_span(orders: Orders, found: CustomerHistories) -> Finding:
    """Say how long the log is beside the usual wait between two purchases.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    del orders
    days = (found.end - found.first_date).days
    wait = usual_wait(found)
    waits = days / wait if wait else None
    figures = {"days": days, "usual_wait_days": wait, "usual_waits": waits}
    if waits is None:
        return Finding("span", FINE, f"The log spans {counted(days, 'day')}.", "", figures)
    told = (
        f"The log spans {counted(days, 'day')}, {waits:.1f} times the usual wait of {wait:.0f} "
        "days between two purchases (the median over customers who came back)."
    )
    if waits >= SHORT:
        return Finding("span", FINE, told, "", figures)
    return Finding(
        "span",
        UNSUITED if waits < TOO_SHORT else LOOK,
        f"{told} Who waits longer than the log is taken for gone or never seen again.",
        "Read more of the past. Until then, compare what models say of customers who bought once "
        "(clv fit --model all), and trust no forecast longer than the log.",
        figures,
    )


def _nobody_of(customers: int) -> str:
    return "The only customer never" if customers == 1 else f"None of {customers:,} customers"


def daily_buyers(orders: Orders, found: CustomerHistories) -> Finding:
    """Say which customers buy on nearly every day.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    x, days = found.frequency, found.recency * DAYS_PER_UNIT[found.unit]
    daily = (x >= DAILY_PURCHASES) & (x >= DAILY_SHARE * days)
    customers = int(found.weight[daily].sum())
    share = float((found.weight * (x + 1))[daily].sum() / (found.weight @ (x + 1)))
    figures: dict[str, Any] = {"customers": customers, "purchase_share": share, "examples": []}
    if not customers:
        return Finding("daily_buyers", FINE, "Nobody buys on nearly every day.", "", figures)
    table = found.table
    some = table.filter(
        (table["frequency"] >= DAILY_PURCHASES)
        & (table["frequency"] >= DAILY_SHARE * table["recency_days"])
    )
    rows = orders.opened.collect(
        some.order_by(some["frequency"].desc(), "customer_id").limit(3).select("customer_id")
    )
    examples = [str(who) for who in rows["customer_id"].to_pylist()]
    figures["examples"] = examples
    return Finding(
        "daily_buyers",
        LOOK,
        f"{counted(customers, 'customer')} {'buys' if customers == 1 else 'buy'} on nearly every "
        f"day (such as {', '.join(examples)}), {percent(share)} of all purchases.",
        "Is it a till, a reseller, a test account, or a placeholder for unknown customers? Set "
        f"such ids aside, no_customer = {json.dumps(examples, ensure_ascii=False)} in a schema: "
        "one customer has at most one purchase a day in the models.",
        figures,
    )


def independence(orders: Orders, found: CustomerHistories) -> Finding | None:
    """Say whether what customers spend is independent of how often they buy.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    if not orders.has_amount:
        return None
    try:
        tested = spend_independence(found)
    except NotIdentifiedError as error:
        return Finding("independence", FINE, f"Not tested. {error}")
    against = abs(tested.correlation) >= WEAK and tested.p_value < SURE
    advice = (
        "Value groups that differ in it apart, such as business and private customers, or compare "
        "values with what customers spent in a holdout period."
    )
    figures = {k: v for k, v in tested.to_dict().items() if k != "sentence"}
    return Finding(
        "independence",
        LOOK if against else FINE,
        tested.sentence,
        advice if against else "",
        figures,
    )
