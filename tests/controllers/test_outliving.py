"""What still runs past the end of its hold keeps its capacity: it is not sold, and nothing is started on it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tenure.controllers.contract.clearance import in_the_way, overdue_on
from tenure.controllers.contract.ending import EARLY_GRACE_MS, grace_ms
from tenure.controllers.contract.reconcile import ContractReconciler
from tenure.controllers.kernel import Key, Wait
from tenure.controllers.offer import OfferReconciler
from tenure.controllers.plane import Plane
from tenure.controllers.serving import Place, command_spec
from tenure.controllers.workload.occupied import STOP_MARGIN_MS, STUCK_MS, calendar_of
from tenure.controllers.workload.trial import Trials
from tenure.engines import RunSpec
from tenure.ledger import Allocator, Record, View, accept, hold_offers
from tenure.ledger.records import on_its_host, record_of_contract
from tenure.placement import FOREVER_MS
from tenure.quantities import VirtualClock
from tenure.resources import Contract, Offer, condition_of
from tenure.runtimes import Launch
from tests.controllers.planes import plane_on
from tests.ledger.builders import contract_for, fleet, fleet_of, hold, offer, site
from tests.support.memory_host import MemoryHost

END_MS = 100_000
DAY_MS = 86_400_000


def live(name: str, cores: list[int], end_ms: int = END_MS) -> Record:
    """A contract that nobody has released yet."""
    made = contract_for(offer(name, name, hold(f"h-{name}", name, cores, end=end_ms)))
    named = made.metadata.model_copy(update={"uid": f"uid-{name}"})
    return replace(record_of_contract(made.model_copy(update={"metadata": named})), phase="Ending")


def view(*records: Record) -> View:
    return View("local", 1, {record.uid: record for record in records})


def free(found: View, now_ms: int, from_ms: int) -> set[int]:
    machine = fleet(2).machines[0]
    return set(calendar_of(found, now_ms).free_over(machine, from_ms, from_ms + 1000).cores)


def test_until_it_is_overdue_its_capacity_is_free_from_its_end_and_the_margin() -> None:
    found = view(live("a", [0]))
    for now_ms in (0, END_MS, END_MS + STOP_MARGIN_MS - 1):
        assert free(found, now_ms, END_MS + STOP_MARGIN_MS) == {0, 1}
        assert free(found, now_ms, END_MS + STOP_MARGIN_MS - 1) == {1}


def test_what_is_slow_to_stop_keeps_its_capacity_until_a_margin_from_now() -> None:
    found = view(live("a", [0]))
    for now_ms in range(END_MS + STOP_MARGIN_MS, END_MS + STUCK_MS, 777):
        assert free(found, now_ms, now_ms) == {1}
        assert free(found, now_ms, now_ms + STOP_MARGIN_MS - 1) == {1}
        assert free(found, now_ms, now_ms + STOP_MARGIN_MS + 1000) == {0, 1}, "it is about to be gone"


def test_when_what_cannot_be_stopped_is_gone_nobody_knows() -> None:
    found, now_ms = view(live("a", [0])), END_MS + STUCK_MS
    assert free(found, now_ms, now_ms) == {1}
    assert free(found, now_ms, now_ms + DAY_MS) == {1}
    machine = fleet(2).machines[0]
    assert calendar_of(found, now_ms).releases([machine.name], now_ms, FOREVER_MS - 1) == {}
    released = found.without({"uid-a"})
    assert free(released, now_ms, now_ms) == {0, 1}


def test_the_calendar_is_made_once_while_nothing_becomes_overdue() -> None:
    found = view(live("a", [0]), live("b", [1], END_MS + DAY_MS))
    assert calendar_of(found, 0) is calendar_of(found, END_MS)
    assert calendar_of(found, 0) is not calendar_of(found, END_MS + STUCK_MS)
    assert calendar_of(found, END_MS + STUCK_MS) is calendar_of(found, END_MS + STUCK_MS + 1000)


def test_a_view_without_some_holds_has_a_calendar_of_its_own() -> None:
    found = view(live("a", [0]), live("b", [1]))
    assert set(calendar_of(found, 0).holds) == {"h-a", "h-b"}
    assert set(calendar_of(found.without({"uid-a"}), 0).holds) == {"h-b"}
    assert set(calendar_of(found, 0).holds) == {"h-a", "h-b"}


def test_only_a_contract_past_its_end_on_the_same_cores_is_in_the_way() -> None:
    found = view(live("a", [0]), live("b", [1], END_MS + DAY_MS))
    wanted = hold("new", "new", [0], start=END_MS)
    assert [record.name for record in overdue_on(wanted, "uid-new", found, END_MS)] == ["a"]
    assert overdue_on(wanted, "uid-new", found, END_MS - 1) == []
    assert overdue_on(wanted, "uid-a", found, END_MS) == [], "nothing is in its own way"
    assert overdue_on(hold("new", "new", [1], start=END_MS), "uid-new", found, END_MS) == []


async def test_what_this_host_holds_under_a_name_that_it_had_is_in_the_way_of_what_starts_under_it() -> None:
    """Both stand in the ledger by the name that it has now, and in their own terms by the other one."""
    renamed = [on_its_host(live("a", [0]), "now"), on_its_host(live("new", [0], END_MS + DAY_MS), "now")]
    found = view(*renamed)
    runs = SimpleNamespace(state=lambda _: SimpleNamespace(final=False))

    async def look() -> Any:
        return SimpleNamespace(view=found)

    plane: Any = SimpleNamespace(
        allocator=SimpleNamespace(look=look), clock=VirtualClock(END_MS), engine=runs, machine="now"
    )
    made = contract_for(offer("new", "new", hold("h-new", "new", [0], start=END_MS, end=END_MS + DAY_MS)))
    new = made.model_copy(update={"metadata": made.metadata.model_copy(update={"uid": "uid-new"}), "status": None})
    first = await in_the_way(plane, new)
    assert first is not None
    assert first.name == "a"


def test_work_is_killed_within_the_margin_before_the_next_hold() -> None:
    assert run_on_the_core("r", END_MS).stop_grace_ms < STOP_MARGIN_MS


def test_a_command_that_is_ended_early_has_time_to_write_a_checkpoint_but_not_beyond_its_term() -> None:
    contract = contract_for(offer("a", "a", hold("h", "a", [0], end=END_MS)))
    assert grace_ms(contract, END_MS - 60_000) == EARLY_GRACE_MS
    for now_ms in (END_MS - 3_000, END_MS, END_MS + 3_000):
        grace = grace_ms(contract, now_ms)
        assert grace is not None
        assert now_ms + grace < max(now_ms, END_MS) + STOP_MARGIN_MS


class InFlight:
    """A trial that this control plane knows."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer

    async def abandon(self) -> None:
        """Nothing of it runs any more."""


def test_a_trial_that_outlives_its_time_keeps_its_capacity_and_is_in_the_way() -> None:
    trial = replace(live("t", [0]), kind="Offer", phase="Held", trial=True)
    now_ms = END_MS + STUCK_MS
    assert free(view(trial), now_ms, now_ms + DAY_MS) == {1}
    assert overdue_on(hold("new", "new", [0], start=END_MS), "uid-new", view(trial), now_ms) == [trial]
    offered = replace(trial, trial=False)
    assert free(view(offered), now_ms, now_ms) == {0, 1}, "under an offer nothing runs"
    assert overdue_on(hold("new", "new", [0], start=END_MS), "uid-new", view(offered), now_ms) == []


@pytest.mark.parametrize(("purpose", "until_ms"), [("Offer", END_MS), ("Trial", END_MS + STOP_MARGIN_MS)])
async def test_an_offer_expires_on_time_and_a_trial_once_what_it_ran_is_stopped(purpose: str, until_ms: int) -> None:
    host, clock = MemoryHost(), VirtualClock(END_MS - 1)
    await host.create(site())
    allocator = Allocator(host, "local", clock, fleet_of(1))  # type: ignore[arg-type]
    wanted = offer("a", "a", hold("h", "a", [0], end=END_MS), expires=END_MS)
    wanted = wanted.model_copy(update={"spec": wanted.spec.model_copy(update={"purpose": purpose})})
    await allocator.decide(lambda view, fleet, now: hold_offers([wanted]))
    plane: Any = SimpleNamespace(engine=SimpleNamespace(runs=list))
    trials = Trials(plane)
    trials.running["a"] = InFlight(await host.get(Offer, "a"))  # type: ignore[assignment]
    reconciler = OfferReconciler(host, allocator, clock, trials)  # type: ignore[arg-type]

    clock.advance(until_ms - 1 - clock.now_ms())
    assert await reconciler.reconcile(Key("default", "a")) == Wait(1)
    assert (await host.get(Offer, "a")).status.phase == "Held"
    clock.advance(1)
    await reconciler.reconcile(Key("default", "a"))
    assert (await host.get(Offer, "a")).status.phase == "Expired"


async def contracted(plane: Plane, name: str, end_ms: int) -> Contract:
    """A contract on the only core."""
    held = hold(f"h-{name}", name, [0], end=end_ms).model_copy(update={"site": plane.site})
    (made,) = (await plane.allocator.decide(lambda view, fleet, now: hold_offers([offer(name, name, held)]))).offers
    wanted = contract_for(made)
    commit = await plane.allocator.decide(lambda view, fleet, now: accept(view, made.uid, wanted, 0))
    return commit.contracts[0]


async def test_work_is_not_started_beside_what_should_have_ended_before_it(tmp_path: Path) -> None:
    async with plane_on(tmp_path, cores=1) as (plane, _):
        now_ms = plane.clock.now_ms()
        await contracted(plane, "before", now_ms - 1000)
        await contracted(plane, "after", now_ms + DAY_MS)
        plane.engine.start(run_on_the_core("h-before", now_ms + DAY_MS))  # it will not be stopped
        reconciler, after = ContractReconciler(plane), Key("default", "after")

        assert await reconciler.reconcile(after) is not None
        found = await plane.client.get(Contract, "after", namespace="default")
        said = condition_of(found.status.conditions, "Ready") if found.status else None
        assert said is not None
        assert said.reason == "WaitingForRelease"
        assert "contract before" in said.message
        assert [run.run_id for run in plane.engine.runs()] == ["h-before"]

        plane.engine.stop("h-before")  # its books are not closed yet; that keeps nobody waiting
        await reconciler.reconcile(after)
        assert not plane.engine.state("h-after").final


def run_on_the_core(run_id: str, end_ms: int) -> RunSpec:
    """A command of a user's own."""
    place = Place(cpus=(0,), system_cpus=(0,), memory_nodes=(0,), memory_bytes=2**20)
    launch = Launch(argv=("true",), env={}, ports={})
    return command_spec(
        run_id=run_id, namespace="default", name="w", launch=launch, place=place, restart="Never", end_ms=end_ms
    )
