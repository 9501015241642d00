"""Recommendations: how much to spend on fixing a problem, and on keeping customers.

Numbers and arrays in, frozen results out; nothing here knows a model, a book or the web.
"""

from __future__ import annotations

from clv.recommend.allocation import Allocation, allocate
from clv.recommend.curve import break_even, net_gain, worthwhile_spend
from clv.recommend.limits import RecoveryLimits, recovery_limits
from clv.recommend.policy import Policy, ProblemType
from clv.recommend.recovery import Recovery, RecoveryInputs, recovery_limit
from clv.recommend.retention import RetentionBudget, retention_budget

__all__ = [
    "Allocation",
    "Policy",
    "ProblemType",
    "Recovery",
    "RecoveryInputs",
    "RecoveryLimits",
    "RetentionBudget",
    "allocate",
    "break_even",
    "net_gain",
    "recovery_limit",
    "recovery_limits",
    "retention_budget",
    "worthwhile_spend",
]
