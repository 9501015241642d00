"""The joint posterior of a model of incidents: its parameters and every effect.

Drawn as the posterior of any model is (:mod:`clv.inference.importance`), around the mode, in
ln r, ln α, ln a, ln b and the coefficients, with the priors of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from clv.arrays import Floats
from clv.errors import RequestError
from clv.inference.importance import sample_density
from clv.inference.posterior import weighted_quantiles
from clv.models.incidents.effects import Effect, effects_of
from clv.models.incidents.fit import IncidentFit
from clv.models.incidents.likelihood import PARAMETERS
from clv.models.incidents.model import IncidentBGNBD
from clv.numerics import central_tails

__all__ = ["IncidentPosterior", "incident_posterior"]


@dataclass(frozen=True, eq=False)
class IncidentPosterior:
    """Draws from the posterior of a model of incidents, with weights.

    Attributes
    ----------
    fit : IncidentFit
        The mode, the data and the priors.
    draws : ndarray, shape (n, 4 + K)
        r, α, a, b and the coefficients, in the order of `fit.parameters`.
    weights : ndarray, shape (n,)
        Of the draws; they sum to 1.
    k_hat : float or None
        Pareto's k̂ of the weights, trusted below 0.7; None for draws of a sampler.
    effective_size : float
        How many independent draws would say as much of a mean.
    method : {"importance", "mcmc"}
        How it was drawn.
    """

    fit: IncidentFit
    draws: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    k_hat: float | None
    effective_size: float
    method: str

    @cached_property
    def mean(self) -> dict[str, float]:
        """Posterior mean of each parameter and coefficient."""
        return self._by_name(self.weights @ self.draws)

    @property
    def covariance(self) -> Floats:
        """Posterior covariance, shape (4 + K, 4 + K)."""
        away = self.draws - self.weights @ self.draws
        return np.asarray((self.weights[:, None] * away).T @ away)

    @cached_property
    def standard_deviation(self) -> dict[str, float]:
        """Posterior standard deviation of each."""
        return self._by_name(np.sqrt(np.diag(self.covariance)))

    def interval(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Central interval of each."""
        low, high = weighted_quantiles(self.draws, self.weights, central_tails(level))
        ends = zip(low.tolist(), high.tolist(), strict=True)
        return dict(zip(self.fit.parameters, ends, strict=True))

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What was learned of each coefficient."""
        return effects_of(self.fit.prior, self.mean, self.standard_deviation, self.fit.used)

    def models(self, count: int, rng: np.random.Generator) -> list[IncidentBGNBD]:
        """Draw models, equally likely, to carry the uncertainty onward.

        Parameters
        ----------
        count : int
            How many.
        rng : numpy.random.Generator
            Source of the randomness.

        Returns
        -------
        list of IncidentBGNBD
        """
        at = (np.arange(count) + rng.random()) / count  # systematic resampling
        order = rng.permutation(len(self.weights))
        chosen = np.searchsorted(np.cumsum(self.weights[order]), at).clip(max=len(order) - 1)
        model = self.fit.model
        drawn = []
        for r, alpha, a, b, *theta in self.draws[rng.permutation(order[chosen])].tolist():
            coefficients = dict(zip(model.names, theta, strict=True))
            drawn.append(replace(model, r=r, alpha=alpha, a=a, b=b, coefficients=coefficients))
        return drawn

    @property
    def sentence(self) -> str:
        """How good the posterior is, in words."""
        how = (
            "sampled by a Markov chain ("
            if self.k_hat is None
            else f"by importance sampling (Pareto k {self.k_hat:.2f}, good below 0.7; "
        )
        return (
            f"Posterior of {self.fit.model.label}, {how}{len(self.draws):,} draws, effective size "
            f"{self.effective_size:,.0f}); normal priors of the effects as given, weak log-normal "
            "ones of r, alpha, a and b."
        )

    def to_dict(self) -> dict[str, Any]:
        """Summary in plain types."""
        return {
            "model": self.fit.model.name,
            "link": self.fit.model.link,
            "method": self.method,
            "draws": len(self.draws),
            "k_hat": self.k_hat,
            "effective_size": self.effective_size,
            "mean": self.mean,
            "standard_deviation": self.standard_deviation,
            "interval_95": {k: list(v) for k, v in self.interval(0.95).items()},
            "effects": [effect.to_dict() for effect in self.effects],
            "sentence": self.sentence,
        }

    def _by_name(self, values: Floats) -> dict[str, float]:
        return dict(zip(self.fit.parameters, values.tolist(), strict=True))


def incident_posterior(fit: IncidentFit, *, draws: int = 2000, seed: int = 1) -> IncidentPosterior:
    """Draw from the joint posterior of a fit with incidents.

    Parameters
    ----------
    fit : IncidentFit
        The mode, the data and the priors.
    draws : int
        How many draws; at least 100.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    IncidentPosterior

    Raises
    ------
    RequestError
        For fewer than 100 draws.
    FitError
        Where the weights cannot be trusted and the sampler is not installed or mixes too slowly.

    Examples
    --------
    >>> from clv.models.incidents.simulation import IncidentProcess
    >>> true = IncidentBGNBD(.5, 5, .8, 4, {"type:late": -1.0})
    >>> rng = np.random.default_rng(1)
    >>> seen = true.simulate(np.full(3000, 80.0), rng, IncidentProcess(.2, {"late": 1.0}))
    >>> post = incident_posterior(IncidentBGNBD.fit(seen, {"type:late": (-1.7, 0.7)}), draws=1000)
    >>> post.k_hat < 0.7, post.effects[0].share_from_data > 0.8
    (True, True)
    """
    if draws < 100:
        raise RequestError(f"A posterior needs at least 100 draws; got {draws}.")
    found = sample_density(
        fit.log_posterior,
        fit.mode,
        fit.covariance,
        draws,
        np.random.default_rng(seed),
        label=fit.model.label,
    )
    points = found.points.copy()
    points[:, :PARAMETERS] = np.exp(points[:, :PARAMETERS])
    return IncidentPosterior(
        fit=fit,
        draws=points,
        weights=found.weights,
        k_hat=found.k_hat,
        effective_size=found.effective_size,
        method=found.method,
    )
