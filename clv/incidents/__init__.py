"""What a book's incidents teach, cost and are worth preventing.

::

    book, log ──► learning         the incident-aware model, and what of it the policy learns
                  effects          the same in words
                  record           each incident on its own day, and how it turned out
                  causes           what each cause cost, and who went quiet
                  experiment_plan  how long an experiment takes
                  experiment       who is in it, and what it showed
"""

from __future__ import annotations

from clv.incidents.causes import CausesReport, SilentCustomer, incident_causes
from clv.incidents.effects import LearnedEffect, LearnedType
from clv.incidents.experiment import ExperimentResult, assign_offer, estimate_experiment
from clv.incidents.experiment_plan import ExperimentPlan, StepPlan, plan_experiment
from clv.incidents.learning import IncidentLearning, learn_from_incidents

__all__ = [
    "CausesReport",
    "ExperimentPlan",
    "ExperimentResult",
    "IncidentLearning",
    "LearnedEffect",
    "LearnedType",
    "SilentCustomer",
    "StepPlan",
    "assign_offer",
    "estimate_experiment",
    "incident_causes",
    "learn_from_incidents",
    "plan_experiment",
]
