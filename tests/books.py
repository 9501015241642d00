"""Customer books that many tests read, each built once a run however many processes share it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import filelock
import pytest

import clv

Name = Literal["cdnow", "simulated_shop", "online_retail"]


def shared_book(name: Name, factory: pytest.TempPathFactory) -> Path:
    """Return where the book of a bundled data set stands; build it if no test has yet.

    The processes of pytest-xdist have temporary folders of their own within one of the run.
    """
    own = factory.getbasetemp()
    place = (own.parent if own.name.startswith("popen-") else own) / "books" / name
    place.parent.mkdir(exist_ok=True)
    with filelock.FileLock(place.with_suffix(".lock")):
        if not place.exists():
            _build(name, place / "book")
    return place / "book"


def _build(name: Name, path: Path) -> None:
    if name == "cdnow":
        # Fader, Hardie & Lee (2005): calibration to the end of September 1997, in weeks
        clv.build_book(clv.datasets.path("cdnow"), path, end="1997-09-30", unit="week")
    elif name == "simulated_shop":
        # up to the day before its campaign
        clv.build_book(clv.datasets.path("simulated_shop_orders"), path, end="2023-04-30")
    else:
        clv.build_book(clv.datasets.path("online_retail"), path, end="2011-12-09")
