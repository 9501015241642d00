"""Models of which there is one for every whole number k.

BG/CNBD-k is a family: with k = 2 and with k = 3 it is two models, as BG/NBD and MBG/NBD are two.
Each is a class of its own, so that whatever works with a model (a search, a posterior, a file)
works with each of them, and no k is ever taken for a parameter that varies smoothly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast

from clv.errors import ParameterError
from clv.history import Histories
from clv.models.base import PurchaseModel

if TYPE_CHECKING:
    from clv.models.maximum_likelihood import LogNormal
    from clv.models.regularity import RegularityFit

__all__ = ["FamilyOfK"]

F = TypeVar("F", bound="FamilyOfK")


@dataclass(frozen=True, init=False)
class FamilyOfK(PurchaseModel):
    """A purchase model with given parameters and k, the number of phases of a purchase."""

    k: ClassVar[int] = 0
    """How many phases make a purchase; 0 for the class that stands for all k."""

    r: float
    alpha: float
    a: float
    b: float

    def __new__(cls, r: float, alpha: float, a: float, b: float, *, k: int = 0) -> Self:
        """Make a value of the class that has this k."""
        del r, alpha, a, b  # set by __init__
        return object.__new__(cls.with_k(k) if k and not cls.k else cls)

    def __init__(self, r: float, alpha: float, a: float, b: float, *, k: int = 0) -> None:
        if not self.k:
            name = type(self).__name__
            raise ParameterError(
                f"{self.label} needs k, how many phases make a purchase: {name}(..., k=2), or "
                f"{name}.fit(histories) to find the k that the data prefer."
            )
        if k not in {0, self.k}:
            raise ParameterError(f"{self.label} has k = {self.k}; got k = {k}.")
        for name, value in (("r", r), ("alpha", alpha), ("a", a), ("b", b)):
            object.__setattr__(self, name, value)  # frozen from here on
        self.__post_init__()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the class that pickle can find, and k."""
        make = partial(family(type(self)), k=self.k)
        return make, (self.r, self.alpha, self.a, self.b)

    @classmethod
    def with_k(cls, k: int) -> type[Self]:
        """Return the model with this k: a class that is to BG/CNBD-k what BG/NBD is by itself.

        Parameters
        ----------
        k : int
            How many phases make a purchase, at least 1.

        Returns
        -------
        type
            Its `name` and `label` say k.

        Raises
        ------
        ParameterError
            Where k is not a whole number of at least 1.

        Examples
        --------
        >>> from clv.models.bg_cnbd import BGCNBD
        >>> BGCNBD.with_k(3).label
        'BG/CNBD-3'
        """
        if not (float(k).is_integer() and k >= 1):
            raise ParameterError(f"{cls.label} needs a whole number k of at least 1; got k = {k:g}")
        return cast("type[Self]", _with_k(family(cls), int(k)))

    @classmethod
    def fit(
        cls,
        histories: Histories,
        *,
        prior: Mapping[str, LogNormal] | None = None,
        k: int | None = None,
    ) -> RegularityFit[Self]:
        """Fit by maximum likelihood, with the k given or the k that the data prefer.

        Parameters
        ----------
        histories : Histories
            From :func:`clv.histories`, or from :meth:`clv.Histories.from_arrays` with `log_gaps`,
            which are needed to choose k.
        prior : mapping of parameter name to LogNormal, optional
            Independent log-normal priors of r, alpha, a and b; none by default.
        k : int, optional
            How many phases make a purchase. By default k = 1, 2, … are fitted until the
            log-likelihood falls, and the best is kept.

        Returns
        -------
        RegularityFit
            The fit, with the log-likelihood of every k that was tried; where k was chosen, AIC and
            BIC count it as a parameter.

        Raises
        ------
        HistoryError
            Where k is to be chosen and the times between purchases are not known.
        NotIdentifiedError
            Where the data cannot tell the parameters, or the log-likelihood rises with k all along.
        FitError
            Where the optimiser stops before an optimum.
        """
        from clv.models.regularity import fit_regular

        return fit_regular(cls, histories, prior=prior, k=k)


def family(model: type[F]) -> type[F]:
    """Return the class that stands for all k: `BGCNBD` of `BGCNBD.with_k(3)`."""
    return cast("type[F]", model.__base__) if model.k else model


@cache
def _with_k(model: type[F], k: int) -> type[F]:
    about = {
        "__doc__": model.__doc__,
        "__module__": model.__module__,
        "__qualname__": f"{model.__qualname__}.with_k({k})",
        "k": k,
        "name": f"{model.name}-{k}",
        "label": f"{model.label.removesuffix('-k')}-{k}",
    }
    metaclass: Any = type(model)
    return cast("type[F]", metaclass(f"{model.__name__}{k}", (model,), about))
