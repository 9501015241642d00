"""What customers of a campaign had done before it, and what they did after.

A history ends with the day before the campaign, and the window begins with its day: an order on
that day may be its work, and cannot be held against the control arm, which has the same day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from clv.arrays import Floats
from clv.errors import CampaignsError, UnknownNameError
from clv.history import DAYS_PER_UNIT, Unit
from clv.transactions.campaigns.log import CampaignLog
from clv.transactions.orders import Orders
from clv.transactions.report import LogReport
from clv.transactions.summary import check_unit, read_date

__all__ = ["CampaignOutcomes", "campaign_outcomes"]

LONGEST = 365
"""Days of the window where nobody says how long: later than that hardly a campaign still works,
while everything that chance does goes on."""


@dataclass(frozen=True, eq=False)
class CampaignOutcomes:
    """Customers of one campaign: their histories the day before, and what they did in the window.

    Attributes
    ----------
    campaign : str
        Its name in the log.
    customer_id : ndarray of str, shape (n,)
        In the order of their ids.
    arm : ndarray of int, shape (n,)
        Place in `arms`; 0 is the control.
    arms : tuple of str
        The control arm, then the others by their mean spend and name.
    spend : ndarray, shape (n,)
        What was spent on each, in money; nan where it is not known.
    assignment_probability : ndarray, shape (n,)
        With which chance put each into its arm; nan where chance did not, or nobody says so.
    frequency, recency, T : ndarray, shape (n,)
        History up to the day before the campaign, in `unit`.
    spend_frequency, monetary_value : ndarray, shape (n,)
        Repeat days with a positive total in it, and their mean; nan where there is none.
    purchases, amount : ndarray, shape (n,)
        Days with a purchase in the window, and what was spent on them, in money (nan where the
        orders have no amounts).
    window : int
        Days of the window, the campaign's day first.
    unit : {"day", "week"}
        Of recency and T.
    first_date : date
        The campaign's first day.
    report : LogReport
        Rows of the log read, kept and set aside, of this campaign.
    """

    campaign: str
    customer_id: npt.NDArray[np.object_] = field(repr=False)
    arm: npt.NDArray[np.intp] = field(repr=False)
    arms: tuple[str, ...]
    spend: Floats = field(repr=False)
    assignment_probability: Floats = field(repr=False)
    frequency: Floats = field(repr=False)
    recency: Floats = field(repr=False)
    T: Floats = field(repr=False)
    spend_frequency: Floats = field(repr=False)
    monetary_value: Floats = field(repr=False)
    purchases: Floats = field(repr=False)
    amount: Floats = field(repr=False)
    window: int
    unit: Unit
    first_date: date
    report: LogReport = field(repr=False)

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.customer_id)

    @property
    def window_time(self) -> float:
        """The window in `unit`."""
        return self.window / DAYS_PER_UNIT[self.unit]


def campaign_outcomes(
    orders: Orders,
    log: CampaignLog,
    campaign: str,
    *,
    end: date | str,
    window: int | None = None,
    unit: Unit = "day",
) -> CampaignOutcomes:
    """Put one campaign's customers beside what they had done before it and did after.

    Customers without an order before the campaign are set aside: nothing was known of them, and
    there was nobody to keep. So are rows after the end: nothing was seen of them yet.

    Parameters
    ----------
    orders : Orders
        From :func:`read_orders`; of before the campaign and after it.
    log : CampaignLog
        From :func:`read_campaigns`.
    campaign : str
        One of ``log.campaigns``.
    end : date or "YYYY-MM-DD"
        The last day of observation.
    window : int, optional
        Days to look at from the campaign's day on; all that were observed for everybody, at most
        365, if not given.
    unit : {"day", "week"}
        The unit of recency and T.

    Raises
    ------
    CampaignsError
        Where the window was not observed, or not enough customers are left in the control arm or
        in all the others to compare.
    UnknownNameError
        For a campaign that is not in the log.

    Examples
    --------
    >>> import pandas as pd
    >>> from clv.transactions.campaigns import read_campaigns
    >>> from clv.transactions.orders import read_orders
    >>> orders = read_orders(pd.DataFrame({
    ...     "customer_id": list("aaabbccd"), "amount": [10.0] * 8,
    ...     "date": ["2024-01-01", "2024-01-11", "2024-02-05", "2024-01-02", "2024-01-30",
    ...              "2024-01-05", "2024-02-01", "2024-01-09"],
    ... }))
    >>> log = read_campaigns(pd.DataFrame({
    ...     "customer_id": list("abcd"), "date": "2024-02-01",
    ...     "arm": ["letter", "letter", "none", "none"], "spend": [2.0, 2.0, 0.0, 0.0],
    ... }))
    >>> found = campaign_outcomes(orders, log, "2024-02-01", end="2024-02-10")
    >>> found.window, found.T.tolist(), found.purchases.tolist()
    (10, [30.0, 29.0, 26.0, 22.0], [1.0, 0.0, 1.0, 0.0])
    """
    check_unit(unit)
    if campaign not in log.campaigns:
        raise UnknownNameError("campaign", campaign, log.campaigns)
    last = read_date(end, "end")
    seen = log.observed(last)
    if campaign not in seen.campaigns:
        raise CampaignsError(
            f"Campaign {campaign!r} has, up to the end of observation, {last}, no customers of "
            "both kinds, treated and not. Give later orders, or wait."
        )
    rows = asked = seen.frame[seen.frame["campaign"] == campaign]
    latest = rows["date"].max().date()
    days = _window(campaign, latest, last, window)
    told = _collect(orders, rows, days, last)
    among = int((log.frame["campaign"] == campaign).sum())
    report = LogReport(among, among).without(
        f"after the end of observation, {last}", among - len(rows)
    )
    unknown = ~rows["customer_id"].isin(told.index[told["before"] > 0]).to_numpy()
    shown = tuple(f"customer {who!r}" for who in rows["customer_id"][unknown][:3])
    report = report.without(
        "a customer without an order before the campaign", int(unknown.sum()), shown
    )
    rows = rows[~unknown].sort_values("customer_id")
    arms = _arms(asked)
    sizes = rows.groupby("arm").size()
    few = [name for name in arms if sizes.get(name, 0) < 2]
    if few:
        raise CampaignsError(
            f"Campaign {campaign!r}: fewer than two customers of arm {', '.join(map(repr, few))} "
            f"had an order in {orders.source!r} before the campaign, so there is nobody to "
            "compare. Are the customer ids of both of one kind, and do the orders begin before "
            "the campaign?"
        )
    place = {name: i for i, name in enumerate(arms)}
    arm = np.array([place[name] for name in rows["arm"]], dtype=np.intp)
    told = told.loc[rows["customer_id"]]
    length = DAYS_PER_UNIT[unit]

    def column(name: str) -> Floats:
        values: Floats = told[name].to_numpy(dtype=np.float64, na_value=np.nan)
        return values

    return CampaignOutcomes(
        campaign=campaign,
        customer_id=rows["customer_id"].to_numpy(dtype=object),
        arm=arm,
        arms=arms,
        spend=rows["spend"].to_numpy(dtype=np.float64),
        assignment_probability=rows["assignment_probability"].to_numpy(dtype=np.float64),
        frequency=column("before") - 1,
        recency=column("recency_days") / length,
        T=column("T_days") / length,
        spend_frequency=column("spend_frequency"),
        monetary_value=column("monetary_value"),
        purchases=column("purchases"),
        amount=column("amount"),
        window=days,
        unit=unit,
        first_date=rows["date"].min().date(),
        report=report,
    )


def _window(campaign: str, latest: date, end: date, asked: int | None) -> int:
    """Return the days that were observed after everybody's campaign day, or those asked for."""
    observed = (end - latest).days + 1
    if observed < 1 or (asked is not None and asked > observed):
        wanted = f"a window of {asked:,} days" if asked else "any window"
        raise CampaignsError(
            f"Campaign {campaign!r} has rows of {latest}, and the orders are observed up to {end}: "
            f"{max(observed, 0):,} days, too few for {wanted}. Give later orders, or wait."
        )
    if asked is not None and asked < 1:
        raise CampaignsError(f"The window is {asked} days; it must be at least 1.")
    return asked or min(observed, LONGEST)


def _arms(rows: pd.DataFrame) -> tuple[str, ...]:
    """Return the control arm, and the others by mean spend."""
    control = rows["arm"][rows["control"]].iloc[0]
    mean = rows[~rows["control"]].groupby("arm")["spend"].mean().fillna(np.inf)
    return (control, *sorted(mean.index, key=lambda name: (mean[name], name)))


def _collect(orders: Orders, rows: pd.DataFrame, window: int, end: date) -> pd.DataFrame:
    """One row per customer with an order, by id: the history before, and the window."""
    asked = orders.opened.engine.from_arrow(
        pa.table(
            {
                "customer_id": pa.array(rows["customer_id"], pa.string()),
                "begins": pa.array(rows["date"].dt.date, pa.date32()),
                "ends": pa.array(rows["date"].dt.date + timedelta(days=window), pa.date32()),
            }
        )
    )
    # What was returned later says nothing of how a customer stood when the campaign began.
    days = orders.days_by(end, cut=rows["date"].min().date() - timedelta(days=1))
    bought: ir.Table = days.select(
        customer_id=days["customer_id"].cast(str), date=days["date"], amount=days["amount"]
    )
    seen = bought.inner_join(asked, "customer_id")
    seen = seen.filter(seen["date"] < seen["ends"])
    before = seen["date"] < seen["begins"]
    # Of customers with an order before the campaign the first of all days is one of those.
    first_amount = orders.opened.engine.on_first_day(seen["amount"], seen["date"])
    per = seen.group_by(["customer_id", "begins"]).aggregate(
        first=seen["date"].min(),
        last=seen["date"].max(where=before),
        before=seen.count(where=before),
        total=seen["amount"].sum(where=before) - first_amount,
        paid=seen.count(where=before & (seen["amount"] > 0)) - (first_amount > 0).cast("int64"),
        purchases=seen.count(where=~before),
        amount=seen["amount"].sum(where=~before),
    )
    paid = per["paid"].fill_null(0)
    worth = per["amount"].cast("float64")
    found: pd.DataFrame = orders.opened.collect(
        per.select(
            customer_id=per["customer_id"],
            before=per["before"],
            recency_days=per["last"].delta(per["first"], unit="day"),
            T_days=per["begins"].delta(per["first"], unit="day") - 1,
            spend_frequency=paid,
            monetary_value=per["total"].cast("float64") / paid.nullif(0),
            purchases=per["purchases"],
            amount=worth.fill_null(0.0) if orders.has_amount else worth,
        )
    ).to_pandas()
    return found.set_index("customer_id")
