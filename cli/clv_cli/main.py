"""The `clv` command: one group, its commands imported when they are called."""

from __future__ import annotations

import importlib
import sys
import traceback
from types import TracebackType
from typing import Any

import click

__all__ = ["clv", "main"]

COMMANDS = {
    "demo": "See the main job done on bundled orders.",
    "check": "Check orders before anything rests on them.",
    "fit": "Fit a purchase model to orders.",
    "build": "Build a customer book from orders.",
    "value": "Show what customers are worth.",
    "forecast": "Forecast orders, revenue and margin by month.",
    "recover": "Say what may be spent on fixing one customer's problem.",
    "budget": "Split a retention budget over the customers.",
    "estimate": "Estimate a retention budget from three answers, without orders.",
    "incidents": "Learn what problems do to customers, and what they cost.",
    "experiment": "Let chance vary a few offers, to learn what goodwill does.",
    "campaigns": "Learn from campaigns what keeping customers takes.",
    "policy": "Write, check or explain a policy file.",
}
"""Names and summaries, in the order in which a newcomer meets them."""

INTERRUPTED = 128 + 2
"""Exit status of a command that Ctrl-C (signal 2) ends."""

INTERRUPTED_QUERY = "Query interrupted"
"""What DuckDB raises as a RuntimeError where Ctrl-C meets it in a query."""


class _Lazy(click.Group):
    """A group whose help needs no command's module: `clv --help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"clv_cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Ctrl-C ends it without a traceback, as shells expect."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:  # wrong usage: it repeats what was typed
            from clv.passwords import without_secrets

            error.message = without_secrets(error.message)  # type: ignore[misc]  # meant as final
            raise
        except (KeyboardInterrupt, RuntimeError) as error:
            if isinstance(error, RuntimeError) and str(error) != INTERRUPTED_QUERY:
                raise
        click.echo("Interrupted: nothing is left half-written.", err=True)
        return ctx.exit(INTERRUPTED)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" There are {', '.join(COMMANDS)}."
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: clv demo",
)
@click.version_option(package_name="clv", prog_name="clv")
def clv() -> None:
    """Customer lifetime value, and what to do with it.

    From a file of orders, clv fits when customers buy and leave and what they spend, values every
    customer, says how much may be spent on fixing one customer's problem, and splits a retention
    budget.
    """


def main() -> None:
    """Run the command; a mistake of the user's is told without a traceback, with exit status 1."""
    from clv.errors import ClvError
    from clv_cli.output import visible

    sys.excepthook = _tell
    try:
        clv(prog_name="clv")
    except ClvError as error:
        click.echo("Error: " + visible(str(error), but="\n\t"), err=True)
        sys.exit(1)


def _tell(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    """Print the traceback of a fault of ours; it may repeat what was typed."""
    from clv.passwords import without_secrets

    said = "".join(traceback.format_exception(kind, error, where))
    click.echo(without_secrets(said), err=True, nl=False)


if __name__ == "__main__":
    main()
