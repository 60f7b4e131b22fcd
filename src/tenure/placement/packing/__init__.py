"""Choosing the machine for a demand that one machine can serve."""

from tenure.placement.packing.columns import Fleet, FleetState, Placement
from tenure.placement.packing.demand import BoolColumn, ClassTable, Demand, FloatColumn, IntColumn
from tenure.placement.packing.power import Watts

__all__ = [
    "BoolColumn",
    "ClassTable",
    "Demand",
    "Fleet",
    "FleetState",
    "FloatColumn",
    "IntColumn",
    "Placement",
    "Watts",
]
