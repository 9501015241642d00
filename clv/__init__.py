"""Customer lifetime value with its uncertainty, and what to do with it.

>>> import clv
>>> model = clv.BGNBD(r=.243, alpha=4.414, a=.793, b=2.426)
>>> round(float(model.p_alive(x=2, t_x=30.43, T=38.86)), 3)
0.727
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clv import datasets as datasets
    from clv.book import Book as Book
    from clv.build import build_book as build_book
    from clv.campaigns import fit_campaigns as fit_campaigns
    from clv.errors import ClvError as ClvError
    from clv.evaluate.comparison import compare as compare
    from clv.evaluate.coverage import coverage as coverage
    from clv.evaluate.holdout import holdout_check as holdout_check
    from clv.evaluate.tracking import tracking_check as tracking_check
    from clv.history import Histories as Histories
    from clv.incident_history import IncidentHistories as IncidentHistories
    from clv.incidents import assign_offer as assign_offer
    from clv.incidents import estimate_experiment as estimate_experiment
    from clv.incidents import incident_causes as incident_causes
    from clv.incidents import learn_from_incidents as learn_from_incidents
    from clv.incidents import plan_experiment as plan_experiment
    from clv.inference.incident_posterior import incident_posterior as incident_posterior
    from clv.inference.independence import spend_independence as spend_independence
    from clv.inference.intervals import expectation_interval as expectation_interval
    from clv.inference.intervals import predict as predict
    from clv.inference.lifetimes_bridge import cross_check as cross_check
    from clv.inference.lifetimes_bridge import from_lifetimes as from_lifetimes
    from clv.inference.lifetimes_bridge import to_lifetimes as to_lifetimes
    from clv.inference.posterior import posterior as posterior
    from clv.inference.seasonal_fit import SeasonalFit as SeasonalFit
    from clv.inference.seasonal_fit import fit_seasonal as fit_seasonal
    from clv.models.bg_bb import BGBB as BGBB
    from clv.models.bg_cnbd import BGCNBD as BGCNBD
    from clv.models.bg_nbd import BGNBD as BGNBD
    from clv.models.covariates.fit import CovariateFit as CovariateFit
    from clv.models.covariates.fit import fit_covariates as fit_covariates
    from clv.models.covariates.model import CovariateModel as CovariateModel
    from clv.models.gamma_gamma import GammaGamma as GammaGamma
    from clv.models.incidents.fit import IncidentFit as IncidentFit
    from clv.models.incidents.model import IncidentBGNBD as IncidentBGNBD
    from clv.models.maximum_likelihood import Fit as Fit
    from clv.models.maximum_likelihood import LogNormal as LogNormal
    from clv.models.mbg_cnbd import MBGCNBD as MBGCNBD
    from clv.models.mbg_nbd import MBGNBD as MBGNBD
    from clv.models.pareto_nbd import ParetoNBD as ParetoNBD
    from clv.models.shifted_beta_geometric import ShiftedBetaGeometric as ShiftedBetaGeometric
    from clv.models.survival_counts import SurvivalCounts as SurvivalCounts
    from clv.plots import plot_budget_curve as plot_budget_curve
    from clv.plots import plot_concentration as plot_concentration
    from clv.plots import plot_p_alive as plot_p_alive
    from clv.plots import plot_qini as plot_qini
    from clv.plots import plot_tracking as plot_tracking
    from clv.quality.check import check_orders as check_orders
    from clv.recommend.allocation import allocate as allocate
    from clv.recommend.policy import Policy as Policy
    from clv.recommend.recovery import recovery_limit as recovery_limit
    from clv.recommend.retention import retention_budget as retention_budget
    from clv.transactions.campaigns import read_campaigns as read_campaigns
    from clv.transactions.engines import DuckDBEngine as DuckDBEngine
    from clv.transactions.engines.spark import SparkEngine as SparkEngine
    from clv.transactions.incidents import IncidentLog as IncidentLog
    from clv.transactions.incidents import incident_histories as incident_histories
    from clv.transactions.incidents import read_incidents as read_incidents
    from clv.transactions.orders import read_orders as read_orders
    from clv.transactions.schema import Schema as Schema
    from clv.transactions.split import holdout as holdout
    from clv.transactions.summary import histories as histories
    from clv.value.lifetime_value import lifetime_value as lifetime_value
    from clv.value.seasonal_forecast import seasonal_forecast as seasonal_forecast
    from clv.value.value_files import write_lifetime_values as write_lifetime_values

__version__ = "0.1.0"

_HOME = {
    "BGBB": "clv.models.bg_bb",
    "BGCNBD": "clv.models.bg_cnbd",
    "BGNBD": "clv.models.bg_nbd",
    "Book": "clv.book",
    "ClvError": "clv.errors",
    "CovariateFit": "clv.models.covariates.fit",
    "CovariateModel": "clv.models.covariates.model",
    "DuckDBEngine": "clv.transactions.engines",
    "Fit": "clv.models.maximum_likelihood",
    "GammaGamma": "clv.models.gamma_gamma",
    "Histories": "clv.history",
    "IncidentBGNBD": "clv.models.incidents.model",
    "IncidentFit": "clv.models.incidents.fit",
    "IncidentHistories": "clv.incident_history",
    "IncidentLog": "clv.transactions.incidents",
    "LogNormal": "clv.models.maximum_likelihood",
    "MBGCNBD": "clv.models.mbg_cnbd",
    "MBGNBD": "clv.models.mbg_nbd",
    "ParetoNBD": "clv.models.pareto_nbd",
    "Policy": "clv.recommend.policy",
    "Schema": "clv.transactions.schema",
    "SeasonalFit": "clv.inference.seasonal_fit",
    "ShiftedBetaGeometric": "clv.models.shifted_beta_geometric",
    "SparkEngine": "clv.transactions.engines.spark",
    "SurvivalCounts": "clv.models.survival_counts",
    "allocate": "clv.recommend.allocation",
    "assign_offer": "clv.incidents",
    "build_book": "clv.build",
    "check_orders": "clv.quality.check",
    "compare": "clv.evaluate.comparison",
    "coverage": "clv.evaluate.coverage",
    "cross_check": "clv.inference.lifetimes_bridge",
    "datasets": "clv.datasets",
    "estimate_experiment": "clv.incidents",
    "expectation_interval": "clv.inference.intervals",
    "fit_campaigns": "clv.campaigns",
    "fit_covariates": "clv.models.covariates.fit",
    "fit_seasonal": "clv.inference.seasonal_fit",
    "from_lifetimes": "clv.inference.lifetimes_bridge",
    "histories": "clv.transactions.summary",
    "holdout": "clv.transactions.split",
    "holdout_check": "clv.evaluate.holdout",
    "incident_causes": "clv.incidents",
    "incident_histories": "clv.transactions.incidents",
    "incident_posterior": "clv.inference.incident_posterior",
    "learn_from_incidents": "clv.incidents",
    "lifetime_value": "clv.value.lifetime_value",
    "plan_experiment": "clv.incidents",
    "plot_budget_curve": "clv.plots",
    "plot_concentration": "clv.plots",
    "plot_p_alive": "clv.plots",
    "plot_qini": "clv.plots",
    "plot_tracking": "clv.plots",
    "posterior": "clv.inference.posterior",
    "predict": "clv.inference.intervals",
    "read_campaigns": "clv.transactions.campaigns",
    "read_incidents": "clv.transactions.incidents",
    "read_orders": "clv.transactions.orders",
    "recovery_limit": "clv.recommend.recovery",
    "retention_budget": "clv.recommend.retention",
    "seasonal_forecast": "clv.value.seasonal_forecast",
    "spend_independence": "clv.inference.independence",
    "to_lifetimes": "clv.inference.lifetimes_bridge",
    "tracking_check": "clv.evaluate.tracking",
    "write_lifetime_values": "clv.value.value_files",
}
"""Where each public name lives. Names are imported when first used, so that a command which only
looks up one customer does not wait for the fitting machinery."""

__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    if name in _HOME:
        home = importlib.import_module(_HOME[name])
        value = home if _HOME[name] == f"clv.{name}" else getattr(home, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'clv' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
