"""`clv fit --standard-errors`: where they come from is chosen, and said."""

from __future__ import annotations

import pytest

from tests.cli.command import CDNOW, clv_command, done


@pytest.mark.parametrize("kind", ["information", "sandwich", "bootstrap"])
def test_the_kind_is_in_the_output(kind: str) -> None:
    found = done("fit", *CDNOW, "--standard-errors", kind, "--format", "json").json
    for fit in (found, found["spend"]):
        assert fit["covariance_kind"] == kind
        assert (fit["resampling"] is not None) == (kind == "bootstrap")
    plain = done("fit", *CDNOW, "--format", "json").json
    assert plain["covariance_kind"] == "information"
    same = found["standard_errors"] == plain["standard_errors"]
    assert same == (kind == "information")
    assert found["parameters"] == plain["parameters"]


def test_the_table_says_where_they_come_from() -> None:
    plain = " ".join(done("fit", *CDNOW).out.split())
    robust = " ".join(done("fit", *CDNOW, "--standard-errors", "sandwich").out.split())
    drawn = " ".join(done("fit", *CDNOW, "--standard-errors", "bootstrap").out.split())
    assert "Standard errors by" not in plain
    assert robust.count("Standard errors by the sandwich") == 2
    assert drawn.count("drawn with replacement 1,000 times, 0 of which could not be fitted") == 2


def test_a_row_of_csv_says_it_too() -> None:
    rows = done("fit", *CDNOW, "--standard-errors", "sandwich", "--format", "csv").csv
    assert {row["covariance_kind"] for row in rows} == {"sandwich"}


def test_what_does_not_go_together_is_refused() -> None:
    held = clv_command("fit", *CDNOW, "--standard-errors", "sandwich", "--prior", "a=0.8:1")
    assert held.status == 1
    assert "Fit without the prior" in held.err
    every = clv_command("fit", *CDNOW, "--standard-errors", "sandwich", "--model", "all")
    assert every.status == 2
    assert "--model all takes no --prior, --standard-errors" in every.err
    other = clv_command("fit", *CDNOW, "--standard-errors", "jackknife")
    assert other.status == 2


def test_a_fit_with_a_prior_says_what_its_criteria_are() -> None:
    told = " ".join(done("fit", *CDNOW, "--prior", "a=0.8:1").out.split())
    assert told.count("AIC and BIC are those at the mode that the prior has moved") == 1
