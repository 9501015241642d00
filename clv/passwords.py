"""Passwords and other secrets that a text repeats, and three stars in their place.

Whatever is told may repeat what somebody typed: a URL, one with a slash too few, or one that was
given where a file was asked for. Every :class:`clv.errors.ClvError` is told without its secrets.
"""

from __future__ import annotations

import re

__all__ = ["STARS", "is_secret", "no_place", "without_secrets"]

STARS = "***"

URL = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]+:/")
"""One slash: a path has lost the other. A single letter is a drive."""

NOT_ASKED = r"(?![?&](?:table|query)=)"
"""What stands behind is no part of an address: a query may have an @ of its own."""

IN_URL = re.compile(
    r"""(?P<user>(?::/{1,3}|//)[^\s/:@]*:  # ://user: and :/user: and //user:
        |/[A-Za-z_][^\s/:@]*:)             # which a path makes of the last
    (?!\s)(?:
        (?:NOT_ASKED\S)*                    # to the last @: a password may have one, and / ? #
        |(?!\d{1,5}(?:[/?'"\s,.;)]|$))[^@\n]{0,200}  # with a space; a port is no password
    )@""".replace("NOT_ASKED", NOT_ASKED),
    re.VERBOSE,
)
"""`postgresql://user:password@host`, also where a colon or a slash is missing."""

BARE = re.compile(rf"(?<![\w.@/+-])(?P<user>[A-Za-z_][\w.%+-]*:)(?![/\\])(?:{NOT_ASKED}\S)*@")
"""`user:password@host`, without anything before it."""

IN_NAME = r"""(?:pass(?:word|wd|phrase|file)?|pwd|secret|token|signature|credential
    |(?:access|account|api|private|shared)[_-]?key(?:[_-]?id)?)"""
"""What the name of a secret has in it, wherever it stands."""

OF_URL = r"(?:[\w.-]*key|sig|auth)"
"""What secrets of URLs are called too; elsewhere it may be anything."""

OPTION = re.compile(
    rf"""(?P<name>
        (?<![\w.-])[\w.-]*{IN_NAME}[\w.-]*=
        |(?<=[?&;]){OF_URL}=
    )(?:'[^'\n]*'|"[^"\n]*"|[^\s&;]*[^\s&;'".,:)\]}}])""",
    re.VERBOSE | re.IGNORECASE,
)
"""`password=...` in a URL or in words, and other names of secrets: of signed URLs, of keys."""

NAME = re.compile(rf"{IN_NAME}|^{OF_URL}$", re.VERBOSE | re.IGNORECASE)
"""The name of an option of a URL that is a secret."""


def without_secrets(text: str) -> str:
    """Return a text as it may be shown: three stars for passwords and other secrets in it.

    Parameters
    ----------
    text : str
        Any text, such as a message that repeats what was typed.

    Examples
    --------
    >>> without_secrets("There is no file 'postgresql:/anna:s3cret@db/shop'.")
    "There is no file 'postgresql:/anna:***@db/shop'."
    >>> without_secrets("jdbc:postgresql://db/shop?user=anna&password=s3cret")
    'jdbc:postgresql://db/shop?user=anna&password=***'
    """
    if "@" in text:
        for pattern in (IN_URL, BARE):
            text = pattern.sub(rf"\g<user>{STARS}@", text)
    return OPTION.sub(rf"\g<name>{STARS}", text) if "=" in text else text


def is_secret(option: str) -> bool:
    """Whether an option of a URL is a secret, by its name.

    Parameters
    ----------
    option : str
        Its name.

    Examples
    --------
    >>> [name for name in ("sslpassword", "sig", "sslmode") if is_secret(name)]
    ['sslpassword', 'sig']
    """
    return NAME.search(option) is not None


def no_place(path: str) -> str:
    """Say why nothing is written at a path: it is a URL, or has a password; empty where it will do.

    Parameters
    ----------
    path : str
        Where something is to be written.

    Examples
    --------
    >>> no_place("s3://bucket/book")
    's3://bucket/book is a URL; only folders and files of this machine are written to'
    >>> no_place("books/2024-01")
    ''
    """
    shown = without_secrets(path)
    if URL.match(path) or shown != path:
        return f"{shown} is a URL; only folders and files of this machine are written to"
    return ""
