"""A fit says which of its parameters the data hardly tell, and the book's figures carry it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import clv
from clv.errors import FitError
from clv.models.concerns import LOOSE, concerns_of, plain_concerns_of


def test_a_well_identified_fit_has_no_concerns() -> None:
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    fit = clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))
    assert fit.identified
    assert fit.to_dict()["concerns"] == []


def test_dropout_that_nobody_could_see_is_flagged(retail_book: Path) -> None:
    # Online Retail: one year of a wholesaler whose customers hardly leave; a runs towards 0.
    book = clv.Book(retail_book)
    about = book.manifest["models"]["purchases"]
    assert not about["identified"]
    assert about["converged"]
    alone, hardly, *_ = book.concerns
    assert alone.startswith("These orders alone cannot tell every parameter of BG/NBD")
    assert "hardly tell" in hardly
    assert about["in_plain_words"] == list(book.plain_concerns)[: len(about["in_plain_words"])]
    assert not re.search(r"BG/NBD|parameter|prior helps| [ab] \(", " ".join(book.plain_concerns))
    json.dumps(book.manifest, allow_nan=False)


def test_infinite_mean_spend_is_flagged_and_not_valued() -> None:
    # Drawn from q = 0.8: the mean over customers does not exist.
    rng = np.random.default_rng(4)
    x = rng.integers(1, 6, 4000).astype(float)
    m = clv.GammaGamma(p=3.0, q=0.8, v=10.0).simulate(x, rng)
    h = clv.Histories.from_arrays(x, x, x + 1, m)
    fit = clv.GammaGamma.fit(h)
    assert fit.model.q < 1
    assert not fit.identified
    assert "infinite" in fit.concerns[0]
    assert fit.model.population_mean == np.inf
    assert fit.model.expected_spend(0, 0) == np.inf
    assert np.isfinite(fit.model.expected_spend(3, 20.0))


def test_a_prior_takes_the_concern_away() -> None:
    orders = clv.read_orders(clv.datasets.path("online_retail"), returns="ignore")
    h = clv.histories(orders, end="2011-12-09")
    free = clv.BGNBD.fit(h)
    held = clv.BGNBD.fit(h, prior={"a": clv.LogNormal(0.1, 0.5), "b": clv.LogNormal(3, 0.5)})
    assert "hardly tell a (" in " ".join(free.concerns)
    assert "hardly tell" not in " ".join(held.concerns)


def test_refused_where_nothing_at_all_is_learned() -> None:
    with pytest.raises(FitError, match="cannot tell"):
        clv.BGNBD.fit(clv.Histories.from_arrays([1, 1, 2], [3, 3, 5], [6, 6, 6]))


def test_figures_that_are_the_priors_own_are_called_so() -> None:
    h = clv.Histories.from_arrays([2, 0, 1, 4, 0], [30, 0, 9, 33, 0], [39] * 5, unit="week")
    wide = {name: clv.LogNormal(1, 1) for name in ("r", "alpha", "a", "b")}
    fit = clv.BGNBD.fit(h, prior=wide)
    assert not fit.identified
    assert "is the prior's" in " ".join(fit.concerns)


def test_only_the_ratio_of_dropout_parameters_is_told_where_that_is_so() -> None:
    # Leaving rates hardly differ (s = 20): s and beta are loose, s / beta is not.
    rng = np.random.default_rng(11)
    T = np.full(3000, 60.0)
    x, t_x = clv.ParetoNBD(r=1.5, alpha=3.0, s=20.0, beta=400.0).simulate(T, rng)
    fit = clv.ParetoNBD.fit(clv.Histories.from_arrays(x, t_x, T, unit="week"))
    if fit.concerns:
        assert "ratio is told better" in fit.concerns[0]
    slope = fit.model.dropout_slope()
    assert np.sqrt(slope @ fit.log_covariance @ slope) < 0.2


def test_mean_spend_that_may_be_infinite_is_flagged() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(1, 6, 600).astype(float)
    m = clv.GammaGamma(p=3.0, q=1.1, v=10.0).simulate(x, rng)
    fit = clv.GammaGamma.fit(clv.Histories.from_arrays(x, x, x + 1, m))
    assert fit.interval()["q"][0] <= 1
    assert "infinite" in " ".join(fit.concerns)


@pytest.mark.parametrize("loose", range(4))
@pytest.mark.parametrize("error", [0.1, 3.0])
def test_plain_words_are_there_where_parameters_are_loose(loose: int, error: float) -> None:
    model, errors = clv.BGNBD(0.24, 4.4, 0.8, 2.4), np.full(4, 0.1)  # CDNOW's, rounded
    errors[loose] = error
    told = concerns_of(model, np.diag(errors**2)), plain_concerns_of(model, np.diag(errors**2))
    assert bool(told[0]) == bool(told[1]) == (error > LOOSE)
    open_to_doubt = "how many customers leave, so" in " ".join(told[1])
    assert open_to_doubt == ("How many customers leave is therefore" in " ".join(told[0]))


def test_a_mean_spend_without_bound_is_told_in_plain_words() -> None:
    for q, known in ((0.8, False), (1.2, True)):
        (told,) = plain_concerns_of(clv.GammaGamma(3.0, q, 10.0), 0.04 * np.eye(3))
        assert "a few very large orders" in told
        assert ("is taken" in told) == known
    assert plain_concerns_of(clv.GammaGamma(3.0, 4.0, 10.0), 0.04 * np.eye(3)) == ()
