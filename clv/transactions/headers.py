"""What to do where the first line of a source names no customer and no date."""

from __future__ import annotations

from collections.abc import Sequence

from clv.transactions.column_names import ROLES, in_first_tier
from clv.transactions.sources import Source

__all__ = ["misread_header"]


def misread_header(source: Source) -> list[str]:
    """Say that the names of the columns stand further down, or that the columns are not parted.

    Parameters
    ----------
    source : Source
        Whose columns are not recognised.

    Returns
    -------
    list of str
        A sentence; none where nothing of the kind is seen.
    """
    names = list(source.table.columns)
    if _are_names(names):
        return []
    for place, ways in source.below_header():
        if any(_are_names(cells) for cells in ways):
            return [f"{place[0].upper()}{place[1:]} looks like the header: delete what is above."]
    if source.kind != "csv" or len(names) > 1:
        return []
    signs = {c for c in names[0] if not c.isalnum() and c not in "_\"'"}
    found = [c for c in sorted(signs) if _are_names([n.strip("\"'") for n in names[0].split(c)])]
    other = f"{found[0]!r}, not by" if found else "something else than"
    told = (
        f"The file has one column: its values seem to be parted by {other} a comma, semicolon, tab "
        "or |. Export it with one of these."
    )
    return [told]


def _are_names(cells: Sequence[str]) -> bool:
    """Whether a customer and a date are among some names of columns."""
    return all(in_first_tier(cells, ROLES[role]) for role in ("customer_id", "date"))
