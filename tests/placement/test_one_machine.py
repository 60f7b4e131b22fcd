"""One machine: what fits is placed where it runs best, what does not fit is refused with its numbers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.placement.builders import GIB, demand, hold, machine

from tenure.placement import (
    Alternative,
    Calendar,
    Constraint,
    Fleet,
    Notes,
    Plan,
    Refusal,
    Start,
    Step,
    plan,
    relaxations,
)

NOW = 1_000


def ask(*machines: Any, holds: Any = (), margin: int = 0, **wanted: Any) -> Plan | Refusal:
    return plan(Fleet.of(machines), Calendar.of(holds, margin_ms=margin), demand(**wanted), now_ms=NOW)


def planned(answer: Plan | Refusal) -> Plan:
    assert isinstance(answer, Plan), answer.to_json()
    return answer


def refused(answer: Plan | Refusal) -> Refusal:
    assert isinstance(answer, Refusal), answer.to_json()
    return answer


def test_a_member_stays_on_one_numa_node_and_under_one_cache() -> None:
    claim = planned(ask(machine(nodes=2, caches=2, cores=4), cores=4, gib=4)).claims[0]
    assert (claim.cores, claim.memory_nodes) == ((0, 1, 2, 3), (0,))


def test_a_broken_cache_is_filled_up_before_a_whole_one_is_broken() -> None:
    box = machine(caches=2, cores=4)
    claim = planned(ask(box, holds=[hold(cores=(4, 5), start=0, end=9_000)], cores=2, duration_ms=10)).claims[0]
    assert claim.cores == (6, 7)


def test_memory_too_large_for_one_node_is_interleaved_in_equal_parts() -> None:
    claim = planned(ask(machine(nodes=2, gib=8), cores=1, gib=10)).claims[0]
    assert claim.memory_nodes == (0, 1)
    assert claim.memory_parts() == {0: 5 * GIB, 1: 5 * GIB}


def test_cores_lie_beside_the_devices() -> None:
    box = machine(nodes=2, cores=4, gpus=2)
    taken = hold(devices={"gpu0": 1000, "gpu1": 500}, start=0, end=9_000)
    claim = planned(ask(box, holds=[taken], cores=2, gpus=2, duration_ms=10)).claims[0]
    assert claim.cores == (4, 5)
    assert [device.id for device in claim.devices] == ["gpu2", "gpu3"]


def test_a_demand_without_devices_leaves_the_cores_beside_them_free() -> None:
    box = machine(nodes=2, cores=4, gpus=0, devices=machine(nodes=1, gpus=2).devices)
    assert planned(ask(box, cores=2)).claims[0].cores == (4, 5)


def test_devices_of_one_switch_are_found_where_the_switch_is_required() -> None:
    box = machine(nodes=1, cores=4, gpus=4)
    taken = hold(devices={"gpu0": 1000}, start=0, end=9_000)
    wanted = {"gpus": 2, "role": {"requires": frozenset({"pcie"})}, "duration_ms": 10}
    assert [d.id for d in planned(ask(box, holds=[taken], **wanted)).claims[0].devices] == ["gpu2", "gpu3"]
    both = hold(devices={"gpu0": 1000, "gpu2": 1000}, start=0, end=9_000)
    refusal = refused(ask(box, holds=[both], **wanted))
    assert (refusal.binding.constraint, refusal.reason, refusal.earliest_ms) == ("topology:pcie", "CapacityHeld", 9_000)


def test_fractions_of_a_device_are_packed_onto_the_fullest_that_fits() -> None:
    box = machine(cores=4, gpus=2)
    taken = hold(devices={"gpu1": 600}, start=0, end=9_000)
    claim = planned(ask(box, holds=[taken], gpus=1, milli=300, duration_ms=10)).claims[0]
    assert [(d.id, d.milli) for d in claim.devices] == [("gpu1", 300)]


def test_a_machine_of_unknown_memory_still_sells_its_cores() -> None:
    assert planned(ask(machine(memory=()), cores=1)).claims[0].memory_parts() == {}
    assert refused(ask(machine(memory=()), cores=1, gib=1)).binding.constraint == "memory"


def test_reserved_cores_are_never_sold() -> None:
    refusal = refused(ask(machine(cores=2, reserved_cores=frozenset({0})), cores=2))
    binding = refusal.binding
    assert (binding.constraint, binding.needed, binding.available, binding.capacity) == ("cores", 2, 1, 1)
    assert (refusal.reason, binding.where, binding.frees_at_ms) == ("CapacityTooSmall", "m1", None)


def test_a_refusal_says_when_it_frees_and_counts_each_cut() -> None:
    box = machine(cores=2, reserved_cores=frozenset({0}))
    refusal = refused(ask(box, holds=[hold(cores=(1,), start=0, end=5_000)], margin=100, cores=1, duration_ms=10))
    assert (refusal.reason, refusal.binding.frees_at_ms) == ("CapacityHeld", 5_100)
    assert [(s.constraint, s.stage, s.removed) for s in refusal.funnel if s.removed] == [("cores", "free", 1)]
    assert [(c.constraint, c.imposed_by) for c in refusal.conflict] == [
        ("holds", "h"),
        ("cores", "workload"),
        ("start", "workload"),
    ]
    assert refusal.binding.held_by == ("h",)


def test_policy_is_named_with_who_imposed_it_and_its_next_step() -> None:
    law = Constraint("residency", "team-a/chat spec.residency", frozenset(), policy=True, hint="assert where it stands")
    refusal = refused(ask(machine(), cores=1, constraints=(law,)))
    assert refusal.reason == "PolicyForbids"
    assert (refusal.binding.constraint, refusal.binding.hint) == ("residency", "assert where it stands")
    assert [(c.constraint, c.imposed_by, c.policy) for c in refusal.conflict] == [
        ("residency", "team-a/chat spec.residency", True)
    ]


def test_its_own_alternatives_do_not_stand_in_its_way() -> None:
    own = hold(cores=(0, 1), start=0, end=9_000, group="chat")
    assert planned(ask(machine(cores=2), holds=[own], cores=2, group="chat", duration_ms=10)).claims[0].cores == (0, 1)
    refused(ask(machine(cores=2), holds=[own], cores=2, group="other", duration_ms=10))


def test_the_next_hold_waits_for_the_margin_and_stops_before_the_one_after() -> None:
    box = machine(cores=1)
    held = [hold("a", cores=(0,), start=0, end=2_000), hold("b", cores=(0,), start=2_250, end=9_000)]
    window = Start(NOW, 4_000)
    fits = planned(ask(box, holds=held, margin=100, cores=1, duration_ms=50, start=window))
    assert (fits.start_ms, fits.end_ms) == (2_100, 2_150)
    refusal = refused(ask(box, holds=held, margin=100, cores=1, duration_ms=51, start=window))
    assert refusal.earliest_ms == 9_100


def test_a_hold_without_an_end_never_frees() -> None:
    forever = planned(ask(machine(cores=1), cores=1))
    held = [forever.hold("contract")]
    assert refused(ask(machine(cores=1), holds=held, cores=1, duration_ms=10)).earliest_ms is None


class TestCounterOffers:
    """The machine of the quickstart: two cores, one reserved, the other contracted until T."""

    T = 60_000
    box = machine(cores=2, reserved_cores=frozenset({0}))
    calendar = Calendar.of([hold("first", cores=(1,), start=0, end=T)])

    def offers(self, cores: int, *alternatives: Alternative) -> list[tuple[tuple[str, ...], int]]:
        wanted = demand(cores=cores, duration_ms=1_000)
        found = relaxations(Fleet.of([self.box]), self.calendar, wanted, alternatives, now_ms=NOW)
        return [(offer.axes, offer.plan.start_ms) for offer in found]

    def one_core(self, axis: str, amount: float) -> Alternative:
        return Alternative(demand(f"one-core-{axis}", cores=1, duration_ms=1_000), (Step(axis, amount),))

    def test_what_needs_more_than_one_core_is_offered_with_less_load_or_slower_each_later(self) -> None:
        offers = self.offers(2, self.one_core("load", 0.5), self.one_core("bound", 0.3))
        assert offers == [(("bound", "later"), self.T), (("load", "later"), self.T)]

    def test_what_fits_one_core_is_offered_later_alone(self) -> None:
        offers = self.offers(1, self.one_core("load", 0.5), self.one_core("bound", 0.3))
        assert offers == [(("later",), self.T)]

    def test_of_two_steps_on_one_axis_the_smaller_is_offered(self) -> None:
        assert self.offers(2, self.one_core("load", 0.5), self.one_core("load", 0.25)) == [(("load", "later"), self.T)]

    def test_policy_cannot_be_lost_on_the_way(self) -> None:
        law = Constraint("residency", "law", frozenset(), policy=True)
        wanted = demand(cores=1, duration_ms=1_000, constraints=(law,))
        fleet = Fleet.of([self.box])
        assert relaxations(fleet, self.calendar, wanted, [], now_ms=NOW) == ()
        with pytest.raises(ValueError, match="policy is never relaxed"):
            relaxations(fleet, self.calendar, wanted, [self.one_core("load", 0.5)], now_ms=NOW)

    def test_all_of_them_can_be_held_together(self) -> None:
        wanted = demand(cores=2, duration_ms=1_000, group="g")
        alternatives = [
            Alternative(demand(f"a{axis}", cores=1, duration_ms=1_000, group="g"), (Step(axis, 0.5),))
            for axis in ("load", "bound")
        ]
        found = relaxations(Fleet.of([self.box]), self.calendar, wanted, alternatives, now_ms=NOW)
        both = self.calendar.with_holds(*(offer.plan.hold(f"h{n}") for n, offer in enumerate(found)))
        assert len(both.holds) == 3


def test_every_answer_is_json_and_the_same_question_gives_the_same_bytes() -> None:
    for wanted in ({"cores": 1}, {"cores": 99}):
        one, other = (json.dumps(ask(machine(gpus=2), machine("m2"), **wanted).to_json()) for _ in range(2))
        assert one == other


def test_a_reporter_hears_the_search_and_changes_nothing() -> None:
    notes = Notes()
    fleet, wanted = Fleet.of([machine(cores=2)]), demand(cores=3)
    heard = plan(fleet, Calendar(), wanted, now_ms=NOW, reporter=notes)
    assert heard == plan(fleet, Calendar(), wanted, now_ms=NOW)
    assert [step.constraint for step in notes.funnel if step.removed] == ["cores"]


def test_a_level_that_the_fleet_does_not_know_is_named() -> None:
    refusal = refused(ask(machine(), machine("m2"), cores=1, count=2, required_level="nvlink"))
    assert (refusal.reason, refusal.binding.constraint, refusal.binding.available) == ("LevelUnfit", "level:nvlink", 0)
