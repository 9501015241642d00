"""BG/NBD with incidents: what goes wrong may end a relationship, and handling changes how likely.

Assumptions: customers buy and leave as in BG/NBD, λ ~ Gamma(r, α), p ~ Beta(a, b). Incident j, at
s_j, ends the relationship with a probability π_j that depends on what is known of it, z_j: its
type, severity, what came before, and how it was handled. Two links:

- "separate": logit π_j = θ·z_j, the same whatever the customer's p;
- "shared": 1 − π_j = (1 − p)^ω_j, ω_j = exp(θ·z_j): fragile customers leave more readily at
  incidents too, and who survives one is less likely to be fragile.

When incidents happen is taken as given. The dropout that belongs to a purchase comes before an
incident at the same time. With all π_j = 0 it is BG/NBD.

After Knox, G. and van Oest, R. (2014), Customer complaints and recovery effectiveness: a customer
base approach. Journal of Marketing 78(5), 42-57. https://doi.org/10.1509/jm.12.0317; and Braun, M.,
Schweidel, D. A. and Stein, E. (2015), Transaction attributes and customer valuation. Journal of
Marketing Research 52(6), 848-864. https://doi.org/10.1509/jmr.13.0377
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from clv.arrays import Floats
from clv.errors import ParameterError
from clv.incident_history import IncidentHistories
from clv.models.bg_nbd import BGNBD
from clv.models.incidents.answers import FutureIncidents, IncidentAnswers
from clv.models.incidents.beta_gap import beta_gap
from clv.models.incidents.covariates import (
    NUMERIC,
    SELECTION,
    TYPE,
    Handling,
    design,
    one_incident,
)
from clv.models.incidents.likelihood import IncidentLikelihood, Link

if TYPE_CHECKING:
    from clv.models.incidents.fit import IncidentFit

__all__ = ["IncidentBGNBD"]


@dataclass(frozen=True)
class IncidentBGNBD(IncidentAnswers):
    """BG/NBD with incidents, with given parameters.

    Parameters
    ----------
    r, alpha, a, b : float
        Of BG/NBD.
    coefficients : mapping of str to float
        θ by name: "type:" and the name of a type of incident, at least one; and any of "severity",
        "earlier_purchases", "earlier_incident", "goodwill", "goodwill_selection", "lateness",
        "unresolved", "goodwill_unknown". A type that is not there cannot be asked about; another
        coefficient that is not there is 0.
    link : {"separate", "shared"}
        How an incident ends a relationship.
    handling : Handling
        How an incident's handling becomes covariates.

    Examples
    --------
    >>> import numpy as np
    >>> from clv.history import Histories
    >>> model = IncidentBGNBD(.243, 4.414, .793, 2.426, {"type:late_delivery": np.log(.3 / .7)})
    >>> plain = Histories.from_arrays([2], [30.43], [38.86], unit="week")
    >>> h = IncidentHistories.from_arrays(
    ...     plain, [2], [30.43], [38.86], incident_customer=[0], time=[31.0], contact=[False],
    ...     kind=[0], kinds=["late_delivery"], goodwill_ratio=[0.0])
    >>> model.p_alive(h).round(5)
    array([0.4526])
    """

    name: ClassVar[str] = "incident-bg-nbd"
    label: ClassVar[str] = "BG/NBD with incidents"

    r: float
    alpha: float
    a: float
    b: float
    coefficients: Mapping[str, float] = field(hash=False)
    link: Link = "separate"
    handling: Handling = field(default_factory=Handling)

    def __post_init__(self) -> None:
        """Refuse parameters that cannot be, all faults at once."""
        faults = []
        for name in ("r", "alpha", "a", "b"):
            value = getattr(self, name)
            good = isinstance(value, (int, float, np.number)) and math.isfinite(value) and value > 0
            if not good:
                faults.append(f"{self.label} needs {name} > 0; got {name} = {value!r}")
        known = {*NUMERIC, SELECTION}
        for name, value in self.coefficients.items():
            if name not in known and not name.startswith(TYPE):
                faults.append(
                    f"There is no coefficient {name!r}; a type's is 'type:...', the others are "
                    f"{', '.join(sorted(known))}"
                )
            elif not math.isfinite(value):
                faults.append(f"The coefficient {name!r} must be finite; got {value!r}")
        if not any(name.startswith(TYPE) for name in self.coefficients):
            faults.append(
                "There is no coefficient of a type of incident, such as 'type:late_delivery'"
            )
        if self.link not in {"separate", "shared"}:
            faults.append(f"The link is 'separate' or 'shared'; got {self.link!r}")
        if faults:
            raise ParameterError.of(faults)
        kept = {name: float(value) for name, value in self.coefficients.items()}
        object.__setattr__(self, "coefficients", kept)

    @cached_property
    def base(self) -> BGNBD:
        """The model of the customers without incidents."""
        return BGNBD(self.r, self.alpha, self.a, self.b)

    @property
    def theta(self) -> Floats:
        """The coefficients in their order."""
        return np.array(list(self.coefficients.values()))

    @property
    def vector(self) -> Floats:
        """R, α, a, b, then the coefficients in their order."""
        return np.array([self.r, self.alpha, self.a, self.b, *self.theta])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients, in their order."""
        return tuple(self.coefficients)

    @property
    def types(self) -> tuple[str, ...]:
        """Types of incident that there is a coefficient of."""
        return tuple(n.removeprefix(TYPE) for n in self.names if n.startswith(TYPE))

    def likelihood(self, histories: IncidentHistories) -> IncidentLikelihood:
        """Return the likelihood of the histories, as a function of the parameters.

        Parameters
        ----------
        histories : IncidentHistories
            What was seen.

        Returns
        -------
        IncidentLikelihood
        """
        z = design(histories, self.names, self.handling)
        return IncidentLikelihood(histories, z, self.link)

    def log_likelihood(self, histories: IncidentHistories) -> float:
        """Log-likelihood of all customers, those without incidents included.

        Parameters
        ----------
        histories : IncidentHistories
            What was seen.

        Returns
        -------
        float
        """
        likelihood = self.likelihood(histories)
        return float(likelihood.values(self.vector[None])[0])

    def p_alive(self, histories: IncidentHistories) -> Floats:
        """P(still a customer at T) of the customers with incidents.

        Parameters
        ----------
        histories : IncidentHistories
            What was seen. For an incident that happened just now its time is T.

        Returns
        -------
        ndarray, shape (n,)
            In the order of `histories.customer_id`; `model.base.p_alive` answers for the others.
        """
        likelihood = self.likelihood(histories)
        return likelihood.each(self.vector)[1]

    def dropout_at_incidents(self, histories: IncidentHistories) -> Floats:
        """P(leaves at the incident | was there just before it, purchases and incidents till then).

        Parameters
        ----------
        histories : IncidentHistories
            What was seen; what came after an incident says nothing here.

        Returns
        -------
        ndarray, shape (m,)
            π_j; with the shared link 1 − E[(1 − p)^ω_j], p ~ Beta(a, b + exponents survived), where
            the purchases survived are the `earlier_purchases` after the first.
        """
        h = histories
        eta = self.theta @ design(h, self.names, self.handling)
        if self.link == "separate":
            return np.asarray(expit(eta))
        omega = np.exp(eta)
        upto = np.cumsum(omega) - omega
        first = np.searchsorted(h.incident_customer, np.arange(len(h.T)))
        survived = np.minimum(h.earlier_purchases, h.frequency[h.incident_customer])
        survived = survived + upto - upto[first][h.incident_customer]
        return np.asarray(-np.expm1(-beta_gap(self.a, self.b + survived, omega)))

    def survived_exponent(self, histories: IncidentHistories) -> Floats:
        """Exponent of 1 − p that a customer alive at T has survived beyond the x purchases.

        Parameters
        ----------
        histories : IncidentHistories
            What was seen.

        Returns
        -------
        ndarray, shape (n,)
            Σ ω of the customer's incidents with the shared link; 0 with the separate one.
        """
        if self.link == "separate":
            return np.zeros(len(histories.T))
        omega = np.exp(self.theta @ design(histories, self.names, self.handling))
        survived = np.zeros(len(histories.T))
        np.add.at(survived, histories.incident_customer, omega)
        return survived

    def incident_dropout(
        self,
        kind: str,
        *,
        severity: npt.ArrayLike = 1,
        earlier_purchases: npt.ArrayLike = 0,
        earlier_incident: npt.ArrayLike = 0,
        goodwill_ratio: npt.ArrayLike = 0,
        hours: npt.ArrayLike = 0,
        resolved: npt.ArrayLike = 1,
        survived: npt.ArrayLike = 0,
    ) -> Any:
        """P(leaves at such an incident | is there), for handling that is still to be chosen.

        Parameters
        ----------
        kind : str
            Type of incident.
        severity : array_like
            1 to 4.
        earlier_purchases : array_like
            Purchases before the one that went wrong.
        earlier_incident : array_like
            exp(−days since the incident before / decay_days); 0 without one.
        goodwill_ratio : array_like
            Goodwill over loss.
        hours : array_like
            Until the answer.
        resolved : array_like
            1 or 0.
        survived : array_like
            With the shared link, what the customer has survived: repeat purchases and
            :meth:`survived_exponent`.

        Returns
        -------
        float or ndarray

        Raises
        ------
        UnknownNameError
            For a type without a coefficient.
        RequestError
            For values that cannot be.

        Examples
        --------
        >>> model = IncidentBGNBD(.24, 4.4, .8, 2.4, {"type:defective": -1.7, "severity": .5})
        >>> model.incident_dropout("defective", severity=[1, 3]).round(3)
        array([0.154, 0.332])
        """
        columns = one_incident(
            kind, self.names, self.handling,
            severity=severity, earlier_purchases=earlier_purchases,
            earlier_incident=earlier_incident, goodwill_ratio=goodwill_ratio, hours=hours,
            resolved=resolved,
        )  # fmt: skip
        eta = sum(self.coefficients.get(name, 0.0) * z for name, z in columns.items())
        if self.link == "separate":
            return expit(eta)[()]
        beta = self.b + np.asarray(survived, dtype=float)
        return -np.expm1(-beta_gap(self.a, beta, np.exp(eta)))[()]

    @classmethod
    def fit(
        cls,
        histories: IncidentHistories,
        prior: Mapping[str, tuple[float, float]],
        *,
        link: Link = "separate",
        handling: Handling | None = None,
    ) -> IncidentFit:
        """Find the mode of the posterior.

        Parameters
        ----------
        histories : IncidentHistories
            Customers with and without incidents.
        prior : mapping of str to (float, float)
            Mean and standard deviation of each coefficient under its normal prior, all on the scale
            of the log-odds of π (for the shared link they are carried over, see Notes). Types that
            are here and not in the log stay at the prior; types of the log must be here. Of the
            other coefficients, those that are here are fitted; "goodwill_selection" is added where
            goodwill was drawn by chance.
        link : {"separate", "shared"}
            How an incident ends a relationship.
        handling : Handling, optional
            How an answer's effect fades with the hours; what is typical is learned.

        Returns
        -------
        IncidentFit

        Raises
        ------
        ParameterError
            For a prior that cannot be, or a type of the log without one.
        NotIdentifiedError
            Where there are no incidents, or the data cannot tell r, α, a, b.
        FitError
            Where the search stops before an optimum.

        Notes
        -----
        r, α, a, b have the weak log-normal prior of BG/NBD (:meth:`clv.BGNBD.weak_prior`). With the
        shared link a prior on logit π becomes one on ln ω such that π is the same at the mean of p,
        p̄: for a type of dropout π ln ω = ln[ln(1−π)/ln(1−p̄)], and means and standard deviations of
        all coefficients are multiplied by ∂ ln ω/∂ logit π = π/(−ln(1−π)), at the type's π or the
        mean of all.

        Examples
        --------
        >>> import clv
        >>> rng = np.random.default_rng(1)
        >>> true = IncidentBGNBD(.5, 5, .8, 4, {"type:late": -1.0})
        >>> from clv.models.incidents.simulation import IncidentProcess
        >>> seen = true.simulate(np.full(3000, 80.0), rng, IncidentProcess(.2, {"late": 1.0}))
        >>> fit = IncidentBGNBD.fit(seen, {"type:late": (-1.7, 0.7)})
        >>> abs(fit.model.coefficients["type:late"] + 1.0) < 3 * fit.standard_errors["type:late"]
        True
        """
        from clv.models.incidents.fit import fit_incidents

        return fit_incidents(
            cls, histories, prior, link=link, handling=handling or Handling(),
        )  # fmt: skip

    def simulate(
        self, T: npt.ArrayLike, rng: np.random.Generator, process: Any
    ) -> IncidentHistories:
        """Draw the histories of new customers and their incidents.

        Parameters
        ----------
        T : array_like, shape (customers,)
            Time from the first purchase to the end of observation.
        rng : numpy.random.Generator
            Source of the randomness.
        process : IncidentProcess
            When incidents happen, and what is known of them.

        Returns
        -------
        IncidentHistories
        """
        from clv.models.incidents.simulation import simulate

        return simulate(self, np.asarray(T, dtype=float), rng, process)

    def future_incidents(self, histories: IncidentHistories) -> FutureIncidents:
        """Return incidents as they were in these histories, to be expected from here on.

        Parameters
        ----------
        histories : IncidentHistories
            What was seen.

        Returns
        -------
        FutureIncidents
            Incidents per purchase, first purchases included, and how they end relationships.
        """
        plain, h = histories.plain, histories
        purchases = h.customers + plain.weight @ plain.frequency + h.frequency.sum()
        eta = self.theta @ design(h, self.names, self.handling)
        return FutureIncidents.of(
            h.incidents / purchases,
            expit(eta) if self.link == "separate" else np.exp(eta),
            self.link,
        )
