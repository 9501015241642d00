"""What each stage of the relationship amounts to, and what its typical customer would be given.

Typical is the customer with the medians of the stage: of the value if kept, and of the orders so
far. What is lost is taken to be one order, of the stage's median expected amount; it is the first
problem, of usual severity, answered at once, and the customer has been in touch.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from clv.book.budget import stages
from clv.book.decisions import Opened
from clv.book.recovery import told_to_others
from clv.recommend.limits import PERSON, recovery_limits
from clv.recommend.stages import INTEGRAL, STAGES

__all__ = ["ASSUMING", "Gesture", "StageGestures", "stage_gestures"]

ASSUMING = (
    "Typical: the medians of the stage. The loss is taken to be one order; it is the customer's "
    "first problem, of usual severity, answered at once. For one customer: clv recover."
)
"""What the gestures assume, in words."""


@dataclass(frozen=True)
class Gesture:
    """Goodwill for one type of problem, in money at face value.

    Attributes
    ----------
    problem, label : str
        Key of the type in the policy, and what people call it.
    first_gesture, recommended : float
        As in :class:`~clv.recommend.limits.RecoveryLimits`.
    authority : str
        The tier that may approve `recommended`, or "a person decides".
    """

    problem: str
    label: str
    first_gesture: float
    recommended: float
    authority: str


@dataclass(frozen=True)
class StageGestures:
    """One stage; amounts in money.

    Attributes
    ----------
    stage : str
        Its label.
    customers : int
        How many are in it.
    value : float
        What they are worth together, from here on.
    value_if_alive, frequency, loss : float
        Medians: value of a customer who is kept, repeat orders, expected amount of an order.
    gestures : tuple of Gesture
        One for each problem type of the policy.
    """

    stage: str
    customers: int
    value: float
    value_if_alive: float
    frequency: float
    loss: float
    gestures: tuple[Gesture, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return asdict(self) | {"gestures": [asdict(one) for one in self.gestures]}


def stage_gestures(book: Opened) -> tuple[StageGestures, ...]:
    """Say what each stage amounts to, and what its typical customer would be given.

    Parameters
    ----------
    book : Opened
        Whose customers and policy.

    Returns
    -------
    tuple of StageGestures
        Every stage that has customers, in the order of the relationship.
    """
    names = ("lifetime_value", "value_if_alive", "frequency", "expected_spend")
    table = book.read(names)
    columns = [np.asarray(column, dtype=float) for column in table.columns]
    code, policy = stages(book), book.policy
    peopled = np.unique(code)
    total = [float(columns[0][code == at].sum()) for at in peopled]
    value, orders, loss = (
        np.array([np.median(column[code == at]) for at in peopled]) for column in columns[1:]
    )
    tiers = [*policy.authority.tiers, PERSON]
    told: list[list[Gesture]] = [[] for _ in peopled]
    for key, kind in policy.problems.items():
        limits = recovery_limits(
            policy,
            key,
            loss,
            value_if_alive=value,
            frequency=orders,
            word_of_mouth=told_to_others(book).at_stake,
            value_share=np.where(peopled == INTEGRAL, policy.integral.value_share, 0.0),
        )
        for i, of_stage in enumerate(told):
            of_stage.append(
                Gesture(
                    key,
                    kind.label,
                    float(limits.first_gesture[i]),
                    float(limits.recommended[i]),
                    tiers[int(limits.tier[i])],
                )
            )
    return tuple(
        StageGestures(
            stage=policy.stages.labels[STAGES[at]],
            customers=int((code == at).sum()),
            value=total[i],
            value_if_alive=float(value[i]),
            frequency=float(orders[i]),
            loss=float(loss[i]),
            gestures=tuple(told[i]),
        )
        for i, at in enumerate(peopled.tolist())
    )
