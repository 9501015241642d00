"""When the customers of incidents bought around them, and whether they come back in time."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pyarrow as pa

from clv.arrays import Floats
from clv.errors import RequestError
from clv.history import DAYS_PER_UNIT
from clv.incident_history import IncidentHistories
from clv.models.incidents.model import IncidentBGNBD
from clv.transactions.incidents import CustomerIncidentHistories

__all__ = ["buys_within", "purchases_around", "refuse_window"]


def purchases_around(h: CustomerIncidentHistories) -> tuple[Floats, Floats]:
    """Time of the last purchase up to and with the day of each incident, and of the next one.

    Parameters
    ----------
    h : CustomerIncidentHistories
        The m incidents, and the days on which everyone bought.

    Returns
    -------
    last, following : ndarray, shape (m,)
        From the customer's first order, in the unit of `h`; following is infinite where there is
        none up to the end of observation.
    """
    opened = h.everyone.opened
    asked = opened.engine.from_arrow(
        pa.table({"customer_id": pa.array(h.customer_id, pa.string())})
    )
    days = h.everyone.days
    days = days.select(customer_id=days["customer_id"].cast(str), date=days["date"])
    found = opened.collect(days.semi_join(asked, "customer_id").order_by("customer_id", "date"))
    place = pd.Index(h.customer_id, dtype=object).get_indexer(
        pd.Index(found["customer_id"].to_pylist(), dtype=object)
    )
    bought = found["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    order = np.lexsort((bought, place))
    place, bought = place[order], bought[order]
    begins = np.searchsorted(place, np.arange(len(h.T)))
    since = (bought - bought[begins][place]) / DAYS_PER_UNIT[h.unit]
    # one axis for all customers, further apart than any has bought, after the end too
    apart = float(max(since.max(), h.T.max())) + 1
    who = h.incident_customer
    at = np.searchsorted(place * apart + since, who * apart + h.time + 1e-9, side="right")
    next_one = np.minimum(at, len(since) - 1)
    there = (at < len(since)) & (place[next_one] == who) & (since[next_one] <= h.T[who] + 1e-9)
    return since[at - 1], np.where(there, since[next_one], np.inf)


def buys_within(window_days: float, h: IncidentHistories, model: IncidentBGNBD) -> Floats:
    """P(buys again within the window | still there after the incident) of each incident.

    Parameters
    ----------
    window_days : float
        Days of follow-up.
    h : IncidentHistories
        The m incidents.
    model : IncidentBGNBD
        How often who is there buys.

    Returns
    -------
    ndarray, shape (m,)
        1 - E[exp(-λt)] with λ ~ Gamma(r + earlier purchases, α + time of the incident).
    """
    window = window_days / DAYS_PER_UNIT[h.unit]
    shape = model.r + h.earlier_purchases
    return np.asarray(-np.expm1(-shape * np.log1p(window / (model.alpha + h.time))))


def refuse_window(window_days: float) -> None:
    """Refuse days of follow-up that are none."""
    if not (math.isfinite(window_days) and window_days > 0):
        raise RequestError(f"The window of follow-up must be days above 0; got {window_days:g}.")
