"""How much of a customer's value leaves within a period.

Value times probability of leaving takes the two as independent. They are not: those likelier to
leave are worth less, because they would not have stayed long anyhow; and where one leaves after
purchases, those who buy more leave sooner. To someone who knew the customer's rates leaving would
have no memory, and what is bought between Y and Y + h is bought by those who stay until Y. So with
V(t) the discounted purchases of the next t,

    E[ V(h) · 1(stays until Y) ] = e^(δY) · ( V(Y + h) − V(Y) )

where the right side has the expectations that the models give. Hence the part that leaves,

    d = 1 − e^(δY) ( V(Y + h) − V(Y) ) / V(h)
"""

from __future__ import annotations

import numpy as np

from clv.arrays import Floats
from clv.models.base import PurchaseModel

__all__ = ["value_leaving"]


def value_leaving(
    model: PurchaseModel,
    x: Floats,
    t_x: Floats,
    T: Floats,
    *,
    rate: float,
    horizon: float,
    leaving: float,
    discounted: Floats | None = None,
) -> Floats:
    """Part of the value of a customer who is one that leaves within a period, shape (n,).

    Parameters
    ----------
    model : PurchaseModel
        When customers buy and leave.
    x, t_x, T : ndarray, shape (n,)
        Their histories, in the unit of the model.
    rate : float
        δ, continuous discount rate per unit of time.
    horizon : float
        h, how far ahead value counts; may be infinite.
    leaving : float
        Y, the period.
    discounted : ndarray, shape (n,), optional
        Discounted purchases within the horizon, where they are known already.

    Returns
    -------
    ndarray
        From 0 to 1; 0 where there is no value.

    Examples
    --------
    >>> from clv import BGNBD
    >>> x, t_x, T = (np.array([v]) for v in (2.0, 30.43, 38.86))
    >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
    >>> d = value_leaving(model, x, t_x, T, rate=0.0018, horizon=156.0, leaving=52.0)
    >>> float(d[0].round(3)), float((1 - model.survival_if_alive(52.0, x, T, t_x))[0].round(3))
    (0.235, 0.268)
    """

    def until(t: float) -> Floats:
        found: Floats = model.discounted_purchases_if_alive(x, T, t_x, rate=rate, horizon=t)
        return found

    now = until(horizon) if discounted is None else discounted
    stays = np.exp(rate * leaving) * (until(leaving + horizon) - until(leaving))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(np.where(now > 0, 1 - stays / now, 0.0), 0.0, 1.0)
