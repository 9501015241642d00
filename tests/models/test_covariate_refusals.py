"""Covariates that cannot be read or told: one message naming columns and customers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv.errors import HistoryError, NotIdentifiedError, RequestError, UnknownNameError
from clv.models.bg_bb import BGBB
from clv.models.bg_nbd import BGNBD
from clv.models.covariates.fit import fit_covariates
from clv.models.pareto_nbd import ParetoNBD
from tests.models.customers_with_covariates import simulated


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    drawn = simulated("bg-nbd", 400, seed=31)
    return drawn.set_index(pd.Index([f"{i:04d}" for i in range(400)], name="customer_id"))


def changed(table: pd.DataFrame, name: str, values: Any) -> pd.DataFrame:
    return table.assign(**{name: values})


def test_one_level(table: pd.DataFrame) -> None:
    with pytest.raises(NotIdentifiedError, match="'country' has one level only, 'UK'"):
        fit_covariates(BGNBD, changed(table, "country", "UK"), purchase="country")
    with pytest.raises(NotIdentifiedError, match=r"'score' is 0\.1 for every customer"):
        fit_covariates(BGNBD, changed(table, "score", 0.1), dropout="score")


def test_collinear_columns_are_named(table: pd.DataFrame) -> None:
    born = changed(table, "born", 1997 - table["age"])
    with pytest.raises(
        NotIdentifiedError, match=r"'age' and 'born' for purchase are collinear.*Leave out one"
    ):
        fit_covariates(BGNBD, born, purchase=["channel", "age", "born"])
    remote = changed(table, "remote", table["channel"] != "shop")
    with pytest.raises(NotIdentifiedError, match="'channel' and 'remote' for dropout") as told:
        fit_covariates(BGNBD, remote, purchase="age", dropout=["age", "channel", "remote"])
    assert "'age'" not in str(told.value)


def test_nearly_collinear_columns_are_flat(table: pd.DataFrame) -> None:
    rng = np.random.default_rng(1)
    near = changed(table, "near", table["age"] + rng.normal(0, 0.01, len(table)))
    with pytest.raises(NotIdentifiedError, match="'purchase: age', 'purchase: near' of BG/NBD"):
        fit_covariates(BGNBD, near, purchase=["age", "near"])


def test_missing_values_with_the_first_customers(table: pd.DataFrame) -> None:
    age = table["age"].where(np.arange(400) > 4)
    with pytest.raises(
        RequestError, match=r"5 of 400 customers .* 'age' \(first: 0000, 0001, 0002\)"
    ):
        fit_covariates(BGNBD, changed(table, "age", age), purchase="age")
    channel = table["channel"].where(np.arange(400) != 7)
    lost = changed(table, "channel", channel).reset_index()
    with pytest.raises(RequestError, match=r"1 of 400 .* 'channel' \(first: 0007\).*'unknown'"):
        fit_covariates(BGNBD, lost, purchase="channel")
    with pytest.raises(RequestError, match=r"1 of 400 .* no finite value in the column 'age'"):
        fit_covariates(
            BGNBD, changed(table, "age", table["age"].where(table.index != "0003", np.inf)),
            purchase="age",
        )  # fmt: skip


def test_a_level_whose_customers_never_bought_again(table: pd.DataFrame) -> None:
    once = changed(table, "source", np.where(table["frequency"] == 0, "poster", "friend"))
    count = int((table["frequency"] == 0).sum())
    with pytest.raises(
        NotIdentifiedError,
        match=f"None of the {count} customers with 'source' = 'poster' bought again, "
        "so its effect on dropout",
    ):
        fit_covariates(BGNBD, once, dropout="source")
    flag = changed(table, "flag", (table["frequency"] > 0).astype(int))
    with pytest.raises(NotIdentifiedError, match="customers with 'flag' = 0 bought again"):
        fit_covariates(BGNBD, flag, purchase="flag")


def test_a_number_that_tells_who_buys_again_runs_away(table: pd.DataFrame) -> None:
    rng = np.random.default_rng(2)
    told = (table["frequency"] > 0) + 1e-6 * rng.random(len(table))
    with pytest.raises(NotIdentifiedError, match="'purchase: told'"):
        fit_covariates(BGNBD, changed(table, "told", told), purchase="told")


def test_too_many_levels(table: pd.DataFrame) -> None:
    with pytest.raises(NotIdentifiedError, match=r"'id' has 400 levels \('0000', '0001' and"):
        fit_covariates(BGNBD, changed(table, "id", table.index), purchase="id")


def test_columns_and_levels_that_are_not_there(table: pd.DataFrame) -> None:
    with pytest.raises(UnknownNameError, match=r"no column 'chanel'\. Did you mean 'channel'"):
        fit_covariates(BGNBD, table, purchase="chanel")
    with pytest.raises(UnknownNameError, match="no column 'frequency'"):
        fit_covariates(BGNBD, table.drop(columns="frequency"), purchase="channel")
    with pytest.raises(UnknownNameError, match="no level of 'channel' 'Shop'"):
        fit_covariates(BGNBD, table, purchase="channel", reference={"channel": "Shop"})
    with pytest.raises(RequestError, match="There are 2 columns named 'age'"):
        fit_covariates(BGNBD, pd.concat([table, table[["age"]]], axis=1), purchase="age")


def test_columns_that_are_neither_numbers_nor_categories(table: pd.DataFrame) -> None:
    joined = changed(table, "joined", pd.Timestamp("1997-01-01"))
    with pytest.raises(RequestError, match=r"'joined' holds datetime64.*number of days"):
        fit_covariates(BGNBD, joined, purchase="joined")
    with pytest.raises(RequestError, match="'age' is numeric and has no reference level"):
        fit_covariates(BGNBD, table, purchase="age", reference={"age": "40"})


def test_several_faults_are_told_at_once(table: pd.DataFrame) -> None:
    bad = table.assign(country="UK", when=pd.Timestamp("1997-01-01"), age=np.nan)
    with pytest.raises(RequestError) as told:
        fit_covariates(BGNBD, bad, purchase=["country", "age"], dropout="when")
    assert "2 more faults" in str(told.value)
    assert all(f"'{name}'" in str(told.value) for name in ("country", "when", "age"))


def test_requests_that_make_no_sense(table: pd.DataFrame) -> None:
    with pytest.raises(RequestError, match="No covariates are given"):
        fit_covariates(BGNBD, table)
    with pytest.raises(RequestError, match="Pareto/NBD has no b"):
        fit_covariates(ParetoNBD, table, dropout_b="channel")
    with pytest.raises(RequestError, match="BG/BB takes no covariates"):
        fit_covariates(BGBB, table, purchase="channel")
    heavy = changed(table, "n", np.where(np.arange(400) == 3, 0, 1))
    with pytest.raises(HistoryError, match="1 of 400 customers have a weight"):
        fit_covariates(BGNBD, heavy, purchase="channel", weights="n")
    with pytest.raises(HistoryError, match="customers have recency > T"):
        fit_covariates(BGNBD, changed(table, "T", 1.0), purchase="channel")
    with pytest.raises(HistoryError, match="The unit is 'month'"):
        fit_covariates(BGNBD, table, purchase="channel", unit="month")


def test_no_customer_bought_again(table: pd.DataFrame) -> None:
    none = table.assign(frequency=0.0, recency=0.0)
    with pytest.raises(NotIdentifiedError, match="customers with 'channel' = 'shop' bought again"):
        fit_covariates(BGNBD, none, purchase="channel")


def test_other_customers_must_have_the_columns_too(table: pd.DataFrame) -> None:
    fit = fit_covariates(BGNBD, table, purchase="age")
    with pytest.raises(RequestError, match="'age' was numeric when the model was fitted"):
        fit.model.p_alive(changed(table, "age", "forty"))
    with pytest.raises(RequestError, match="400 of 400 customers have no finite value"):
        fit.model.p_alive(changed(table, "age", np.nan))
