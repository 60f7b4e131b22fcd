"""The one question of this room: where and when does a demand fit, or why does it not?

Starts are tried in order of time, levels from the narrowest allowed to the widest, domains from the fullest that could
carry the demand to the emptiest. The first that fits is the plan.
"""

from __future__ import annotations

from collections.abc import Sequence

from tenure.placement.answers import Plan, Refusal, Reporter, Silent
from tenure.placement.apart import as_preferred, kept
from tenure.placement.budgets import draws, unknown_draws
from tenure.placement.calendar import Calendar
from tenure.placement.choice import Choice
from tenure.placement.demand import Demand
from tenure.placement.fleet import Fleet, FleetMachine
from tenure.placement.holds import Claim
from tenure.placement.question import Question
from tenure.placement.refusals import refuse
from tenure.placement.search import Found, Search


def plan(
    fleet: Fleet,
    calendar: Calendar,
    demand: Demand,
    *,
    now_ms: int,
    seed: int = 0,
    reporter: Reporter | None = None,
    choice: Choice | None = None,
) -> Plan | Refusal:
    """The plan for a demand on this snapshot, or the refusal that says why there is none.

    Pure: the same arguments give the same value, byte for byte in JSON. Instants are Unix milliseconds. The fleet
    and the calendar are not changed; what the plan takes counts once its hold is in a calendar. ``choice`` weighs the
    machines that would do for a single member; the seed decides what it leaves equal.
    """
    question = Question(fleet, calendar, demand, now_ms, seed, choice)
    heard = reporter if reporter is not None else Silent()
    search = Search(question, heard)
    found = search.first(demand.start_at(now_ms).latest_ms)
    if found is None:
        return refuse(question, heard, proved=search.proved)
    return _preferred(question, found)


def earliest_start(
    fleet: Fleet,
    calendar: Calendar,
    demand: Demand,
    *,
    now_ms: int,
    latest_ms: int,
    seed: int = 0,
    choice: Choice | None = None,
) -> Plan | None:
    """The plan with the earliest feasible start up to ``latest_ms``, whatever latest start the demand names."""
    question = Question(fleet, calendar, demand, now_ms, seed, choice)
    found = Search(question, Silent()).first(latest_ms)
    return _preferred(question, found) if found is not None else None


def _preferred(question: Question, found: Found) -> Plan:
    """The plan, spread as is preferred unless another preference is lost by it."""
    plain, spread = as_plan(question, found), as_preferred(question, found)
    if spread is found:
        return plain
    wished = as_plan(question, spread)
    lost = any(met and not now for (_, met), (_, now) in zip(plain.preferences, wished.preferences, strict=True))
    return plain if lost else wished


def as_plan(question: Question, found: Found) -> Plan:
    fleet, demand = question.fleet, question.demand
    machines = [fleet.machine(claim.machine) for claim in found.claims]
    level, domain = shared_level(fleet, machines)
    return Plan(
        demand=demand.id,
        group=demand.group,
        site=machines[0].site,
        start_ms=found.start_ms,
        end_ms=demand.end_from(found.start_ms),
        claims=found.claims,
        level=level,
        domain=domain,
        preferences=_preferences(question, found.claims, machines),
        draws=tuple(sorted(draws(fleet, found.claims).items())),
        unknown_draws=unknown_draws(fleet, found.claims),
    )


def shared_level(fleet: Fleet, machines: Sequence[FleetMachine]) -> tuple[str, str]:
    """The narrowest level of which one domain contains all these machines, and that domain."""
    for level in fleet.level_names():
        if _share(machines, level):
            return level, str(machines[0].domain(level))
    return "fleet", ""


def _share(machines: Sequence[FleetMachine], level: str) -> bool:
    return machines[0].domain(level) is not None and len({machine.domain(level) for machine in machines}) == 1


def _preferences(
    question: Question, claims: tuple[Claim, ...], machines: Sequence[FleetMachine]
) -> tuple[tuple[str, bool], ...]:
    demand, fleet = question.demand, question.fleet
    met: list[tuple[str, bool]] = []
    if demand.preferred_level is not None:
        wanted = demand.preferred_level
        # Who is alone on a machine is together, whatever the machine is part of.
        together = len({machine.name for machine in machines}) == 1 or _share(machines, wanted)
        met.append((f"level:{wanted}", wanted in fleet.level_names() and together))
    if demand.preferred_spread is not None:
        met.append((f"spread:{demand.preferred_spread.level}", kept(demand.preferred_spread, machines)))
    for role in demand.roles:
        own = [claim for claim in claims if claim.role == role.name]
        for inside in sorted(role.prefers):
            met.append((f"{role.name}:{inside}", all(_shares(fleet, claim, inside) for claim in own)))
    return tuple(met)


def _shares(fleet: Fleet, claim: Claim, inside: str) -> bool:
    machine = fleet.machine(claim.machine)
    devices = [machine.device_index[device.id] for device in claim.devices]
    if inside == "l3":
        return len({machine.core_index[core].l3 for core in claim.cores}) <= 1
    if inside == "pcie":
        return len(devices) <= 1 or (len({d.pcie_switch for d in devices}) == 1 and bool(devices[0].pcie_switch))
    nodes = {machine.core_index[core].numa_node for core in claim.cores} | set(claim.memory_nodes)
    nodes |= {device.numa_node for device in devices if device.numa_node is not None}
    return len(nodes) <= 1
