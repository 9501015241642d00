"""Plots: each draws one result on one Axes, its own or one that is given.

The title says the finding, the axes their units; colours can be told apart by colour-blind readers
and in print. The functions return the Axes, so a user can change all of it and save it:
``ax.figure.savefig("name.png", dpi=200)``.
"""

from __future__ import annotations

from clv.plots.budget_curve import plot_budget_curve
from clv.plots.concentration import plot_concentration
from clv.plots.p_alive_map import plot_p_alive
from clv.plots.qini import plot_qini
from clv.plots.tracking import plot_tracking

__all__ = ["plot_budget_curve", "plot_concentration", "plot_p_alive", "plot_qini", "plot_tracking"]
