"""A book and the orders since make the book of all orders, or a message that says why not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import clv
from clv.book.orders import orders_of
from clv.errors import BookError, OrdersError, RequestError
from tests.cli.command import CDNOW_END, clv_command, contents, done, unchanged

LAST = "1998-06-30"  # of CDNOW: Fader, Hardie & Lee (2005)
SAME = ("values.parquet", "models.json", "policy.toml")


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The orders of CDNOW after its calibration."""
    file = tmp_path_factory.mktemp("orders") / "newer.csv"
    later(CDNOW_END).to_csv(file, index=False)
    return file


def later(day: str, until: str = "9999") -> pd.DataFrame:
    frame = clv.datasets.load_cdnow()
    frame["date"] = frame["date"].astype(str).str[:10]
    return frame[(frame["date"] > day) & (frame["date"] <= until)]


def manifest(book: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((book / "manifest.json").read_text("utf-8"))
    return read


def test_cdnow_in_two_parts_is_cdnow_at_once(cdnow_book: Path, newer: Path, tmp_path: Path) -> None:
    clv.build_book(clv.datasets.path("cdnow"), tmp_path / "once", end=LAST, unit="week")
    with unchanged(cdnow_book):
        clv.build_book(newer, tmp_path / "book", end=LAST, since=cdnow_book)
    once, book = contents(tmp_path / "once"), contents(tmp_path / "book")
    for name in SAME:
        assert book[name] == once[name]
    one, two = manifest(tmp_path / "once"), manifest(tmp_path / "book")
    differ = {"created", "sources", "rows", "quality"}
    assert {k: v for k, v in two.items() if k not in differ} == {
        k: v for k, v in one.items() if k not in differ
    }
    # What is said of the log itself is of the newer orders; what of customers, of all.
    of_all, of_newer = (about["quality"]["findings"] for about in (one, two))
    assert of_newer["cohorts"] == of_all["cohorts"]
    assert of_newer["repeat_purchases"] == of_all["repeat_purchases"]
    chain, rows = two["sources"], two["rows"]
    assert [source["end"] for source in chain] == [CDNOW_END, LAST]
    assert chain[0] == manifest(cdnow_book)["sources"][0] | {"source": chain[0]["source"]}
    # The first file was read whole: its rows after the end were set aside, and came again.
    late = len(later(CDNOW_END))
    assert rows["rows_read"] == one["rows"]["rows_read"] + late
    assert rows["rows_kept"] == one["rows"]["rows_kept"]
    assert rows["amount_kept"] == one["rows"]["amount_kept"]
    assert rows["rows_read"] == rows["rows_kept"] + sum(a["rows"] for a in rows["set_aside"])


def test_month_after_month_in_the_same_place(tmp_path: Path) -> None:
    """Of a regular model the book keeps the times between orders; a fortnight may be silent."""
    some = later("1997", "1998-05-31")
    some = some[some["customer_id"] < "0300"]
    some.to_csv(tmp_path / "all.csv", index=False)
    cuts = ["1997-09-30", "1998-01-31", "1998-05-31"]
    for begin, end in zip(["1997", *cuts], cuts, strict=False):
        part = some[(some["date"] > begin) & (some["date"] <= end)]
        part.to_csv(tmp_path / f"{end}.csv", index=False)
    brief = clv.Policy(horizon_months=1)  # futures are soon drawn
    asked: dict[str, Any] = {"model": "bg-cnbd", "policy": brief}
    once = clv.build_book(tmp_path / "all.csv", tmp_path / "once", end="1998-06-15", **asked)
    path = tmp_path / "book"
    clv.build_book(tmp_path / f"{cuts[0]}.csv", path, end=cuts[0], **asked)
    for end in cuts[1:]:
        clv.build_book(tmp_path / f"{end}.csv", path, end=end, since=path)
    book = clv.build_book(None, path, end="1998-06-15", since=path)
    held, other = contents(path), contents(tmp_path / "once")
    assert held.keys() == other.keys()
    for name in held.keys() - {"manifest.json"}:
        assert held[name] == other[name], name
    told = " ".join(book.manifest["rows"]["notices"])
    # From the last order of these customers, 1998-05-30 or 31, to 1998-06-15.
    assert "There is no order in the 1" in told
    ours, theirs = (orders_of(b).orders for b in (book, once))
    left, right = (o.opened.collect(o.days.order_by("customer_id", "date")) for o in (ours, theirs))
    assert left.to_pylist() == right.to_pylist()
    assert ours.report.rows_read == theirs.report.rows_read == len(some)


def with_returns(frame: pd.DataFrame) -> pd.DataFrame:
    """Some of the orders come back a day later, each by the number of its order."""
    sold = frame.assign(order_id=[f"{i}" for i in range(len(frame))])
    some = sold[::40]
    back = some.assign(amount="-" + some["amount"].astype(str))
    after = pd.to_datetime(some["date"]) + pd.Timedelta(days=1)
    back["date"] = after.dt.strftime("%Y-%m-%d")
    return pd.concat([sold.assign(amount=sold["amount"].astype(str)), back])


def test_returns_that_name_their_orders_are_netted_as_at_once(tmp_path: Path) -> None:
    """And with returns as incidents, those of the book are kept beside the newer ones."""
    cut, end = "1997-12-30", "1998-05-31"
    before = with_returns(later("1997", "1997-12-29"))  # the last return is on the 30th
    newer = with_returns(later("1997-12-30", "1998-05-30"))
    newer["order_id"] = "n" + newer["order_id"]
    asked: dict[str, Any] = {"policy": clv.Policy(horizon_months=1), "unit": "week"}
    before.to_csv(tmp_path / "before.csv", index=False)
    newer.to_csv(tmp_path / "newer.csv", index=False)
    pd.concat([before, newer]).to_csv(tmp_path / "all.csv", index=False)
    for part, name, day in (("all", "once", end), ("before", "book", cut)):
        orders = clv.read_orders(tmp_path / f"{part}.csv", returns="incident")
        clv.build_book(orders, tmp_path / name, end=day, **asked)
    book = clv.build_book(
        tmp_path / "newer.csv", tmp_path / "book", end=end, since=tmp_path / "book"
    )
    once = clv.Book(tmp_path / "once")
    for name in SAME:
        assert (book.path / name).read_bytes() == (once.path / name).read_bytes()
    ours, theirs = (pd.read_parquet(b.path / "incidents.parquet") for b in (book, once))
    pd.testing.assert_frame_equal(ours, theirs)
    assert len(ours) > 50
    together, at_once = (orders_of(b).orders for b in (book, once))
    days = [
        o.opened.collect(o.days_by(book.end).order_by("customer_id", "date")).to_pylist()
        for o in (together, at_once)
    ]
    assert days[0] == days[1]
    assert book.manifest["rows"]["returns"] == once.manifest["rows"]["returns"]


# ------------------------------------------------------------------------------- what is refused


def refused(tmp_path: Path, source: object, since: Path, **options: Any) -> str:
    """Build, which must fail and leave nothing; the message."""
    with pytest.raises((OrdersError, RequestError, BookError)) as raised:
        clv.build_book(source, tmp_path / "none", since=since, **options)  # type: ignore[arg-type]
    assert not list(tmp_path.glob("**/*none*"))
    return str(raised.value)


def test_orders_that_the_book_may_have_are_refused(cdnow_book: Path, tmp_path: Path) -> None:
    said = refused(tmp_path, clv.datasets.path("cdnow"), cdnow_book, end=LAST)
    # 6,919 rows, of which those after the end are the newer ones
    assert f"{6919 - len(later(CDNOW_END)):,} rows of" in said
    assert "are dated 1997-09-30 or before (line 2: '0001', '1997-01-01'; line 3:" in said
    assert "build once from all orders" in said


def test_settings_that_differ_are_told_together(
    cdnow_book: Path, newer: Path, tmp_path: Path
) -> None:
    said = refused(tmp_path, newer, cdnow_book, unit="day", model="bg-cnbd", end="1997-09-30")
    assert "The unit of" in said
    assert "2 more faults" in said
    assert "bg-cnbd needs the times between all orders" in said
    assert "The end of observation 1997-09-30 is not after 1997-09-30" in said


def test_orders_that_mean_something_else_are_refused(
    cdnow_book: Path, newer: Path, tmp_path: Path
) -> None:
    frame = pd.read_csv(newer, dtype=str).assign(bill="1", when=CDNOW_END)
    schema = clv.Schema(id_case="fold", time_zone="Europe/Berlin", order_id="bill")
    said = refused(tmp_path, clv.read_orders(frame, schema=schema), cdnow_book, end=LAST)
    assert "time_zone is not given in" in said
    assert "id_case is 'keep' in" in said
    assert "the data frame was read with a column order_id" in said
    schema = clv.Schema(date="when")
    said = refused(tmp_path, clv.read_orders(frame, schema=schema), cdnow_book, end=LAST)
    assert f"{len(frame):,} rows of 'the data frame' are dated 1997-09-30 or before" in said


def test_other_columns_are_told_as_of_any_orders(
    cdnow_book: Path, newer: Path, tmp_path: Path
) -> None:
    frame = pd.read_csv(newer, dtype=str).rename(columns={"amount": "total"})
    said = refused(tmp_path, frame, cdnow_book, end=LAST)
    assert "There is no column 'amount' (given as amount)" in said


def test_orders_that_the_first_file_had_and_the_newer_lacks_are_missed(
    cdnow_book: Path, newer: Path, tmp_path: Path
) -> None:
    frame = pd.read_csv(newer, dtype=str)
    said = refused(tmp_path, frame[100:], cdnow_book, end=LAST)
    assert f"was built without {len(frame):,} rows" in said
    assert f"has {len(frame) - 100:,} of those days, so some are missing" in said
    said = refused(tmp_path, None, cdnow_book, end=LAST)
    assert "it was not silent then" in said


def test_no_orders_need_an_end(cdnow_book: Path, tmp_path: Path) -> None:
    said = refused(tmp_path, None, cdnow_book)
    assert "Without newer orders only a later end can change a book" in said


def test_another_currency_is_refused(cdnow_book: Path, newer: Path, tmp_path: Path) -> None:
    euros = tmp_path / "euros"
    shutil.copytree(cdnow_book, euros)
    about = manifest(euros)
    about["rows"]["currency"] = "EUR"
    about["sources"][0]["schema"]["currency"] = "currency"
    (euros / "manifest.json").write_text(json.dumps(about), encoding="utf-8")
    frame = pd.read_csv(newer, dtype=str).assign(currency="USD")
    said = refused(tmp_path, frame, euros, end=LAST)
    assert "are in EUR, those of 'the data frame' in USD" in said


def test_returns_that_may_reverse_orders_of_the_book_are_refused(
    cdnow_book: Path, newer: Path, tmp_path: Path
) -> None:
    """One of somebody whom the book knows; of a new customer there is no order in it."""
    back = {"date": "1998-06-01", "quantity": "1", "amount": "-5.00"}
    rows = [back | {"customer_id": who} for who in ("0001", "new")]
    frame = pd.concat([pd.read_csv(newer, dtype=str), pd.DataFrame(rows)])
    said = refused(tmp_path, frame, cdnow_book, end=LAST)
    assert "1 return of 'the data frame' may reverse orders before ('0001' on 1998-06-01)" in said
    assert "does not hold the lines of its orders" in said


def test_a_folder_that_is_no_book_is_told(newer: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "is not a customer book" in refused(tmp_path, newer, tmp_path / "folder")
    assert "There is no customer book" in refused(tmp_path, newer, tmp_path / "nowhere")


# ------------------------------------------------------------------------------------ the command


def test_the_command_adds_orders_to_a_book(cdnow_book: Path, newer: Path, tmp_path: Path) -> None:
    book = tmp_path / "book"
    shutil.copytree(cdnow_book, book)
    run = done("build", newer, "--since", book, "-o", book, "--end", LAST)
    said = " ".join(run.out.split())
    assert f"Orders: {len(later(CDNOW_END)):,} rows read" in said
    assert "2,357 customers up to 1998-06-30" in said
    assert "rows from 2 sources, 6,919 kept" in said
    assert manifest(book)["unit"] == "week"
    with unchanged(tmp_path):
        run = clv_command("build", newer, "--since", book, "-o", book)
    assert run.status == 1
    assert "or before" in run.err
    assert "Traceback" not in run.err


def test_the_command_takes_a_silent_month(tmp_path: Path) -> None:
    some = later("1997", CDNOW_END)
    some[some["customer_id"] < "0500"].to_csv(tmp_path / "orders.csv", index=False)
    book = tmp_path / "book"
    done("build", tmp_path / "orders.csv", "-o", book, "--end", CDNOW_END)
    run = done("build", "--since", book, "-o", book, "--end", "1997-10-31")
    said = " ".join(run.out.split())
    assert "No orders since" in said
    assert "customers up to 1997-10-31" in said
    assert manifest(book)["sources"][0]["end"] == CDNOW_END
    run = clv_command("build", "-o", book)
    assert run.status == 2
    assert "Missing argument 'ORDERS'" in run.err
