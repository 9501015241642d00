"""The bundled orders and tables, each a file with its origin in a SOURCE.md beside it.

Data are files, as a user's are: :func:`path` gives one to any command or to
:func:`clv.read_orders`; the ``load_*`` functions give it as a pandas frame.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from clv.errors import UnknownNameError

if TYPE_CHECKING:  # `clv recover` must not pay for pandas
    import pandas as pd

__all__ = [
    "load_cdnow",
    "load_cdnow_master",
    "load_donations",
    "load_online_retail",
    "load_online_retail_incidents",
    "load_sbg",
    "load_simulated_shop_campaigns",
    "load_simulated_shop_incidents",
    "load_simulated_shop_orders",
    "load_simulated_shop_truth",
    "names",
    "path",
]

FILES = {
    "cdnow": "cdnow/cdnow_sample.csv",
    "cdnow_master": "cdnow/cdnow_master.csv",
    "donations": "donations/donations.csv",
    "online_retail": "online_retail/online_retail.parquet",
    "online_retail_incidents": "online_retail/online_retail_incidents.parquet",
    "sbg": "sbg/survival_years_0_7.csv",
    "simulated_shop_campaigns": "simulated_shop/campaigns.parquet",
    "simulated_shop_incidents": "simulated_shop/incidents.parquet",
    "simulated_shop_orders": "simulated_shop/orders.parquet",
    "simulated_shop_truth": "simulated_shop/truth.json",
}


def names() -> tuple[str, ...]:
    """Names of the bundled data sets.

    Examples
    --------
    >>> [name for name in names() if not name.startswith("simulated_")]
    ['cdnow', 'cdnow_master', 'donations', 'online_retail', 'online_retail_incidents', 'sbg']
    """
    return tuple(FILES)


def path(name: str) -> Path:
    """Where a bundled data set lies, a file that the commands and `read_orders` can read.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Raises
    ------
    UnknownNameError
        Where there is no data set of that name, with the nearest names.

    Examples
    --------
    >>> path("cdnow").name
    'cdnow_sample.csv'
    """
    if name not in FILES:
        raise UnknownNameError(
            "data set", name, FILES, then=f"Bundled are: {', '.join(map(repr, FILES))}."
        )
    return _root() / FILES[name]


def load_cdnow() -> pd.DataFrame:
    """Orders of the CDNOW 1/10 sample, the data behind the published BG/NBD figures.

    Returns
    -------
    DataFrame, shape (6919, 4)
        customer_id (text, leading zeros kept), date, quantity (discs), amount (US dollars; 8
        orders have amount 0).

    Notes
    -----
    Fader & Hardie, public research data. Calibrated to 1997-09-30 in weeks it gives every figure
    of Fader, Hardie & Lee (2005).

    Examples
    --------
    >>> load_cdnow()["customer_id"].nunique()
    2357
    """
    return _orders("cdnow")


def load_cdnow_master() -> pd.DataFrame:
    """Orders of all CDNOW customers who first bought in the first quarter of 1997.

    Returns
    -------
    DataFrame, shape (69659, 4)
        customer_id (text), date, quantity (discs), amount (US dollars; 80 orders have amount 0).

    Notes
    -----
    Fader & Hardie, public research data. The ids are not those of the sample.

    Examples
    --------
    >>> load_cdnow_master()["customer_id"].nunique()
    23570
    """
    return _orders("cdnow_master")


def load_online_retail() -> pd.DataFrame:
    """Invoices of a British gift wholesaler, cancellations included.

    Returns
    -------
    DataFrame, shape (25900, 5)
        invoice (text; begins with C where it cancels), date (with the time), customer_id (text,
        missing on 3,710 invoices), country, amount (pounds sterling, negative where cancelled).

    Notes
    -----
    Chen (2015), *Online Retail*, UCI data set 352, doi:10.24432/C5BW33, CC BY 4.0; lines added up
    to invoices.

    Examples
    --------
    >>> round(float(load_online_retail()["amount"].sum()), 2)
    9747747.93
    """
    import pandas as pd

    invoices = pd.read_parquet(path("online_retail"))
    return invoices.assign(amount=invoices["amount"].astype(float))  # the file's are decimals


def load_online_retail_incidents() -> pd.DataFrame:
    """Cancelled invoices of the same wholesaler, as incidents of type returned_item.

    Returns
    -------
    DataFrame, shape (3654, 6)
        customer_id (text), occurred_at, type, invoice (of the cancellation), loss_amount (pounds
        sterling), detected_by.

    Notes
    -----
    Chen (2015), *Online Retail*, UCI data set 352, doi:10.24432/C5BW33, CC BY 4.0; cancelled
    invoices that name a customer.

    Examples
    --------
    >>> load_online_retail_incidents()["customer_id"].nunique()
    1589
    """
    import pandas as pd

    incidents = pd.read_parquet(path("online_retail_incidents"))
    return incidents.assign(loss_amount=incidents["loss_amount"].astype(float))


def load_simulated_shop_orders() -> pd.DataFrame:
    """Orders of a shop that does not exist, simulated with known effects.

    Returns
    -------
    DataFrame, shape (43458, 4)
        order_id, customer_id (text), date, amount (euros).

    Notes
    -----
    Simulated by :mod:`clv.simulated_shop`; :func:`load_simulated_shop_truth` says what with.

    Examples
    --------
    >>> load_simulated_shop_orders()["customer_id"].nunique()
    8000
    """
    import pandas as pd

    return pd.read_parquet(path("simulated_shop_orders"))


def load_simulated_shop_incidents() -> pd.DataFrame:
    """Incidents of the simulated shop, with all the columns of an incident log.

    Returns
    -------
    DataFrame, shape (6097, 15)
        The columns that :func:`clv.read_incidents` knows; goodwill is missing on 102, and
        assignment_probability where the goodwill was not drawn by chance.

    Notes
    -----
    Simulated by :mod:`clv.simulated_shop`; :func:`load_simulated_shop_truth` says what with.

    Examples
    --------
    >>> int(load_simulated_shop_incidents()["assignment_probability"].notna().sum())
    3656
    """
    import pandas as pd

    return pd.read_parquet(path("simulated_shop_incidents"))


def load_simulated_shop_campaigns() -> pd.DataFrame:
    """Who was in which arm of the simulated shop's campaign.

    Returns
    -------
    DataFrame, shape (8000, 5)
        customer_id (text), date (2023-05-01), arm (control, letter, voucher), spend (euros),
        assignment_probability.

    Notes
    -----
    Simulated by :mod:`clv.simulated_shop`; :func:`load_simulated_shop_truth` says what with.

    Examples
    --------
    >>> sorted(load_simulated_shop_campaigns()["arm"].unique())
    ['control', 'letter', 'voucher']
    """
    import pandas as pd

    return pd.read_parquet(path("simulated_shop_campaigns"))


def load_simulated_shop_truth() -> dict[str, Any]:
    """What the simulated shop is made of: every parameter of :class:`clv.simulated_shop.Truth`.

    Examples
    --------
    >>> truth = load_simulated_shop_truth()
    >>> truth["r"], truth["goodwill"], truth["problems"]["defective"]["dropout"]
    (1.5, -1.3, 0.25)
    """
    import json

    truth: dict[str, Any] = json.loads(path("simulated_shop_truth").read_text(encoding="utf-8"))
    return truth


def load_donations() -> pd.DataFrame:
    """Yearly giving of 11,104 donors, as 22 distinct patterns and their counts.

    Returns
    -------
    DataFrame, shape (22, 4)
        frequency (years with a gift after the first), recency (the last such year), periods
        (years observed), weights (donors).

    Notes
    -----
    Fader, Hardie & Shang (2010), the data of the BG/BB model.

    Examples
    --------
    >>> int(load_donations()["weights"].sum())
    11104
    """
    import pandas as pd

    return pd.read_csv(path("donations"))


def load_sbg() -> pd.DataFrame:
    """Subscribers still there after each year, of 1,000 in each of two segments.

    Returns
    -------
    DataFrame, shape (8, 2)
        highend_alive and regular_alive, indexed by year, 0 to 7.

    Notes
    -----
    Fader & Hardie (2007), the data of the shifted-beta-geometric model.

    Examples
    --------
    >>> load_sbg().loc[1].to_dict()
    {'highend_alive': 869, 'regular_alive': 631}
    """
    import pandas as pd

    return pd.read_csv(path("sbg"), index_col="year")


def _orders(name: str) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(path(name), dtype={"customer_id": "str"}, parse_dates=["date"])


def _root() -> Path:
    """Return the folder of the data: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "_datasets"
    return installed if installed.is_dir() else package.parent / "datasets"
