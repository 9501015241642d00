"""Offers to customers: what each keeps, what is chosen, and what is said and read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clv.errors import RequestError
from clv.recommend import Policy, retention_budget
from clv.recommend.offers import allocate_offers
from clv.recommend.retention_offers import Offer, OfferBudget, read_offers, retention_offers

COLUMNS: dict[str, Any] = {
    "p_alive": [0.9, 0.5, 0.99],
    "value_if_alive": [800.0, 90.0, 3000.0],
    "value_leaves": [0.4, 0.3, 0.1],
    "expected_spend": [60.0, 40.0, 120.0],
}
OFFERS = [Offer("letter", 1.0, 0.05), Offer("voucher", 20.0), Offer("call", 35.0)]


def budget(offers: list[Offer] = OFFERS, *, total: float | None = None, **over: Any) -> OfferBudget:
    return retention_offers(Policy(), ["007", "b", "c"], offers, **{**COLUMNS, **over}, total=total)


def test_what_an_offer_keeps() -> None:
    # known for the offer: A·V·d·e_j; by the policy's curve: A·V·d·.3 (1 − exp(−c/(.5 m)))
    A, V, d, m = (np.array(column) for column in COLUMNS.values())
    value = np.column_stack(
        [A * V * d * 0.05, *(A * V * d * 0.3 * -np.expm1(-c / (0.5 * m)) for c in (20, 35))]
    )
    for total in (None, 1.5, 25.0, 60.0):
        got, direct = budget(total=total), allocate_offers(value, [1, 20, 35], total=total)
        names = ["letter", "voucher", "call", ""]
        assert got.offer.tolist() == [names[j] for j in direct.offer]
        assert got.spend.tolist() == direct.spend.tolist()
        assert got.expected_gain == pytest.approx(direct.gain)
        assert got.counts == {name: got.offer.tolist().count(name) for name in names[:3]}
        assert got.shadow_price == pytest.approx(direct.shadow_price)


def test_offers_by_the_curve_never_keep_more_than_money_freely_divided() -> None:
    fine = [Offer(f"{cost}", float(cost)) for cost in range(1, 51)]
    for total in (10.0, 30.0, 60.0):
        got = budget(fine, total=total)
        free = retention_budget(Policy(), ["007", "b", "c"], **COLUMNS, total=total)
        assert got.total_gain - got.total <= free.total_gain - free.total + 1e-9
        assert got.total_gain == pytest.approx(free.total_gain, rel=0.02)  # steps of 1


def test_only_the_policy_figures_that_are_used_are_assumed() -> None:
    assert "retention.effect" in budget().assumed
    assert budget([Offer("letter", 1.0, 0.05)]).assumed == ("retention.period_months",)


def test_words_and_json() -> None:
    short = budget(total=25.0)
    assert "is expected to keep" in short.sentences[0]
    assert short.sentences[1].startswith("Of 3 customers")
    assert "voucher 1" in short.sentences[1]
    assert "would keep about" in short.sentences[2]
    told = json.loads(json.dumps(short.to_dict()))
    assert [row["customer_id"] for row in told["rows"]] == ["007", "b", "c"]
    assert set(told) == {
        "rows", "counts", "total", "shadow_price", "optimal_total", "unspent", "total_gain", "gap",
        "assumed", "sentences", "currency", "policy_version",
    }  # fmt: skip
    assert "is not spent" in budget(total=10_000).sentences[2]
    assert "total worth asking for" in budget().sentences[2]
    assert "No offer returns" in budget(value_if_alive=[0, 0, 0]).sentences[0]
    assert "No offer returns" in budget([Offer("nuisance", 1.0, -0.2)]).sentences[0]


def test_offers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(RequestError, match="2 more faults"):
        Offer("", -1, 3)
    with pytest.raises(RequestError, match="'letter' stands there twice"):
        budget([Offer("letter", 1), Offer("letter", 2)])
    with pytest.raises(RequestError, match="there is none"):
        budget([])


def test_a_table_of_offers(tmp_path: Path) -> None:
    file = tmp_path / "offers.csv"
    file.write_text("offer,cost,effect\nletter,1,0.05\nvoucher, 20 ,\n", encoding="utf-8")
    assert read_offers(file) == OFFERS[:2]
    file.write_text("cost,offer\n20,voucher\n", encoding="utf-8-sig")
    assert read_offers(file) == [Offer("voucher", 20)]


def test_a_table_that_cannot_be_read_is_told_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "offers.csv"
    file.write_text("offer,cost,effect\nletter,one,\nvoucher,20,7\n", encoding="utf-8")
    with pytest.raises(RequestError) as told:
        read_offers(file)
    for part in ("line 2: 'one' is not a number", "line 3", "from -1 to 1"):
        assert part in str(told.value)
    file.write_text("name,price\n", encoding="utf-8")
    with pytest.raises(RequestError, match="needs the columns offer and cost"):
        read_offers(file)
    with pytest.raises(RequestError, match="no file"):
        read_offers(tmp_path / "none.csv")
