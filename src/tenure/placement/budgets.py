"""Budgets: sums over everything inside a domain. Power is one, a licence is another; all work alike.

What a claim draws of ``power`` follows from the machine's own facts (cores and devices, by the budget's rating), and
what it draws becomes heat: as much counts against ``cooling``. All else, and any power beside that, is drawn as the
claim's ``draws`` say. A device that is shared draws in proportion.
A known hole: hardware whose power is unknown draws nothing here, and ``unknown_draws`` names it so that it can be said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from tenure.placement import over_time
from tenure.placement.calendar import Amounts, Calendar
from tenure.placement.charges import together
from tenure.placement.fleet import Budget, Fleet, FleetMachine
from tenure.placement.holds import Claim, Hold
from tenure.placement.ordered import Tree
from tenure.placement.over_time import Step

POWER, COOLING = "power", "cooling"
WATTS = frozenset({POWER, COOLING})
"""Budgets that are drawn by what a machine's parts consume."""


def claim_draw(budget: Budget, machine: FleetMachine, claim: Claim) -> int:
    """What one claim on a machine inside the budget's domain draws of it, in the budget's unit."""
    drawn = sum(draw.amount for draw in claim.draws if draw.budget == budget.name)
    if budget.name not in WATTS:
        return drawn
    drawn += len(claim.cores) * (machine.core_power.by(budget.rating) or 0)
    for taken in claim.devices:
        device = machine.device_index.get(taken.id)
        if device is None:  # of a machine that was another one
            continue
        # Rounded up, so that shares never add up to less than the whole.
        drawn += -(-(device.power.by(budget.rating) or 0) * taken.milli // max(1, device.milli))
    return drawn


def unknown_draws(fleet: Fleet, claims: Iterable[Claim]) -> tuple[str, ...]:
    """Budgets of power and cooling that these claims fall under although the power of what they take is not known."""
    unknown: set[str] = set()
    for claim in claims:
        machine = fleet.machine(claim.machine)
        for budget in fleet.budgets_over(claim.machine):
            if budget.name not in WATTS:
                continue
            figures = [machine.core_power.by(budget.rating)] if claim.cores else []
            figures += [machine.device_index[taken.id].power.by(budget.rating) for taken in claim.devices]
            if None in figures:
                unknown.add(budget.id)
    return tuple(sorted(unknown))


def draws(fleet: Fleet, claims: Iterable[Claim]) -> Amounts:
    """What claims that stand together draw of each budget, by budget id. Budgets that they do not touch are absent.

    A budget that counts crossings (an uplink) is drawn only by claims with a member on the other side. What stands on a
    machine that is in no fleet any more stands on no side that is known here, so on the other one.
    """
    together = [claim for claim in claims if claim.machine in fleet.index or _takes(claim)]
    total: Amounts = {}
    inside: dict[str, int] = {}
    for claim in together:
        machine = fleet.index.get(claim.machine)
        if machine is None:
            continue
        for budget in fleet.budgets_over(claim.machine):
            total[budget.id] = total.get(budget.id, 0) + claim_draw(budget, machine, claim)
            if budget.crossing:
                inside[budget.id] = inside.get(budget.id, 0) + 1
    return {budget: amount for budget, amount in total.items() if amount and inside.get(budget) != len(together)}


def _takes(claim: Claim) -> bool:
    return bool(claim.cores or claim.memory_bytes or claim.devices or claim.draws)


def _hold_draws(fleet: Fleet, hold: Hold) -> Amounts:
    """What a hold draws; reckoned once a hold and fleet, since neither changes."""
    known = fleet.drawn.get(hold.id)
    if known is None or known[0] is not hold:
        known = fleet.drawn[hold.id] = (hold, _drawn_by(fleet, hold))
    return known[1]


def _drawn_by(fleet: Fleet, hold: Hold) -> Amounts:
    """What it takes of the site's budgets by its own word, it takes also where its machine is retired: in no fleet."""
    total = draws(fleet, hold.claims)
    for claim in hold.claims:
        for draw in claim.draws if claim.machine not in fleet.index else ():
            for budget in fleet.budgets_at("site", hold.site):
                if budget.name == draw.budget:
                    total[budget.id] = total.get(budget.id, 0) + draw.amount
    return total


def budgets_left(
    fleet: Fleet, calendar: Calendar, start_ms: int, end_ms: int, *, without_group: str = ""
) -> dict[str, int]:
    """What is left of each budget throughout [start, end), by budget id; below zero where it is overdrawn."""
    if not fleet.budgets:
        return {}
    until_ms = end_ms + calendar.margin_ms
    lines = calendar.charges.lines(fleet, calendar.margin_ms, _hold_draws, calendar.alternatives)
    beside = calendar.by_group.get(without_group, ()) if without_group else ()
    own = together(beside, calendar.margin_ms, partial(_hold_draws, fleet))
    peak = {b.id: _peak(lines[b.id], own.get(b.id, ()), start_ms, until_ms) for b in fleet.budgets if b.id in lines}
    return {budget.id: budget.limit - budget.base - peak.get(budget.id, 0) for budget in fleet.budgets}


def _peak(line: Tree, own: Iterable[Step], start_ms: int, until_ms: int) -> int:
    """The greatest that is drawn over a time, but for what one group of alternatives draws by its own steps."""
    steps = sorted(own)
    if not steps:
        return over_time.peak(line, start_ms, until_ms)
    highest, taken, at_ms = 0, 0, start_ms
    for when_ms, change in (*steps, (until_ms, 0)):
        # Between two of its steps the group draws alike.
        if at_ms < min(when_ms, until_ms):
            highest = max(highest, over_time.peak(line, at_ms, min(when_ms, until_ms)) - taken)
        taken += change
        at_ms = max(at_ms, when_ms)
    return highest


def overdrawn(left: Mapping[str, int], drawn: Mapping[str, int]) -> str | None:
    """The first budget, in the order of their ids, that these draws would overdraw."""
    return next((budget for budget in sorted(drawn) if drawn[budget] > left.get(budget, 0)), None)
