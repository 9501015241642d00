"""Broken orders that are folders, links or no files."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pyarrow.parquet as pq

from tests.bad_orders.orders import TEXT, made
from tests.bad_orders.parquet import orders_table


@made("no-parquet/notes.txt")
def _(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(TEXT, encoding="utf-8")
    path.with_name("photo.jpg").touch()


@made("nothing-inside")
def _(path: Path) -> None:
    path.mkdir()


@made("csv-and-parquet/b.csv")
def _(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(TEXT, encoding="utf-8")
    pq.write_table(orders_table(), path.with_name("a.parquet"))


@made("delta/_delta_log/00000000000000000000.json")
def _(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch()
    pq.write_table(orders_table(), path.parent.parent / "part-0.parquet")


@made("folders-of-other-names/year=2024/a.parquet")
def _(path: Path) -> None:
    path.parent.mkdir(parents=True)
    pq.write_table(orders_table(), path)
    other = path.parent.parent / "month=1"
    other.mkdir()
    pq.write_table(orders_table(), other / "b.parquet")


@made("other-columns/a.csv")
def _(path: Path) -> None:
    path.write_text(TEXT, encoding="utf-8")
    path.with_name("b.csv").write_text(TEXT.replace("amount", "net"), encoding="utf-8")


@made("a-pipe.csv")
def _(path: Path) -> None:
    os.mkfifo(path)


@made("a-device.csv")
def _(path: Path) -> None:
    path.symlink_to("/dev/zero")


@made("a-socket.csv")
def _(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket must be short
        try:
            listening.bind(path.name)
        finally:
            os.chdir(here)


@made("a-link-to-itself.csv")
def _(path: Path) -> None:
    path.symlink_to(path.name)


@made("a-link-to-nothing.csv")
def _(path: Path) -> None:
    path.symlink_to("moved-away.csv")


@made("a-folder-named.csv")
def _(path: Path) -> None:
    path.mkdir()


@made("loop/a.parquet")
def _(path: Path) -> None:
    path.parent.mkdir()
    pq.write_table(orders_table(), path)
    (path.parent / "again").symlink_to(path.parent, target_is_directory=True)
