"""Which figures of the policy had a part in a recovery limit."""

from __future__ import annotations

from collections.abc import Iterable

from clv.recommend.policy import Policy

__all__ = ["assumed_keys", "learned_keys"]


def assumed_keys(policy: Policy, problem: str, **part: bool) -> tuple[str, ...]:
    """Return the keys of the assumed values that had a part in an answer.

    Parameters
    ----------
    policy : Policy
        The policy.
    problem : str
        Key of the problem type.
    **part : bool
        What came into it; see :func:`learned_keys`.

    Returns
    -------
    tuple of str
        Dotted keys, in the order of the policy.

    Examples
    --------
    >>> keys = assumed_keys(Policy(), "defective", late=True)
    >>> "recovery.half_life_hours" in keys, "dropout.per_severity_level" in keys
    (True, False)
    """
    return _with_a_part(policy, policy.assumed, problem, **part)


def learned_keys(policy: Policy, problem: str, **part: bool) -> tuple[str, ...]:
    """Return the keys of the learned values that had a part in an answer.

    Parameters
    ----------
    policy : Policy
        The policy.
    problem : str
        Key of the problem type.
    **part : bool
        What came into it: `credit`, goodwill in store credit; `late`, an answer that is not prompt;
        `asking`, more than the agent may give; `worse`, a severity above 1; `known_before`, earlier
        purchases; `again`, an earlier problem; `with_range`, a range; `of_all`, the customer's part
        of all value; `claims`, the customer's claims; `told`, word of mouth.

    Returns
    -------
    tuple of str
        Dotted keys; none where nothing was learned.
    """
    used = policy.learned.used if policy.learned else ()
    return _with_a_part(policy, used, problem, **part)


def _with_a_part(
    policy: Policy,
    keys: Iterable[str],
    problem: str,
    *,
    credit: bool = False,
    late: bool = False,
    asking: bool = False,
    worse: bool = False,
    known_before: bool = False,
    again: bool = False,
    with_range: bool = False,
    of_all: bool = False,
    claims: bool = False,
    told: bool = False,
) -> tuple[str, ...]:
    kind = policy.problem(problem)
    needed = {
        "margin": credit,
        "recovery.credit_redemption": credit,
        "recovery.slow_share": late,
        "recovery.half_life_hours": late,
        "recovery.escalation_cost": asking,
        "recovery.escalation_hours": asking,
        "dropout.per_severity_level": worse,
        "dropout.per_log_purchases": known_before,
        "dropout.earlier_incident": again,
        "dropout.earlier_incident_days": again,
        "fairness.spread": kind.floor_share > 0 or kind.floor_fixed > 0,
        "integral.value_share": of_all,
        "learning.dropout_sd": with_range,
        "learning.severity_sd": with_range and worse,
        "learning.purchases_sd": with_range and known_before,
        "learning.earlier_incident_sd": with_range and again,
    }
    learned = policy.learned.used if policy.learned else {}
    if f"problems.{problem}.dropout" in learned:  # its own deviation, not the prior's
        needed["learning.dropout_sd"] = False

    def has_part(key: str) -> bool:
        if key in needed:
            return needed[key]
        if key.startswith("abuse."):
            return claims
        if key.startswith("word_of_mouth."):
            return told
        return key.startswith(("recovery.", "authority.", f"problems.{problem}."))

    return tuple(key for key in keys if has_part(key))
