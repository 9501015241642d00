"""The prior that a policy gives the incident model, and the policy that a posterior gives."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from clv.errors import RequestError
from clv.recommend.incident_prior import incident_prior, learned_from_incidents
from clv.recommend.learned import Learned
from clv.recommend.policy import Policy, ProblemType, RecoveryRules
from clv.recommend.response import dropout_after

inner = st.floats(0.05, 0.95)
policies = st.builds(
    lambda e, rho, kappa, slow, pi0: Policy(
        recovery=RecoveryRules(
            savable_share=e, goodwill_share=rho, money_scale=kappa, slow_share=slow
        ),
        problems={"defective": ProblemType(label="defective", dropout=pi0)},
    ),
    inner, inner, st.floats(0.1, 3), st.floats(0, 0.95), inner,
)  # fmt: skip


def learned(
    policy: Policy, means: dict[str, float], *, goodwill_randomised: bool = True
) -> Learned:
    posterior = {name: (mean, 0.1) for name, mean in means.items()}
    return learned_from_incidents(
        policy,
        posterior,
        dict.fromkeys(posterior, 50),
        goodwill_randomised=goodwill_randomised,
        source="9f3c",
        learned_on=date(2024, 6, 30),
    )


def typical(policy: Policy) -> float:
    shares = sorted(kind.dropout for kind in policy.problems.values())
    assert len(shares) % 2
    return shares[len(shares) // 2]


@given(policies)
def test_prior_means_are_the_response_curve(policy: Policy) -> None:
    rules, prior = policy.recovery, incident_prior(policy)
    pi0 = policy.problems["defective"].dropout
    after = dropout_after(0, 0, pi0=pi0, kappa=rules.money_scale, rules=rules)
    assert prior["type:defective"][0] == pytest.approx(logit(after))

    pi0 = typical(policy)
    base, of_loss, never = (
        logit(dropout_after(s, h, pi0=pi0, kappa=rules.money_scale, rules=rules))
        for s, h in ((0, 0), (1, 0), (0, 1e9))  # money in units of the loss
    )
    assert base + prior["goodwill"][0] * math.log(2) == pytest.approx(of_loss)
    assert base + prior["lateness"][0] * (1 - rules.slow_share) == pytest.approx(never)
    assert base + prior["unresolved"][0] == pytest.approx(logit(pi0))


@given(policies)
def test_a_posterior_that_is_the_prior_leaves_the_policy_as_it_is(policy: Policy) -> None:
    prior = incident_prior(policy)
    told = learned_from_incidents(
        policy, prior, {}, goodwill_randomised=True, source="", learned_on=date(2024, 6, 30)
    )
    for key, figure in told.figures.items():
        assert figure.value == pytest.approx(policy.values()[key], abs=1e-9), key
        assert figure.share_from_data == 0
    assert set(told.figures) == {
        *(f"problems.{key}.dropout" for key in policy.problems),
        *(f"dropout.{n}" for n in ("per_severity_level", "per_log_purchases", "earlier_incident")),
        *(f"recovery.{n}" for n in ("savable_share", "goodwill_share", "slow_share")),
    }


@given(policies, st.floats(-3, 1))
def test_the_policy_then_says_what_the_record_says(policy: Policy, goodwill: float) -> None:
    after = policy.with_learned(learned(policy, {"goodwill": goodwill}))
    rules, old = after.recovery, policy.recovery
    pi0 = typical(after)
    none, of_loss = (
        dropout_after(s, 0, pi0=pi0, kappa=rules.money_scale, rules=rules) for s in (0, 1)
    )
    # what a fix alone does is not learned from goodwill: nor is π0 then
    assert none == pytest.approx(pi0 * (1 - old.savable_share * (1 - old.goodwill_share)))
    wanted = expit(logit(none) + goodwill * math.log(2))
    if rules.savable_share == 1:
        assert of_loss >= wanted - 1e-12  # no more can be saved than all
    else:
        assert of_loss == pytest.approx(min(wanted, none))


def test_goodwill_that_does_nothing_moves_the_limits_to_nothing() -> None:
    rules = Policy().with_learned(learned(Policy(), {"goodwill": 0.0})).recovery
    assert rules.goodwill_share == 0
    assert rules.savable_share == pytest.approx(0.6 * 0.4)  # recommender's e and 1 − ρ


@pytest.mark.parametrize("randomised", [True, False])
def test_only_randomised_goodwill_is_used_and_waiting_is_only_shown(randomised: bool) -> None:
    means = {"goodwill": -0.4, "lateness": 2.0, "severity": 1.0}
    told = learned(Policy(), means, goodwill_randomised=randomised)
    used = {"dropout.per_severity_level"}
    used |= {"recovery.savable_share", "recovery.goodwill_share"} if randomised else set()
    assert set(told.used) == used
    assert "recovery.slow_share" in told


@given(policies, st.floats(-4, 4))
def test_a_type_is_learned_as_what_it_does_when_left_alone(policy: Policy, theta: float) -> None:
    told = learned(policy, {"type:outage": theta})
    after = policy.with_learned(told)
    rules = after.recovery
    fixed = dropout_after(0, 0, pi0=after.problems["outage"].dropout, kappa=1, rules=rules)
    most = 1 - rules.savable_share * (1 - rules.goodwill_share)  # of π0 = 1
    assert fixed == pytest.approx(min(expit(theta), most))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_nobody_or_everybody_is_a_prior_that_data_can_move(share: float) -> None:
    policy = Policy(
        problems={"outage": ProblemType(label="outage", dropout=share)},
        recovery=RecoveryRules(savable_share=1.0),
    )
    assert all(map(math.isfinite, (m for m, _ in incident_prior(policy).values())))
    assert 0 < learned(policy, {"type:outage": -2.0})["problems.outage.dropout"].value < 1


def test_figures_of_the_default_policy() -> None:
    # π0 .15, e .6, ρ .6: .15 (1 − .6 · .4) = .114; what a mean at median π0 .12 gives is computed
    # by hand from the same curve: .0912 without goodwill, .12 (1 − .6 (1 − .6 e^−2)) with.
    prior = incident_prior(Policy())
    assert prior["type:defective"] == pytest.approx((math.log(0.114 / 0.886), 0.7))
    kept = 0.12 * (1 - 0.6 * (1 - 0.6 * math.exp(-2)))
    difference = math.log(kept / (1 - kept)) - math.log(0.0912 / 0.9088)
    assert prior["goodwill"] == pytest.approx((difference / math.log(2), 0.5))
    assert prior["severity"] == (0.5, 0.25)
    assert prior["earlier_purchases"] == (-0.35, 0.2)
    assert prior["earlier_incident"] == (0.8, 0.4)
    assert prior["goodwill_unknown"] == (-0.2, 0.5)


def test_a_coefficient_that_the_policy_has_no_prior_for() -> None:
    with pytest.raises(RequestError, match=r"no prior for type:lost, luck; it has one for type:"):
        learned(Policy(), {"type:lost": 0.0, "luck": 1.0})


def test_figures_know_how_they_vary_together() -> None:
    """Types and what moves them, by the figures' own keys; goodwill is a figure of its own."""
    names = ("type:defective", "earlier_purchases", "goodwill")
    rho = np.array([[1, -0.6, 0.2], [-0.6, 1, 0], [0.2, 0, 1]])
    told = learned_from_incidents(
        Policy(), dict.fromkeys(names, (-0.5, 0.1)), {}, goodwill_randomised=True, source="",
        learned_on=date(2024, 6, 30), correlations=(names, rho),
    )  # fmt: skip
    type_key, purchases = "problems.defective.dropout", "dropout.per_log_purchases"
    assert told[type_key].correlations == ((purchases, -0.6),)
    assert told[purchases].correlations == ((type_key, -0.6),)
    assert told["recovery.savable_share"].correlations == ()
