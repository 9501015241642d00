"""The names that columns are known by: each is one name, and stands for one role."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from clv.transactions.column_names import PRICES, ROLES, in_first_tier, plain

KNOWN = [(role, name) for role, tiers in ROLES.items() for tier in tiers for name in tier]


def test_a_known_name_has_one_role_and_one_tier() -> None:
    names = [name for role, name in KNOWN if not (role == "unit_price" and name in PRICES)]
    assert len(names) == len(set(names))


def test_known_names_are_plain() -> None:
    assert [name for _, name in KNOWN if plain(name) != name] == []


@given(st.sampled_from(KNOWN), st.sampled_from(" _-./#"), st.booleans())
def test_case_spaces_and_punctuation_do_not_matter(
    known: tuple[str, str], mark: str, upper: bool
) -> None:
    role, name = known
    written = mark.join(itertools.chain(name.upper() if upper else name, [""]))
    assert in_first_tier(["x", written], ROLES[role]) == [written]


def test_accents_do_not_matter() -> None:
    for written, name in (
        ("Währung", "wahrung"),
        ("N° de commande", "ndecommande"),
        ("Artículo", "articulo"),
        ("Créé le", "creele"),
        ("Stückpreis", "stuckpreis"),
    ):
        assert plain(written) == name
