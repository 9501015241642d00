"""Plots: each draws one result on one Axes, its own or one that is given.

The title says the finding, the axes their units; colours can be told apart by colour-blind readers
and in print. The functions return the Axes, so a user can change all of it and save it:
``ax.figure.savefig("name.png", dpi=200)``.
"""
