"""Amounts and hours as they are typed: numbers, and what to write where they are not."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["QUANTITY"]


class _Quantity(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.2
    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            return float(value)
        except ValueError:
            self.fail(
                f"{value!r} is not a number. Write it as 1234.50, with a point before the "
                "decimals and without signs of currency or separators of thousands.",
                param,
                ctx,
            )


QUANTITY = _Quantity()
"""A number as an option takes it."""
