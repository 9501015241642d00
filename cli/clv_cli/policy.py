"""`clv policy`: write the commented default policy, check one, say what it does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from clv_cli.output import echo_json, echo_rows, echo_table, format_option, paragraph, plain


@click.group(
    epilog="""\b
Examples:
  clv policy init policy.toml
  clv policy check policy.toml
  clv policy explain policy.toml"""
)
def policy() -> None:
    """Write, check or explain a policy file: margin, discount, problem types, limits."""


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
    from clv.passwords import no_place

    if fault := no_place(str(file)):
        raise PolicyError(f"Cannot write the policy: {fault}. Name a file.")
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
    short_help="Check the policy in FILE and show every figure.",
    epilog="""\b
Example:
  clv policy check policy.toml --format json""",
)
@click.argument("file", type=click.Path(path_type=Path))
@format_option
def check(file: Path, form: str) -> None:
    """Check the policy in FILE and show every figure: yours, assumed, or not stated.

    All faults are told at once, each with its line; so is what can be followed but is hardly
    meant.
    """
    import clv
    from clv.recommend.policy.cautions import cautions_of

    found = clv.Policy.load(file)
    cautions = cautions_of(found)
    rows = [
        {"key": key, "value": value, "origin": found.origin(key)}
        for key, value in found.values().items()
        if isinstance(value, bool | int | float) or value is None or found.is_set(key)
    ]
    count = Counter(row["origin"] for row in rows)
    if form == "json":
        echo_json(
            {"valid": True, "version": found.version, "cautions": list(cautions), "rows": rows}
        )
    elif form == "csv":
        echo_rows(rows)
    else:
        echo_table(
            ["figure", "", "value"],
            ([row["key"], row["origin"], plain(row["value"])] for row in rows),
            left=2,
        )
        click.echo()
        for caution in cautions:
            paragraph(caution, indent="! ")
        paragraph(
            f"{file} can be followed (version {found.version}). Figures: {count['yours']} yours, "
            f"{count['assumed']} assumed, {count['not stated']} not stated."
        )


@policy.command(
    short_help="Say in words what a policy does.",
    epilog="""\b
Examples:
  clv policy explain
  clv policy explain policy.toml""",
)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@format_option
def explain(file: Path | None, form: str) -> None:
    """Say what the policy in FILE does for three invented customers, and what holds for all.

    Without FILE: the default policy.
    """
    import clv
    from clv.recommend.explanation import explain_policy

    asked = clv.Policy.load(file) if file else clv.Policy()
    told = explain_policy(asked)
    if form == "json":
        echo_json(told.to_dict())
    elif form == "csv":
        echo_rows(told.to_dict()["rows"], version=told.policy_version)
    else:
        for first, *others in told.paragraphs:
            paragraph(first)
            for sentence in others:
                paragraph(sentence, indent="  ")
            click.echo()
        click.echo("For everyone:")
        for rule in told.rules:
            paragraph(rule, indent="  ")
        click.echo()
        paragraph(
            f"These customers are invented. {file or 'The default policy'}, version "
            f"{told.policy_version}: {len(asked.assumed)} figures are assumed."
        )
