"""What keeps the rules fair and honest: spread, abuse, experiments, how fast they learn."""

from __future__ import annotations

from clv.recommend.policy.section import Section, figure

__all__ = ["AbuseRules", "ExperimentRules", "FairnessRules", "LearningRules"]


class FairnessRules(Section):
    """How unlike the goodwill of customers with the same problem may be."""

    spread: float = figure(
        5.0,
        "Most goodwill for a problem, as a multiple of the least that anyone gets for the same "
        "problem and loss.",
        ge=1,
    )


class AbuseRules(Section):
    """When a customer's claims are looked at by a person; they are never refused by a rule."""

    prior_claims: float = figure(
        2.0, "Claims that are usual in so many orders as the next line says.", gt=0
    )
    prior_orders: float = figure(
        100.0, "Orders in which so many claims are usual; more orders: slower to suspect.", gt=0
    )
    factor: float = figure(
        3.0, "Suspicious: a customer claims more than so many times as often as usual.", gt=1
    )
    review_probability: float = figure(
        0.3,
        "Probability of that from which a person looks at it; at 0.30 they look at 6 claims in 40 "
        "orders, not at 1 in 10.",
        gt=0,
        le=1,
    )


class ExperimentRules(Section):
    """A small part of the offers is varied by chance, so that what goodwill does can be learned."""

    share: float = figure(0.1, "Part of the offers that is varied; 0: none.", ge=0, lt=0.5)
    grid_steps: int = figure(
        1, "Steps of the grid by which such an offer goes up; none goes down.", ge=1
    )


class LearningRules(Section):
    """How sure the figures above are before the company's own record speaks: prior deviations.

    The smaller a standard deviation, the more data it takes to move the figure.
    """

    dropout_sd: float = figure(0.7, "Of each problem type's log-odds of leaving.", gt=0)
    severity_sd: float = figure(0.25, "Of dropout.per_severity_level.", gt=0)
    purchases_sd: float = figure(0.2, "Of dropout.per_log_purchases.", gt=0)
    earlier_incident_sd: float = figure(0.4, "Of dropout.earlier_incident.", gt=0)
    goodwill_sd: float = figure(
        0.5, "Of what goodwill does, as log-odds of leaving per ln(1 + goodwill/loss).", gt=0
    )
    lateness_sd: float = figure(
        0.5, "Of what waiting does, as log-odds per part of a prompt answer's effect lost.", gt=0
    )
    unresolved_sd: float = figure(0.5, "Of what a problem left unsolved does, as log-odds.", gt=0)
    goodwill_unknown: float = figure(
        -0.2,
        "Log-odds added where the record does not say what goodwill was given; below 0, since "
        "some was given in some of these cases.",
    )
    goodwill_unknown_sd: float = figure(0.5, "Of that.", gt=0)
    retention_effect_sd: float = figure(0.15, "Of retention.effect.", gt=0)
