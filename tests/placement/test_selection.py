"""What is kept of the machines that a demand may stand on, where some are out of service or too small for it, equals
what is found anew, and costs what differs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.placement.builders import demand, machine
from tests.placement.histories import History, steps, told
from tests.placement.test_leftovers import racks_of_full_machines
from tests.placement.test_standing import met_on

from tenure.placement import Calendar, Constraint, Fleet, FleetMachine, Free, Plan, Refusal, derived, plan
from tenure.placement.leftovers import Leftovers
from tenure.placement.question import Question
from tenure.placement.remains import Remains, facts, totals
from tenure.placement.selection import SELECTIONS_MAX, Wanted, everyone, selected
from tenure.placement.standing import Standing


def mixed(count: int) -> tuple[list[FleetMachine], Calendar]:
    """Full machines in racks of four, of which one is out of service; every fifth is small and holds nothing."""
    machines, calendar = racks_of_full_machines(count)
    small = machine("small", cores=4, gpus=1)
    for number in range(0, count, 5):
        machines[number] = replace(small, name=f"n{number}", place=machines[number].place)
        calendar = calendar.without(f"h{number}")
    machines[7] = replace(machines[7], schedulable=False, unschedulable_because="fans")
    return machines, calendar


@settings(max_examples=12, deadline=None)
@given(steps, st.integers(0, 2))
def test_what_is_left_of_a_selection_is_what_it_is_anew_after_any_history_of_holds_and_questions(
    history: History, margin_ms: int
) -> None:
    machines = mixed(18)[0]
    fleet = Fleet.of(replace(one, name=f"m{number}") for number, one in enumerate(machines))
    racks = derived.domains(fleet, "rack")
    kinds = sorted(derived.of_kind(fleet))
    wanted = [Wanted(frozenset(kinds)), Wanted(frozenset(kinds), (), True), Wanted(frozenset(kinds[1:]))]
    wanted.append(Wanted(frozenset(kinds), (Constraint("c", "law", machines=frozenset({"m1", "m7", "m9"})),)))
    for calendar, start_ms, end_ms in told(history, margin_ms):
        for group in ("", "g1"):
            standing = Standing(fleet, calendar, start_ms, end_ms)
            for one in wanted:
                machines_of = selected(fleet, one)
                left = standing.without(group).on(machines_of)
                anew = standing.without(group).among(list(machines_of.names))
                assert list(left.items()) == list(anew.items())
                assert (left.sorts, left.counts) == (anew.sorts, anew.counts)
                assert {n: facts(left.ones[n]) for n in left.ones} == {n: facts(anew.ones[n]) for n in anew.ones}
                cores = left.each(lambda free: len(free.cores))
                inside = machines_of.domains(racks)
                assert totals(cores, inside) == [sum(cores[name] for name in names) for _, names in inside]
                met_on(machines_of, standing, group)


def test_machines_are_selected_in_the_order_of_the_fleet() -> None:
    fleet = Fleet.of(mixed(12)[0])
    law = Constraint("c", "law", machines=frozenset({"n8", "n6", "n7", "n5"}))
    question = Question(fleet, Calendar(), replace(demand(gpus=4), constraints=(law,)), now_ms=0)
    assert [one.name for one in question.permitted()] == ["n5", "n6", "n8"]
    assert [one.name for one in question.able()] == ["n6", "n8"]
    assert [one.name for one in replace(question, all_in_service=True).able()] == ["n6", "n7", "n8"]
    assert question.able().domains(derived.domains(fleet, "rack")) == [("r1", ["n6"]), ("r2", ["n8"])]
    assert everyone(fleet).domains(derived.domains(fleet, "rack")) is derived.domains(fleet, "rack")


def test_where_all_are_in_service_those_in_service_are_everyone() -> None:
    whole, broken = Fleet.of(racks_of_full_machines(4)[0]), Fleet.of(mixed(12)[0])
    for fleet in (whole, broken):
        in_service = selected(fleet, Wanted(frozenset(derived.of_kind(fleet))))
        assert (in_service is everyone(fleet)) == (fleet is whole)


def test_a_machine_is_in_the_domain_that_it_names_first_and_in_none_of_a_level_that_it_names_not() -> None:
    places = [(("rack", "r2"), ("rack", "r1")), (("site", "elsewhere"), ("rack", "r1")), (("row", "w"),)]
    fleet = Fleet.of(machine(f"m{number}", place=place) for number, place in enumerate(places))
    assert derived.domains(fleet, "rack") == [("r1", ["m1"]), ("r2", ["m0"])]
    assert derived.domains(fleet, "site") == [("here", ["m0", "m1", "m2"])]
    assert derived.domains(fleet, "row") == [("w", ["m2"])]
    assert derived.domains(fleet, "leaf") == []


def test_the_last_few_selections_are_kept() -> None:
    machines, calendar = mixed(12)
    fleet, left = Fleet.of(machines), Standing(Fleet.of(machines), calendar, 0, 5).without("")
    every = frozenset(derived.of_kind(fleet))
    first = selected(fleet, Wanted(every))
    for number in range(50):
        law = Constraint("c", "law", machines=frozenset({f"n{number % 12}", f"n{number}"}))
        mine = selected(fleet, Wanted(every, (law,)))
        assert mine is selected(fleet, Wanted(every, (replace(law),)))
        assert left.on(mine) is left.on(mine)
    assert len(fleet.memo["selections"]) == len(left.parts) == SELECTIONS_MAX
    assert selected(fleet, Wanted(every)) is not first


def test_on_a_changed_calendar_what_is_left_on_able_machines_is_moved_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    machines, one_after_another = mixed(32)
    calendar = Calendar.of(replace(hold, end_ms=50) for hold in one_after_another.holds.values())
    fleet, gang = Fleet.of(machines), demand("gang", count=12, gpus=4, duration_ms=5)
    assert isinstance(plan(fleet, calendar, gang, now_ms=0), Refusal)
    assert isinstance(plan(fleet, Calendar(), gang, now_ms=0), Plan)
    looked, anew = set[str](), list[int]()
    of, among = Leftovers.of, Remains.among

    def looking(self: Leftovers, machine: FleetMachine) -> Free:
        looked.add(machine.name)
        return of(self, machine)

    def putting_together(self: Remains, names: Iterable[str]) -> Remains:
        anew.append(len(self))
        return among(self, names)

    monkeypatch.setattr(Leftovers, "of", looking)
    monkeypatch.setattr(Remains, "among", putting_together)
    freed = calendar.without("h3")
    assert isinstance(plan(fleet, freed, gang, now_ms=0), Refusal)
    one = plan(fleet, freed, demand("one", gpus=4, duration_ms=5), now_ms=0)
    assert isinstance(one, Plan)
    assert one.claims[0].machine == "n3"
    assert looked == {"n3"}
    assert anew == []
