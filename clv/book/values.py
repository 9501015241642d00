"""The values file of a customer book: all customers in the order of their ids, or one of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clv.book.directory import INTERVAL_COLUMNS, SCORE_COLUMNS, VALUES

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["VALUE_COLUMNS", "ids_near", "read_customer", "read_values"]

VALUE_COLUMNS = (*SCORE_COLUMNS, *INTERVAL_COLUMNS)
"""The columns of `values.parquet` that a value row shows, in this order."""


def _file(folder: Path) -> pq.ParquetFile:
    # read_table would load pandas, half a second that a look-up of one customer waits for; and to
    # an engine `*` or `T=5` in a path would mean more than a name. To pyarrow `book:2024` would be
    # a URL.
    import pyarrow.parquet as pq

    return pq.ParquetFile((folder / VALUES).absolute())


def read_values(folder: Path, columns: Sequence[str]) -> pa.Table:
    """Read some columns of all customers, in the order of their ids."""
    return _file(folder).read(columns=list(columns)).select(list(columns))


def read_customer(folder: Path, customer_id: str) -> pa.Table | None:
    """Read :data:`VALUE_COLUMNS` of one customer, one row; None where there is no such customer."""
    file = _file(folder)
    for group in _likely_first(file.metadata, customer_id):
        ids = file.read_row_group(group, columns=["customer_id"]).column(0).to_pylist()
        if customer_id in ids:
            table = file.read_row_group(group, columns=list(VALUE_COLUMNS))
            return table.slice(ids.index(customer_id), 1).select(VALUE_COLUMNS)
    return None


def ids_near(folder: Path, customer_id: str) -> list[str]:
    """Ids that may have been meant: the same but for zeros, blanks and case, or a few letters."""
    import duckdb

    with duckdb.connect() as engine:
        engine.register("book", read_values(folder, ["customer_id"]))
        rows = engine.execute(
            "select customer_id, "
            "ltrim(lower(trim(customer_id)), '0') = ltrim(lower(trim($id)), '0') as same, "
            "levenshtein(lower(customer_id), lower($id)) as edits from book "
            # An id of which more than half would have to change is not what was meant.
            "where same or 2 * edits <= greatest(length(customer_id), length($id)) "
            "order by same desc, edits, customer_id limit 3",
            {"id": customer_id},
        ).fetchall()
    same = [found for found, is_same, _ in rows if is_same]
    return same or [found for found, _, _ in rows]


def _likely_first(metadata: pq.FileMetaData, customer_id: str) -> list[int]:
    """Row groups, those first whose range of ids holds this one; a file may state no range."""

    def unlikely(group: int) -> bool:
        stated = metadata.row_group(group).column(VALUE_COLUMNS.index("customer_id")).statistics
        if stated is None or not stated.has_min_max:
            return True
        return not stated.min <= customer_id <= stated.max

    return sorted(range(metadata.num_row_groups), key=unlikely)
