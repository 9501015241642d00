"""The policy: what a company has decided about its customers, and what is assumed until it has.

One module for each group of tables; :class:`Policy` is the whole.
"""

from __future__ import annotations

from clv.recommend.policy.customers import IntegralRules, StageRules
from clv.recommend.policy.growth import AcquisitionFigures, WordOfMouthRules
from clv.recommend.policy.policy import Policy, money
from clv.recommend.policy.problems import PROBLEMS, DropoutRules, ProblemType
from clv.recommend.policy.recovery import AuthorityRules, RecoveryRules
from clv.recommend.policy.retention import RetentionRules
from clv.recommend.policy.safeguards import (
    AbuseRules,
    ExperimentRules,
    FairnessRules,
    LearningRules,
)
from clv.recommend.policy.statutory import StatutoryRemedy

__all__ = [
    "PROBLEMS",
    "AbuseRules",
    "AcquisitionFigures",
    "AuthorityRules",
    "DropoutRules",
    "ExperimentRules",
    "FairnessRules",
    "IntegralRules",
    "LearningRules",
    "Policy",
    "ProblemType",
    "RecoveryRules",
    "RetentionRules",
    "StageRules",
    "StatutoryRemedy",
    "WordOfMouthRules",
    "money",
]
