"""Logs of incidents: what went wrong for whom, read and put into the histories of customers.

:mod:`columns` says which column is what, :mod:`values` what its words mean, :mod:`reading` what the
rows say; :mod:`log` keeps those that are incidents, :mod:`summary` puts them among the purchases.
"""

from __future__ import annotations

from clv.transactions.incidents.log import IncidentLog, read_incidents
from clv.transactions.incidents.summary import CustomerIncidentHistories, incident_histories

__all__ = ["CustomerIncidentHistories", "IncidentLog", "incident_histories", "read_incidents"]
