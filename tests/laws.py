"""How often a law is tried whose examples are dear."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

__all__ = ["few"]


def few(of_fifty: int) -> settings:
    """Draw so many examples where other laws draw 50; in proportion in the profile `thorough`.

    Every log opens a database of its own, which takes longer than its rows: few logs, many rows.
    """
    return settings(
        max_examples=settings().max_examples * of_fifty // 50,
        suppress_health_check=[HealthCheck.too_slow],
    )
