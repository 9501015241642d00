"""A book and the orders since make the book of all orders, or a message that says why not."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import clv
from clv.book.orders import orders_of
from clv.book.since import Since
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


def same_but(one: dict[str, Any], two: dict[str, Any], *differ: str) -> None:
    """Manifests that say the same, but for these keys and when."""
    left, right = (
        {k: v for k, v in m.items() if k not in {"created", *differ}} for m in (one, two)
    )
    assert left == right


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book of all orders of CDNOW, built at once."""
    path = tmp_path_factory.mktemp("once") / "book"
    clv.build_book(clv.datasets.path("cdnow"), path, end=LAST, unit="week")
    return path


@pytest.fixture
def without_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Books of many plain sales keep no lines; here one row is many."""
    monkeypatch.setattr("clv.transactions.kept_lines.FEW", 0)


@pytest.fixture
def bare_book(without_lines: None, tmp_path: Path) -> Path:
    """A book of CDNOW without lines."""
    del without_lines
    path = tmp_path / "bare"
    clv.build_book(clv.datasets.path("cdnow"), path, end=CDNOW_END, unit="week")
    assert not (path / "lines.parquet").exists()
    return path


def test_what_many_sales_come_to_adds_up(
    bare_book: Path, once: Path, newer: Path, tmp_path: Path
) -> None:
    """Without lines, from the histories that the book has."""
    with unchanged(bare_book):
        clv.build_book(newer, tmp_path / "book", end=LAST, since=bare_book)
    all_at_once, book = contents(once), contents(tmp_path / "book")
    assert all_at_once.keys() - {"lines.parquet"} == book.keys()
    for name in SAME:
        assert book[name] == all_at_once[name]
    one, two = manifest(once), manifest(tmp_path / "book")
    same_but(one, two, "sources", "rows", "quality", "files")
    # The calendar and the rows that were read are of the newer orders; what of customers, of all.
    of_all, of_newer = (about["quality"]["findings"] for about in (one, two))
    shared = (of_all.keys() & of_newer.keys()) - {"calendar"}
    assert {k: of_newer[k] for k in shared} == {k: of_all[k] for k in shared}
    assert two["rows"]["amount_kept"] == one["rows"]["amount_kept"]


def test_cdnow_in_two_parts_is_cdnow_at_once(
    cdnow_book: Path, once: Path, newer: Path, tmp_path: Path
) -> None:
    with unchanged(cdnow_book):
        clv.build_book(newer, tmp_path / "book", end=LAST, since=cdnow_book)
    all_at_once, book = contents(once), contents(tmp_path / "book")
    for name in SAME:
        assert book[name] == all_at_once[name]
    one, two = manifest(once), manifest(tmp_path / "book")
    same_but(one, two, "sources", "rows", "quality")  # the first source was read whole
    of_all, of_both = (about["quality"]["findings"] for about in (one, two))
    assert of_all.keys() == of_both.keys()
    of_rows = {"set_aside"}  # of those that were read
    assert {k: v for k, v in of_both.items() if k not in of_rows} == {
        k: v for k, v in of_all.items() if k not in of_rows
    }
    chain, rows = two["sources"], two["rows"]
    assert [source["end"] for source in chain] == [CDNOW_END, LAST]
    assert chain[0] == manifest(cdnow_book)["sources"][0] | {"source": chain[0]["source"]}
    # The first file was read whole: its rows after the end were set aside, and came again.
    late = len(later(CDNOW_END))
    twice = [told for told in rows["notices"] if "though the same as an earlier row" in told]
    assert [told.startswith("Of earlier orders: ") for told in twice] == [False, True]
    assert rows["duplicate_rows"] == one["rows"]["duplicate_rows"]
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
    assert told.count("There is no order in the") == 1  # before an end that is the end no more
    ours, theirs = (orders_of(b).orders for b in (book, once))
    left, right = (o.opened.collect(o.days.order_by("customer_id", "date")) for o in (ours, theirs))
    assert left.to_pylist() == right.to_pylist()
    assert ours.report.rows_read == theirs.report.rows_read == len(some)


def as_lines(frame: pd.DataFrame) -> pd.DataFrame:
    """Every fourth order is sent in two parts, days apart; every ninth comes back weeks later.

    Of the returns some name their order, some are of a half, and some come from a later return.
    """
    sold = frame.assign(order_id=[f"n{i}" for i in range(len(frame))], hours=range(len(frame)))
    sold["time"] = pd.to_datetime(sold["date"]) + pd.to_timedelta(sold["hours"] % 24, unit="h")
    second = sold[::4].assign(time=sold["time"][::4] + pd.Timedelta(days=5))
    back = sold[::9].assign(time=sold["time"][::9] + pd.Timedelta(days=50))
    back["amount"] = -back["amount"] / ([1, 2] * len(back))[: len(back)]
    back.loc[back["hours"] % 2 > 0, "order_id"] = None
    again = back[::2].assign(time=back["time"][::2] + pd.Timedelta(days=40))
    lines = pd.concat([sold, second, back, again])
    lines["amount"] = lines["amount"].map("{:.2f}".format)
    return lines[["customer_id", "time", "order_id", "amount"]].sort_values("time")


@pytest.mark.parametrize(("policy", "unit"), [("net", "day"), ("incident", "week")])
def test_returns_find_the_orders_of_the_books_before(
    policy: Any, unit: Any, tmp_path: Path
) -> None:
    """And an order whose lines came before and after an end counts once, on its first day."""
    some = later("1997", "1998-05-31")
    lines = as_lines(some[some["customer_id"] < "0400"])
    days = lines["time"].astype(str).str[:10]
    asked: dict[str, Any] = {"policy": clv.Policy(horizon_months=1), "unit": unit}
    ends = ["1997-02-28", "1997-03-31", "1998-08-31"]
    book: Path | None = None
    for begin, end in zip(["1997", *ends], ends, strict=False):
        file = tmp_path / f"{end}.csv"
        lines[(days > begin) & (days <= end)].to_csv(file, index=False)
        orders = clv.read_orders(file, returns=policy) if book is None else file
        book = clv.build_book(orders, tmp_path / "book", end=end, since=book, **asked).path
    assert book is not None
    lines[days <= ends[-1]].to_csv(tmp_path / "all.csv", index=False)
    orders = clv.read_orders(tmp_path / "all.csv", returns=policy)
    once = clv.build_book(orders, tmp_path / "once", end=ends[-1], **asked).path
    ours, theirs = contents(book), contents(once)
    assert ours.keys() == theirs.keys()
    for name in ours.keys() - {"manifest.json"}:
        assert ours[name] == theirs[name], name
    one, two = manifest(once), manifest(book)
    same_but(one, two, "sources", "rows")
    rows = [about["rows"] for about in (one, two)]
    assert "dated up to 1997-03-31 and after it" in " ".join(rows[1].pop("notices"))
    rows[0].pop("notices")
    for about in rows:  # examples of returns name their customers, as the matched do in both
        about["set_aside"].sort(key=lambda aside: str(aside["reason"]))
    assert rows[0] == rows[1]
    assert rows[0]["returns"]["unmatched_rows"] > 0
    assert rows[0]["returns"]["matched_by"]["latest_order"] > 10
    assert rows[0]["returns"]["matched_by"]["named_order"] > 10
    # The entries of the sources add up to all.
    entries = [source["rows"] for source in two["sources"]]
    for key in ("rows_read", "rows_kept"):
        assert sum(entry[key] for entry in entries) == rows[0][key]
    assert sum(entry["returns"]["rows"] for entry in entries) == rows[0]["returns"]["rows"]
    # The orders read again from their three files are those of the one.
    together, at_once = (orders_of(clv.Book(path)).orders for path in (book, once))
    found = [
        o.opened.collect(o.days_by(date.fromisoformat(ends[-1])).order_by("customer_id", "date"))
        for o in (together, at_once)
    ]
    assert found[0].to_pylist() == found[1].to_pylist()


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
    bare_book: Path, newer: Path, tmp_path: Path
) -> None:
    said = refused(tmp_path, newer, bare_book, unit="day", model="bg-cnbd", end="1997-09-30")
    assert "The unit of" in said
    assert "2 more faults" in said
    assert "bg-cnbd needs the times between all orders" in said
    assert "The end of observation 1997-09-30 is not after 1997-09-30" in said


def test_orders_that_mean_something_else_are_refused(
    cdnow_book: Path, newer: Path, tmp_path: Path
) -> None:
    frame = pd.read_csv(newer, dtype=str).assign(bill="1", when=CDNOW_END)
    schema = clv.Schema(
        id_case="fold", no_customer=("guest",), time_zone="Europe/Berlin", order_id="bill"
    )
    said = refused(tmp_path, clv.read_orders(frame, schema=schema), cdnow_book, end=LAST)
    assert "time_zone is not given in" in said
    assert "id_case is 'keep' in" in said
    assert "no_customer is not given in" in said
    assert "and 'guest' in 'the data frame'" in said
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
    assert f"Of the orders of {cdnow_book} these columns were taken: customer 'customer_id'" in said


def test_ids_that_are_all_written_otherwise_are_refused(
    cdnow_book: Path, bare_book: Path, newer: Path, tmp_path: Path
) -> None:
    frame = pd.read_csv(newer, dtype=str)
    frame["customer_id"] = "0" + frame["customer_id"]
    for book in (cdnow_book, bare_book):
        said = refused(tmp_path, frame, book, end=LAST)
        assert f"None of the {frame['customer_id'].nunique():,} customers" in said
        assert "with the same zeros and letters?" in said


def test_newer_orders_may_be_written_otherwise_and_have_words_of_their_own(tmp_path: Path) -> None:
    some = later("1996", CDNOW_END)
    some = some[some["customer_id"] < "0300"].assign(status="SO")
    some["date"] = pd.to_datetime(some["date"]).dt.strftime("%d.%m.%Y")
    some["amount"] = some["amount"].astype(str).str.replace(".", ",")
    kinds = {"sale": ("SO",), "void": ("X",)}
    read = clv.read_orders(some, schema=clv.Schema(kinds=kinds))
    brief = clv.Policy(horizon_months=1)
    book = clv.build_book(read, tmp_path / "book", end=CDNOW_END, policy=brief)
    newer = later(CDNOW_END)[:50].assign(status="SO")
    newer.loc[newer.index[0], "status"] = "part"
    newer["amount"] = newer["amount"].astype(str)
    said = refused(tmp_path, newer, book.path)
    assert 'says decimal = "," (with --since, the schema of the book)' in said
    own = clv.Schema(decimal=".", date_layout="ISO 8601", kinds={"sale": ("part",), "void": ("Y",)})
    schema = Since(book).schema(own)
    assert schema.kinds["sale"] == ("SO", "part")
    assert clv.read_orders(newer, schema=schema).report.rows_kept == 50
    other = Since(book).schema(clv.Schema(kinds={"return": ("so",)}))
    assert other.kinds == {"sale": (), "return": ("so",)}  # what is said last holds


def test_orders_that_the_first_file_had_and_the_newer_lacks_are_missed(
    cdnow_book: Path, newer: Path, tmp_path: Path
) -> None:
    frame = pd.read_csv(newer, dtype=str)
    said = refused(tmp_path, frame[100:], cdnow_book, end=LAST)
    assert f"was built without {len(frame):,} rows" in said
    assert f"has {len(frame) - 100:,} of those days, so some are missing" in said
    assert "Hand over all orders from 1997-10-01 on." in said  # the day after the end
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


def test_returns_that_may_reverse_orders_without_lines_are_refused(
    bare_book: Path, newer: Path, tmp_path: Path
) -> None:
    """One of somebody whom the book knows; of a new customer there is no order in it."""
    back = {"date": "1998-06-01", "quantity": "1", "amount": "-5.00"}
    rows = [back | {"customer_id": who} for who in ("0001", "new")]
    frame = pd.concat([pd.read_csv(newer, dtype=str), pd.DataFrame(rows)])
    said = refused(tmp_path, frame, bare_book, end=LAST)
    assert "1 return of 'the data frame' may reverse orders before ('0001' on 1998-06-01)" in said
    assert "does not hold the lines of its orders" in said


def test_returns_that_the_first_file_had_and_the_newer_lacks_are_missed(tmp_path: Path) -> None:
    some = later("1997", "1997-12-31")
    some = some[some["customer_id"] < "0300"]
    back = {"customer_id": "0001", "date": "1997-12-15", "quantity": 1, "amount": -5.0}
    every = pd.concat([some, pd.DataFrame([back])])
    brief = clv.Policy(horizon_months=1)
    book = clv.build_book(every, tmp_path / "book", end=CDNOW_END, policy=brief)
    newer = every[every["date"] > CDNOW_END]
    assert book.manifest["sources"][0]["rows_after_end"] == len(newer)
    said = refused(tmp_path, newer[newer["amount"] >= 0], book.path)
    assert f"{len(newer):,} rows" in said
    assert f"has {len(newer) - 1:,} of those days, so some are missing" in said


def test_a_return_of_the_time_before_is_refused(
    cdnow_book: Path, newer: Path, tmp_path: Path
) -> None:
    back = {"customer_id": "0001", "date": CDNOW_END, "quantity": "1", "amount": "-5.00"}
    frame = pd.concat([pd.read_csv(newer, dtype=str), pd.DataFrame([back])])
    said = refused(tmp_path, frame, cdnow_book, end=LAST)
    assert "1 row of 'the data frame' is dated 1997-09-30 or before" in said
    assert "'0001', '1997-09-30'" in said


def test_lines_that_were_changed_are_refused(newer: Path, cdnow_book: Path, tmp_path: Path) -> None:
    book = tmp_path / "book"
    shutil.copytree(cdnow_book, book)
    lines = book / "lines.parquet"
    lines.write_bytes(lines.read_bytes()[::-1])
    assert clv.Book(book).customer("0001")  # who only reads values does not wait for their hash
    said = refused(tmp_path, newer, book, end=LAST)
    assert "lines.parquet was changed after the book was built" in said


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


def test_the_command_takes_a_silent_month(without_lines: None, tmp_path: Path) -> None:
    del without_lines
    some = later("1997", CDNOW_END)
    some[some["customer_id"] < "0500"].to_csv(tmp_path / "orders.csv", index=False)
    book = tmp_path / "book"
    done("build", tmp_path / "orders.csv", "-o", book, "--end", CDNOW_END)
    run = done("build", "--since", book, "-o", book, "--end", "1997-10-31")
    said = " ".join(run.out.split())
    assert "No orders since" in said
    assert "customers up to 1997-10-31" in said
    assert manifest(book)["sources"][0]["end"] == CDNOW_END
    said = " ".join(done("check", book).out.split())
    assert "customers from 1997-01-01 to 1997-10-31" in said  # the first of the sample's days
    silent = ("build", "--since", book, "-o", book, "--end", "1997-11-30")
    with unchanged(book):
        run = clv_command(*silent, "--returns", "net", "--amount", "worth")
        assert run.status == 1
        assert "nothing to read: --amount, --returns cannot change how" in run.err
        run = clv_command(*silent, "--memory", "1MB")
        assert run.status == 1
        assert "DuckDB has not enough memory (the limit is 1MB)" in " ".join(run.err.split())
    run = clv_command("build", "-o", book)
    assert run.status == 2
    assert "Missing argument 'ORDERS'" in run.err
