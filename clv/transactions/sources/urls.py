"""URLs of tables: `postgresql://user:password@host/database?table=orders`.

The form is that of SQLAlchemy (three slashes before a relative path, four before an absolute one)
with `table=`, or last of all `query=`, behind it. A password in one is never shown: messages,
reports and books have the URL without it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urlsplit

from clv.errors import OrdersError
from clv.passwords import STARS, is_secret, without_secrets

__all__ = ["TableUrl", "is_url", "misspelt", "read_url", "without_password"]

SCHEMES = {
    "duckdb": "duckdb",
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "excel": "excel",
}
LIKE_A_URL = re.compile(rf"\s*(jdbc:|({'|'.join(SCHEMES)})(:|//))", re.IGNORECASE)
EXAMPLE = "postgresql://user:password@host/database?table=orders"
OURS = ("table", "sheet")


@dataclass(frozen=True)
class TableUrl:
    """A URL taken apart.

    Attributes
    ----------
    scheme : {"duckdb", "sqlite", "postgresql", "excel"}
        What it is of.
    shown : str
        The URL as it may be shown.
    path : str
        The file, where it is of one.
    address : str
        The server's URL with its password, where it is of one.
    table, query, sheet : str or None
        What is asked for.
    """

    scheme: str
    shown: str
    path: str = ""
    address: str = field(default="", repr=False)
    table: str | None = None
    query: str | None = None
    sheet: str | None = None


def is_url(text: str) -> bool:
    """Whether a text is a URL, not a path: on Windows `C:` is a drive."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


def misspelt(text: str) -> str:
    """Say how a URL is written that looks meant by a text; empty where it looks like a path.

    >>> misspelt("postgresql:/anna@db/shop")
    ' A URL has two slashes behind the colon: postgresql://user:password@host/database?table=orders.'
    >>> misspelt("orders 2024:01.csv")
    ''
    """
    if LIKE_A_URL.match(text) or without_secrets(text) != text:
        return f" A URL has two slashes behind the colon: {EXAMPLE}."
    return ""


def without_password(url: str) -> str:
    """Return a URL as it may be shown: three stars for its password and for other secrets.

    >>> without_password("postgresql://anna:s3cret@db/shop?table=orders&sslpassword=x")
    'postgresql://anna:***@db/shop?table=orders&sslpassword=***'
    """
    head, mark, rest = url.partition("://")
    if not mark:
        return url
    # A password may hold a bare @ / ? or #: what stands before the last @ of all is not shown.
    at = re.split(r"[?&](?:table|query)=", rest)[0].rfind("@")
    if at >= 0:
        user, colon, _ = rest[:at].partition(":")
        rest = f"{user}{colon}{STARS if colon else ''}{rest[at:]}"
    place, question, asked = rest.partition("?")
    options, query, sql = asked.partition("query=")
    options = re.sub(
        r"([^=&]*)=([^&]*)",
        lambda m: f"{m[1]}={STARS}" if is_secret(unquote(m[1])) else m[0],
        options,
    )
    return f"{head}://{place}{question}{options}{query}{sql}"


def read_url(url: str) -> TableUrl:
    """Take a URL apart.

    Raises
    ------
    OrdersError
        Where it is of nothing that can be read, or asks for what is not there to ask.
    """
    shown = without_password(url)
    try:
        parts = urlsplit(url, allow_fragments=False)
        _ = parts.port
    except ValueError:
        raise OrdersError(
            f"{shown!r} is not a URL. In a password, write @ : / ? # and % as %40 %3A %2F %3F %23 "
            "and %25."
        ) from None
    scheme = SCHEMES.get(parts.scheme.partition("+")[0])
    if scheme is None:
        near = difflib.get_close_matches(parts.scheme, SCHEMES, n=1, cutoff=0.6)
        hint = f" Did you mean {near[0]}://?" if near else ""
        raise OrdersError(
            f"{shown!r} is of no kind that can be read: duckdb://, sqlite://, postgresql:// and "
            f"excel:// are.{hint} Else export the orders as CSV or Parquet."
        )
    # A query goes on to the end, and a plus sign in it is one: SQL has them.
    before, _, sql = f"&{parts.query}".partition("&query=")
    asked = [p.partition("=")[::2] for p in before.split("&") if p]
    ours = {name: unquote(value) for name, value in asked if name in OURS}
    # A semicolon ends a statement, and a query is asked for within another.
    ours |= {"query": unquote(sql).strip().rstrip("; \n")} if sql else {}
    faults = [
        f"{shown!r} asks for a {name}; a URL of {scheme} has none."
        for name in ours
        if (name == "sheet") != (scheme == "excel")
    ]
    known = ("sheet",) if scheme == "excel" else ("table", "query")
    faults += [
        f"{shown!r} says {unquote(name)!r}, which a URL of {scheme} does not have."
        f"{_meant(unquote(name), known)}"
        for name, _ in asked
        if name not in OURS and scheme != "postgresql"  # a server has options of its own
    ]
    if "table" in ours and "query" in ours:
        faults.append(f"{shown!r} asks for a table and a query; ask for one of them.")
    if scheme == "postgresql":
        address = parts._replace(
            scheme=scheme, query="&".join("=".join(p) for p in asked if p[0] not in OURS)
        )
        found = TableUrl(scheme, shown, address=_with_timeout(address), **ours)
    else:
        path = unquote(parts.path)[1:]  # three slashes are relative, four absolute
        if parts.netloc or not path:
            faults.append(
                f"{shown!r} names no file: write three slashes before a relative path "
                f"({scheme}:///shop.db) and four before an absolute one."
            )
        found = TableUrl(scheme, shown, path=path, **ours)
    if faults:
        raise OrdersError.of(faults)
    return found


def _meant(name: str, known: Sequence[str]) -> str:
    """What may have been meant by an option, or which there are."""
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    if near:
        return f" Did you mean {near[0]}=?"
    there = " or ".join(f"{one}=" for one in known)
    return f" It has {there}; in a name, write ? & and % as %3F %26 and %25."


def _with_timeout(address: SplitResult) -> str:
    """A server that does not answer is told within seconds."""
    query = address.query
    if "connect_timeout=" not in query:
        query += f"{'&' if query else ''}connect_timeout=10"
    return address._replace(query=query, path=quote(unquote(address.path))).geturl()
