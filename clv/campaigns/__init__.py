"""Campaigns of a book: what they did, and what the policy should follow of it."""

from __future__ import annotations

from clv.campaigns.learning import By, fit_campaigns
from clv.campaigns.result import ArmResult, CampaignFit, CampaignResult, SegmentResult

__all__ = ["ArmResult", "By", "CampaignFit", "CampaignResult", "SegmentResult", "fit_campaigns"]
