"""From orders to a book: the same input gives the same book, and says what became of each row."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import clv
from clv.errors import NotIdentifiedError, OrdersError, PolicyError, RequestError
from tests.cli.command import CDNOW, CDNOW_END, done

ODD_IDS = [
    "O'Brien", 'the "old" shop', "a,b", "x; drop table log --", "%", "_", "' or 1=1 --",
    "Zoë Ångström", "客户一", "🦊", "-5", "--help", "0001", "1", "1e3", "a\\b", "$id",
    "${HOME}", "line\tstop",
]  # fmt: skip


def files(book: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in book.iterdir()}


def manifest_of(book: Path) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    text = (book / "manifest.json").read_text(encoding="utf-8")
    manifest: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return manifest


# ---------------------------------------------------------------------------------- the same again


def test_the_same_orders_give_the_same_book_to_the_byte(tmp_path: Path, cdnow_book: Path) -> None:
    done("build", *CDNOW, "-o", tmp_path / "book")
    first, second = files(tmp_path / "book"), files(cdnow_book)
    for book in (first, second):
        text = book.pop("manifest.json").decode()
        book["manifest but the time"], count = (
            (re.sub(r'"created": "[^"]*"', "", text)).encode(),
            text.count('"created"'),
        )
        assert count == 1
    assert first == second


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    """Nor does the type of the file; of the manifest only source, hash and time may differ."""
    frame = clv.datasets.load_cdnow()
    frame.to_csv(tmp_path / "orders.csv", index=False)
    mixed = frame.sample(frac=1, random_state=np.random.RandomState(1997))
    mixed.to_parquet(tmp_path / "mixed.parquet", index=False, row_group_size=500)
    (tmp_path / "parts").mkdir()
    for i in range(4):
        mixed[i::4].to_csv(tmp_path / "parts" / f"{i}.csv", index=False)
    manifests = []
    for i, source in enumerate(("orders.csv", "mixed.parquet", "parts/*.csv")):
        book = clv.build_book(tmp_path / source, tmp_path / f"book{i}", end=CDNOW_END, unit="week")
        manifests.append(book.manifest)
    books = [files(tmp_path / f"book{i}") for i in range(3)]
    for name in ("values.parquet", "models.json", "policy.toml"):
        assert len({book[name] for book in books}) == 1
    for manifest in manifests:
        del manifest["created"]
        for key in ("source", "input_sha256"):
            del manifest["sources"][0][key]
    assert manifests[0] == manifests[1] == manifests[2]


def test_a_day_more_of_observation_is_another_book(tmp_path: Path) -> None:
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    some = clv.build_book(orders, tmp_path / "a", end="1997-09-30")
    more = clv.build_book(orders, tmp_path / "b", end="1997-10-01")
    assert some.purchases != more.purchases
    assert files(tmp_path / "a")["values.parquet"] != files(tmp_path / "b")["values.parquet"]


# ------------------------------------------------------------------------------------ the manifest


def test_the_manifest_says_what_went_in_and_what_came_of_it(tmp_path: Path) -> None:
    policy = clv.Policy(margin=0.25)
    started = datetime.now(UTC).replace(microsecond=0)
    clv.build_book(
        clv.datasets.path("cdnow"), tmp_path / "book", policy=policy, end=CDNOW_END, unit="week"
    )
    manifest = manifest_of(tmp_path / "book")
    data = clv.datasets.path("cdnow").read_bytes()
    (source,) = manifest["sources"]
    assert source["input_sha256"] == hashlib.sha256(data).hexdigest()
    assert source["source"] == str(clv.datasets.path("cdnow"))
    assert (manifest["end"], manifest["end_assumed"], manifest["unit"]) == (
        CDNOW_END,
        False,
        "week",
    )
    assert manifest["engine"] == "duckdb"
    assert set(manifest["versions"]) >= {"python", "clv", "duckdb", "numpy", "scipy"}
    assert manifest["versions"]["clv"] == clv.__version__
    # Fader, Hardie & Lee (2005b): 946 of 2,357 customers bought again.
    assert (manifest["customers"], manifest["repeat_customers"]) == (2357, 946)
    rows = manifest["rows"]
    assert rows["rows_read"] == rows["rows_kept"] + sum(s["rows"] for s in rows["set_aside"])
    assert manifest["models"]["purchases"]["converged"] is True
    assert set(manifest["models"]["purchases"]["parameters"]) == {"r", "alpha", "a", "b"}
    assert set(manifest["models"]["spend"]["parameters"]) == {"p", "q", "v"}
    assert manifest["terms"]["margin"] == 0.25
    assert manifest["policy"]["version"] == policy.version
    assert "margin" not in manifest["policy"]["assumed"]
    assert "discount_rate" in manifest["policy"]["assumed"]
    created = datetime.fromisoformat(manifest["created"])
    assert started <= created <= datetime.now(UTC)
    for name, about in manifest["files"].items():
        held = (tmp_path / "book" / name).read_bytes()
        assert about == {"bytes": len(held), "sha256": hashlib.sha256(held).hexdigest()}
    files = {"lines.parquet", "models.json", "policy.toml", "values.parquet"}
    assert set(manifest["files"]) == files
    assert clv.Policy.load(tmp_path / "book" / "policy.toml").version == policy.version


def test_an_end_that_is_only_the_last_date_is_told(tmp_path: Path) -> None:
    run = done("build", clv.datasets.path("cdnow"), "-o", tmp_path / "book")
    said = " ".join(run.out.split())
    assert "the last date in the log, 1998-06-30" in said
    assert "probability of being alive comes out too high" in said
    assert manifest_of(tmp_path / "book")["end_assumed"] is True


# ----------------------------------------------------------------------------------- odd but legal


def test_ids_of_any_letters_come_back_as_they_went_in(tmp_path: Path, cdnow_book: Path) -> None:
    """Quotes, commas, wildcards, SQL, options, other scripts."""
    frame = clv.datasets.load_cdnow()
    known = sorted(frame["customer_id"].unique())
    odd = dict(zip(known[: len(ODD_IDS)], ODD_IDS, strict=True))
    others = {one: f"c{one}" for one in known[len(ODD_IDS) :]}
    frame["customer_id"] = frame["customer_id"].map(odd | others)
    frame.to_csv(tmp_path / "orders.csv", index=False)
    book = tmp_path / "book"
    done("build", tmp_path / "orders.csv", *CDNOW[1:], "-o", book)
    plain = clv.Book(cdnow_book)
    for was, now in odd.items():
        expected = plain.customer(was)
        found = done("value", book, f"--customer={now}", "--format", "json").json["rows"][0]
        assert found["customer_id"] == now
        assert found["frequency"] == expected["frequency"]
        assert found["lifetime_value"] == pytest.approx(expected["lifetime_value"], rel=1e-9)
        limit = done(
            "recover", book, "--problem", "defective", "--loss", 30, "--format", "json", "--", now
        ).json  # fmt: skip
        assert limit["customer_id"] == now
    told = {row["customer_id"] for row in done("value", book, "--format", "csv").csv}
    assert told == {*odd.values(), *others.values()}


def test_a_customer_is_found_in_any_part_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parquet keeps rows in groups with the range of their ids, cut short where ids are long."""
    monkeypatch.setattr("clv.book.written_values.ROW_GROUP", 2048)  # DuckDB's smallest
    frame = clv.datasets.load_cdnow_master()
    frame["customer_id"] = "of the same long beginning " * 20 + frame["customer_id"]
    book = clv.build_book(frame, tmp_path / "book", end=CDNOW_END, unit="week")
    assert pq.ParquetFile(tmp_path / "book" / "values.parquet").num_row_groups > 1
    values = book.values()
    for at in (0, 1, 1000, 2047, 2048, 2049, 2356):
        row = values.iloc[at]
        assert book.customer(row["customer_id"])["lifetime_value"] == row["lifetime_value"]


@pytest.mark.parametrize("name", ["orders[1]", "orders*", "orders?", "date=2001-01-01/orders"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_is_read_by_its_name_alone(tmp_path: Path, name: str, kind: str) -> None:
    """Not as a pattern that fits the file beside it, nor as a column `date`."""
    frame = clv.datasets.load_cdnow()
    asked, beside = tmp_path / f"{name}.{kind}", tmp_path / f"orders1.{kind}"
    asked.parent.mkdir(exist_ok=True)
    for rows, file in ((frame, asked), (frame[:50], beside)):
        _ = rows.to_csv(file, index=False) if kind == "csv" else rows.to_parquet(file)
    orders = clv.read_orders(asked)
    assert orders.report.rows_read == 6919
    assert clv.histories(orders, end=CDNOW_END).customers == 2357
    assert orders.sha256 == hashlib.sha256(asked.read_bytes()).hexdigest()


def test_orders_of_an_engine_are_taken_as_they_are(tmp_path: Path, cdnow_book: Path) -> None:
    orders = clv.read_orders(clv.datasets.load_cdnow())
    from_frame = clv.build_book(orders, tmp_path / "book", end=CDNOW_END, unit="week")
    assert from_frame.values().equals(clv.Book(cdnow_book).values())


def test_orders_that_are_read_take_no_other_engine(tmp_path: Path) -> None:
    frame = pd.DataFrame({"customer_id": ["a"], "date": ["2024-01-01"], "amount": [1.0]})
    with pytest.raises(RequestError, match="read already, by their own engine"):
        clv.build_book(clv.read_orders(frame), tmp_path / "book", engine=clv.DuckDBEngine())


def test_progress_tells_the_steps_in_order(tmp_path: Path) -> None:
    steps: list[str] = []
    clv.build_book(clv.datasets.path("cdnow"), tmp_path / "a", end=CDNOW_END, progress=steps.append)
    assert steps == [
        "Reading the orders",
        "Fitting the models",
        "Drawing from the posterior",
        "Valuing the customers",
        "Drawing intervals and writing the book",
    ]


def test_what_cannot_be_built_leaves_no_folder(tmp_path: Path) -> None:
    source = clv.datasets.path("cdnow")
    with pytest.raises(RequestError, match="before the first order"):
        clv.build_book(source, tmp_path / "deep" / "book", end="1990-01-01")
    frame = clv.datasets.load_cdnow()[["customer_id", "date"]]
    with pytest.raises(OrdersError, match="no amounts"):
        clv.build_book(frame, tmp_path / "deep" / "book")
    assert not list(tmp_path.iterdir())


# ----------------------------------------------------------------------------------- Online Retail


def test_online_retail_tells_what_was_set_aside_and_why(tmp_path: Path) -> None:
    """Chen (2015): 25,900 invoices, 3,710 of them without a customer, and cancellations.

    Counted here with pandas on exact decimals, apart from the engine.
    """
    source = clv.datasets.path("online_retail")
    options = ("--end", "2011-12-09", "--returns", "ignore")
    run = done("build", source, "-o", tmp_path / "book", *options)
    frame = pq.read_table(source).to_pandas()
    amount = frame["amount"].map(lambda cents: Decimal(str(cents)))
    nobody = frame["customer_id"].isna()
    refund = ~nobody & (amount < 0)
    kept = ~nobody & ~refund
    assert (len(frame), int(nobody.sum())) == (25900, 3710)

    rows = manifest_of(tmp_path / "book")["rows"]
    aside = {one["reason"]: one for one in rows["set_aside"]}
    assert set(aside) == {"no customer id", "negative amount"}
    counted: list[tuple[pd.Series[bool], int, float]] = [
        (nobody, aside["no customer id"]["rows"], aside["no customer id"]["amount"]),
        (refund, aside["negative amount"]["rows"], aside["negative amount"]["amount"]),
        (kept, rows["rows_kept"], rows["amount_kept"]),
        (nobody | ~nobody, rows["rows_read"], rows["amount_read"]),
    ]
    said = " ".join(run.out.split())
    for which, count, total in counted:
        assert count == which.sum()
        exact = sum(amount[which], Decimal(0))
        assert Decimal(str(total)) == exact
        if which is not counted[-1][0]:
            assert f"{count:,}" in said
            assert f"{exact:,.2f}" in said
    assert "no customer id" in said
    assert "negative amount" in said
    # Nobody whose invoices were all cancelled is a customer.
    assert manifest_of(tmp_path / "book")["customers"] == frame["customer_id"][kept].nunique()
    values = clv.Book(tmp_path / "book").values()
    assert np.isfinite(values["lifetime_value"]).all()
    assert (values["lifetime_value"] >= 0).all()


def test_a_small_shop_gets_a_book_that_says_a_prior_stepped_in(tmp_path: Path) -> None:
    """Nobody leaves and everyone always pays the same: likelihood alone tells neither a nor p."""
    rng = np.random.default_rng(3)
    rows = []
    for customer in range(150):
        # Gamma-Gamma with p → ∞: the amount of each is inverse gamma and does not vary.
        at, gap, amount = 0.0, 1 / rng.gamma(2.0, 1 / 40), round(60 / float(rng.gamma(3)), 2)
        while at < 400:
            day = pd.Timestamp("2024-01-01") + pd.Timedelta(days=int(at))
            rows.append((f"c{customer:03}", day, amount))
            at += 1 + rng.exponential(gap)
    orders = pd.DataFrame(rows, columns=["customer_id", "date", "amount"])
    found = clv.histories(clv.read_orders(orders), end="2025-02-03")
    with pytest.raises(NotIdentifiedError, match="of BG/NBD"):
        clv.BGNBD.fit(found)
    with pytest.raises(NotIdentifiedError, match="of Gamma-Gamma"):
        clv.GammaGamma.fit(found)

    book = clv.build_book(orders, tmp_path / "book", end="2025-02-03")

    steadied = [concern for concern in book.concerns if "weak prior (assumed" in concern]
    assert len(steadied) == 2
    assert "BG/NBD" in steadied[0]
    assert "Gamma-Gamma" in steadied[1]
    assert not book.manifest["models"]["purchases"]["identified"]
    # A customer who always pays the same is expected to go on with it, or nearly: the prior keeps p
    # from running away, so that some of the mean of all is mixed in.
    values = book.values().set_index("customer_id")
    often = values[values["frequency"] >= 5]
    paid = orders.groupby("customer_id")["amount"].first()
    assert len(often) > 20
    assert often["expected_spend"].to_numpy() == pytest.approx(paid[often.index], rel=0.15)
    assert (values["p_alive"] > 0.5).all()


def test_the_orders_currency_is_the_policys_or_refused(tmp_path: Path) -> None:
    frame = clv.datasets.load_cdnow().rename(columns={"amount": "amount (USD)"})
    book = clv.build_book(frame, tmp_path / "a", end=CDNOW_END, policy=clv.Policy(margin=0.3))
    assert book.policy.currency == "USD"
    assert book.policy.margin == 0.3
    assert book.policy.is_set("margin")
    assert not book.policy.is_set("discount_rate")
    assert book.recover("0001", "defective", 30.0).currency == "USD"
    with pytest.raises(PolicyError, match="orders are in USD, and the policy is in EUR"):
        clv.build_book(frame, tmp_path / "b", end=CDNOW_END, policy=clv.Policy(currency="EUR"))
    assert not (tmp_path / "b").exists()
