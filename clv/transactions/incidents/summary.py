"""From orders and an incident log to histories with the incidents in them.

Purchases are days, hence so are incidents: an incident belongs to its day, and one on the day of
a purchase comes after it (and after the dropout that belongs to that purchase).

**Earlier purchases.** An incident is about one order, made on its day or before: the one the log
names, or else the last. So the earlier purchases are the customer's purchase days up to and with
the day of the incident, less that one. That is the customer's frequency as it was on the day,
whichever of the orders it was.

**What chance decided.** Of an incident in the arm "usual" or "step", drawn with the probability
that the log states, the mean of ln(1 + goodwill / loss) over the draw is

    (1 - e) ln(1 + usual_offer / loss) + e ln(1 + step_offer / loss),

e the probability of the step. It is known where both offers are, and the customer was given that of
the arm.

**Earlier incidents.** exp(-days since the customer's incident before / decay_days): 1 for a second
incident on the same day, 0 for a first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from clv.errors import IncidentsError, RequestError
from clv.history import DAYS_PER_UNIT, Floats, Histories, SpendPatterns, Unit
from clv.incident_history import IncidentHistories
from clv.transactions.incidents.log import IncidentLog
from clv.transactions.orders import Orders
from clv.transactions.report import LogReport, after_the_end, counted
from clv.transactions.summary import CustomerHistories, histories, patterns, read_date

__all__ = ["CustomerIncidentHistories", "incident_histories"]

CENT, SLIGHT = 0.01, 0.01
"""What is given may differ from what was offered by a cent and one part in a hundred."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CustomerIncidentHistories(IncidentHistories):
    """Histories with incidents that know the log they come from.

    Attributes
    ----------
    everyone : CustomerHistories
        The histories of all customers, incidents left out.
    report : LogReport
        Rows of the log read, kept and set aside, now also those that no history can hold.
    """

    everyone: CustomerHistories = field(repr=False)
    report: LogReport = field(repr=False)


def incident_histories(
    orders: Orders,
    incidents: IncidentLog,
    *,
    end: date | str,
    unit: Unit = "day",
    decay_days: float = 60.0,
) -> CustomerIncidentHistories:
    """Put incidents into the purchase histories of their customers, observed up to an end.

    Incidents of customers without an order, before the customer's first order or after the end
    are set aside, counted in the report. Customers without an incident left are exactly those
    that :func:`histories` would give.

    Parameters
    ----------
    orders : Orders
        From :func:`read_orders`.
    incidents : IncidentLog
        From :func:`read_incidents`.
    end : date or "YYYY-MM-DD"
        The last day of observation, of orders and of incidents.
    unit : {"day", "week"}
        The unit of recency, T and the times of incidents.
    decay_days : float
        Days in which the weight of an earlier incident fades to 1/e.

    Raises
    ------
    IncidentsError
        Where no incident belongs to a customer of the orders in the time observed.
    RequestError
        For an end before the first order, an end that is no date, another unit, or a decay that
        is not positive.

    Examples
    --------
    >>> import pandas as pd
    >>> from clv.transactions.incidents import read_incidents
    >>> from clv.transactions.orders import read_orders
    >>> orders = read_orders(pd.DataFrame({
    ...     "customer_id": ["007", "007", "007", "011"],
    ...     "date": ["2024-01-01", "2024-01-15", "2024-01-22", "2024-01-08"],
    ... }))
    >>> log = read_incidents(pd.DataFrame({
    ...     "customer_id": ["007"], "occurred_at": ["2024-01-16"], "type": ["defective"],
    ...     "goodwill_amount": [5.0], "loss_amount": [20.0],
    ... }))
    >>> both = incident_histories(orders, log, end="2024-01-29")
    >>> both.time.tolist(), both.earlier_purchases.tolist(), both.goodwill_ratio.tolist()
    ([15.0], [1.0], [0.25])
    """
    if not decay_days > 0:
        raise RequestError(f"decay_days is {decay_days!r}; it must be a positive number of days.")
    last = read_date(end, "end")
    everyone = histories(orders, end=last, unit=unit)
    log = incidents.frame
    of_log = orders.opened.engine.from_arrow(
        pa.table({"customer_id": pa.array(log["customer_id"].unique(), pa.string())})
    )
    known = everyone.table.semi_join(of_log, "customer_id").order_by("customer_id")
    customers = orders.opened.collect(
        known.select("customer_id", "first_date", "frequency", "recency", "T")
    )
    ids = np.asarray(customers["customer_id"].to_pylist(), dtype=object)
    first = customers["first_date"].to_numpy().astype("datetime64[D]")
    place = pd.Index(ids, dtype=object).get_indexer(pd.Index(log["customer_id"], dtype=object))
    day = log["occurred_at"].to_numpy().astype("datetime64[D]")
    kept, report = _within(incidents, place, day, first, last)
    if not kept.any():
        why = "; ".join(str(aside) for aside in report.set_aside)
        raise IncidentsError(
            f"No incident of {incidents.source!r} belongs to a customer of {orders.source!r} in "
            f"the time from the first order to {last}: {why}. Are the customer ids of both of one "
            "kind?"
        )
    log, place, day = log[kept], place[kept], day[kept]
    # Beyond customer and day the order is only to be the same whatever the order of the log.
    order = np.lexsort(
        (
            log["order_id"].fillna("").to_numpy(str),
            log["type"].to_numpy(str),
            log["occurred_at"],
            place,
        )
    )
    log, place, day = log.iloc[order], place[order], day[order]
    with_incidents, who = np.unique(place, return_inverse=True)
    days = (day - first[place]).astype(float)
    kinds = tuple(sorted(log["type"].unique()))
    ratio, unknown = _goodwill_ratio(log)
    step = _step(log)
    expected, other = _expected_goodwill(log, step)
    length = DAYS_PER_UNIT[unit]

    def of_customers(name: str) -> Floats:
        values: Floats = customers[name].to_numpy().astype(np.float64)[with_incidents]
        return values

    def of_log_as_numbers(name: str) -> Floats:
        values: Floats = log[name].to_numpy(dtype=np.float64)
        return values

    return CustomerIncidentHistories(
        plain=_plain(everyone, ids[with_incidents]),
        customer_id=ids[with_incidents],
        frequency=of_customers("frequency"),
        recency=of_customers("recency"),
        T=of_customers("T"),
        incident_customer=who.astype(np.int64),
        time=days / length,
        contact=(log["detected_by"] != "ops").to_numpy(),
        kind=np.searchsorted(kinds, log["type"].to_numpy(str)).astype(np.int64),
        kinds=kinds,
        severity=of_log_as_numbers("severity"),
        earlier_purchases=_earlier_purchases(everyone, ids[place], day),
        earlier_incident=_earlier_incident(who, days, decay_days),
        goodwill_ratio=ratio,
        hours=of_log_as_numbers("response_hours"),
        resolved=of_log_as_numbers("resolved"),
        assignment_probability=of_log_as_numbers("assignment_probability"),
        step=step,
        expected_goodwill=expected,
        row=log.index.to_numpy(dtype=np.int64),
        unit=unit,
        end=last,
        everyone=everyone,
        report=report.noting(*unknown, *other),
    )


def _within(
    incidents: IncidentLog,
    place: npt.NDArray[np.intp],
    day: npt.NDArray[np.datetime64],
    first: npt.NDArray[np.datetime64],
    end: date,
) -> tuple[npt.NDArray[np.bool_], LogReport]:
    """Return which incidents a history can hold, and the report after the others are set aside."""
    late = day > np.datetime64(end)
    unknown = (place < 0) & ~late
    early = np.zeros(len(day), dtype=np.bool_)
    early[place >= 0] = day[place >= 0] < first[place[place >= 0]]
    early &= ~late
    report = incidents.report
    for reason, rows in (
        (after_the_end(end), late),
        ("a customer without an order up to the end", unknown),
        ("before the customer's first order", early),
    ):
        shown = incidents.frame[rows].iloc[:3]
        said = tuple(
            f"customer {who!r} on {when:%Y-%m-%d}"
            for who, when in zip(shown["customer_id"], shown["occurred_at"], strict=True)
        )
        report = report.without(reason, int(rows.sum()), said)
    return ~(late | unknown | early), report


def _plain(everyone: CustomerHistories, with_incidents: npt.NDArray[Any]) -> Histories:
    """Return the histories of the customers without an incident."""
    opened = everyone.opened
    them = opened.engine.from_arrow(
        pa.table({"customer_id": pa.array(with_incidents, pa.string())})
    )
    others = everyone.table.anti_join(them, "customer_id")
    length = DAYS_PER_UNIT[everyone.unit]
    x, recency_days, T_days, weight = patterns(
        opened, others, "frequency", "recency_days", "T_days"
    )
    spend = None
    if everyone.spend is not None:
        bought = others.filter(others["spend_frequency"] > 0)
        spend = SpendPatterns(*patterns(opened, bought, "spend_frequency", "monetary_value"))
    return Histories(
        x, recency_days / length, T_days / length, weight, spend, everyone.unit, everyone.end
    )


def _earlier_purchases(
    everyone: CustomerHistories, who: npt.NDArray[Any], day: npt.NDArray[np.datetime64]
) -> Floats:
    """Count the customer's purchase days up to and with the incident's, less one."""
    # Only the days of customers with incidents leave the engine; there they are two sorted lists.
    asked = everyone.opened.engine.from_arrow(
        pa.table({"customer_id": pa.array(np.unique(who), pa.string())})
    )
    bought: ir.Table = everyone.days.select(
        customer_id=everyone.days["customer_id"].cast(str), date=everyone.days["date"]
    )
    found = everyone.opened.collect(
        bought.semi_join(asked, "customer_id").order_by("customer_id", "date")
    )
    names, code = np.unique(
        np.asarray(found["customer_id"].to_pylist(), dtype=object), return_inverse=True
    )
    dates = found["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    asked_code, asked_day = np.searchsorted(names, who), day.astype(np.int64)
    # One number for customer and day, in the order of both: customers lie further apart than days.
    least = min(dates.min(), asked_day.min())
    apart = max(dates.max(), asked_day.max()) - least + 1
    bought_at = np.sort(code * apart + dates - least)
    up_to = np.searchsorted(bought_at, asked_code * apart + asked_day - least, side="right")
    before_customer = np.searchsorted(bought_at, asked_code * apart, side="left")
    earlier: Floats = (up_to - before_customer - 1).astype(np.float64)
    return earlier


def _earlier_incident(who: npt.NDArray[np.intp], days: Floats, decay_days: float) -> Floats:
    earlier = np.zeros(len(who))
    again = who[1:] == who[:-1]
    earlier[1:][again] = np.exp(-np.diff(days)[again] / decay_days)
    return earlier


def _goodwill_ratio(log: pd.DataFrame) -> tuple[Floats, list[str]]:
    """Return goodwill over loss, nan where it is not known, and say where it is not."""
    goodwill = log["goodwill_amount"].to_numpy(dtype=np.float64)
    loss = log["loss_amount"].to_numpy(dtype=np.float64)
    ratio = np.where(loss > 0, goodwill / np.where(loss > 0, loss, 1.0), np.nan)
    ratio = np.where(goodwill == 0, 0.0, ratio)  # nothing, whatever the loss
    lost = int((np.isnan(ratio) & ~np.isnan(goodwill)).sum())
    if not lost:
        return ratio, []
    told = (
        f"Goodwill of {counted(lost, 'incident')} is known, the loss is not or is 0; as a share "
        "of the loss it is not known."
    )
    return ratio, [told]


def _step(log: pd.DataFrame) -> Floats:
    """Return 1 for the arm "step", 0 for "usual", nan for neither."""
    arm = log["assigned_arm"].fillna("").str.strip().str.lower()
    return np.asarray(arm.map({"usual": 0.0, "step": 1.0}).to_numpy(dtype=np.float64))


def _expected_goodwill(log: pd.DataFrame, step: Floats) -> tuple[Floats, list[str]]:
    """Return the mean of ln(1 + goodwill / loss) over the draw, nan where it is not known."""
    names = ("loss_amount", "goodwill_amount", "usual_offer", "step_offer")
    loss, given, usual, more = (log[name].to_numpy(dtype=np.float64) for name in names)
    p = log["assignment_probability"].to_numpy(dtype=np.float64)
    e = np.where(step == 1, p, 1 - p)
    loss = np.where(loss > 0, loss, np.nan)
    expected = (1 - e) * np.log1p(usual / loss) + e * np.log1p(more / loss)
    offered = np.where(step == 1, more, usual)
    another = ~np.isnan(expected + step) & ~(np.abs(given - offered) <= CENT + SLIGHT * offered)
    expected[np.isnan(step) | another] = np.nan
    many = int(another.sum())
    if not many:
        return expected, []
    told = (
        f"In {counted(many, 'incident')} of the experiment the customer was not given, as far as "
        "is known, what the arm offers; nothing is taken there to be chance's doing."
    )
    return expected, [told]
