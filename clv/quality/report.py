"""What a check of orders found: a verdict on each subject, its figures, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from clv.errors import UnknownNameError
from clv.transactions.report import OrdersReport

__all__ = ["FINE", "LOOK", "UNSUITED", "VERDICTS", "Finding", "QualityReport", "percent", "worst"]

FINE, LOOK, UNSUITED = "fine", "look at this", "the models do not suit"
VERDICTS = (FINE, LOOK, UNSUITED)
"""From the best to the worst."""


@dataclass(frozen=True)
class Finding:
    """What was found about one subject.

    Attributes
    ----------
    topic : str
        The subject, such as "left_truncation".
    verdict : str
        "fine", "look at this" or "the models do not suit".
    sentence : str
        What was found.
    advice : str
        What to do next; empty where there is nothing to do.
    figures : mapping of str to Any
        What it rests on, in plain types: numbers, texts, lists of them; days as "2024-12-31".
    """

    topic: str
    verdict: str
    sentence: str
    advice: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The subject in words.

        >>> Finding("left_truncation", "fine", "").title
        'Left truncation'
        """
        return self.topic.replace("_", " ").capitalize()

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain types."""
        said = {"verdict": self.verdict, "sentence": self.sentence, "advice": self.advice}
        return said | dict(self.figures)


@dataclass(frozen=True)
class QualityReport:
    """What is in a log of orders, and whether the models suit it.

    Attributes
    ----------
    source : str
        What was read, as it was named.
    rows : OrdersReport
        Rows and amounts read, kept and set aside.
    first_date, last_date : date
        The first and the last day with a purchase.
    end : date
        The last day of observation.
    end_assumed : bool
        Whether the end is only the last date in the log.
    customers : int
        Customers with a purchase up to the end.
    findings : tuple of Finding
        One for each subject.
    """

    source: str
    rows: OrdersReport
    first_date: date
    last_date: date
    end: date
    end_assumed: bool
    customers: int
    findings: tuple[Finding, ...]

    def __getitem__(self, topic: str) -> Finding:
        """Return the finding about a subject.

        Raises
        ------
        UnknownNameError
            Where there is none.
        """
        for finding in self.findings:
            if finding.topic == topic:
                return finding
        raise UnknownNameError("finding", topic, [f.topic for f in self.findings])

    @property
    def verdict(self) -> str:
        """The worst of the findings' verdicts."""
        return worst(self.findings)

    def with_verdict(self, verdict: str) -> list[Finding]:
        """Return the findings with a verdict.

        Parameters
        ----------
        verdict : str
            "fine", "look at this" or "the models do not suit".
        """
        return [finding for finding in self.findings if finding.verdict == verdict]

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain types, as `clv check --format json` prints it."""
        return {
            "source": self.source,
            **self.rows.to_dict(),
            "first_date": self.first_date.isoformat(),
            "last_date": self.last_date.isoformat(),
            "end": self.end.isoformat(),
            "end_assumed": self.end_assumed,
            "customers": self.customers,
            "verdict": self.verdict,
            "findings": {finding.topic: finding.to_dict() for finding in self.findings},
        }


def worst(findings: Iterable[Finding]) -> str:
    """Return the worst verdict of some findings; "fine" without any."""
    return max((finding.verdict for finding in findings), key=VERDICTS.index, default=FINE)


def percent(share: float) -> str:
    """Write a share for people, small ones with what matters of them.

    >>> percent(0.25), percent(0.0312), percent(0.00012), percent(0.9985)
    ('25 %', '3.1 %', '0.012 %', '99.85 %')
    """
    if 0 < share < 1e-5:
        return "under 0.001 %"
    near_end = min(share, 1 - share)
    if not 0 < near_end < 1:
        return f"{100 * share:.0f} %"
    digits = 0 if near_end >= 0.1 else 1 if near_end >= 0.01 else 2 if near_end >= 0.001 else 3
    return f"{100 * share:.{digits}f} %"
