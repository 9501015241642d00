"""Which files a path means, and how files of every kind and encoding are opened."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import OrdersError
from clv.transactions.sources import encodings, open_source

ROWS = [("007", "2024-01-31", "29.99"), ("Zoë", "2024-02-29", "5")]
TEXT = "customer_id,date,amount\n" + "".join(",".join(row) + "\n" for row in ROWS)


def rows(source: Any) -> list[tuple[Any, ...]]:
    opened = open_source(source)
    return [tuple(row.values()) for row in opened.collect(opened.table).to_pylist()]


def refusal(source: Any) -> str:
    with pytest.raises(OrdersError) as caught:
        open_source(source)
    return str(caught.value)


@pytest.mark.parametrize("path", ["", "  "])
def test_an_empty_path_is_not_the_folder_one_is_in(path: str) -> None:
    assert refusal(path) == "No source of orders is named: the path is empty."


@pytest.mark.parametrize(
    ("encoding", "mark", "told"),
    [
        ("utf-8", b"", ""),
        ("utf-8", codecs.BOM_UTF8, ""),
        ("utf-16-le", codecs.BOM_UTF16_LE, "read as UTF-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "read as UTF-16"),
        ("utf-16-le", b"", "read as UTF-16"),
        ("utf-16-be", b"", "read as UTF-16"),
        ("utf-32-le", codecs.BOM_UTF32_LE, "read as UTF-32"),
        ("latin-1", b"", "read as Windows-1252"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_text_file_is_read_in_its_encoding_and_that_is_said(
    tmp_path: Path, encoding: str, mark: bytes, told: str, packed: bool
) -> None:
    path = tmp_path / ("orders.csv.gz" if packed else "orders.csv")
    content = mark + TEXT.encode(encoding)
    path.write_bytes(gzip.compress(content) if packed else content)
    assert rows(path) == ROWS
    notices = open_source(path).notices
    assert len(notices) == bool(told)
    assert all(told in notice for notice in notices)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("cp1251", "Анна"), ("cp1253", "Άννα"), ("cp850", "Müller"), ("mac-roman", "Müller")],
)
def test_text_that_may_be_in_several_encodings_is_refused(
    tmp_path: Path, encoding: str, name: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(f"customer_id,date\n{name},2024-01-31\n".encode(encoding))
    assert "is not UTF-8 text, nor certainly in another encoding" in refusal(path)


def test_the_euro_sign_of_another_encoding_is_not_read_as_one_of_western_europe(
    tmp_path: Path,
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("customer_id,date,amount\nZoë,2024-01-31,5 €\n".encode("iso-8859-15"))
    assert "nor certainly in another encoding" in refusal(path)
    path.write_bytes("customer_id,date,amount\nZoë,2024-01-31,5 €\n".encode("cp1252"))
    assert rows(path) == [("Zoë", "2024-01-31", "5 €")]


@given(name=st.text("aeinrst éèüöäßñçåø", min_size=1, max_size=12), block=st.integers(1, 40))
def test_what_is_read_as_western_european_comes_back_as_it_was(
    name: str, block: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Wherever a block of the file ends: a letter or a pair of bytes may be cut in two."""
    folder = tmp_path_factory.mktemp("encodings")
    path = folder / "orders.csv"
    text = f"customer_id,date\n{name},2024-01-31\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encodings, "BLOCK", block)
        for encoding in ("utf-8", "utf-16", "cp1252"):
            path.write_bytes(text.encode(encoding))
            try:
                found = encodings.as_utf8(path, folder).path
            except OrdersError:
                # Three accented letters in a row: Cyrillic looks so.
                assert encoding == "cp1252"
                assert encodings.STRANGE.search(name)
            else:
                assert found.read_bytes().decode("utf-8-sig") == text


def test_a_gz_file_that_unpacks_to_far_more_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encodings, "ALWAYS_ALLOWED", 1 << 20)
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(b"customer_id,date\n" + b"1,2024-01-01\n" * 500_000))
    assert "unpacks to more than" in refusal(path)


def test_a_gz_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode() * 100)[:-20])
    assert "cannot be read: Compressed file ended" in refusal(path)


def test_a_gz_file_named_csv(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(gzip.compress(TEXT.encode()))
    assert "is compressed by gzip: name it 'orders.csv.gz'" in refusal(path)


@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_columns_are_parted_by_any_usual_sign(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(TEXT.replace(",", delimiter), encoding="utf-8")
    assert rows(path) == ROWS


def test_files_that_differ_in_the_sign_alone(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TEXT, encoding="utf-8")
    (tmp_path / "b.csv").write_text(TEXT.replace(",", ";"), encoding="utf-8")
    said = refusal(str(tmp_path / "*.csv"))
    assert "b.csv' has semicolons between its columns, " in said
    assert "a.csv' has commas: export both in one way" in said


def test_a_header_that_never_ends_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"a," * (1 << 20))
    assert "does not begin with a line that names the columns" in refusal(path)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Orders in folders by region and year, as Spark, Hive and DuckDB write them."""
    table = pa.table({"customer_id": ["007", "011"], "amount": [1.5, 2.5]})
    for region, year in (("eu", "01"), ("us", "02")):
        part = tmp_path / "orders" / f"region={region}" / f"year={year}"
        part.mkdir(parents=True)
        pq.write_table(table, part / "part-0.parquet")
    (tmp_path / "orders" / "_SUCCESS").touch()
    (tmp_path / "orders" / "_temporary").mkdir()
    pq.write_table(table, tmp_path / "orders" / "_temporary" / "part-0.parquet")
    return tmp_path / "orders"


def test_names_of_folders_are_columns_of_text(folders: Path) -> None:
    opened = open_source(folders)
    assert opened.table.columns == ("customer_id", "amount", "region", "year")
    found = sorted(rows(folders))
    assert found == [
        ("007", 1.5, "eu", "01"),  # 01 is text: ids in folders keep their zeros
        ("007", 1.5, "us", "02"),
        ("011", 2.5, "eu", "01"),
        ("011", 2.5, "us", "02"),
    ]
    assert opened.places([0, 1, 2]) == [
        "region=eu/year=01/part-0.parquet row 1",
        "region=eu/year=01/part-0.parquet row 2",
        "region=us/year=02/part-0.parquet row 1",
    ]


def test_a_pattern_takes_files_as_they_are(folders: Path) -> None:
    assert open_source(folders / "*/*/*.parquet").table.columns == ("customer_id", "amount")


def test_folders_above_the_one_that_is_named_are_no_columns(folders: Path) -> None:
    assert "region" not in open_source(folders / "region=eu").table.columns


def test_folders_that_name_different_columns(folders: Path) -> None:
    pq.write_table(pa.table({"customer_id": ["1"], "amount": [1.0]}), folders / "more.parquet")
    said = refusal(folders)
    assert "different columns: 'region', 'year' (as 'region=eu/year=01/part-0.parquet')" in said
    assert "and none (as 'more.parquet')" in said


@pytest.mark.parametrize(
    ("log", "lake"),
    [("_delta_log/00000000000000000000.json", "Delta"), ("metadata/v1.metadata.json", "Iceberg")],
)
def test_files_of_a_lake_hold_rows_that_are_gone(folders: Path, log: str, lake: str) -> None:
    (folders / log).parent.mkdir()
    (folders / log).write_text("{}")
    assert f"is a table of {lake}: its files hold rows that were deleted" in refusal(folders)


def test_a_pattern_of_several_kinds(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TEXT)
    pq.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    assert "names files of several kinds" in refusal(tmp_path / "a.*")
