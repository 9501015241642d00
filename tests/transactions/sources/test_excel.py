"""Excel workbooks: what a cell says, which sheet, and what is refused."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import OrdersError, UnknownNameError
from clv.transactions.sources import excel_files, open_source
from clv.transactions.sources.cells import cell_text

Write = Callable[..., Path]
HEADER = ["Customer ID", "Date", "Amount"]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write sheets by name, each a list of rows."""

    def to(name: str = "orders.xlsx", **sheets: list[list[Any]]) -> Path:
        path = tmp_path / name
        with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
            for title, rows in sheets.items():
                sheet = book.add_worksheet(title)
                for i, row in enumerate(rows):
                    sheet.write_row(i, 0, row)
        return path

    return to


def rows(source: Any) -> list[tuple[Any, ...]]:
    opened = open_source(source)
    return [tuple(row.values()) for row in opened.collect(opened.table).to_pylist()]


def refusal(source: Any) -> str:
    with pytest.raises(OrdersError) as caught:
        open_source(source)
    return str(caught.value)


def test_cells_say_what_a_person_sees(write: Write) -> None:
    path = write(
        Orders=[
            [*HEADER, "Paid"],
            [17850, date(2024, 1, 31), 29.99, True],
            ["007", datetime(2024, 2, 29, 9, 30), 0.3, False],
            [None, 45292, "1,5", None],
        ]
    )
    assert rows(path) == [
        ("17850", "2024-01-31", "29.99", "true"),
        ("007", "2024-02-29 09:30:00", "0.3", "false"),
        (None, "45292", "1,5", None),  # Excel's number of 2024-01-01
    ]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_loses_nothing_on_its_way_through_text(number: float) -> None:
    assert float(cell_text(number) or "nan") == number


def test_the_first_sheet_with_rows_is_read_and_that_is_said(write: Write) -> None:
    path = write(Notes=[], Orders=[HEADER, [1, 2, 3]], Returns=[HEADER, [4, 5, 6]])
    (told,) = open_source(path).notices
    assert told == (
        "Sheet 'Orders' of 'orders.xlsx' was read, the first with rows; not 'Returns'. To read "
        f"another: excel:///{path}?sheet=Returns."
    )
    assert rows(f"excel:///{path}?sheet=Returns") == [("4", "5", "6")]
    with pytest.raises(UnknownNameError, match=r"no sheet 'Retuns'\. Did you mean 'Returns'"):
        open_source(f"excel:///{path}?sheet=Retuns")


def test_titles_above_the_header_are_no_columns_and_rows_are_counted_as_excel_does(
    write: Write,
) -> None:
    path = write(Orders=[["Orders of 2024"], [], HEADER, [1, "x", 2], [], [3, "y", 4]])
    opened = open_source(path)
    assert opened.table.columns == tuple(HEADER)
    assert opened.places([0, 2]) == ["row 4", "row 6"]  # the title stands in row 1
    said = opened.table.mutate(bad=opened.table["Date"] == "y")
    (found,) = opened.first_rows(said, "bad", ["Date"])
    assert (found.where, found.values) == ("row 6", ("y",))


def test_workbooks_that_hold_no_orders(write: Write, tmp_path: Path) -> None:
    assert "has no rows: its sheets are 'a', 'b'" in refusal(write(a=[], b=[]))
    assert "has no row that names its columns" in refusal(write(a=[["title"], ["more"]]))
    said = refusal(write(a=[["title"], ["more"]], b=[HEADER, [1, 2, 3]]))
    assert f"Not read: 'b'. To read another: excel:///{tmp_path}/orders.xlsx?sheet=b." in said
    assert "more than one column named 'Date'" in refusal(write(a=[["Date", "Date"], [1, 2]]))
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"not a workbook")
    assert "cannot be read as an Excel workbook: File is not a zip file" in refusal(broken)
    with zipfile.ZipFile(broken, "w") as packed:
        packed.writestr("hello.txt", "no workbook")
    assert "cannot be read as an Excel workbook" in refusal(broken)


def test_a_workbook_that_is_cut_off(write: Write) -> None:
    path = write(Orders=[HEADER, [1, 2, 3]])
    path.write_bytes(path.read_bytes()[:-100])
    assert "cannot be read as an Excel workbook" in refusal(path)


def bomb(path: Path, sheet: bytes, *, stated: int | None = None) -> Path:
    """Put another sheet into a workbook; it may state another size than it has."""
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else content)
        if stated is not None:
            packed.getinfo("xl/worksheets/sheet1.xml").file_size = stated
    return path


@pytest.mark.parametrize("stated", [None, 1000])
def test_a_workbook_that_unpacks_to_far_more_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch, stated: int | None
) -> None:
    """Whatever size it states."""
    monkeypatch.setattr(excel_files, "LARGEST", 4 << 20)
    path = bomb(write(Orders=[HEADER]), b" " * (5 << 20), stated=stated)
    assert path.stat().st_size < 20_000
    assert "unpacks to more than" in refusal(path)


def test_a_sheet_with_a_cell_far_away_is_refused(write: Write) -> None:
    """17 thousand million cells lie between A1 and the last one a sheet can have."""
    path = write(Orders=[HEADER])
    with zipfile.ZipFile(path) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml")
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    said = refusal(bomb(path, sheet.replace(b"</sheetData>", far)))
    assert "reaches to row 1,048,576 and column 16,384" in said
