"""The policy: what a company has decided about money, recovery and retention.

Every value is either set by the company or assumed by this toolkit, and knows which: a policy
file states only what the company has decided, and :attr:`Policy.assumed` lists the rest. The
fields below are the one source of the defaults, the ranges, the messages and the commented file
that :meth:`Policy.to_toml` writes.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from clv.errors import PolicyError, UnknownNameError
from clv.recommend.learned import Learned
from clv.recommend.policy.customers import IntegralRules, StageRules
from clv.recommend.policy.faults import faults_of
from clv.recommend.policy.growth import AcquisitionFigures, WordOfMouthRules
from clv.recommend.policy.problems import PROBLEMS, DropoutRules, ProblemType
from clv.recommend.policy.reading import dotted, read_toml
from clv.recommend.policy.recovery import AuthorityRules, RecoveryRules
from clv.recommend.policy.retention import RetentionRules
from clv.recommend.policy.safeguards import (
    AbuseRules,
    ExperimentRules,
    FairnessRules,
    LearningRules,
)
from clv.recommend.policy.section import Section, figure, none
from clv.recommend.policy.statutory import StatutoryRemedy, as_tuple, contradictions
from clv.recommend.policy.writing import write_toml
from clv.toml_files import Fault, lines_of, told

__all__ = ["Policy", "money"]

Origin = Literal["yours", "learned", "assumed", "not stated"]


def _default_problems() -> dict[str, ProblemType]:
    return {key: ProblemType(**kwargs) for key, kwargs in PROBLEMS.items()}


class Policy(Section):
    """A company's policy; ``Policy()`` is all assumed.

    Raises
    ------
    PolicyError
        Where a value cannot be followed; the message lists all faults.

    Examples
    --------
    >>> policy = Policy.parse("margin = 0.35")
    >>> policy.margin, policy.is_set("margin"), policy.assumed["discount_rate"]
    (0.35, True, 0.1)
    >>> Policy.parse("discount_rate = 10")
    Traceback (most recent call last):
    clv.errors.PolicyError: line 1: discount_rate must be at least 0 and below 1; got 10. 10 means \
1000 %; did you mean 0.10?
    """

    currency: str = figure(
        "",
        'Code of the currency, printed beside amounts, as "EUR"; empty: not stated.',
        max_length=3,
    )
    margin: float = figure(0.4, "Part of revenue left after what the sold goods cost.", gt=0, lt=1)
    discount_rate: float = figure(
        0.1, "What a year's wait costs: effective annual rate, as 0.10 for 10 %.", ge=0, lt=1
    )
    horizon_months: Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(none)] = figure(
        36, 'Months of future purchases that count as value; "none": no end.'
    )
    recovery: RecoveryRules = Field(default_factory=RecoveryRules)
    authority: AuthorityRules = Field(default_factory=AuthorityRules)
    problems: dict[str, ProblemType] = Field(default_factory=_default_problems)
    dropout: DropoutRules = Field(default_factory=DropoutRules)
    retention: RetentionRules = Field(default_factory=RetentionRules)
    acquisition: AcquisitionFigures = Field(default_factory=AcquisitionFigures)
    word_of_mouth: WordOfMouthRules = Field(default_factory=WordOfMouthRules)
    stages: StageRules = Field(default_factory=StageRules)
    integral: IntegralRules = Field(default_factory=IntegralRules)
    fairness: FairnessRules = Field(default_factory=FairnessRules)
    abuse: AbuseRules = Field(default_factory=AbuseRules)
    experiment: ExperimentRules = Field(default_factory=ExperimentRules)
    learning: LearningRules = Field(default_factory=LearningRules)
    statutory: Annotated[tuple[StatutoryRemedy, ...], BeforeValidator(as_tuple)] = ()

    _given: frozenset[str] = PrivateAttr(default=frozenset())
    _stated: Policy | None = PrivateAttr(default=None)  # the policy below what was learned
    _learned: Learned | None = PrivateAttr(default=None)

    @model_validator(mode="wrap")
    @classmethod
    def _remember(cls, data: Any, handler: Callable[[Any], Policy], info: ValidationInfo) -> Policy:
        """Fill built-in problem types, remember what was given, tell all faults at once."""
        given = data if isinstance(data, Mapping) else {}
        faults = _remedies_at_fault(given)
        try:
            policy = handler(_with_builtin(given) if given else data)
        except ValidationError as error:
            of_values = faults_of(error, cls, given)
            faults = [*of_values, *_remedies_in_contradiction(given, of_values), *faults]
        if faults:
            text = (info.context or {}).get("text", "")
            raise PolicyError.of(told(faults, lines_of(text)))
        if not isinstance(data, Policy):
            # no remedies of the law is what a policy without the list says too
            stated = (key for key, value in dotted(given).items() if value not in ((), []))
            policy._given = frozenset(stated)  # noqa: SLF001 - its own class
        return policy

    @field_validator("currency")
    @classmethod
    def _iso(cls, currency: str) -> str:
        if currency and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
            raise ValueError('must be a code of three capital letters, as "EUR", or empty')
        return currency

    @field_validator("problems", mode="before")
    @classmethod
    def _plain_keys(cls, problems: Any) -> Any:
        if isinstance(problems, Mapping):
            bad = [k for k in problems if not (k.isascii() and k.replace("_", "").isalnum())]
            if bad:
                raise ValueError(
                    "a problem type is named by letters, digits and _; got "
                    + ", ".join(repr(k) for k in bad)
                )
        return problems

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Return the policy that a TOML text states; what it leaves out is assumed."""
        return cls.model_validate(read_toml(text), context={"text": text})

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """Return the policy in a TOML file.

        Raises
        ------
        PolicyError
            Where the file is missing, is not TOML, or states what cannot be followed.
        """
        path = Path(path)
        try:
            return cls.parse(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise PolicyError(
                f"There is no policy file {path}. `clv policy init {path}` writes one."
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(f"The policy file {path} cannot be read as text: {error}.") from None
        except PolicyError as error:
            raise PolicyError(f"{path}: {error}") from None

    def to_toml(self) -> str:
        """Return the policy as a commented file; assumed values stand in it commented out.

        What was learned is not written: it is no decision, and has a record of its own.
        """
        return write_toml(self._stated or self, self.is_set)

    def with_learned(self, learned: Learned) -> Policy:
        """Return a policy that follows what was learned, where its basis allows that.

        A learned figure takes the place of the one it started from, assumed or stated: that one
        is in it as the prior. Associational figures are in :attr:`learned`, and move nothing.

        Parameters
        ----------
        learned : Learned
            Figures by dotted key; takes the place of what was learned before.

        Returns
        -------
        Policy

        Raises
        ------
        PolicyError
            Where the policy has no such figure, or cannot follow the learned value.

        Examples
        --------
        >>> from datetime import date
        >>> from clv.recommend.learned import Learned, LearnedFigure
        >>> figure = LearnedFigure(
        ...     "dropout.per_severity_level", 0.3, prior_mean=0.5, prior_sd=0.25,
        ...     posterior_mean=0.3, posterior_sd=0.1, basis="data", observations=700,
        ... )
        >>> learned = Learned.of([figure], source="9f3c", learned_on=date(2024, 6, 30))
        >>> policy = Policy().with_learned(learned)
        >>> policy.dropout.per_severity_level, policy.origin("dropout.per_severity_level")
        (0.3, 'learned')
        """
        stated = self._stated or self
        values = stated.model_dump()
        known = stated.values()
        strange = [key for key in learned.figures if not isinstance(known.get(key), int | float)]
        if strange:
            raise PolicyError.of(
                [
                    f"There is no figure {key} in the policy that could be learned."
                    for key in strange
                ],
                then="Was it learned with another policy? Then learn it again.",
            )
        for key, value in learned.used.items():
            *tables, name = key.split(".")
            functools.reduce(lambda table, part: table[part], tables, values)[name] = value
        policy = type(self)(**values)
        policy._given = stated._given  # noqa: SLF001 - its own class
        policy._stated = stated  # noqa: SLF001
        policy._learned = learned  # noqa: SLF001
        return policy

    def in_currency(self, code: str | None) -> Policy:
        """Return the policy in the currency of the orders, where it states none.

        Parameters
        ----------
        code : str or None
            Currency of the orders; what is not known, or only a sign such as "$", changes nothing.

        Returns
        -------
        Policy

        Raises
        ------
        PolicyError
            Where the policy states another: its amounts are then of another money.

        Examples
        --------
        >>> Policy.parse("margin = 0.35").in_currency("GBP").currency
        'GBP'
        """
        if code is None or code == self.currency or not (len(code) == 3 and code.isalpha()):
            return self
        if self.currency:
            raise PolicyError(
                f"The orders are in {code}, and the policy is in {self.currency}: its amounts "
                f"(floors, caps, costs) are of another money. State the policy in {code}, or read "
                f"the orders in {self.currency} ([rates] in a schema file)."
            )
        policy = type(self)(**self.model_dump() | {"currency": code})
        policy._given = self._given | {"currency"}  # noqa: SLF001 - its own class
        return policy

    @property
    def learned(self) -> Learned | None:
        """What was learned, used or only shown; None where nothing was."""
        return self._learned

    def is_set(self, key: str) -> bool:
        """Whether the company has set the value with this dotted key."""
        return key in self._given

    def origin(self, key: str) -> Origin:
        """Where a value comes from; what is "not stated" is not known, and not assumed either."""
        if self._learned is not None and key in self._learned.used:
            return "learned"
        if self.is_set(key):
            return "yours"
        return "assumed" if key in self.assumed else "not stated"

    @functools.cached_property
    def assumed(self) -> dict[str, Any]:
        """Dotted key and value of every figure and rule that is neither stated nor learned.

        Names are no figures, and what is not known (``None``) is not assumed either.
        """
        learned = {} if self._learned is None else self._learned.used
        return {
            key: value
            for key, value in self.values().items()
            if not self.is_set(key)
            and key not in learned
            and value is not None
            and not isinstance(value, str | tuple)
        }

    @functools.cached_property
    def version(self) -> str:
        """Twelve hexadecimal digits that change whenever a value in effect changes."""
        told = self.model_dump(mode="json")
        if self._learned is not None and self._learned.segments is not None:
            told["learned"] = self._learned.segments.to_dict()
        values = json.dumps(told, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(values.encode()).hexdigest()[:12]

    def values(self) -> dict[str, Any]:
        """Dotted key and value of every figure and rule in effect."""
        return dotted(self.model_dump())

    def problem(self, key: str) -> ProblemType:
        """Return the problem type with this key, or raise :class:`UnknownNameError`."""
        if key not in self.problems:
            then = f"The policy knows {', '.join(self.problems)}."
            raise UnknownNameError("problem type", key, self.problems, then=then)
        return self.problems[key]


def _with_builtin(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `given` with the built-in problem types below what it says about them."""
    asked = given.get("problems", {})
    if not isinstance(asked, Mapping):
        return dict(given)
    problems: dict[str, Any] = {key: dict(builtin) for key, builtin in PROBLEMS.items()}
    for key, own in asked.items():
        if isinstance(own, Mapping):
            label = {"label": str(key).replace("_", " ")}
            problems[key] = {**problems.get(key, label), **own}
        else:
            problems[key] = own
    return {**given, "problems": problems}


def _remedies_at_fault(given: Mapping[str, Any]) -> list[Fault]:
    """Find remedies for problem types that are not there; pydantic sees one table at a time."""
    remedies, own = given.get("statutory", ()), given.get("problems", {})
    if not isinstance(remedies, list | tuple) or not isinstance(own, Mapping):
        return []
    known = {*PROBLEMS, *own}
    faults: list[Fault] = []
    for i, remedy in enumerate(remedies):
        asked = (
            remedy.get("problems")
            if isinstance(remedy, Mapping)
            else getattr(remedy, "problems", ())
        )
        if isinstance(asked, list | tuple):
            faults += [
                (
                    ("statutory", i, "problems"),
                    f"statutory {i + 1}, problems: "
                    + str(UnknownNameError("problem type", key, known)),
                )
                for key in asked
                if isinstance(key, str) and key not in known
            ]
    return faults


def _remedies_in_contradiction(given: Mapping[str, Any], faults: list[Fault]) -> list[Fault]:
    """Find contradictions within remedies with other faults: there pydantic looks no further."""
    remedies = given.get("statutory")
    if not isinstance(remedies, list | tuple):
        return []
    at_fault = {
        loc[1] for loc, _ in faults if loc[0] == "statutory" and len(loc) > len(("statutory", 0))
    }
    return [
        (("statutory", i), f"statutory {i + 1}: {said}.")
        for i, remedy in enumerate(remedies)
        if i in at_fault and isinstance(remedy, Mapping)
        for said in contradictions(remedy)
    ]


def money(amount: float, currency: str) -> str:
    """Return an amount as people write it, with its currency where that is stated.

    >>> money(1234.5, "EUR"), money(0.25, "")
    ('1,234.50 EUR', '0.25')
    """
    return f"{amount:,.2f} {currency}".rstrip()
