"""A shop that does not exist, whose truth is known: orders, problems, goodwill and a campaign.

Every customer is lived through event by event, with nothing of the formulas by which the toolkit
later estimates: what is found in these data can be held against what was put in.

A customer with rate λ ~ Gamma(r, α) orders at exponential gaps and leaves after a repeat order
with probability p ~ Beta(a, b). Every order may go wrong. A problem ends the relationship with
logit π = base + the effects of :class:`Truth`. Late and missing goods are seen by operations
whether or not the customer is still there; the other problems are in the log only where the
customer, being there, reports them. Agents give more goodwill to those who are more upset, which
the log does not say; in an experiment a further step is drawn by chance. From its day on the
campaign keeps some of those who would leave after an order.
"""

from __future__ import annotations

from clv.simulated_shop.life import Shop, simulate
from clv.simulated_shop.truth import GROUP_FAILURE, TRUTH, Arm, Problem, Truth

__all__ = ["GROUP_FAILURE", "TRUTH", "Arm", "Problem", "Shop", "Truth", "simulate"]
