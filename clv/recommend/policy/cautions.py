"""What a policy may say, and hardly means: floors that nobody within its rules may give."""

from __future__ import annotations

from clv.recommend.policy.policy import Policy, money

__all__ = ["cautions_of"]


def cautions_of(policy: Policy) -> tuple[str, ...]:
    r"""Say which floors are above what the policy lets anybody give.

    Only floors that are amounts: a floor that is a part of the loss depends on the loss.

    Parameters
    ----------
    policy : Policy
        The policy; it can be followed as it stands.

    Returns
    -------
    tuple of str
        Sentences; none where nothing is odd.

    Examples
    --------
    >>> (told,) = cautions_of(Policy.parse("[problems.mistreated]\nfloor_fixed = 501"))
    >>> told[:48]
    'Everyone with the problem mistreated by staff ge'
    """
    highest, cap = max(policy.authority.tiers.items(), key=lambda tier: tier[1])
    year = policy.recovery.most_in_12_months
    told = []
    for key, kind in policy.problems.items():
        beyond = []
        if kind.floor_fixed > cap and not kind.person_decides:
            beyond.append(
                f"more than a {highest} may give ({money(cap, policy.currency)}, "
                f"authority.{highest}), so a person has to approve each"
            )
        if kind.floor_fixed > year:
            beyond.append(
                f"more than one customer may get in 12 months ({money(year, policy.currency)}, "
                "recovery.most_in_12_months); the floor wins"
            )
        if beyond:
            told.append(
                f"Everyone with the problem {kind.label} gets "
                f"{money(kind.floor_fixed, policy.currency)} (problems.{key}.floor_fixed): "
                f"{', and '.join(beyond)}. Is it meant?"
            )
    return tuple(told)
