"""What is known of an incident, as numbers in the log-odds that it ends the relationship.

    logit π = θ_type + θ_sev (severity − 1) + θ_n ln(1 + earlier purchases)
            + θ_inc earlier_incident + θ_g ln(1 + goodwill/loss) + θ_h (1 − g(h))
            + θ_u [not resolved] + θ_? [goodwill unknown]

    g(h) = g∞ + (1 − g∞) · 2^(−max(0, h − h0)/H)

so that θ_type is the log-odds of an incident that is answered promptly, fixed, and without
goodwill, of a customer who had not bought before. Where some goodwill was drawn by chance there is
a coefficient of the reasons for the rest (:mod:`clv.models.incidents.randomised`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import ParameterError, RequestError, UnknownNameError
from clv.incident_history import IncidentHistories
from clv.models.incidents.randomised import drawn_by_chance

__all__ = [
    "CHOSEN",
    "NUMERIC",
    "SELECTION",
    "TYPE",
    "Handling",
    "covariates",
    "design",
    "one_incident",
    "usual_goodwill",
]


TYPE = "type:"
"""How the coefficient of a type of incident is named: "type:late_delivery"."""

SELECTION = "goodwill_selection"
"""The coefficient of the reasons for goodwill; it is there where some is drawn by chance."""

CHOSEN = frozenset({"goodwill", SELECTION, "lateness", "unresolved", "goodwill_unknown"})
"""Coefficients of how the company handled an incident."""

NUMERIC = (
    "severity",
    "earlier_purchases",
    "earlier_incident",
    "goodwill",
    "lateness",
    "unresolved",
    "goodwill_unknown",
)
"""The other coefficients, in the order of the equation."""

KNOWN = (
    *("severity", "earlier_purchases", "earlier_incident", "goodwill_ratio", "hours", "resolved"),
)
"""What the covariates are made of, as an IncidentHistories calls it."""


NUMBERS = (
    *("slow_share", "prompt_hours", "half_life_hours"),
    *("typical_lateness", "typical_unresolved"),
)
"""Of handling."""


@dataclass(frozen=True)
class Handling:
    """How an incident's handling becomes covariates.

    Parameters
    ----------
    slow_share, prompt_hours, half_life_hours : float
        g∞, h0 and H of g(h), what an answer after h hours does as a part of what a prompt one
        does. Assumed; a policy has its own.
    typical_lateness : float
        1 − g(h) of an incident whose hours are not known: the mean of the others in the log that
        the model was fitted to.
    typical_unresolved : float
        The same for incidents of which it is not known whether they were resolved.
    usual_goodwill : mapping of str to float
        u, by coefficient: u·z is the ln(1 + goodwill/loss) that an incident usually gets.
    """

    slow_share: float = 0.5
    prompt_hours: float = 4.0
    half_life_hours: float = 24.0
    typical_lateness: float = 0.0
    typical_unresolved: float = 0.0
    usual_goodwill: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Refuse what is no share and no time."""
        values = {n: getattr(self, n) for n in NUMBERS}
        shares = ("slow_share", "typical_lateness", "typical_unresolved")
        faults = [
            f"{n} must be finite; got {v!r}" for n, v in values.items() if not math.isfinite(v)
        ]
        faults += [
            f"{n} lies from 0 to 1; got {values[n]:g}" for n in shares if not 0 <= values[n] <= 1
        ]
        if not self.prompt_hours >= 0:
            faults.append(f"prompt_hours cannot be negative; got {self.prompt_hours:g}")
        if not self.half_life_hours > 0:
            faults.append(f"half_life_hours must be above 0; got {self.half_life_hours:g}")
        if faults:
            raise ParameterError.of(faults)

    def lateness(self, hours: npt.ArrayLike) -> Any:
        """1 − g(h): what of a prompt answer's effect is lost by answering after h hours.

        Examples
        --------
        >>> [round(float(Handling().lateness(h)), 4) for h in (0, 28, 52, 100)]
        [0.0, 0.25, 0.375, 0.4688]
        """
        late = np.maximum(0.0, np.asarray(hours, dtype=float) - self.prompt_hours)
        return (1 - self.slow_share) * -np.expm1(-math.log(2) * late / self.half_life_hours)

    def learned_from(self, histories: IncidentHistories) -> Handling:
        """Return the same with what is typical of these incidents."""
        late = self.lateness(histories.hours[~np.isnan(histories.hours)])
        unresolved = 1 - histories.resolved[~np.isnan(histories.resolved)]
        return replace(
            self,
            typical_lateness=float(late.mean()) if len(late) else 0.0,
            typical_unresolved=float(unresolved.mean()) if len(unresolved) else 0.0,
        )


def design(
    histories: IncidentHistories,
    names: Sequence[str],
    handling: Handling,
) -> Floats:
    """Covariates of the incidents.

    Parameters
    ----------
    histories : IncidentHistories
        The m incidents.
    names : sequence of str, length K
        Coefficients, in the order of the rows.
    handling : Handling
        How handling becomes numbers.

    Returns
    -------
    ndarray, shape (K, m)

    Raises
    ------
    UnknownNameError
        For an incident of a type without a coefficient.
    """
    used = np.unique(histories.kind)
    for name in (histories.kinds[k] for k in used):
        if TYPE + name not in names:
            known = [n.removeprefix(TYPE) for n in names if n.startswith(TYPE)]
            raise UnknownNameError("coefficient for incidents of type", name, known)
    drawn = np.zeros(histories.incidents)
    if SELECTION in names:
        drawn = drawn_by_chance(histories)
    return covariates(
        names, handling, drawn=drawn,
        **{name: getattr(histories, name) for name in ("kind", "kinds", *KNOWN)},
    )  # fmt: skip


def covariates(
    names: Sequence[str],
    handling: Handling,
    *,
    kind: npt.NDArray[np.int64],
    kinds: Sequence[str],
    severity: Floats,
    earlier_purchases: Floats,
    earlier_incident: Floats,
    goodwill_ratio: Floats,
    hours: Floats,
    resolved: Floats,
    drawn: Floats,
) -> Floats:
    """Covariates of incidents of which all this is known, shape (K, m); see :func:`design`."""
    unknown = np.isnan(goodwill_ratio)
    goodwill = np.log1p(np.where(unknown, 0.0, goodwill_ratio))
    late = handling.lateness(np.where(np.isnan(hours), 0, hours))
    code = {TYPE + name: k for k, name in enumerate(kinds)}
    columns = {
        "severity": severity - 1,
        "earlier_purchases": np.log1p(earlier_purchases),
        "earlier_incident": earlier_incident,
        "goodwill": goodwill,
        "lateness": np.where(np.isnan(hours), handling.typical_lateness, late),
        "unresolved": np.where(np.isnan(resolved), handling.typical_unresolved, 1 - resolved),
        "goodwill_unknown": unknown.astype(float),
    }
    columns |= {n: (kind == code.get(n, -1)).astype(float) for n in names if n.startswith(TYPE)}
    if SELECTION in names:
        usual = sum(u * columns[name] for name, u in handling.usual_goodwill.items())
        columns[SELECTION] = np.where(unknown, 0.0, goodwill - drawn - usual)
    return np.array([columns[name] for name in names]).reshape(len(names), len(severity))


def usual_goodwill(
    histories: IncidentHistories,
    names: Sequence[str],
    handling: Handling,
) -> dict[str, float]:
    """Least squares of v̄ on what happened; see :mod:`clv.models.incidents.randomised`.

    Parameters
    ----------
    histories, names, handling
        As of :func:`design`; how incidents were handled is left out of the names.

    Returns
    -------
    dict of str to float
        u, by coefficient.
    """
    others = [n for n in names if n not in CHOSEN]
    known = ~np.isnan(histories.goodwill_ratio)
    drawn = drawn_by_chance(histories)
    mean = (np.log1p(histories.goodwill_ratio) - drawn)[known]
    z = design(histories, others, handling)[:, known]
    u = np.linalg.lstsq(z.T, mean, rcond=None)[0]
    return dict(zip(others, u.tolist(), strict=True))


def one_incident(
    kind: str,
    names: Sequence[str],
    handling: Handling,
    *,
    severity: npt.ArrayLike,
    earlier_purchases: npt.ArrayLike,
    earlier_incident: npt.ArrayLike,
    goodwill_ratio: npt.ArrayLike,
    hours: npt.ArrayLike,
    resolved: npt.ArrayLike,
) -> dict[str, Any]:
    """Covariates of one kind of incident in many cases, by name of the coefficient.

    What reasons there are for its goodwill is left open: it is that of such an incident as usual.
    """
    if TYPE + kind not in names:
        known = [n.removeprefix(TYPE) for n in names if n.startswith(TYPE)]
        raise UnknownNameError("coefficient for incidents of type", kind, known)
    level, earlier, before, goodwill, late, fixed = (
        np.asarray(v, dtype=float)
        for v in (severity, earlier_purchases, earlier_incident, goodwill_ratio, hours, resolved)
    )
    rules = (
        (~((level >= 1) & (level <= 4)), "the severity lies from 1 to 4"),
        (~(earlier >= 0), "earlier purchases cannot be negative"),
        (~((before >= 0) & (before <= 1)), "an earlier incident counts from 0 to 1"),
        (~(goodwill >= 0), "goodwill/loss cannot be negative"),
        (~(late >= 0), "hours cannot be negative"),
        (~((fixed >= 0) & (fixed <= 1)), "`resolved` lies from 0 to 1"),
    )
    faults = [told for broken, told in rules if np.any(broken)]
    if faults:
        raise RequestError.of([told[0].upper() + told[1:] + "." for told in faults])
    return {
        TYPE + kind: 1.0,
        "severity": level - 1,
        "earlier_purchases": np.log1p(earlier),
        "earlier_incident": before,
        "goodwill": np.log1p(goodwill),
        "lateness": handling.lateness(late),
        "unresolved": 1 - fixed,
    }
