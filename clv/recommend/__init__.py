"""Recommendations: how much to spend on fixing a problem, and on keeping customers.

Numbers and arrays in, frozen results out; nothing here knows a model, a book or the web.
"""

from __future__ import annotations

from clv.recommend.allocation import Allocation, allocate
from clv.recommend.budget_curve import BudgetCurve, budget_curve
from clv.recommend.curve import break_even, net_gain, worthwhile_spend
from clv.recommend.limits import RecoveryLimits, recovery_limits
from clv.recommend.offers import OfferAllocation, allocate_offers
from clv.recommend.policy import Policy, ProblemType
from clv.recommend.quotas import Quota, QuotaAllocation, allocate_with_quotas
from clv.recommend.recovery import Recovery, RecoveryInputs, recovery_limit
from clv.recommend.retention import RetentionBudget, retention_budget
from clv.recommend.retention_offers import Offer, OfferBudget, retention_offers
from clv.recommend.split import BudgetSplit, ExpectedProblems, Project, split_budget
from clv.recommend.total_budget import RetentionCurve, TotalBudget

__all__ = [
    "Allocation",
    "BudgetCurve",
    "BudgetSplit",
    "ExpectedProblems",
    "Offer",
    "OfferAllocation",
    "OfferBudget",
    "Policy",
    "ProblemType",
    "Project",
    "Quota",
    "QuotaAllocation",
    "Recovery",
    "RecoveryInputs",
    "RecoveryLimits",
    "RetentionBudget",
    "RetentionCurve",
    "TotalBudget",
    "allocate",
    "allocate_offers",
    "allocate_with_quotas",
    "break_even",
    "budget_curve",
    "net_gain",
    "recovery_limit",
    "recovery_limits",
    "retention_budget",
    "retention_offers",
    "split_budget",
    "worthwhile_spend",
]
