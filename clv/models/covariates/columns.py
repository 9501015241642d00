"""Columns of a customer table as covariates: read, checked, coded.

A numeric column enters as its distance from the mean, a categorical one as one indicator for each
level but the reference. So the parameters of the model itself belong to a customer at the reference
levels with average numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import NotIdentifiedError, RequestError, UnknownNameError

if TYPE_CHECKING:  # a fitted covariate model can be shown without pandas
    import pandas as pd

__all__ = ["CategoricalColumn", "Column", "NumericColumn", "read_column", "refuse_unidentified"]


MOST_LEVELS = 50
"""Levels of a categorical column above which it is taken for an id, a date or a number as text."""


@dataclass(frozen=True)
class NumericColumn:
    """A number a customer.

    Attributes
    ----------
    name : str
        The column.
    mean, deviation : float
        Of the customers fitted; the base parameters belong to the mean.
    """

    name: str
    mean: float
    deviation: float

    @property
    def levels(self) -> tuple[None]:
        """One coefficient, of one unit more of the column."""
        return (None,)

    @property
    def scale(self) -> float:
        """What the search measures the column in."""
        return self.deviation

    def values(self, customers: pd.DataFrame) -> Floats:
        """Read the column of other customers."""
        return _numbers(customers, self.name)

    def coded(self, values: Floats) -> Floats:
        """Columns of the linear predictor, shape (n, 1)."""
        return (values - self.mean)[:, None]


@dataclass(frozen=True)
class CategoricalColumn:
    """One of a few levels a customer.

    Attributes
    ----------
    name : str
        The column.
    levels : tuple of str
        The levels with a coefficient each.
    reference : str
        The level that they are compared with.
    """

    name: str
    levels: tuple[str, ...]
    reference: str

    @property
    def scale(self) -> float:
        """What the search measures the column in."""
        return 1.0

    def values(self, customers: pd.DataFrame) -> Floats:
        """Read the column of other customers: 0 for the reference, k for the k-th level."""
        place = {level: i for i, level in enumerate((self.reference, *self.levels))}
        found = _texts(customers, self.name)
        strange = sorted(set(found) - set(place))
        if strange:
            raise UnknownNameError(
                f"level of {self.name!r}", strange[0], place, then=f"There are {_list(place)}."
            )
        return np.array([place[level] for level in found], dtype=float)

    def coded(self, values: Floats) -> Floats:
        """Columns of the linear predictor, shape (n, levels)."""
        indicator = values[:, None] == np.arange(1, len(self.levels) + 1)
        return np.asarray(indicator, dtype=float)


Column = NumericColumn | CategoricalColumn


def read_column(
    customers: pd.DataFrame, name: str, weight: Floats, reference: str | None
) -> tuple[Column, Floats]:
    """Read a column to fit on: what it is, and a number for each customer.

    Raises
    ------
    RequestError
        For missing values, or a column that is neither numbers nor categories.
    NotIdentifiedError
        For one level only, or more than a category has.
    """
    from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

    series = customers[name]
    if getattr(series.dtype, "kind", "O") in "mM" or is_complex_dtype(series):
        raise RequestError(
            f"The column {name!r} holds {series.dtype}; a covariate is a number or a category. For "
            "a date take a number of days, or the month as text."
        )
    if is_numeric_dtype(series) and not is_bool_dtype(series):
        if reference is not None:
            raise RequestError(
                f"The column {name!r} is numeric and has no reference level. If its numbers are "
                "codes, turn them into text."
            )
        values = _numbers(customers, name)
        # Two passes: the mean itself is rounded, and a constant must come out as one.
        mean = float(weight @ values / weight.sum())
        deviation = float(np.sqrt(weight @ (values - mean) ** 2 / weight.sum()))
        if (values == values[0]).all():
            raise NotIdentifiedError(
                f"The column {name!r} is {values[0]:g} for every customer: there is nothing to "
                "compare. Leave it out."
            )
        return NumericColumn(name, mean, deviation), values
    from pandas import factorize

    codes, unique = factorize(np.array(_texts(customers, name), dtype=object), sort=True)
    levels = np.array(unique, dtype=object)
    if len(levels) == 1:
        raise NotIdentifiedError(
            f"The column {name!r} has one level only, {levels[0]!r}: there is nothing to compare. "
            "Leave it out."
        )
    if len(levels) > MOST_LEVELS:
        raise NotIdentifiedError(
            f"The column {name!r} has {len(levels):,} levels ({_list(levels[:3])}, ...); at most "
            f"{MOST_LEVELS} can be told apart. Is it an id, a date or a number written as text? "
            "Otherwise put rare levels together."
        )
    if reference is None:
        reference = str(levels[np.argmax(np.bincount(codes, weights=weight))])
    elif reference not in levels:
        raise UnknownNameError(f"level of {name!r}", reference, levels.tolist())
    column = CategoricalColumn(name, tuple(str(v) for v in levels if v != reference), reference)
    place = {level: i for i, level in enumerate((reference, *column.levels))}
    return column, np.array([place[level] for level in levels], dtype=float)[codes]


def refuse_unidentified(
    part: str,
    columns: Sequence[Column],
    values: Mapping[str, Floats],
    frequency: Floats,
    weight: Floats,
) -> list[str]:
    """Say which columns of one part of the model have effects that the data cannot tell.

    A level whose customers never bought again would have the purchase rate 0, and says nothing of
    dropout. Columns that add up to one another share an effect that can be moved between them.
    """
    faults = []
    for column in columns:
        v = values[column.name]
        cells = np.unique(v)
        if isinstance(column, NumericColumn) and len(cells) > 2:
            continue
        for cell in cells:
            here = v == cell
            if not (frequency[here] > 0).any():
                level = (
                    f"{cell:g}"
                    if isinstance(column, NumericColumn)
                    else repr((column.reference, *column.levels)[int(cell)])
                )
                faults.append(
                    f"None of the {int(weight[here].sum()):,} customers with {column.name!r} = "
                    f"{level} bought again, so its effect on {part} cannot be told. Put them "
                    "together with others, or leave them out."
                )
    if not columns:
        return faults
    blocks = [c.coded(values[c.name]) / c.scale for c in columns]
    owner = np.repeat(np.arange(len(columns)), [block.shape[1] for block in blocks])
    z = np.concatenate(blocks, axis=1)
    z = z - weight @ z / weight.sum()
    z /= np.sqrt(weight @ z**2)
    size, direction = np.linalg.eigh(z.T @ (z * weight[:, None]))
    null = size < 1e-10  # squares of sines between directions; rounding leaves about 1e-15
    if null.any():
        names = [c.name for c in columns]
        shared = (np.abs(direction[:, null]) > 1e-4).any(axis=1)
        involved = [names[i] for i in np.unique(owner[shared])]
        if len(involved) == 1:
            faults.append(f"The levels of {involved[0]!r} cannot be told apart.")
        else:
            faults.append(
                f"The columns {_list(involved)} for {part} are collinear: one follows exactly from "
                f"the other{'s' if len(involved) > 2 else ''}, so their effects cannot be told "
                f"apart. Leave out {'one' if null.sum() == 1 else 'some'} of them."
            )
    return faults


def _numbers(customers: pd.DataFrame, name: str) -> Floats:
    try:
        values = customers[name].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise RequestError(
            f"The column {name!r} was numeric when the model was fitted; here it is not."
        ) from None
    _refuse_missing(customers, name, ~np.isfinite(values))
    return values


def _texts(customers: pd.DataFrame, name: str) -> list[str]:
    series = customers[name]
    _refuse_missing(customers, name, series.isna().to_numpy(dtype=bool))
    return [str(v) for v in series.tolist()]


def _refuse_missing(customers: pd.DataFrame, name: str, missing: npt.NDArray[np.bool_]) -> None:
    rows = np.flatnonzero(missing)
    if not len(rows):
        return
    known = "customer_id" in customers.columns
    ids = (customers["customer_id"] if known else customers.index).to_numpy()
    first = ", ".join(str(i) for i in ids[rows[:3]])
    raise RequestError(
        f"{len(rows):,} of {len(missing):,} customers have no finite value in the column {name!r} "
        f"(first: {first}). Leave them out, or fill the column in, for a category with a level of "
        "its own such as 'unknown'."
    )


def _list(names: Iterable[object]) -> str:
    *most, last = (repr(str(n)) for n in names)
    return f"{', '.join(most)} and {last}" if most else last
