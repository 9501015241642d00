"""What a company's own record has taught about the figures of its policy.

A learned figure knows the prior it started from and how much of it is data. Which may be used
depends on how it was learned:

=============  =========================================================  ======
basis          learned from                                               used
=============  =========================================================  ======
data           what happened to customers, whatever was done about it     yes
causal         differences in treatment that chance decided               yes
associational  differences in treatment that somebody decided, perhaps    no
               on knowledge that the record lacks
=============  =========================================================  ======
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from types import MappingProxyType
from typing import Any, Literal, get_args

from clv.errors import ClvError, RequestError
from clv.recommend.retention_segments import RetentionSegments

__all__ = ["Basis", "Learned", "LearnedFigure"]

Basis = Literal["data", "causal", "associational"]
Scale = Literal["value", "log-odds"]

OF_SEGMENTS = "retention.effect"
"""The figure that segments tell apart."""


@dataclass(frozen=True)
class LearnedFigure:
    """One figure of the policy, as learned.

    Attributes
    ----------
    key : str
        Its dotted key in the policy, such as ``"problems.defective.dropout"``.
    value : float
        What the policy's figure is after the data, on the policy's own scale.
    prior_mean, prior_sd : float
        What was thought before the data, on `scale`.
    posterior_mean, posterior_sd : float
        What is thought after them, on `scale`.
    basis : {"data", "causal", "associational"}
        How it was learned; an associational figure is shown and never used.
    observations : int
        Incidents, or customers of a campaign, that speak about it.
    scale : {"value", "log-odds"}
        On which scale it was learned: that of the policy, or log-odds of leaving.
    correlations : tuple of (str, float)
        Posterior correlation with other figures of the same record, by key; 0 with the rest.
    """

    key: str
    value: float
    prior_mean: float
    prior_sd: float
    posterior_mean: float
    posterior_sd: float
    basis: Basis
    observations: int
    scale: Scale = "value"
    correlations: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no fit can have found."""
        numbers = ("value", "prior_mean", "prior_sd", "posterior_mean", "posterior_sd")
        faults = [
            f"{self.key}: {name} must be a finite number; got {getattr(self, name)}."
            for name in numbers
            if not math.isfinite(getattr(self, name))
        ]
        faults += [
            f"{self.key}: {name} must be above 0; got {getattr(self, name):g}."
            for name in ("prior_sd", "posterior_sd")
            if getattr(self, name) <= 0
        ]
        for name, known in (("basis", get_args(Basis)), ("scale", get_args(Scale))):
            if getattr(self, name) not in known:
                faults.append(
                    f"{self.key}: {name} must be one of {', '.join(known)}; "
                    f"got {getattr(self, name)!r}."
                )
        if self.observations < 0:
            faults.append(f"{self.key}: observations must be at least 0; got {self.observations}.")
        faults += [
            f"{self.key}: the correlation with {key} lies from -1 to 1; got {rho}."
            for key, rho in self.correlations
            if not -1 <= rho <= 1
        ]
        if faults:
            raise RequestError.of(faults)

    @property
    def share_from_data(self) -> float:
        """How much of it is data: 1 − (posterior sd / prior sd)², at least 0.

        0 where the data say nothing, near 1 where they say all there is to say.
        """
        return max(0.0, 1 - (self.posterior_sd / self.prior_sd) ** 2)

    @property
    def used(self) -> bool:
        """Whether the policy follows it."""
        return self.basis != "associational"


@dataclass(frozen=True)
class Learned:
    """What was learned from one record: a layer that a policy can be given.

    Attributes
    ----------
    figures : mapping of str to LearnedFigure
        By dotted key of the policy.
    source : str
        Hash of the record it was learned from.
    learned_on : date
        The last day of that record.
    policy_version : str
        Of the policy whose figures were the prior.
    segments : RetentionSegments or None
        `retention.effect` by segment, where campaigns in which chance decided showed a difference.

    See Also
    --------
    Policy.with_learned : Lay it over a policy.

    Examples
    --------
    >>> figure = LearnedFigure(
    ...     "dropout.per_severity_level", 0.3, prior_mean=0.5, prior_sd=0.25,
    ...     posterior_mean=0.3, posterior_sd=0.1, basis="data", observations=700,
    ... )
    >>> learned = Learned.of([figure], source="9f3c", learned_on=date(2024, 6, 30))
    >>> round(learned["dropout.per_severity_level"].share_from_data, 2)
    0.84
    >>> Learned.from_dict(learned.to_dict()) == learned
    True
    """

    figures: Mapping[str, LearnedFigure]
    source: str
    learned_on: date
    policy_version: str = ""
    segments: RetentionSegments | None = None

    def __post_init__(self) -> None:
        """Refuse figures filed under another key than their own."""
        astray = [key for key, figure in self.figures.items() if key != figure.key]
        if astray:
            raise RequestError(
                f"A learned figure stands under its own key; not so: {', '.join(astray)}."
            )
        object.__setattr__(self, "figures", MappingProxyType(dict(self.figures)))

    @classmethod
    def of(
        cls,
        figures: Iterable[LearnedFigure],
        *,
        source: str,
        learned_on: date,
        policy_version: str = "",
        segments: RetentionSegments | None = None,
    ) -> Learned:
        """Return the layer that holds these figures, each once.

        Raises
        ------
        RequestError
            Where two figures have the same key.
        """
        figures = list(figures)
        by_key = {figure.key: figure for figure in figures}
        if len(by_key) < len(figures):
            keys = [figure.key for figure in figures]
            twice = sorted({key for key in keys if keys.count(key) > 1})
            raise RequestError(f"A figure is learned once; twice there: {', '.join(twice)}.")
        return cls(by_key, source, learned_on, policy_version, segments)

    def __getitem__(self, key: str) -> LearnedFigure:
        return self.figures[key]

    def __contains__(self, key: object) -> bool:
        return key in self.figures

    def __hash__(self) -> int:
        return hash((tuple(self.figures.values()), self.source, self.learned_on))

    @property
    def used(self) -> dict[str, float]:
        """Value by dotted key of the figures that may be used."""
        return {key: figure.value for key, figure in self.figures.items() if figure.used}

    def with_figures(self, other: Learned) -> Learned:
        """Return both layers as one; where both hold a figure that of `other` counts.

        Segments belong to the layer of `retention.effect`. The hash of the source then names both
        records.
        """
        source = "+".join(dict.fromkeys(s for s in (self.source, other.source) if s))
        return Learned(
            {**self.figures, **other.figures},
            source,
            max(self.learned_on, other.learned_on),
            other.policy_version,
            other.segments if OF_SEGMENTS in other else self.segments,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return {
            "source": self.source,
            "learned_on": self.learned_on.isoformat(),
            "policy_version": self.policy_version,
            "figures": [
                {**asdict(figure), "share_from_data": figure.share_from_data, "used": figure.used}
                for figure in self.figures.values()
            ],
            "segments": None if self.segments is None else self.segments.to_dict(),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Learned:
        """Return what :meth:`to_dict` wrote.

        Raises
        ------
        RequestError
            Where it is not that.
        """
        names = [f.name for f in fields(LearnedFigure) if f.name != "correlations"]
        try:
            segments = told["segments"]
            figures = [
                LearnedFigure(
                    **{name: one[name] for name in names},
                    correlations=tuple((str(key), rho) for key, rho in one["correlations"]),
                )
                for one in told["figures"]
            ]
            return cls.of(
                figures,
                source=str(told["source"]),
                learned_on=date.fromisoformat(told["learned_on"]),
                policy_version=str(told["policy_version"]),
                segments=RetentionSegments.from_dict(segments) if segments else None,
            )
        except ClvError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise RequestError(
                f"These are not learned figures: {type(error).__name__} {error}. Learn them again: "
                "clv incidents fit, clv campaigns fit."
            ) from None
