"""What becomes of each of the broken orders, as `expected.toml` says, and the page that shows it.

python -m tests.bad_orders.cases > docs/reference/bad-orders.md
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["CASES", "END", "HISTORIES", "Case", "page"]

END = "2024-03-31"


@dataclass(frozen=True)
class Case:
    """Broken orders, and what becomes of them: a key of `expected.toml` each."""

    group: str
    name: str
    wrong: str
    refused: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    ids: dict[str, str] = field(default_factory=dict)
    customers: dict[str, dict[str, float]] = field(default_factory=dict)
    schema: dict[str, Any] = field(default_factory=dict)
    large: bool = False

    @property
    def histories(self) -> dict[str, dict[str, float]]:
        """What is known of each customer, where the orders can be read."""
        return self.customers or {self.ids.get(who, who): one for who, one in HISTORIES.items()}


def _read() -> tuple[dict[str, dict[str, float]], list[Case]]:
    groups = tomllib.loads(Path(__file__).with_name("expected.toml").read_text(encoding="utf-8"))
    histories = groups.pop("histories")
    return histories, [
        Case(group, name, **_tuples(said))
        for group, cases in groups.items()
        for name, said in cases.items()
    ]


def _tuples(said: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in said.items()}


HISTORIES, CASES = _read()

INTRODUCTION = """\
# Orders that are broken

What becomes of orders that are not as they should be: they are read right, or refused with one
message that says what is wrong, where, in how many rows, and what to do; within seconds, and in
less than 1 GB of memory. The tests hold every line of this page. "…" stands between parts of a
message.

What is read right gives each customer the frequency, recency, T and monetary value that can be
worked by hand. What was decided on the way is told, and stands here as the message.
"""

PLACES = """\
Also tested: a file or a folder that may not be read, a file that goes away while it is read, and a
password in a URL, which is in no output, no error and no book.

A `.gz` file may unpack to 1 GiB or to 200 times its own size, a workbook to 2 GiB and 32 million
cells a sheet; what holds more is refused before it fills the memory. A line may have 2 MB, a file
1,000 columns.
"""


def page() -> str:
    """Return the page of the documentation, in Markdown."""
    lines = [INTRODUCTION]
    for group in dict.fromkeys(case.group for case in CASES):
        lines += [f"## {group}", "", "| orders | what is wrong | | message |", "|---|---|---|---|"]
        lines += [_row(case) for case in CASES if case.group == group]
        lines.append("")
    lines.append(PLACES.rstrip())
    return "\n".join(lines) + "\n"


def _row(case: Case) -> str:
    said = case.refused or (*case.aside, *case.told)
    cells = [
        f"`{case.name}`",
        case.wrong,
        "refused" if case.refused else "read right",
        " … ".join(said).replace("<", "&lt;"),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
