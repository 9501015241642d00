"""Logs of campaigns: who was in which arm, read and put beside what customers did.

:mod:`columns` says which column is what, :mod:`reading` what the rows say; :mod:`log` keeps those
that compare, :mod:`outcomes` looks at the orders before a campaign and after it.
"""

from __future__ import annotations

from clv.transactions.campaigns.log import CampaignLog, read_campaigns
from clv.transactions.campaigns.outcomes import CampaignOutcomes, campaign_outcomes

__all__ = ["CampaignLog", "CampaignOutcomes", "campaign_outcomes", "read_campaigns"]
