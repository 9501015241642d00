"""Names of files and books with a colon, which a library may take for the scheme of a URL."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import clv.datasets
from tests.cli.command import done

NAME = "shop:2024"
FOLDERS = ["", "orders:all/"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.read_csv(clv.datasets.path("cdnow"), dtype={"customer_id": str}).head(400)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx", "sqlite", "duckdb"])
def test_orders_of_every_kind_are_read(
    folder: str, ending: str, here: Path, frame: pd.DataFrame
) -> None:
    file = here / f"{folder}{NAME}.{ending}"
    file.parent.mkdir(exist_ok=True)
    if ending == "csv":
        frame.to_csv(file, index=False)
    elif ending == "parquet":
        file.write_bytes(frame.to_parquet())
    elif ending == "xlsx":
        frame.to_excel(file, index=False)
    elif ending == "sqlite":
        with sqlite3.connect(file) as database:
            frame.to_sql("orders", database, index=False)
    else:
        with duckdb.connect("plain") as database:
            database.execute("CREATE TABLE orders AS SELECT * FROM frame")
        Path("plain").rename(file)
    told = done("check", f"{folder}{NAME}.{ending}", "--format", "json").json
    assert told["rows_read"] == len(frame)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_book_is_built_read_and_continued(folder: str, here: Path, frame: pd.DataFrame) -> None:
    (here / folder).mkdir(exist_ok=True)
    returned = pd.DataFrame(
        {"customer_id": "new", "date": ["1997-01-03", "1997-01-04"], "amount": [5.0, -2.0]}
    )
    pd.concat([frame[list(returned)], returned]).to_csv("orders.csv", index=False)
    book = f"{folder}{NAME}"
    done("build", "orders.csv", "-o", book, "--returns", "incident", "--end", "1998-06-30")
    done("build", "--since", book, "-o", f"{book}b", "--end", "1998-07-31")
    for path in (book, f"{book}b"):
        done("value", path, "--customer", "new")
        done("forecast", path)
        done("recover", path, "new", "--problem", "defective", "--loss", "5")
        for ending in ("csv", "parquet"):
            done("value", path, "-o", f"{path}.{ending}")
            assert Path(f"{path}.{ending}").is_file()
