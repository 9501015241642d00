"""Small tables that people write or save from a spreadsheet: offers, segments, who is affected.

Spreadsheets write CSV with the separator of the machine's language: commas, or semicolons where the
comma stands before decimals. Both are read. A number that could mean two amounts is refused.
"""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path

from clv.errors import RequestError

__all__ = ["SmallTable", "read_small_table"]

SEPARATORS = (";", "\t", ",")
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+|[+-]?[1-9]\d{0,2}(\.\d{3})+")
"""What may be a number of thousands, or one with three decimals."""


@dataclass(frozen=True)
class SmallTable:
    """A table as it was written, cells stripped of spaces.

    Attributes
    ----------
    path : Path
        The file.
    columns : list of str
        Names in the header, in lower case.
    rows : list of list of str
        One cell for each column at least: an empty one where the line has fewer.
    lines : list of int
        Where each row ends in the file, the header on line 1.
    separator : str
        Between cells.
    """

    path: Path
    columns: list[str]
    rows: list[list[str]]
    lines: list[int]
    separator: str

    def column(self, name: str) -> list[str] | None:
        """Return the cells of a column; None where there is no such column."""
        if name not in self.columns:
            return None
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def number(self, cell: str) -> float:
        """Read a number; nan where the cell holds none, or could mean two.

        Parameters
        ----------
        cell : str
            With a point before the decimals; where semicolons separate cells, or a comma.

        Returns
        -------
        float

        Examples
        --------
        >>> german = SmallTable(Path("offers.csv"), ["cost"], [], [], ";")
        >>> german.number("1,5"), german.number("1.234"), german.number("1234,50")
        (1.5, nan, 1234.5)
        """
        if self.separator != ",":
            if GROUPED.fullmatch(cell):
                return math.nan
            if cell.count(",") == 1 and "." not in cell:
                cell = cell.replace(",", ".")
        try:
            value = float(cell)
        except ValueError:
            return math.nan
        return value if math.isfinite(value) else math.nan


def read_small_table(path: str | Path) -> SmallTable:
    r"""Read a small CSV file with a header line.

    Parameters
    ----------
    path : str or Path
        In UTF-8; cells separated by commas, semicolons or tabs, whichever the header has.

    Returns
    -------
    SmallTable
        Without empty lines.

    Raises
    ------
    RequestError
        Where the file is missing, is no text in UTF-8, cannot be read as CSV, or has lines with
        more cells than its header.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "segments.csv"
    ...     _ = file.write_text("Customer; Region\n0001; north\n")
    ...     table = read_small_table(file)
    >>> table.columns, table.rows
    (['customer', 'region'], [['0001', 'north']])
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise RequestError(f"There is no file {path}.") from None
    except UnicodeDecodeError:
        raise RequestError(f"{path} is no text in UTF-8; save it as CSV.") from None
    except OSError as error:
        raise RequestError(f"{path} cannot be read as CSV: {error.strerror or error}.") from None
    header = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(SEPARATORS, key=header.count) if header.strip() else ","
    if not header.count(separator):
        separator = ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows, lines = [], []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
                lines.append(reader.line_num)
    except csv.Error as error:
        raise RequestError(f"{path} cannot be read as CSV: {error}.") from None
    columns = [name.lower() for name in rows[0]] if rows else []
    long = [line for line, row in zip(lines, rows, strict=True) if any(row[len(columns) :])]
    if long:
        raise RequestError(
            f"{path} has more cells in {len(long):,} line{'s' if len(long) > 1 else ''} than in "
            f"its header (first: line {long[0]}). Where a comma stands before decimals, write a "
            "point."
        )
    padded = [row + [""] * (len(columns) - len(row)) for row in rows[1:]]
    return SmallTable(path, columns, padded, lines[1:], separator)
