"""What every table of the policy has in common: frozen, strict, each value with its meaning.

A field states its meaning, its range, where its default comes from and its letter in the formulas;
the commented file, the messages about faults and the list of what is assumed are read off these.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

__all__ = ["JUDGEMENT", "Amount", "Count", "OneLine", "Section", "Share", "figure", "none"]

JUDGEMENT = "assumed; replace it with your own figure"

NOT_ASSUMED = ""
"""The source of a figure that nobody can assume: it is stated, or it is not known."""


class Section(BaseModel):
    """One table of the policy."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def figure(
    default: object, meaning: str, source: str = JUDGEMENT, *, letter: str = "", **limits: Any
) -> Any:
    """Return a field with its meaning, where its default comes from, its letter in the formulas."""
    about: Any = {"source": source, "letter": letter}
    return Field(default, description=meaning, json_schema_extra=about, **limits)


def unstated(meaning: str, *, letter: str = "") -> Any:
    """Return a field that is not known until the company states it: nothing is assumed."""
    return figure(None, meaning, NOT_ASSUMED, letter=letter)


def none(value: Any) -> Any:
    """Read the "none" of a policy file, which has no other word for it."""
    return None if value == "none" else value


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of printable text")
    return text


OneLine = Annotated[str, AfterValidator(_one_line)]
Amount = Annotated[Annotated[float, Field(ge=0)] | None, BeforeValidator(none)]
Count = Annotated[Annotated[float, Field(gt=0)] | None, BeforeValidator(none)]
Share = Annotated[Annotated[float, Field(ge=0, le=1)] | None, BeforeValidator(none)]
