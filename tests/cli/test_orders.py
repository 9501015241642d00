"""How the commands that read orders are told what a file means, and what they say of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import clv_command, done

Rows = list[tuple[str, str, str]]


@pytest.fixture
def german(here: Path, few_orders: Rows) -> Path:
    """The orders as a German shop exports them."""
    lines = ["Kundennummer;Rechnungsdatum;Rechnungsnr;Beleg-Nr;Gesamtbetrag;Belegart"]
    for i, (customer, day, amount) in enumerate(few_orders):
        date = ".".join(reversed(day.split("-")))
        lines.append(f"{customer};{date};R{i};{i};{amount.replace('.', ',')} €;Rechnung")
    (here / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return here / "orders.csv"


def test_a_german_export_is_read_as_the_same_orders(german: Path, few_orders: Rows) -> None:
    Path("plain.csv").write_text(
        "\n".join(["customer_id,date,amount", *(",".join(row) for row in few_orders)])
    )
    wanted = done("fit", "plain.csv", "--end", "1997-09-30", "--format", "json").json
    found = done("fit", german, "--end", "1997-09-30", "--format", "json").json
    assert found["parameters"] == wanted["parameters"]
    assert found["spend"]["parameters"] == wanted["spend"]["parameters"]
    assert "Dates were read as day.month.year" in " ".join(found["rows"]["notices"])


def test_options_go_before_the_schema_and_both_before_what_is_recognised(german: Path) -> None:
    Path("schema.toml").write_text('order_id = "Beleg-Nr"\nkind = "none"\n')
    end = ("--end", "1997-09-30")
    by_file = done("fit", german, *end, "--schema", "schema.toml")
    assert "order id 'Beleg-Nr'." in by_file.out.replace("\n    ", " ")
    by_option = done(
        "fit", german, *end, "--schema", "schema.toml", "--column", "order_id=Rechnungsnr"
    )
    assert "order id 'Rechnungsnr'." in by_option.out.replace("\n    ", " ")


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--column", "order_id"], 2, "'order_id' is no ROLE=COLUMN"),
        (["--column", "ordr_id=Belegart"], 1, "There is no role ordr_id; they are customer_id"),
        (["--column", "item=Artikel"], 1, "There is no column 'Artikel' (given as item)"),
        (["--schema", "none.toml"], 1, "The schema 'none.toml' cannot be read: No such file"),
        (["--schema", "bad.toml"], 1, 'line 2: decimal must be "." or ","; got ";".'),
    ],
)
def test_what_cannot_be_meant(german: Path, options: list[str], status: int, said: str) -> None:
    Path("bad.toml").write_text('date = "Rechnungsdatum"\ndecimal = ";"\n')
    run = clv_command("fit", german, *options)
    assert (run.status, run.out) == (status, "")
    assert said in run.err
    assert "Traceback" not in run.err


def test_one_of_a_thing_is_told_as_one(here: Path) -> None:
    """Of one row, one customer, one day and one purchase, and of a return that names its order."""
    Path("one.csv").write_text("customer,date,amount\na,2024-01-01,5\n,2024-01-01,1\n")
    out = " ".join(done("check", "one.csv").out.split())
    assert "1 row set aside: no customer id" in out
    assert "The only customer never bought on a second day" in out
    assert "1 purchase of such sizes is too few" in out
    Path("only.csv").write_text("customer,date,amount\na,2024-01-01,5\n")
    assert "Orders: 1 row read, 1 kept" in done("check", "only.csv").out
    Path("back.csv").write_text(
        "customer,date,amount,order_id,reverses\n"
        "a,2024-01-01,30,1,\na,2024-01-03,10,3,\na,2024-01-02,-10,2,1\n"
    )
    out = " ".join(done("check", "back.csv", "--end", "2024-03-31").out.split())
    assert "order 2 of customer a on 2024-01-02: 10.00 from order 1 of 2024-01-01" in out
    assert "was found for 1 row because the return names it" in out
    for wrong in ("1 rows", "1 days", "1 customers", "1 purchases", "1 orders"):
        assert f" {wrong}" not in out


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("a,2024-01-02,-40\n", "A part of 1 row set aside"),
        ("a,2024-01-02,-40\nb,2024-01-02,-40\n", "Parts of 2 rows set aside"),
        ("a,2024-01-02,-40\nc,2024-01-02,-7\n", "1 row wholly and a part of 1 other set aside"),
        ("c,2024-01-02,-7\n", "1 row set aside"),
    ],
)
def test_returns_beyond_their_orders_are_told_as_parts(
    here: Path, returned: str, said: str
) -> None:
    sold = "customer,date,amount\na,2024-01-01,30\nb,2024-01-01,30\nd,2024-01-01,30\n"
    Path("back.csv").write_text(sold + returned)
    out = " ".join(done("check", "back.csv", "--end", "2024-03-31").out.split())
    assert f"{said}: return or cancellation that could not be matched, or beyond" in out
