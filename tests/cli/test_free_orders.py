"""What `clv build` says of repeat purchases that were free."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import clv
from tests.cli.command import CDNOW, CDNOW_END, clv_command


@pytest.mark.parametrize("free", [1, 400])
def test_a_few_free_purchases_are_told_by_number_and_many_by_share(here: Path, free: int) -> None:
    log = pd.read_csv(CDNOW[0], dtype={"customer_id": str})
    log = log.groupby(["customer_id", "date"])[["amount"]].sum().reset_index()
    log = log.loc[(log["date"] <= CDNOW_END) & (log["amount"] > 0)].reset_index(drop=True)
    again = log.index[log["customer_id"].duplicated()]
    log.loc[again[:free], "amount"] = 0.0
    log.to_csv("orders.csv", index=False)
    run = clv_command("build", "orders.csv", "-o", "book", "--unit", "week", "--end", CDNOW_END)
    assert run.status == 0, run.err
    said = " ".join(run.out.split())
    share = clv.Book(here / "book").manifest["paid_share"]
    assert share == pytest.approx(1 - free / len(again))
    if free == 1:
        assert f"1 of {len(again):,} repeat purchases was free" in said
    else:
        assert f"{100 * share:.1f} % of the repeat purchases were paid for" in said
    assert "100.0 %" not in said
