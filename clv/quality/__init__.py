"""Data quality: what is in a log of orders, and whether the models suit it.

One module a subject, each a function that gives a :class:`Finding`; :mod:`check` puts them
together.
"""

from __future__ import annotations

from clv.quality.report import VERDICTS, Finding, QualityReport

__all__ = ["VERDICTS", "Finding", "QualityReport"]
