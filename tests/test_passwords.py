"""Secrets that a text repeats, whatever stands around them."""

from __future__ import annotations

import pickle
import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import BookError, ClvError, OrdersError, UnknownNameError
from clv.passwords import no_place, without_secrets

# Where a password stands in what people type; the forms are those of libpq, SQLAlchemy, JDBC, curl
# and of URLs that object stores sign.
FORMS = [
    "postgresql://u:{}@h:1/x?table=t",
    " postgresql://u:{}@h:1/x?table=t",
    "postgresql:/u:{}@h/x",
    "postgresql:u:{}@h/x",
    "postgresql//u:{}@h/x",
    "//u:{}@h/x",
    "postgresql/u:{}@h/x",
    "u:{}@host/x",
    "postgresql://:{}@h/x",
    "jdbc:postgresql://h/x?user=u&password={}",
    "jdbc:oracle:thin:u/{}@h:1521",
    "host=h user=u password={} dbname=x",
    "host=h user=u password='{}' dbname=x",
    "Server=h;Uid=u;Pwd={};",
    "s3://b/x.parquet?AWSAccessKeyId=k&Expires=1&Signature={}",
    "https://b/x.parquet?X-Amz-Signature={}&X-Amz-Expires=1",
    "az://c/x?sv=1&sig={}",
    "spark://u:{}@h:7077",
]
SENTENCES = ["{}", "There is no file {!r}.", "No book at {0}. Build one: clv build A -o {0}."]
PASSWORDS = st.text(string.ascii_letters + string.digits + "-_.!*~$", min_size=6, max_size=20).map(
    lambda text: f"x{text}x"  # a point behind a text may end a sentence
)


@pytest.mark.parametrize("form", FORMS)
@given(password=PASSWORDS)
def test_a_password_is_hidden_wherever_it_stands(form: str, password: str) -> None:
    for sentence in SENTENCES:
        told = sentence.format(form.format(password))
        shown = without_secrets(told)
        assert password not in shown
        assert without_secrets(shown) == shown
        assert password not in str(OrdersError(told))
        assert password not in str(ClvError.of([told, told], then=told))
        assert password not in str(UnknownNameError("table", told))


@given(
    password=st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=6).filter(
        lambda text: "@" not in text
    )
)
def test_a_bare_password_of_any_letters_is_hidden(password: str) -> None:
    """Also with spaces, quotes and slashes, which a URL should not have bare."""
    for written in {password[:150], quote(password[:40], safe="")}:
        shown = without_secrets(f"postgresql://u:x{written}@h/x")
        assert shown == "postgresql://u:***@h/x"


@pytest.mark.parametrize(
    "told",
    [
        "http://host:8080/x is not there. Write to anna@example.com.",
        "line 3: anna@example.com, 2024-01-05T10:00,anna@example.com",
        "spark://host:7077 does not answer",
        "'a:b', at 10:00, C:\\orders\\anna@home.csv",
        "customer_id=Kunde order_id='Invoice no' key=5",
        "There is no customer 'anna@example.com'.",
        "duckdb:///shop.duckdb?query=select '@' as a, b.x from b",
    ],
)
def test_what_is_no_secret_stays(told: str) -> None:
    assert without_secrets(told) == told


def test_an_error_comes_through_a_pipe_as_it_is() -> None:
    error = BookError("There is no book at postgresql:/u:s3cret@h.")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own
    assert str(again) == str(error) == "There is no book at postgresql:/u:***@h."


@pytest.mark.parametrize(
    ("path", "refused"),
    [("book", ""), ("book:2024", ""), ("a/b@c", ""), ("C:/book", ""), ("s3://b/x", "s3://b/x"),
     ("s3:/b/x", "s3:/b/x"), ("u:s3cret@h/x", "u:***@h/x")],
)  # fmt: skip
def test_nothing_is_written_at_a_url(path: str, refused: str) -> None:
    assert no_place(path).startswith(refused)
    assert bool(no_place(path)) == bool(refused)
