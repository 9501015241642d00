"""The values of a book as partitioned Parquet: a folder for each month of first orders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from clv.book.directory import VALUES, replaced
from clv.book.values import VALUE_COLUMNS
from clv.errors import RequestError
from clv.value.value_files import refuse_folder

if TYPE_CHECKING:
    import pyarrow as pa

    from clv.book.customer_book import Book

__all__ = ["write_value_folder"]

GROUPS = 10
"""Groups of rows of the book's file that are in memory at once, a million customers."""


def write_value_folder(book: Book, path: str | os.PathLike[str]) -> int:
    """Write the values of all customers to a folder, whole or not at all.

    Within it `cohort=2024-01` holds the customers who first bought in January 2024. The columns are
    those of :meth:`Book.values`, and `policy_version`, what they rest on.

    Parameters
    ----------
    book : Book
        Any book.
    path : str or Path
        The folder; one that was written before steps aside until the new one is whole. Where the
        machine stops between the two moves, it stands beside as `.NAME.previous`.

    Returns
    -------
    int
        How many rows were written.

    Raises
    ------
    RequestError
        Where something else stands there, or the place cannot be written to.

    Examples
    --------
    >>> import clv, tempfile
    >>> import pyarrow.parquet as pq
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     book = clv.build_book(clv.datasets.path("cdnow"), f"{folder}/book", end="1997-09-30")
    ...     rows = write_value_folder(book, f"{folder}/values")
    ...     january = pq.read_table(f"{folder}/values/cohort=1997-01").num_rows
    >>> rows, january
    (2357, 781)
    """
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    place = Path(path).absolute()
    refuse_folder(place)
    with pq.ParquetFile(book.path.absolute() / VALUES) as file:
        schema = _parts(book, file, slice(0, 0)).schema
        cohort = pa.schema([schema.field("cohort")])
        rows = int(file.metadata.num_rows)
        try:
            with replaced(place) as aside:
                ds.write_dataset(
                    (batch for part in _all_parts(book, file) for batch in part.to_batches()),
                    aside,
                    format="parquet",
                    schema=schema,
                    partitioning=ds.partitioning(cohort, flavor="hive"),
                    existing_data_behavior="overwrite_or_ignore",  # the lock is there
                )
        except OSError as error:
            raise RequestError(
                f"Cannot write {place}: {error.strerror or error}. Name another folder."
            ) from None
    return rows


def _all_parts(book: Book, file: pa.parquet.ParquetFile) -> Iterator[pa.Table]:
    groups = file.num_row_groups
    for start in range(0, groups, GROUPS):
        yield _parts(book, file, slice(start, min(start + GROUPS, groups)))


def _parts(book: Book, file: pa.parquet.ParquetFile, which: slice) -> pa.Table:
    """Some groups of rows, with the month of first orders and what the values rest on."""
    import pyarrow as pa
    import pyarrow.compute as pc

    groups = list(range(which.start, which.stop))
    table = file.read_row_groups(groups, columns=[*VALUE_COLUMNS, "first_date"])
    values = book.with_intervals(table.select(VALUE_COLUMNS))
    version = pa.array([book.policy.version] * len(table), pa.string())
    month = pc.strftime(table["first_date"], "%Y-%m").cast(pa.string())
    return values.append_column("policy_version", version).append_column("cohort", month)
