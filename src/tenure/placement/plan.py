"""The one question of this room: where and when does a demand fit, or why does it not?

Starts are tried in order of time, levels from the narrowest allowed to the widest, domains from the fullest that could
carry the demand to the emptiest. The first that fits is the plan.
"""

from __future__ import annotations

from collections.abc import Sequence

from tenure.placement.answers import Plan, Preference, Refusal, Reporter, Silent
from tenure.placement.budgets import draws, unknown_draws
from tenure.placement.calendar import Calendar
from tenure.placement.choice import Choice
from tenure.placement.demand import Demand
from tenure.placement.fleet import Fleet, FleetMachine
from tenure.placement.preferences import share
from tenure.placement.preferred import as_preferred
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
    return as_plan(question, *as_preferred(question, found))


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
    return as_plan(question, *as_preferred(question, found)) if found is not None else None


def as_plan(question: Question, found: Found, preferred: tuple[Preference, ...]) -> Plan:
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
        preferences=preferred,
        draws=tuple(sorted(draws(fleet, found.claims).items())),
        unknown_draws=unknown_draws(fleet, found.claims),
    )


def shared_level(fleet: Fleet, machines: Sequence[FleetMachine]) -> tuple[str, str]:
    """The narrowest level of which one domain contains all these machines, and that domain."""
    for level in fleet.level_names():
        if share(machines, level):
            return level, str(machines[0].domain(level))
    return "fleet", ""
