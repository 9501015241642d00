"""The broken orders that are no text, are large, or are no files: each is made when it is needed.

The others lie in `files/`. All that can be read say the same orders, those of
:data:`~tests.bad_orders.orders.ROWS`.

    python -m tests.bad_orders.make FOLDER
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.bad_orders import databases, parquet, places, texts, workbooks  # noqa: F401  they list
from tests.bad_orders.orders import MADE

__all__ = ["make"]

FILES = Path(__file__).parent / "files"


def make(folder: Path) -> None:
    """Put all broken orders into a folder: those that lie here, and those that are made."""
    shutil.copytree(FILES, folder, dirs_exist_ok=True)
    for name, maker in MADE.items():
        maker(folder / name)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
