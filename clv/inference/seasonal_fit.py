"""Fit a purchase model and the seasons of the year together.

The search, and how the index is shrunk towards flat, are in :mod:`clv.inference.seasonal_mode`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from dateutil.relativedelta import relativedelta
from scipy.special import chdtrc

from clv.arrays import Floats
from clv.errors import FitError, NotIdentifiedError, RequestError
from clv.inference.seasonal_mode import SeasonalMode
from clv.models.beta_geometric import BetaGeometric
from clv.models.concerns import Uncertain, concerns_of, log_interval
from clv.models.maximum_likelihood import Fit, LogNormal, maximise
from clv.models.seasons.model import SeasonalLikelihood, SeasonalModel
from clv.models.seasons.season import Season, season_names, season_of
from clv.numerics import central_tails
from clv.transactions.orders import Orders
from clv.transactions.split import Tracking, tracking
from clv.transactions.summary import CustomerHistories, histories

__all__ = ["FlatTest", "SeasonalFit", "fit_seasonal"]

G = TypeVar("G", bound=BetaGeometric)

SEASONAL = ("bg-nbd", "mbg-nbd")
"""Models whose customers leave at purchases only."""

UNSHRUNK = 10.0
"""σ of the fit that the test of flatness compares: e^10 either way, as good as no shrinkage, and
finite where a season has no purchase, whose unshrunk index would be 0."""


class FlatTest(NamedTuple):
    """Likelihood-ratio test of a flat index: the plain model against the seasonal one, unshrunk.

    Attributes
    ----------
    statistic : float
        2 (ln L of the unshrunk seasonal model − ln L of the plain one).
    degrees : int
        Seasons less one: the mean of the index is fixed.
    p_value : float
        P(a χ² of so many degrees of freedom ≥ statistic).
    """

    statistic: float
    degrees: int
    p_value: float


@dataclass(frozen=True, eq=False)
class SeasonalFit(Generic[G]):
    """A purchase model in operational time, fitted together with its season index.

    Attributes
    ----------
    fit : Fit
        The model in operational time, as fitted to the histories in the operational time of
        `season`: same parameters, but a covariance that takes the index as known and a
        log-likelihood without the term of the index.
    flat : Fit
        The plain model on the same histories: a flat index.
    season : Season
        The index: mean 1 over a year.
    log_likelihood : float
        ln L(θ, s) of the histories and the seasons of their repeat purchases, without the shrinkage
        term; comparable with `flat.log_likelihood`.
    log_covariance : ndarray, shape (4 + seasons, 4 + seasons)
        Of the logarithms of the parameters and the index together, at the given σ. The index has
        mean 1, so the matrix has one rank less than its size.
    sigma : float
        σ of the shrinkage: the standard deviation of the deviations u.
    sigma_assumed : bool
        Whether σ was given, not learned.
    flat_test : FlatTest
        Whether there is a season at all.
    repeats : ndarray of int, shape (seasons,)
        Repeat purchases in each season.
    histories : CustomerHistories
        What was fitted, in calendar time.
    season_concerns : tuple of str
        What a reader of the index must know; `concerns` has it too.
    """

    fit: Fit[G]
    flat: Fit[G]
    season: Season
    log_likelihood: float
    log_covariance: Floats = field(repr=False)
    sigma: float
    sigma_assumed: bool
    flat_test: FlatTest
    repeats: npt.NDArray[np.int64] = field(repr=False)
    histories: CustomerHistories = field(repr=False)
    season_concerns: tuple[str, ...] = field(repr=False)

    @property
    def model(self) -> SeasonalModel:
        """The fitted model and season, able to answer in calendar time."""
        return SeasonalModel(self.fit.model, self.season, self.end, self.fit.unit)

    @property
    def end(self) -> date:
        """Last day of observation."""
        return self.histories.end

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters by name; α in operational time, whose average year is a calendar one."""
        return self.fit.parameters

    @property
    def standard_errors(self) -> dict[str, float]:
        """Standard error of each parameter, the uncertainty of the index included."""
        log_errors = np.sqrt(np.diag(self.log_covariance))
        return {
            name: value * float(error)
            for (name, value), error in zip(self.parameters.items(), log_errors, strict=False)
        }

    @property
    def index(self) -> dict[str, float]:
        """The index of each season by name."""
        return dict(zip(self.season.names, self.season.values.tolist(), strict=True))

    @property
    def index_standard_errors(self) -> dict[str, float]:
        """Standard error of each season's index, at the given σ."""
        errors = self.season.values * self._log_index_errors
        return dict(zip(self.season.names, errors.tolist(), strict=True))

    def index_interval(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Interval of each season's index, normal in its logarithm, hence positive."""
        central_tails(level)  # refuses a level that is none
        return {
            name: log_interval(value, error, level)
            for (name, value), error in zip(
                self.index.items(), self._log_index_errors.tolist(), strict=True
            )
        }

    def interval(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Interval of each parameter, normal in its logarithm, the index not taken as known."""
        central_tails(level)
        errors = np.sqrt(np.diag(self.log_covariance)).tolist()
        return {
            name: log_interval(value, error, level)
            for (name, value), error in zip(self.parameters.items(), errors, strict=False)
        }

    @property
    def identified(self) -> bool:
        """Whether every figure can be taken as it is; `concerns` says what stands against it."""
        return not self.concerns

    @property
    def concerns(self) -> tuple[str, ...]:
        """What a reader of any figure that rests on this fit must know.

        The rules are those of :attr:`clv.models.maximum_likelihood.Fit.concerns`, with the
        uncertainty of the index included; then what the log cannot say of a season.
        """
        k = len(self.parameters)
        index = tuple(
            Uncertain(f"the index of {name}", value, float(error))
            for (name, value), error in zip(self.index.items(), self._log_index_errors, strict=True)
        )
        sigmas = {name: prior.sigma for name, prior in self.fit.prior.items()}
        told = concerns_of(
            self.fit.model, self.log_covariance[:k, :k], prior_sigmas=sigmas, more=index
        )
        return (*told, *self.season_concerns)

    @property
    def _log_index_errors(self) -> Floats:
        return np.asarray(np.sqrt(np.diag(self.log_covariance)[len(self.parameters) :]))

    def to_dict(self) -> dict[str, Any]:
        """All that a file needs, in plain types."""
        return {
            "model": self.fit.model.name,
            "parameters": self.parameters,
            "standard_errors": self.standard_errors,
            "season": self.season.index,
            "index": self.index,
            "index_standard_errors": self.index_standard_errors,
            "sigma": self.sigma,
            "sigma_assumed": self.sigma_assumed,
            "log_likelihood": self.log_likelihood,
            "flat_log_likelihood": self.flat.log_likelihood,
            "flat_test": self.flat_test._asdict(),
            "customers": self.fit.customers,
            "patterns": self.fit.patterns,
            "unit": self.fit.unit,
            "end": self.end.isoformat(),
            "end_assumed": self.histories.end_assumed,
            "identified": self.identified,
            "concerns": list(self.concerns),
        }


def fit_seasonal(
    model: type[G],
    orders: Orders,
    *,
    end: date | str | None = None,
    unit: str = "day",
    index: str = "month",
    sigma: float | None = None,
    prior: Mapping[str, LogNormal] | None = None,
) -> SeasonalFit[G]:
    """Fit BG/NBD or MBG/NBD with a season of the year in the purchase rate.

    Parameters
    ----------
    model : type
        :class:`clv.BGNBD` or :class:`clv.MBGNBD`.
    orders : Orders
        From :func:`clv.read_orders`; a full year of them at least.
    end : date or "YYYY-MM-DD", optional
        The last day of observation; the last date of the orders if not given, which
        `histories.report` says.
    unit : {"day", "week"}
        The unit of recency, T and the parameters.
    index : {"month", "week"}
        Whether each month has its own index, or each of 52 weeks, which takes more data.
    sigma : float, optional
        How far the logarithm of the index may stray from flat (standard deviation): a small value
        keeps it flat. Learned from the orders if not given.
    prior : mapping of parameter name to LogNormal, optional
        Priors on the parameters, as in :meth:`clv.BGNBD.fit`.

    Returns
    -------
    SeasonalFit

    Raises
    ------
    RequestError
        For another model, index or unit, or a σ that is not positive.
    NotIdentifiedError
        For orders of less than a full year, or that cannot tell the model's parameters.
    FitError
        Where the optimiser stops before an optimum.

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("online_retail"), returns="ignore")
    >>> found = clv.fit_seasonal(clv.BGNBD, orders, end="2011-12-09", unit="week")
    >>> busiest = max(found.index, key=found.index.get)
    >>> busiest, found.flat_test.p_value < 1e-6
    ('November', True)
    """
    _refuse_request(model, index, sigma)
    dated = histories(orders, end=end, unit=unit)
    _refuse_short(orders.first_date, dated.end)
    track = tracking(orders, end=dated.end)
    repeats = _repeats(track, index)
    prior = dict(prior or {})
    plain = maximise(model, dated, prior=prior)
    mode = SeasonalMode(SeasonalLikelihood(model, dated, repeats, index), prior)
    start = np.concatenate([np.log(list(plain.parameters.values())), np.zeros(len(repeats) - 1)])
    free = mode.search(start, UNSHRUNK)
    ratio = max(0.0, 2 * (mode.log_likelihood(free) - mode.log_likelihood(start)))
    degrees = len(repeats) - 1
    chosen = mode.best_sigma(start) if sigma is None else float(sigma)
    phi = mode.search(start, chosen)
    log_theta, log_season = mode.normalised(phi)
    season = Season.proportional(index, np.exp(log_season))
    fit = maximise(model, mode.likelihood.operational(season.values), prior=prior)
    _refuse_apart(fit, log_theta)
    return SeasonalFit(
        fit=fit,
        flat=plain,
        season=season,
        log_likelihood=mode.log_likelihood(phi),
        log_covariance=mode.log_covariance(phi, chosen),
        sigma=chosen,
        sigma_assumed=sigma is not None,
        flat_test=FlatTest(ratio, degrees, float(chdtrc(degrees, ratio))),
        repeats=repeats,
        histories=dated,
        season_concerns=_season_concerns(orders.first_date, dated.end, repeats, index),
    )


def _refuse_request(model: type[Any], index: str, sigma: float | None) -> None:
    faults = []
    if getattr(model, "name", None) not in SEASONAL:
        label = getattr(model, "label", getattr(model, "__name__", str(model)))
        faults.append(
            f"{label} cannot be fitted with a season. Where customers leave at purchases only "
            "(BG/NBD and MBG/NBD), a seasonal purchase rate is the plain model in operational "
            "time; a customer who can leave at any time leaves in calendar time, and that breaks. "
            "Use clv.BGNBD or clv.MBGNBD."
        )
    try:
        season_names(index)
    except RequestError as error:
        faults.append(str(error))
    if sigma is not None and not (math.isfinite(sigma) and sigma > 0):
        faults.append(f"sigma, the spread of the index around flat, is positive; got {sigma:g}.")
    if faults:
        raise RequestError.of(faults)


def _refuse_short(first: date, end: date) -> None:
    """Refuse observation that does not see every day of the year."""
    needed = first + relativedelta(years=1, days=-1)
    if end < needed:
        raise NotIdentifiedError(
            f"The orders were observed for {(end - first).days + 1} days, from {first} to {end}; a "
            "season of the year needs a full year, so that every part of it was seen: an end of "
            f"observation on {needed} or later. Fit the plain model, or use a longer log."
        )


def _refuse_apart(fit: Fit[Any], log_theta: Floats) -> None:
    """Refuse two searches for the same optimum that end in different places."""
    errors = np.sqrt(np.diag(fit.log_covariance))
    apart = np.abs(np.log(list(fit.parameters.values())) - log_theta) / errors
    if apart.max() > 1e-2:
        raise FitError(
            "The joint fit of the season and the fit of the model in its operational time end "
            f"{apart.max():.2g} standard errors apart: the likelihood has more than one optimum. "
            "A prior on the parameters tells them apart."
        )


def _repeats(track: Tracking, index: str) -> npt.NDArray[np.int64]:
    """Repeat purchases of each season."""
    by_day = np.diff(track.repeat_transactions, prepend=0)
    seasons = len(season_names(index))
    counted = np.bincount(season_of(track.dates, index), weights=by_day, minlength=seasons)
    return counted.astype(np.int64)


def _season_concerns(
    first: date, end: date, repeats: npt.NDArray[np.int64], index: str
) -> tuple[str, ...]:
    told = []
    if end < first + relativedelta(years=2, days=-1):
        told.append(
            f"The orders cover {(end - first).days + 1} days, less than two years: most parts of "
            "the year were seen once. One year cannot tell a season from growth, a campaign, or "
            "the ageing of customers who joined together; nothing here says that the pattern will "
            "come back."
        )
    silent = [n for n, k in zip(season_names(index), repeats, strict=True) if k == 0]
    if silent:
        told.append(
            f"No repeat purchase was made in {len(silent)} of {len(repeats)} {index}s "
            f"({', '.join(silent[:6])}{', …' if len(silent) > 6 else ''}): their index comes from "
            "the shrinkage towards flat, and only says that it is low."
        )
    return tuple(told)
