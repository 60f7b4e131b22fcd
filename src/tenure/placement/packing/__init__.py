"""Choosing the machine for a demand that one machine can serve.

Promises: pure and deterministic (same fleet, same calls, same choices); never refuses what fits; `free` restores state
and scores exactly; scores kept equal scores computed anew; nothing is learned but from the demands it was told of.
Refuses: gangs, budgets, calendars and links between machines, which are the planner's, one floor up.
"""

from tenure.placement.packing.choose import Packer
from tenure.placement.packing.columns import Fleet, FleetState, Placement
from tenure.placement.packing.demand import BoolColumn, ClassTable, Demand, FloatColumn, IntColumn
from tenure.placement.packing.power import Watts
from tenure.placement.packing.weights import Weights

__all__ = [
    "BoolColumn",
    "ClassTable",
    "Demand",
    "Fleet",
    "FleetState",
    "FloatColumn",
    "IntColumn",
    "Packer",
    "Placement",
    "Watts",
    "Weights",
]
