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
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from clv.errors import PolicyError, UnknownNameError
from clv.recommend.policy_file import dotted, faults_of, read_toml, write_toml

__all__ = [
    "AuthorityRules",
    "DropoutRules",
    "Policy",
    "ProblemType",
    "RecoveryRules",
    "RetentionRules",
    "money",
]

JUDGEMENT = "assumed; replace it with your own figure"
DROPOUT_SOURCE = "assumed, from the ranges in studies of complaints and switching"


def _value(
    default: object, meaning: str, source: str = JUDGEMENT, *, letter: str = "", **limits: Any
) -> Any:
    """Return a field with its meaning, where its default comes from, its letter in the papers."""
    about: Any = {"source": source, "letter": letter}
    return Field(default, description=meaning, json_schema_extra=about, **limits)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class RecoveryRules(_Section):
    """How goodwill and time act on a customer with a problem, and what limits goodwill."""

    savable_share: float = _value(
        0.6,
        "Of the customers who would leave over a problem, the part that the best recovery keeps.",
        "assumed; studies agree on the direction, none is precise enough to quote",
        ge=0,
        le=1,
        letter="e",
    )
    goodwill_share: float = _value(
        0.6,
        "Of that part, what takes goodwill; a proper fix and an apology win the rest without it.",
        "assumed, after Smith, Bolton & Wagner 1999",
        ge=0,
        le=1,
        letter="ρ",
    )
    money_scale: float = _value(
        0.5,
        "Goodwill that does about 63 % of what goodwill can do, as a multiple of the loss.",
        "assumed; little is gained beyond 1.5 times the price (Haesevoets et al. 2017)",
        gt=0,
        le=10,
        letter="κ_rel",
    )
    slow_share: float = _value(
        0.5,
        "What a very late answer still does, as a part of what a prompt one does.",
        "assumed; a slow fix keeps about half of what a fast one keeps (TARP)",
        ge=0,
        le=1,
        letter="g∞",
    )
    prompt_hours: float = _value(
        4.0,
        "Hours within which an answer counts as prompt.",
        ge=0,
        letter="h0",
    )
    half_life_hours: float = _value(
        24.0,
        "Hours after that in which half of what waiting can destroy is gone.",
        gt=0,
        letter="H",
    )
    most_of_loss: float = _value(
        1.5,
        "Most goodwill on one problem, as a multiple of the loss.",
        "assumed; little is gained beyond it (Haesevoets et al. 2017)",
        ge=0,
    )
    grid: float = _value(1.0, "Goodwill is rounded down to whole steps of this amount.", gt=0)
    handling_cost: float = _value(
        1.0, "Goodwill below this amount is not worth handling; none is given.", ge=0
    )
    credit_redemption: float = _value(
        0.7, "Part of the store credit given that customers use in the end.", gt=0, le=1
    )
    most_in_12_months: float = _value(
        500.0,
        "Most goodwill for one customer in any 12 months.",
        "assumed: what a manager may give on one problem",
        ge=0,
    )
    escalation_cost: float = _value(
        5.0, "Cost of asking a higher authority once, in staff time.", ge=0
    )
    escalation_hours: float = _value(
        24.0, "Hours that a customer waits for the answer of a higher authority.", ge=0
    )


class AuthorityRules(_Section):
    """What each tier may give on one problem without asking the next one."""

    automatic: float = _value(25.0, "Given without anyone being asked.", ge=0)
    agent: float = _value(50.0, "Most that the agent on the case may give.", ge=0)
    senior: float = _value(150.0, "Most that a senior agent may give.", ge=0)
    manager: float = _value(
        500.0, "Most that a manager may give; above it a person decides, outside these rules.", ge=0
    )

    @model_validator(mode="after")
    def _rises(self) -> AuthorityRules:
        caps = list(self.tiers.values())
        if caps != sorted(caps):
            told = ", ".join(f"{name} {cap:g}" for name, cap in self.tiers.items())
            raise ValueError(f"each tier must be allowed at least as much as the one below: {told}")
        return self

    @property
    def tiers(self) -> dict[str, float]:
        """The tiers from the lowest to the highest, with the most that each may give."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class ProblemType(_Section):
    """One type of problem: how many it drives away, and what every customer with it gets."""

    label: str = _value("", "What people call it.", min_length=1)
    dropout: float = _value(
        ...,
        "Part of the customers who leave over it if nothing is done.",
        DROPOUT_SOURCE,
        ge=0,
        le=1,
        letter="π0",
    )
    floor_share: float = _value(
        0.0,
        "Goodwill that every customer with it gets, whatever the customer's value: part of the "
        "loss (of an outage: of the price of the time without service).",
        ge=0,
        le=1,
    )
    floor_fixed: float = _value(
        0.0, "The same as an amount; where both are set the larger one counts.", ge=0
    )
    person_decides: bool = _value(
        default=False, meaning="true: a person decides; no tier may settle it alone."
    )

    @field_validator("label")
    @classmethod
    def _one_line(cls, label: str) -> str:
        if not label.isprintable():
            raise ValueError("must be one line of printable text")
        return label


PROBLEMS: Mapping[str, Mapping[str, Any]] = {
    "late_delivery": {"label": "late delivery", "dropout": 0.08, "floor_share": 0.05},
    "out_of_stock": {"label": "out of stock after the order", "dropout": 0.10, "floor_share": 0.05},
    "defective": {"label": "defective item", "dropout": 0.15, "floor_share": 0.05},
    "wrong_item": {"label": "wrong or missing item", "dropout": 0.12, "floor_share": 0.10},
    "returned_item": {"label": "return friction", "dropout": 0.10},
    "billing_error": {"label": "billing error", "dropout": 0.18, "floor_share": 0.10},
    # pro rata: the loss is the price of the time without service, and all of it comes back
    "outage": {"label": "outage", "dropout": 0.10, "floor_share": 1.0},
    "mistreated": {"label": "mistreated by staff", "dropout": 0.25, "floor_fixed": 10.0},
    "safety_or_privacy": {"label": "safety or privacy", "dropout": 0.45, "person_decides": True},
}
"""The built-in types, as far as they differ from the defaults of :class:`ProblemType`."""


class DropoutRules(_Section):
    """What moves the dropout of a problem type, each on the scale of log-odds."""

    per_severity_level: float = _value(
        0.5, "Added to the log-odds of leaving for each level of severity above 1 (1 to 4)."
    )
    per_log_purchases: float = _value(
        -0.35,
        "Added to the log-odds of leaving, times ln(1 + earlier purchases).",
        "assumed, after Knox & van Oest 2014: earlier purchases protect",
    )
    earlier_incident: float = _value(
        0.8,
        "Added to the log-odds of leaving for a problem before this one, fading with time.",
        "assumed, after Maxham & Netemeyer 2002: a second failure soon after hurts most",
    )
    earlier_incident_days: float = _value(
        60.0, "Days in which that fades to 1/e, about 37 % of it.", gt=0
    )


class RetentionRules(_Section):
    """What money spent on keeping customers does, before anything has gone wrong."""

    effect: float = _value(
        0.3,
        "Of the customers who would leave in the period, the part that money can keep.",
        ge=0,
        le=1,
        letter="e",
    )
    money_scale: float = _value(
        0.5,
        "Spend on a customer that does about 63 % of that, as a multiple of the customer's "
        "expected spend per purchase.",
        gt=0,
        letter="1/k",
    )
    min_per_customer: float = _value(
        0.0, "Least to spend on each customer who has anything to save.", ge=0
    )
    max_per_customer: float = _value(50.0, "Most to spend on one customer in the period.", ge=0)
    period_months: int = _value(12, "Months that the budget is for.", ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> RetentionRules:
        if self.min_per_customer > self.max_per_customer:
            raise ValueError(
                f"min_per_customer {self.min_per_customer:g} is above max_per_customer "
                f"{self.max_per_customer:g}"
            )
        return self


def _months(value: Any) -> Any:
    return None if value == "none" else value


def _default_problems() -> dict[str, ProblemType]:
    return {key: ProblemType(**kwargs) for key, kwargs in PROBLEMS.items()}


class Policy(_Section):
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
    clv.errors.PolicyError: discount_rate must be at least 0 and below 1; got 10. 10 means 1000 %; \
did you mean 0.10?
    """

    currency: str = _value(
        "",
        'Code of the currency, printed beside amounts, as "EUR"; empty: not stated.',
        max_length=3,
    )
    margin: float = _value(0.4, "Part of revenue left after what the sold goods cost.", gt=0, lt=1)
    discount_rate: float = _value(
        0.1, "What a year's wait costs: effective annual rate, as 0.10 for 10 %.", ge=0, lt=1
    )
    horizon_months: Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(_months)] = (
        _value(36, 'Months of future purchases that count as value; "none": no end.')
    )
    recovery: RecoveryRules = Field(default_factory=RecoveryRules)
    authority: AuthorityRules = Field(default_factory=AuthorityRules)
    problems: dict[str, ProblemType] = Field(default_factory=_default_problems)
    dropout: DropoutRules = Field(default_factory=DropoutRules)
    retention: RetentionRules = Field(default_factory=RetentionRules)

    _given: frozenset[str] = PrivateAttr(default=frozenset())
    _names: ClassVar[frozenset[str]] = frozenset({"currency", "label"})

    @model_validator(mode="wrap")
    @classmethod
    def _remember(cls, data: Any, handler: Callable[[Any], Policy]) -> Policy:
        """Fill built-in problem types, remember what was given, tell all faults at once."""
        given = data if isinstance(data, Mapping) else {}
        try:
            policy = handler(_with_builtin(given) if given else data)
        except ValidationError as error:
            raise PolicyError.of(faults_of(error, cls(), given)) from None
        if not isinstance(data, Policy):
            policy._given = frozenset(dotted(given))  # noqa: SLF001 - its own class
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
        return cls(**read_toml(text))

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
        """Return the policy as a commented file; assumed values stand in it commented out."""
        return write_toml(self, self.is_set)

    def is_set(self, key: str) -> bool:
        """Whether the company has set the value with this dotted key."""
        return key in self._given

    @functools.cached_property
    def assumed(self) -> dict[str, Any]:
        """Dotted key and value of every figure and rule that the company has not set."""
        values = self.values()
        return {
            key: value
            for key, value in values.items()
            if not self.is_set(key) and key.rpartition(".")[2] not in self._names
        }

    @functools.cached_property
    def version(self) -> str:
        """Twelve hexadecimal digits that change whenever a value in effect changes."""
        values = json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
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


def money(amount: float, currency: str) -> str:
    """Return an amount as people write it, with its currency where that is stated.

    >>> money(1234.5, "EUR"), money(0.25, "")
    ('1,234.50 EUR', '0.25')
    """
    return f"{amount:,.2f} {currency}".rstrip()
