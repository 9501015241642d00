"""What a command that takes long is doing, on standard error, for somebody who watches."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self, TypeVar

import click

__all__ = ["Progress", "quiet_option"]

F = TypeVar("F", bound=Callable[..., Any])

QUIET = "clv_cli.quiet"


def quiet_option(command: F) -> F:
    """Add the `--quiet` option of every command that shows its progress."""
    return click.option(
        "--quiet",
        is_flag=True,
        expose_value=False,
        callback=_be_quiet,
        help="Show no progress. It is shown on a terminal only, on standard error.",
    )(command)


def _be_quiet(context: click.Context, _option: click.Parameter, value: Any) -> None:
    context.meta[QUIET] = bool(value)


class Progress:
    """A moving bar with the step that is being done and the time it has taken so far.

    It goes to standard error, where that is a terminal and `--quiet` is not given, and is gone when
    the work is done: logs, pipes and the answer hold nothing of it.
    """

    def __init__(self) -> None:
        self._open = ExitStack()
        self._show: Callable[[str], None] = _nothing

    def __enter__(self) -> Self:
        context = click.get_current_context(silent=True)
        quiet = context is not None and context.meta.get(QUIET, False)
        if not quiet and sys.stderr.isatty():
            self._show = self._bar()
        return self

    def __call__(self, step: str) -> None:
        """Begin a step."""
        self._show(step)

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def _bar(self) -> Callable[[str], None]:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        console = Console(stderr=True)
        bar = self._open.enter_context(
            Bar(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TimeElapsedColumn(),
                console=console,
                transient=True,
                disable=not console.is_interactive,  # a terminal that cannot move its cursor
            )
        )
        task = bar.add_task("", total=None)

        def show(step: str) -> None:
            bar.update(task, description=step)

        return show


def _nothing(_step: str) -> None:
    """Show nothing."""
