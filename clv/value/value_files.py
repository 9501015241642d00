"""The values of more customers than fit in memory: written by the engine that holds them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from clv.errors import RequestError
from clv.models.base import PurchaseModel
from clv.models.gamma_gamma import GammaGamma
from clv.models.maximum_likelihood import Fit
from clv.models.pooled_spend import PooledSpend, PooledSpendFit
from clv.passwords import no_place
from clv.transactions.summary import CustomerHistories
from clv.value.lifetime_value import INTERNAL, score
from clv.value.terms import Terms

__all__ = ["refuse_folder", "write_lifetime_values"]

OURS = re.compile(r"cohort=\d{4}-\d{2}|_SUCCESS|\._SUCCESS\.crc")
"""What stands in a folder of values: the months, and that Spark was done."""


def write_lifetime_values(
    path: str | os.PathLike[str],
    histories: CustomerHistories,
    purchases: PurchaseModel | Fit[PurchaseModel],
    spend: GammaGamma | PooledSpend | Fit[GammaGamma] | PooledSpendFit,
    *,
    margin: float,
    discount_rate: float,
    horizon_months: int | None = None,
) -> None:
    """Value every customer, and write what comes out as Parquet without bringing it here.

    The engine of the orders writes a folder, with a folder for each month in which customers first
    bought, such as `cohort=2024-01`. What stood in it is replaced.

    Parameters
    ----------
    path : str or Path
        The folder; where Spark works on several machines, one that they all see.
    histories, purchases, spend, margin, discount_rate, horizon_months
        As for :func:`clv.lifetime_value`, whose columns are written, with `customer_id`.

    Raises
    ------
    RequestError, FitError
        As for :func:`clv.lifetime_value`; and where other things than values stand there.
    OSError
        Where the folder cannot be written.

    Examples
    --------
    >>> import clv, tempfile
    >>> import pyarrow.parquet as pq
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> h = clv.histories(orders, end="1997-09-30", unit="week")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clv.write_lifetime_values(f"{folder}/values", h, clv.BGNBD.fit(h),
    ...                               clv.GammaGamma.fit(h), margin=.4, discount_rate=.1)
    ...     january = pq.read_table(f"{folder}/values/cohort=1997-01").num_rows
    >>> january
    781
    """
    place = Path(path)
    refuse_folder(place)  # before the work, not after it
    table = score(
        histories,
        purchases.model if isinstance(purchases, Fit) else purchases,
        spend.model if isinstance(spend, Fit | PooledSpendFit) else spend,
        Terms(margin, discount_rate, horizon_months),
    )
    month = table["first_date"].strftime("%Y-%m")
    values = table.mutate(cohort=month).drop(*INTERNAL)
    histories.opened.write_parquet(values, place, partition_by=["cohort"])


def refuse_folder(path: Path) -> None:
    """Never replace what is no folder of values; name a place that cannot be written to.

    Parameters
    ----------
    path : Path
        Where values are to be written.
    """
    if fault := no_place(str(path)):
        raise RequestError(f"Cannot write: {fault}. Name a folder.")
    if not path.absolute().parent.is_dir():
        raise RequestError(f"There is no folder {path.parent} to write {path.name} to.")
    if not path.exists():
        return
    if not path.is_dir():
        raise RequestError(f"Cannot write {path}: it is a file. Name a folder.")
    others = [there.name for there in path.iterdir() if not OURS.fullmatch(there.name)]
    if others:
        raise RequestError(
            f"{path} holds other things than values ({', '.join(sorted(others)[:3])}); it is left "
            "as it is. Name another folder."
        )
