"""What money keeps of the customers of each segment, where campaigns showed that segments differ.

A customer's segment is told anew from the book: by fifths of value, whose bounds are those of the
customers in the campaigns, or by stage of the relationship. Customers of a segment that no campaign
reached have the effect of all.

A segment whose effect is below 0 is left alone: there, being contacted drives customers away
(Ascarza 2018, doi:10.1509/jmr.16.0163). :mod:`clv.recommend.retention_words` says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from clv.arrays import Floats, Rows
from clv.errors import RequestError

__all__ = ["By", "LearnedSegment", "RetentionSegments"]

By = Literal["value", "stage"]


@dataclass(frozen=True)
class LearnedSegment:
    """What campaigns taught of one segment.

    Attributes
    ----------
    code : int
        Its place: 0 to 4 for the fifths by value, the lowest first; else in
        :data:`clv.recommend.stages.STAGES`.
    segment : str
        What people call it.
    effect, sd : float
        e of its customers and how sure it is: part of those who would leave that money can keep.
    correlation : float
        Of e with `retention.money_scale`.
    customers : int
        How many of it were compared.
    """

    code: int
    segment: str
    effect: float
    sd: float
    correlation: float
    customers: int

    def __post_init__(self) -> None:
        """Refuse what no campaign can have taught."""
        faults = []
        if not (math.isfinite(self.effect) and -1 <= self.effect <= 1):
            faults.append(f"{self.segment}: effect must be from -1 to 1; got {self.effect}.")
        if not (math.isfinite(self.sd) and self.sd > 0):
            faults.append(f"{self.segment}: sd must be a finite number above 0; got {self.sd}.")
        if not -1 <= self.correlation <= 1:
            faults.append(
                f"{self.segment}: correlation must be from -1 to 1; got {self.correlation}."
            )
        if self.code < 0 or self.customers < 0:
            faults.append(
                f"{self.segment}: code and customers must be at least 0; got {self.code} and "
                f"{self.customers}."
            )
        if faults:
            raise RequestError.of(faults)

    @property
    def p_harm(self) -> float:
        """Probability that the effect is below 0."""
        return float(ndtr(-self.effect / self.sd))


@dataclass(frozen=True)
class RetentionSegments:
    """Effects by segment: part of what a book has learned.

    Attributes
    ----------
    by : {"value", "stage"}
        What tells one segment from another.
    bounds : tuple of float
        Highest value from now on (P(alive) × value if alive) in each fifth but the last, in money;
        empty for stages.
    segments : tuple of LearnedSegment
        Those that the campaigns reached.

    Examples
    --------
    >>> large = LearnedSegment(1, "large", -0.2, 0.05, 0.0, 900)
    >>> learned = RetentionSegments("value", (100.0,), (large,))
    >>> code = learned.codes(worth=np.array([40.0, 800.0]), stage=np.zeros(2, dtype=int))
    >>> learned.effect(code, otherwise=0.3).tolist()
    [0.3, -0.2]
    """

    by: By
    bounds: tuple[float, ...]
    segments: tuple[LearnedSegment, ...]

    def __post_init__(self) -> None:
        """Refuse bounds that do not rise, and a segment that stands there twice."""
        faults = []
        if self.by not in get_args(By):
            faults.append(f"Segments are told apart by {', '.join(get_args(By))}; got {self.by!r}.")
        if not all(map(math.isfinite, self.bounds)) or sorted(self.bounds) != list(self.bounds):
            faults.append(f"The bounds of segments must rise; got {self.bounds}.")
        codes = [one.code for one in self.segments]
        if len(set(codes)) < len(codes):
            faults.append("A segment is learned once; one stands there twice.")
        if faults:
            raise RequestError.of(faults)

    def codes(self, *, worth: npt.ArrayLike, stage: npt.ArrayLike) -> Rows:
        """Segment of each customer, as a place among the fifths or stages.

        Parameters
        ----------
        worth : array_like, shape (n,)
            Value from now on: P(alive) × value if alive, in money.
        stage : array_like of int, shape (n,)
            From :func:`clv.recommend.stages.stage_of`.
        """
        if self.by == "stage":
            return np.asarray(stage, dtype=np.intp)
        return np.asarray(np.searchsorted(self.bounds, np.asarray(worth, dtype=float)))

    def effect(self, code: Rows, *, otherwise: float) -> Floats:
        """e of each customer.

        Parameters
        ----------
        code : ndarray of int, shape (n,)
            From :meth:`codes`.
        otherwise : float
            Where no campaign reached the segment.
        """
        return self._spread(code, {one.code: one.effect for one in self.segments}, otherwise)

    def doubt(self, code: Rows, *, sd: float, correlation: float) -> tuple[Floats, Floats]:
        """How sure e is of each customer: standard deviation, and correlation with the money scale.

        Parameters
        ----------
        code : ndarray of int, shape (n,)
            From :meth:`codes`.
        sd, correlation : float
            Where no campaign reached the segment.
        """
        sds = {one.code: one.sd for one in self.segments}
        of_scale = {one.code: one.correlation for one in self.segments}
        return self._spread(code, sds, sd), self._spread(code, of_scale, correlation)

    def _spread(self, code: Rows, known: Mapping[int, float], otherwise: float) -> Floats:
        table = np.full(max([*known, int(code.max(initial=0))]) + 1, otherwise)
        for place, value in known.items():
            table[place] = value
        return np.asarray(table[code])

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return {
            "by": self.by,
            "bounds": list(self.bounds),
            "segments": [asdict(one) | {"p_harm": one.p_harm} for one in self.segments],
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> RetentionSegments:
        """Return what :meth:`to_dict` wrote."""
        segments = ({k: v for k, v in one.items() if k != "p_harm"} for one in told["segments"])
        return cls(
            told["by"],
            tuple(map(float, told["bounds"])),
            tuple(LearnedSegment(**one) for one in segments),
        )
