"""`clv policy`: write the commented default policy, or check one."""

from __future__ import annotations

from pathlib import Path

import click

from clv_cli.output import echo_json, echo_rows, echo_table, format_option, paragraph, plain


@click.group(
    epilog="""\b
Examples:
  clv policy init policy.toml
  clv policy check policy.toml"""
)
def policy() -> None:
    """Write or check a policy file: margin, discount, problem types, limits."""


@policy.command(
    short_help="Write the default policy to a file, every figure explained.",
    epilog="""\b
Example:
  clv policy init policy.toml""",
)
@click.argument("file", type=click.Path(path_type=Path), default="policy.toml")
def init(file: Path) -> None:
    """Write the default policy to FILE (policy.toml), every figure explained.

    Each figure stands commented out and is printed as assumed. Uncomment a line to make it yours.
    """
    import clv
    from clv.errors import PolicyError

    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(clv.Policy().to_toml())
    except FileExistsError:
        raise PolicyError(
            f"{file} exists and is left as it is. Name another file, or remove it first."
        ) from None
    except OSError as error:
        raise PolicyError(f"Cannot write {file}: {error.strerror}.") from None
    click.echo(f"Wrote {file}. Uncomment the lines you have decided; then: clv policy check {file}")


@policy.command(
    epilog="""\b
Example:
  clv policy check policy.toml --format json"""
)
@click.argument("file", type=click.Path(path_type=Path))
@format_option
def check(file: Path, form: str) -> None:
    """Check the policy in FILE and show every figure, yours or assumed.

    All faults are told at once.
    """
    import clv

    found = clv.Policy.load(file)
    rows = [
        {"key": key, "value": value, "origin": "yours" if found.is_set(key) else "assumed"}
        for key, value in found.values().items()
        if found.is_set(key) or key in found.assumed
    ]
    if form == "json":
        echo_json({"valid": True, "version": found.version, "rows": rows})
    elif form == "csv":
        echo_rows(rows)
    else:
        echo_table(
            ["figure", "", "value"],
            ([row["key"], row["origin"], plain(row["value"])] for row in rows),
            left=2,
        )
        click.echo()
        yours = sum(row["origin"] == "yours" for row in rows)
        paragraph(
            f"{file} can be followed (version {found.version}): {yours} figures are yours, "
            f"{len(rows) - yours} are assumed."
        )
