"""Text files in UTF-8, and those in another encoding where it can be only one.

What is not UTF-8 is rewritten as UTF-8 beside the engine's other temporary files. Bytes that are
text in several encodings are not guessed at: a file is refused where the letters would be strange
in Western European text, or where another encoding reads them as well.
"""

from __future__ import annotations

import codecs
import gzip
import os
import re
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from clv.errors import OrdersError

__all__ = ["Utf8File", "as_utf8"]

BLOCK = 1 << 20

LARGEST_RATIO, ALWAYS_ALLOWED = 200, 1 << 30
"""A .gz file may hold 1 GiB, or 200 times its own size: more is no log of orders."""

BOMS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip

STRANGE = re.compile(
    # Cyrillic and Greek code pages look like words of accented letters.
    "[À-ÖØ-öø-ÿ]{3}"
    # Letters here, but others in code page 850 and on the Mac, where they are more frequent.
    "|[ŠŒŽšœžŸƒˆ˜†‡‰‹›„‚]"
    # Signs that are the euro and letters in ISO 8859-15.
    "|[¤¦¨´¸¼½¾]"
    # Signs in the midst of a word: these bytes are letters in code page 850 and on the Mac.
    "|(?<=[a-zà-ÿ])[€…“”‘•–—™](?=[a-zà-ÿ])"
    # What UTF-8 looks like here, where a part of the file is in another encoding.
    "|(?-i:[ÂÃ])[\u00a0-¿\u2013-\u203a€™]",
    re.IGNORECASE,
)


class Utf8File(NamedTuple):
    """A file that the engine can read.

    Attributes
    ----------
    path : Path
        The file itself, or its copy in UTF-8.
    notice : str
        In which encoding it was read, where that is not UTF-8.
    """

    path: Path
    notice: str = ""


def as_utf8(path: Path, folder: Path) -> Utf8File:
    """Return the file, or a copy of it in UTF-8.

    Parameters
    ----------
    path : Path
        A text file, also .gz.
    folder : Path
        Where a copy may lie.

    Raises
    ------
    OrdersError
        Where it is text in no encoding, or could be in several; where a .gz file is broken, or
        holds more than a log of orders can.
    """
    try:
        with _bytes(path) as stream:
            start = stream.read(4)
        encoding = next((name for mark, name in BOMS if start.startswith(mark)), None)
        encoding = encoding or _without_mark(path)
        if encoding is None and _decodes(path, "utf-8"):
            return Utf8File(path)
        if encoding is None and _decodes(path, "cp1252", strange=STRANGE):
            return Utf8File(
                _copy(path, "cp1252", folder),
                f"{path.name!r} is not UTF-8; it was read as Windows-1252 (Western European). "
                "Where names look wrong, save it as UTF-8.",
            )
        if encoding is not None and _decodes(path, encoding):
            return Utf8File(
                _copy(path, encoding, folder),
                f"{path.name!r} was read as {encoding[:6].upper()}.",
            )
    except (OSError, EOFError, zlib.error) as error:
        raise OrdersError(f"{str(path)!r} cannot be read: {error}.") from error
    raise OrdersError(
        f"{str(path)!r} is not UTF-8 text, nor certainly in another encoding. Save it as UTF-8 (in "
        "a spreadsheet: Save As, CSV UTF-8), or convert it: iconv -f cp1251 -t utf-8 IN > OUT, "
        "with its encoding in place of cp1251."
    )


def _bytes(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")


def _blocks(path: Path) -> Iterator[bytes]:
    compressed = path.suffix.lower() == ".gz"
    allowed = max(ALWAYS_ALLOWED, LARGEST_RATIO * path.stat().st_size)
    seen = 0
    with _bytes(path) as stream:
        while block := stream.read(BLOCK):
            seen += len(block)
            if compressed and seen > allowed:
                raise OrdersError(
                    f"{str(path)!r} unpacks to more than {allowed / 2**30:,.0f} GiB and "
                    f"{LARGEST_RATIO} times its size: that is no log of orders. If it is, unpack "
                    "it first."
                )
            yield block


def _without_mark(path: Path) -> str | None:
    """UTF-16 of mostly Latin letters has a zero in every other byte, on one side of each letter."""
    with _bytes(path) as stream:
        start = stream.read(4096)
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 4 < len(start):  # zeros in less than half of the places of one side
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _decodes(path: Path, encoding: str, *, strange: re.Pattern[str] | None = None) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    previous = ""
    try:
        for block in _blocks(path):
            if encoding == "utf-8" and block.isascii() and decoder.getstate() == (b"", 0):
                continue
            text = decoder.decode(block)
            if strange is not None:
                if strange.search(previous + text):
                    return False
                previous = text[-3:]
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _copy(path: Path, encoding: str, folder: Path) -> Path:
    handle, name = tempfile.mkstemp(suffix=".csv", dir=folder)
    decoder = codecs.getincrementaldecoder(encoding)()
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as copy:
        for block in _blocks(path):
            copy.write(decoder.decode(block))
        copy.write(decoder.decode(b"", final=True))
    return Path(name)
