"""What is kept with a fleet of all its machines equals what the calendar says anew, and costs what differs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.placement.builders import demand, hold
from tests.placement.histories import History, steps, told
from tests.placement.test_leftovers import racks_of_full_machines

from tenure.placement import Calendar, Fleet, FleetMachine, Free, Plan, Refusal, derived, over_time, plan
from tenure.placement.leftovers import Leftovers
from tenure.placement.remains import Each, Mix, Remains, Sorts, facts, total, totals
from tenure.placement.standing import NAMED_MAX, Standing
from tenure.placement.values import FOREVER_MS


def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The machines of which it is reckoned from now on what is left, as it happens."""
    looked: list[str] = []
    of = Leftovers.of

    def counting(self: Leftovers, machine: FleetMachine) -> Free:
        looked.append(machine.name)
        return of(self, machine)

    monkeypatch.setattr(Leftovers, "of", counting)
    return looked


@settings(max_examples=60, deadline=None)
@given(steps, st.integers(0, 2))
def test_what_is_left_of_all_is_what_the_calendar_says_after_any_history_of_holds_and_questions(
    history: History, margin_ms: int
) -> None:
    fleet = Fleet.of(replace(one, name=f"m{number}") for number, one in enumerate(racks_of_full_machines(6)[0]))
    for calendar, start_ms, end_ms in told(history, margin_ms):
        for group in ("", "g1"):
            recounted(fleet, calendar, start_ms, end_ms, group)


def recounted(fleet: Fleet, calendar: Calendar, start_ms: int, end_ms: int, group: str) -> None:
    standing, machines = Standing(fleet, calendar, start_ms, end_ms), fleet.machines
    left = standing.without(group)
    anew = {m.name: calendar.free_over(m, start_ms, end_ms, without_group=group) for m in machines}
    assert left == anew
    assert {name: facts(left.ones[sort]) for name, sort in left.sorts.items()} == {n: facts(f) for n, f in anew.items()}
    for these in (machines, machines[1:], machines[1:2]):
        met_on(these, standing, group)


def met_on(machines: Sequence[FleetMachine], standing: Standing, group: str) -> None:
    calendar, start_ms, end_ms = standing.calendar, standing.start_ms, standing.end_ms
    near = [hold for m in machines for hold in calendar.near(m.name, start_ms, end_ms, without_group=group)]
    ends = sorted({(hold.end_ms, hold.id) for hold in near})
    assert standing.in_the_way(machines, group) == tuple(name for _, name in ends[:NAMED_MAX])
    for until_ms in (start_ms, start_ms + 3, 99):
        found: dict[int, list[str]] = {}
        for one in machines if until_ms > start_ms else ():
            for met in calendar.ahead(one.name, start_ms, without_group=group):
                found.setdefault(calendar.stop_ms(met), []).append(one.name)
        said = standing.releases(machines, until_ms, group)
        assert {stop: sorted(names) for stop, names in said.items()} == {
            stop: sorted(names) for stop, names in found.items() if stop <= until_ms
        }
        assert list(said) == sorted(said)


def left_on(machines: list[FleetMachine], calendar: Calendar) -> Remains:
    return Standing(Fleet.of(machines), calendar, 0, 5).without("")


def test_sums_over_machines_and_domains_are_those_of_machines_one_by_one() -> None:
    machines, calendar = racks_of_full_machines(8)
    left = left_on(machines, calendar.without("h1", "h6"))
    devices = left.each(lambda one: sum(one.devices.values()))
    racks = [(rack, [m.name for m in machines if m.domain("rack") == rack]) for rack in ("r0", "r1")]
    assert dict(devices.items()) == {m.name: 4000 * (m.name in ("n1", "n6")) for m in machines}
    assert total(devices) == 8000
    assert total(devices, ["n0", "n1"]) == 4000
    assert totals(devices, racks) == [4000, 4000]
    assert devices.those(["n6", "n5", "n1"], bool) == ["n6", "n1"]
    assert total(left.among(["n1", "n2"]).each(lambda one: len(one.devices))) == 8


@settings(max_examples=15, deadline=None)
@given(steps, st.integers(0, 2))
def test_what_is_said_of_a_machine_holds_over_every_time_of_which_that_is_said(
    history: History, margin_ms: int
) -> None:
    came = [change for change, _, _ in history if isinstance(change, tuple)]
    calendar = Calendar.of(
        (
            replace(hold(f"h{n}", on="n0", start=start, end=start + length, devices={"gpu0": milli}), group=group)
            for n, (_, start, length, _, milli, group) in enumerate(came)
        ),
        margin_ms=margin_ms,
    )
    (machine,), _ = racks_of_full_machines(1)
    _, start_ms, length_ms = history[-1] if history else (0, 0, 1)

    def found(start: int, end: int) -> tuple[object, ...]:
        return calendar.free_over(machine, start, end), calendar.near("n0", start, end), calendar.ahead("n0", start)

    end_ms = start_ms + length_ms
    one = Leftovers(Fleet.of([machine]), calendar, start_ms, end_ms, "").lasts("n0")
    first_start, last_start, first_end, last_end = one
    assert first_start <= start_ms <= last_start
    assert first_end <= end_ms + margin_ms <= last_end
    for start in range(max(0, first_start), min(14, last_start) + 1):
        for end in range(max(start + 1, first_end - margin_ms), min(16, last_end - margin_ms) + 1):
            assert found(start, end) == found(start_ms, end_ms), (start, end)


def test_among_many_holds_the_ends_and_starts_beside_a_time_are_the_nearest() -> None:
    draw = random.Random(5)
    spans = [(start, start + draw.randint(1, 90)) for start in draw.sample(range(5_000), 400)]
    (row,) = Calendar.of(hold(f"h{n}", on="n0", start=s, end=e) for n, (s, e) in enumerate(spans)).by_machine.values()
    assert not row.leaf
    for _ in range(60):
        after = draw.randint(-10, 5_100)
        until = after + draw.randint(1, 60)
        met = [(start, end) for start, end in spans if end > after and start < until]
        assert over_time.around(row, after, until) == (
            max((end for _, end in spans if end <= after), default=-FOREVER_MS),
            min((end for _, end in met), default=FOREVER_MS),
            max((start for start, _ in met), default=-FOREVER_MS),
            min((start for start, _ in spans if start >= until), default=FOREVER_MS),
        )


@pytest.mark.parametrize(
    ("start_ms", "end_ms"),
    [
        pytest.param(0, 50, id="held for longer than is asked"),
        pytest.param(0, 3, id="held until within what is asked"),
        pytest.param(4, 50, id="reserved for later"),
    ],
)
def test_a_question_looks_at_machines_that_changed_alone(
    monkeypatch: pytest.MonkeyPatch, start_ms: int, end_ms: int
) -> None:
    machines, one_after_another = racks_of_full_machines(16)
    held = one_after_another.holds.values()
    calendar = Calendar.of(replace(hold, start_ms=start_ms, end_ms=end_ms) for hold in held)
    fleet, wanted = Fleet.of(machines), demand("gang", count=12, gpus=4, duration_ms=5)
    assert isinstance(plan(fleet, calendar, wanted, now_ms=0), Refusal)
    looked = looks(monkeypatch)
    one = demand("one", gpus=4, duration_ms=5)
    assert isinstance(plan(fleet, calendar, one, now_ms=1), Refusal)  # later, too
    assert looked == []
    freed = calendar.without("h3")
    answer = plan(fleet, freed, one, now_ms=1)
    assert isinstance(answer, Plan)
    assert set(looked) == {"n3"}
    assert isinstance(plan(fleet, freed.with_holds(answer.hold("h")), one, now_ms=1), Refusal)
    assert set(looked) == {"n3"}


def test_states_that_are_gone_do_not_pile_up() -> None:
    machines, _ = racks_of_full_machines(1)
    fleet = Fleet.of(machines)
    for number in range(500):
        calendar = Calendar.of([hold("h", on="n0", devices={"gpu0": number + 1})])
        left = Standing(fleet, calendar, 0, 5).without("")
        assert left["n0"].devices["gpu0"] == 999 - number
    assert len(Sorts.kept(fleet)) < 200


def test_what_is_left_of_domains_is_added_up_anew_where_machines_changed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    machines, calendar = racks_of_full_machines(32)
    fleet, draw = Fleet.of(machines), random.Random(3)
    racks = derived.domains(fleet, "rack")
    mixed: list[str] = []
    mix = Remains.mix

    def counting(self: Remains, names: Sequence[str]) -> Mix:
        mixed.append(names[0])
        return mix(self, names)

    monkeypatch.setattr(Remains, "mix", counting)
    for number in range(20):
        gone, back = draw.sample(sorted(calendar.holds), 2)
        calendar = calendar.without(gone, back).with_holds(replace(calendar.holds[back], id=f"x{number}"))
        mixed.clear()
        left = Standing(fleet, calendar, 0, 5).without("")
        devices = left.each(lambda one: sum(one.devices.values()))
        assert totals(devices, racks) == [sum(devices[name] for name in names) for _, names in racks]
        assert number == 0 or len(mixed) <= 2


def test_of_equal_machines_in_equal_states_only_those_that_are_taken_are_put_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machines, _ = racks_of_full_machines(64)
    calendar = Calendar.of(hold(f"h{n}", on=f"n{n}", devices={"gpu0": 1000}) for n in range(0, 64, 2))
    fleet, emptiness_of = Fleet.of(machines), derived.emptiness_of
    asked: list[str] = []

    def counting(free: Free) -> tuple[int, int, int]:
        asked.append(free.machine.name)
        return emptiness_of(free)

    monkeypatch.setattr(derived, "emptiness_of", counting)
    for gpus in (3, 4):
        answer = plan(fleet, calendar, demand("gang", count=20, gpus=gpus, duration_ms=5), now_ms=0)
        assert isinstance(answer, Plan)
        # Three fit on either half; the fuller machines come first, each half by name.
        assert [claim.machine for claim in answer.claims] == sorted(f"n{n}" for n in range(gpus - 3, 64, 2))[:20]
    assert len(asked) <= 4


def test_what_ends_first_and_what_ends_at_once_is_not_looked_up_machine_by_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machines, one_after_another = racks_of_full_machines(16)
    held = one_after_another.holds.values()
    calendar = Calendar.of(replace(hold, end_ms=50) for hold in held).without("h3")
    looked: list[str] = []
    for where, what in ((Leftovers, "near"), (Leftovers, "ahead"), (Each, "items")):
        monkeypatch.setattr(where, what, lambda *_, what=what: looked.append(what) or [])
    refused = plan(Fleet.of(machines), calendar, demand("gang", count=12, gpus=4, duration_ms=5), now_ms=0)
    assert isinstance(refused, Refusal)
    assert refused.earliest_ms == 50
    assert refused.binding.held_by == tuple(sorted(set(calendar.holds)))[:NAMED_MAX]
    assert looked == []


def test_a_machine_out_of_service_does_not_make_a_refusal_look_at_all_the_others_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machines, calendar = racks_of_full_machines(16)
    machines[5] = replace(machines[5], schedulable=False)
    fleet, wanted = Fleet.of(machines), demand("gang", count=12, gpus=4, duration_ms=5)
    first = plan(fleet, calendar, wanted, now_ms=0)
    assert isinstance(first, Refusal)
    looked = looks(monkeypatch)
    assert plan(fleet, calendar, wanted, now_ms=0) == first
    assert len(looked) < len(machines)
