"""The bundled data are whole, are what their SOURCE.md says, and load as documented."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

import clv.datasets as data
from clv.errors import UnknownNameError
from clv.simulated_shop import TRUTH, simulate

ROOT = data.path("cdnow").parent.parent
FOLDERS = sorted(p for p in ROOT.iterdir() if p.is_dir())
HASH_ROW = re.compile(r"^\| (\S+) \|.*\| `([0-9a-f]{64})` \|$", re.MULTILINE)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: str(p.name))
def test_every_file_has_the_hash_its_source_states(folder: Path) -> None:
    stated = dict(HASH_ROW.findall((folder / "SOURCE.md").read_text(encoding="utf-8")))
    files = {p.name: p for p in folder.iterdir() if p.name != "SOURCE.md"}
    found = {name: hashlib.sha256(p.read_bytes()).hexdigest() for name, p in files.items()}
    assert found == stated


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: str(p.name))
def test_every_source_tells_origin_licence_and_results(folder: Path) -> None:
    text = (folder / "SOURCE.md").read_text(encoding="utf-8")
    for heading in ("## Origin", "## Licence", "## Published results it reproduces"):
        assert re.search(f"^{heading}\n\n\\S", text, re.MULTILINE), heading


def test_every_bundled_file_has_a_name_and_every_name_a_file() -> None:
    named = {data.path(name) for name in data.names()}
    assert named == {p for f in FOLDERS for p in f.iterdir() if p.name != "SOURCE.md"}


def test_the_data_stay_small() -> None:
    # 3 MB: what a clone and a wheel may carry for data (project limit, not a measurement).
    assert sum(p.stat().st_size for f in FOLDERS for p in f.iterdir()) < 3_000_000


def test_an_unknown_name_suggests_near_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no data set 'cdnwo'.*'cdnow'"):
        data.path("cdnwo")


def test_cdnow_sample_is_the_published_one() -> None:
    # datasets/cdnow/SOURCE.md; Fader, Hardie & Lee (2005) for 2,357 customers and Σx 2,457.
    orders = data.load_cdnow()
    assert list(orders.columns) == ["customer_id", "date", "quantity", "amount"]
    assert len(orders) == 6_919
    assert orders["customer_id"].nunique() == 2_357
    assert (orders["amount"] == 0).sum() == 8
    assert set(orders["customer_id"].str.len()) == {4}  # leading zeros kept
    days = orders[orders["date"] <= "1997-09-30"].drop_duplicates(["customer_id", "date"])
    assert len(days) - days["customer_id"].nunique() == 2_457


def test_cdnow_master_is_the_published_one() -> None:
    # datasets/cdnow/SOURCE.md.
    orders = data.load_cdnow_master()
    assert len(orders) == 69_659
    assert orders["customer_id"].nunique() == 23_570
    assert (orders["amount"] == 0).sum() == 80
    assert orders["date"].min().date().isoformat() == "1997-01-01"
    assert orders["date"].max().date().isoformat() == "1998-06-30"


def test_online_retail_invoices_add_up_to_the_published_lines() -> None:
    # Net of the 541,909 lines of UCI data set 352, added up in decimals: 9,747,747.934.
    # Its line counts: 3,836 cancellation invoices, 4,372 customers. See its SOURCE.md.
    table = pq.read_table(data.path("online_retail"))
    assert pc.sum(table["amount"]).as_py() == Decimal("9747747.934")
    assert table.num_rows == len(set(table["invoice"].to_pylist())) == 25_900
    first = Counter(str(i)[0] for i in table["invoice"].to_pylist())
    assert (first["C"], first["A"]) == (3_836, 3)
    assert pc.sum(pc.less(table["amount"], 0)).as_py() == 3_838
    assert table["customer_id"].null_count == 3_710


def test_online_retail_loads_ids_as_text_and_amounts_as_numbers() -> None:
    invoices = data.load_online_retail()
    assert list(invoices.columns) == ["invoice", "date", "customer_id", "country", "amount"]
    assert invoices["customer_id"].nunique() == 4_372
    assert invoices["customer_id"].dropna().str.fullmatch(r"\d{5}").all()
    assert invoices["amount"].dtype == float


def test_donations_are_the_published_table() -> None:
    # Fader, Hardie & Shang (2010): 22 patterns of 11,104 donors over 6 years, 3,464 never again.
    table = data.load_donations()
    assert len(table) == 22
    assert table["weights"].sum() == 11_104
    assert set(table["periods"]) == {6}
    never = table[(table["frequency"] == 0) & (table["recency"] == 0)]
    assert never["weights"].tolist() == [3_464]


def test_survival_only_falls() -> None:
    # Fader & Hardie (2007): 1,000 subscribers in each segment, 491 and 241 left after year 7.
    table = data.load_sbg()
    assert table.to_numpy()[0].tolist() == [1_000, 1_000]
    assert table.to_numpy()[7].tolist() == [491, 241]
    assert (table.diff().dropna() < 0).to_numpy().all()


def test_cancelled_invoices_as_incidents_follow_their_rule() -> None:
    # The rule of datasets/online_retail/SOURCE.md, applied to the invoices again.
    invoices, incidents = data.load_online_retail(), data.load_online_retail_incidents()
    cancelled = invoices[invoices["invoice"].str.startswith("C") & invoices["customer_id"].notna()]
    cancelled = cancelled.sort_values(["date", "invoice"])
    assert incidents["invoice"].tolist() == cancelled["invoice"].tolist()
    assert incidents["customer_id"].tolist() == cancelled["customer_id"].tolist()
    assert incidents["occurred_at"].tolist() == cancelled["date"].tolist()
    assert incidents["loss_amount"].to_numpy() == pytest.approx(-cancelled["amount"].to_numpy())
    assert set(incidents["type"]) == {"returned_item"}
    assert set(incidents["detected_by"]) == {"customer"}


def test_the_simulated_shop_is_what_its_generator_makes() -> None:
    shop = simulate()
    assert_frame_equal(shop.orders, data.load_simulated_shop_orders())
    assert_frame_equal(shop.incidents, data.load_simulated_shop_incidents())
    assert_frame_equal(shop.campaigns, data.load_simulated_shop_campaigns())
    assert data.load_simulated_shop_truth() == json.loads(json.dumps(TRUTH.to_dict()))


def test_the_simulated_shop_is_what_its_source_says() -> None:
    # Counts of datasets/simulated_shop/SOURCE.md.
    orders, incidents = data.load_simulated_shop_orders(), data.load_simulated_shop_incidents()
    assert (len(orders), orders["customer_id"].nunique()) == (43_458, 8_000)
    assert (len(incidents), incidents["customer_id"].nunique()) == (6_097, 3_778)
    assert incidents["goodwill_amount"].isna().sum() == 102
    drawn = incidents[incidents["assignment_probability"].notna()]
    assert len(drawn) == 3_656
    assert dict(drawn.groupby("assigned_arm")["assignment_probability"].first()) == {
        "step": 0.4,
        "usual": 0.6,
    }
    assert orders["date"].min().date().isoformat() == "2022-01-01"
    assert orders["date"].max().date().isoformat() == "2023-12-31"
