"""What a calendar answers, over long histories, is what adding everything up anew gives: no hold forgotten, none twice.

The recount here looks at every hold at every millisecond and knows nothing of trees or lines.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.placement.builders import machine

from tenure.placement import (
    Budget,
    Calendar,
    Claim,
    DeviceClaim,
    Draw,
    Fleet,
    FleetMachine,
    Hold,
    budgets_left,
    ordered,
)
from tenure.placement.values import FOREVER_MS

MACHINES = [machine(f"m{n}", cores=4, gpus=2, place=(("rack", f"r{n % 2}"),)) for n in range(3)]
FLEET = Fleet.of(
    MACHINES,
    budgets=(
        Budget("licence", "site", "here", 20, 1),
        Budget("licence", "rack", "r0", 9),
        Budget("uplink", "rack", "r1", 5, crossing=True),
    ),
)
HORIZON_MS = 60


def a_hold(draw: random.Random, name: str) -> Hold:
    claims = []
    for at in draw.sample(MACHINES, draw.choice([1, 1, 2])):
        cores = tuple(sorted(draw.sample(range(4), draw.randint(0, 2))))
        devices = tuple(DeviceClaim(f"gpu{n}", draw.choice([300, 1000])) for n in range(draw.randint(0, 2)))
        draws = (Draw("licence", draw.randint(0, 3)), Draw("uplink", draw.randint(0, 2)))
        claims.append(Claim(at.name, cores, draw.randint(0, 5), (0,), devices, draws=draws))
    start = draw.randrange(HORIZON_MS - 10)
    end = FOREVER_MS if draw.random() < 0.05 else start + draw.choice([1, 2, 5, 20])
    return Hold(name, draw.choice(["", "", "g0", "g1", "g2"]), "here", start, end, tuple(claims))


def standing(holds: Iterable[Hold], at_ms: int, margin_ms: int, without_group: str) -> list[list[Hold]]:
    groups: dict[str, list[Hold]] = {}
    for hold in holds:
        if hold.start_ms <= at_ms < hold.end_ms + margin_ms and not (without_group and hold.group == without_group):
            groups.setdefault(hold.alternative_of, []).append(hold)
    return list(groups.values())


def taken_at(on: FleetMachine, groups: list[list[Hold]]) -> dict[str, int]:
    """Cores of every alternative; of bytes and thousandths the greatest of alternatives."""
    taken: dict[str, int] = {}
    for group in groups:
        greatest: dict[str, int] = {}
        for hold in group:
            own: dict[str, int] = {}
            for claim in hold.claims:
                if claim.machine == on.name:
                    parts = [(f"memory {n}", part) for n, part in claim.memory_parts().items()]
                    for axis, amount in [*parts, *((device.id, device.milli) for device in claim.devices)]:
                        own[axis] = own.get(axis, 0) + amount
            greatest = {axis: max(own.get(axis, 0), greatest.get(axis, 0)) for axis in {*own, *greatest}}
        for axis, amount in greatest.items():
            taken[axis] = taken.get(axis, 0) + amount
    return taken


def drawn_at(budget: Budget, groups: list[list[Hold]]) -> int:
    def of(hold: Hold) -> int:
        inside = [c for c in hold.claims if FLEET.machine(c.machine).domain(budget.level) == budget.domain]
        if budget.crossing and len(inside) == len(hold.claims):
            return 0
        return sum(draw.amount for claim in inside for draw in claim.draws if draw.budget == budget.name)

    return sum(max(map(of, group)) for group in groups)


def judge(calendar: Calendar, start_ms: int, end_ms: int, group: str) -> None:
    holds, margin = calendar.holds.values(), calendar.margin_ms
    instants = [standing(holds, at, margin, group) for at in range(start_ms, end_ms + margin)]
    for on in MACHINES:
        free = calendar.free_over(on, start_ms, end_ms, without_group=group)
        present = [hold for groups in instants for alternatives in groups for hold in alternatives]
        cores = {core for hold in present for claim in hold.claims if claim.machine == on.name for core in claim.cores}
        assert free.cores == on.sellable_cores() - cores
        tables = [taken_at(on, groups) for groups in instants]
        for node, left in on.sellable_memory().items():
            assert free.memory[node] == left - max(table.get(f"memory {node}", 0) for table in tables)
        for name, left in on.sellable_devices().items():
            assert free.devices[name] == left - max(table.get(name, 0) for table in tables)
        met = {hold.id for hold in present if any(claim.machine == on.name for claim in hold.claims)}
        near = calendar.near(on.name, start_ms, end_ms, without_group=group)
        assert [hold.id for hold in near] == sorted(met, key=lambda name: (calendar.holds[name].start_ms, name))
        at_once = calendar.free_at(on, start_ms, without_group=group)
        now = taken_at(on, instants[0])
        assert at_once.devices == {name: left - now.get(name, 0) for name, left in on.sellable_devices().items()}
    counted = {b.id: b.limit - b.base - max(drawn_at(b, groups) for groups in instants) for b in FLEET.budgets}
    assert budgets_left(FLEET, calendar, start_ms, end_ms, without_group=group) == counted
    others = [hold for hold in holds if not (group and hold.group == group)]
    released: dict[int, list[str]] = {}
    for on in MACHINES:
        for hold in sorted(others, key=lambda one: (one.start_ms, one.id)):
            stop = min(FOREVER_MS, hold.end_ms + margin)
            if start_ms < stop <= end_ms and any(claim.machine == on.name for claim in hold.claims):
                released.setdefault(stop, []).append(on.name)
    found = calendar.releases([on.name for on in MACHINES], start_ms, end_ms, without_group=group)
    assert [(stop, sorted(names)) for stop, names in found.items()] == sorted(
        (stop, sorted(names)) for stop, names in released.items()
    )
    assert calendar.last_start_ms(without_group=group) == max((h.start_ms for h in others), default=-FOREVER_MS)


@pytest.mark.parametrize("width", [4, 32])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), margin=st.integers(0, 3))
def test_every_question_is_answered_as_by_a_recount_of_all_holds(width: int, seed: int, margin: int) -> None:
    """Narrow nodes make of few holds a tree as deep as that of very many."""
    draw = random.Random(seed)
    usual, ordered.WIDTH = ordered.WIDTH, width
    try:
        calendar = Calendar(margin_ms=margin)
        for number in range(80):
            if calendar.holds and draw.random() < (0.2 if number < 50 else 0.7):
                gone = draw.sample(sorted(calendar.holds), min(len(calendar.holds), draw.choice([1, 1, 3])))
                calendar = calendar.without(*gone)
            else:
                news = [a_hold(draw, f"h{number}-{n}") for n in range(draw.choice([1, 1, 1, 4]))]
                calendar = calendar.with_holds(*news)
            if draw.random() < 0.3:
                start = draw.randrange(HORIZON_MS)
                judge(calendar, start, start + draw.randint(1, 12), draw.choice(["", "g0", "g1"]))
    finally:
        ordered.WIDTH = usual


def test_a_calendar_is_not_changed_by_those_that_come_of_it() -> None:
    draw = random.Random(3)
    calendar = Calendar.of([a_hold(draw, f"h{n}") for n in range(200)], margin_ms=2)
    before = budgets_left(FLEET, calendar, 10, 40), calendar.free_over(MACHINES[0], 10, 40)
    fuller = calendar.with_holds(*(a_hold(draw, f"more{n}") for n in range(50)))
    emptier = calendar.without(*sorted(calendar.holds)[::2])
    assert budgets_left(FLEET, fuller, 10, 40) != budgets_left(FLEET, emptier, 10, 40)
    assert (budgets_left(FLEET, calendar, 10, 40), calendar.free_over(MACHINES[0], 10, 40)) == before


def test_what_was_learned_of_one_fleet_or_margin_is_not_told_of_another() -> None:
    draw = random.Random(4)
    calendar = Calendar.of([a_hold(draw, f"h{n}") for n in range(30)], margin_ms=2)
    stricter = FLEET.with_budgets([replace(FLEET.budgets[0], name="uplink"), *FLEET.budgets[1:]])
    fewer = FLEET.with_budgets(FLEET.budgets[1:])
    for fleet in (FLEET, stricter, fewer, FLEET):
        for margin in (2, 0):
            asked = replace(calendar, margin_ms=margin)
            afresh = Calendar.of(calendar.holds.values(), margin_ms=margin)
            assert budgets_left(fleet, asked, 20, 21) == budgets_left(fleet, afresh, 20, 21)


def test_a_question_looks_at_what_it_meets_and_not_at_all_that_stands() -> None:
    """Ten thousand holds, one after another on one machine: what is entered of the tree is a path or two."""
    claim = (Claim("m0", (), 1, (0,), draws=(Draw("licence", 1),)),)
    calendar = Calendar.of([Hold(f"h{n:05d}", "", "here", 10 * n, 10 * n + 10, claim) for n in range(10_000)])
    assert [hold.id for hold in calendar.near("m0", 50_005, 50_025)] == ["h05000", "h05001", "h05002"]

    def depth(node: ordered.Node) -> int:
        return 1 if node.leaf else 1 + max(depth(part) for part in node.parts)

    grown = calendar
    for n in range(500):
        grown = grown.with_holds(Hold(f"x{n}", "", "here", 55_555, 55_556, claim))
    assert depth(calendar.by_machine["m0"]) == 3
    assert depth(grown.by_machine["m0"]) <= 4
    shrunk = grown.without(*[f"h{n:05d}" for n in range(9_990)])
    assert depth(shrunk.by_machine["m0"]) <= 3
    lines = shrunk.charges.lines(FLEET, 0, lambda _, hold: {"licence:here": len(hold.claims)}, shrunk.alternatives)
    line = lines["licence:here"]
    assert line is not None
    assert line.summary == (0, 500)
