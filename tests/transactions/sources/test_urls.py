"""URLs taken apart, and passwords that are never shown."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import OrdersError
from clv.transactions.sources.urls import is_url, read_url, without_password


@pytest.mark.parametrize(
    ("url", "path", "table", "query"),
    [
        ("sqlite:///shop.db?table=orders", "shop.db", "orders", None),
        ("sqlite:////data/shop.db?table=my%20orders", "/data/shop.db", "my orders", None),
        ("duckdb:///a%20b.duckdb", "a b.duckdb", None, None),
        (
            "duckdb:///shop.duckdb?query=select a + b as x from t where c = '?&#' and d like '%'",
            "shop.duckdb",
            None,
            "select a + b as x from t where c = '?&#' and d like '%'",
        ),
    ],
)
def test_a_url_of_a_file(url: str, path: str, table: str | None, query: str | None) -> None:
    found = read_url(url)
    assert (found.path, found.table, found.query) == (path, table, query)


@pytest.mark.parametrize("end", ["", ";", " ; ", ";\n", ";;"])
def test_a_query_may_end_like_a_statement(end: str) -> None:
    found = read_url(f"duckdb:///shop.duckdb?query=select ';' as a from t{end}")
    assert found.query == "select ';' as a from t"


def test_a_server_that_does_not_answer_is_not_waited_for() -> None:
    found = read_url("postgres://anna@db:5433/shop?sslmode=require&table=sales.orders")
    assert found.address == "postgresql://anna@db:5433/shop?sslmode=require&connect_timeout=10"
    assert found.table == "sales.orders"
    found = read_url("postgresql+psycopg2://db/shop?connect_timeout=2")
    assert found.address == "postgresql://db/shop?connect_timeout=2"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://anna:s3cret@db/shop", "is of no kind that can be read"),
        ("postgers://db/shop", "Did you mean postgres://?"),
        ("sqlite://shop.db", "names no file: write three slashes"),
        ("sqlite:///", "names no file"),
        ("sqlite:///shop.db?table=a&query=select 1", "asks for a table and a query"),
        ("sqlite:///shop.db?sheet=a", "asks for a sheet; a URL of sqlite has none"),
        ("excel:///shop.xlsx?table=a", "asks for a table; a URL of excel has none"),
        ("excel:///shop.xlsx?sheeet=B", "does not have. Did you mean sheet=?"),
        ("excel:///shop.xlsx?Sheet=B", "Did you mean sheet=?"),
        ("excel:///shop.xlsx?sheet=B&C", "says 'C', which a URL of excel does not"),
        ("sqlite:///shop.db?tabel=B&password=s3cret", "Did you mean table=?"),
        ("duckdb:///what?.duckdb", "write ? & and % as %3F %26 and %25"),
        ("postgresql://anna:pa/ss@db/shop", "is not a URL"),
    ],
)
def test_urls_that_ask_for_what_is_not_there(url: str, said: str) -> None:
    with pytest.raises(OrdersError) as caught:
        read_url(url)
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "pa/ss" not in str(caught.value)


SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=6, max_size=20)


@given(password=SECRETS, host=st.sampled_from(["db", "db:5432", "[::1]"]))
def test_no_password_is_shown(password: str, host: str) -> None:
    """Neither one that is written as a URL must have it, nor a bare one."""
    for written in (quote(password, safe=""), password):
        url = f"postgresql://anna:{written}@{host}/shop?table=orders"
        shown = without_password(url)
        assert written not in shown.replace("postgresql://anna:***@", "")
        assert shown.endswith(f"@{host}/shop?table=orders")


@given(password=SECRETS)
def test_no_secret_among_the_options_is_shown(password: str) -> None:
    written = quote(password, safe="")
    for name in ("password", "sslpassword", "passfile", "pwd", "token", "api_key", "credential",
                 "sig", "auth", "masterkey", "pass%77ord"):  # fmt: skip
        shown = without_password(f"postgresql://db/shop?{name}={written}&table=orders")
        assert shown == f"postgresql://db/shop?{name}=***&table=orders"


def test_a_path_is_no_url() -> None:
    assert not is_url("C:\\orders.csv")
    assert not is_url("orders.csv")
    assert is_url("postgresql://db/shop")
