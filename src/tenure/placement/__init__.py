"""Placement: an immutable snapshot of the fleet, a demand and a calendar of holds in; a plan or a refusal out.

What it is: a pure function of its arguments (snapshot, clock, seed), so that every decision can be replayed, simulated
and property-tested. The same question has the same answer, byte for byte.
It promises: every plan is feasible; every refusal names what binds, with numbers, and is truly infeasible (or says that
the search gave up); every counter-offer is itself a plan and minimal on its axes; policy is never relaxed.
It refuses: I/O, clocks of its own, knowledge of models, engines or prices. It knows levels, capacities and classes.
"""

from tenure.placement.answers import (
    Binding,
    Conflict,
    FunnelStep,
    Notes,
    Plan,
    Preference,
    Refusal,
    Reporter,
    Silent,
)
from tenure.placement.audit import Overbooking, overbookings
from tenure.placement.budgets import budgets_left, draws
from tenure.placement.calendar import Calendar, Free
from tenure.placement.capacity import CapacityReport, Limit, capacity
from tenure.placement.choice import ByLoad, Choice, Company, Score, Sociable
from tenure.placement.demand import Constraint, Demand, DeviceRequest, Role, Spread, Start
from tenure.placement.fewer import fewer_members
from tenure.placement.fleet import (
    Budget,
    Core,
    Device,
    Draw,
    Fleet,
    FleetMachine,
    Level,
    MemoryNode,
    PowerFacts,
)
from tenure.placement.holds import Claim, DeviceClaim, Hold
from tenure.placement.plan import earliest_start, plan
from tenure.placement.refusals import what_binds
from tenure.placement.relaxations import Alternative, CounterOffer, Step, relaxations
from tenure.placement.scores import AddedWatts, Fragmentation, Locality, SpreadOut
from tenure.placement.values import FOREVER_MS, PlacementError, as_json

__all__ = [
    "FOREVER_MS",
    "AddedWatts",
    "Alternative",
    "Binding",
    "Budget",
    "ByLoad",
    "Calendar",
    "CapacityReport",
    "Choice",
    "Claim",
    "Company",
    "Conflict",
    "Constraint",
    "Core",
    "CounterOffer",
    "Demand",
    "Device",
    "DeviceClaim",
    "DeviceRequest",
    "Draw",
    "Fleet",
    "FleetMachine",
    "Fragmentation",
    "Free",
    "FunnelStep",
    "Hold",
    "Level",
    "Limit",
    "Locality",
    "MemoryNode",
    "Notes",
    "Overbooking",
    "PlacementError",
    "Plan",
    "PowerFacts",
    "Preference",
    "Refusal",
    "Reporter",
    "Role",
    "Score",
    "Silent",
    "Sociable",
    "Spread",
    "SpreadOut",
    "Start",
    "Step",
    "as_json",
    "budgets_left",
    "capacity",
    "draws",
    "earliest_start",
    "fewer_members",
    "overbookings",
    "plan",
    "relaxations",
    "what_binds",
]
