"""A fleet's file that has less than before: what was offered of the rest is withdrawn by the commit that counts it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tenure.controllers.assembly import plane_of
from tenure.controllers.kernel import Key
from tenure.controllers.machine.for_sale import overtaken
from tenure.controllers.machine.reconcile import MachineReconciler
from tenure.controllers.machine.simulated import register_fleet
from tenure.discovery.fleets import FleetFile, Hardware, profile_of
from tenure.ledger import hold_offers
from tenure.ledger.batch import decide_in_turn
from tenure.ledger.decision import DecisionFunction, capacity
from tenure.ledger.memory import ledger_of
from tenure.ledger.records import Record, View
from tenure.placement import Core, FleetMachine, MemoryNode
from tenure.quantities import SystemClock
from tenure.resources import Machine, ObjectMeta, Offer, Site
from tenure.resources.kinds.allocation import DeviceClaim, Hold
from tenure.resources.kinds.machine import MachineSpec
from tenure.resources.kinds.site import SiteSpec
from tests.ledger.builders import hold, offer
from tests.support.embedded import embedded
from tests.topology.builders import GIB


def fleet_file(*names: str, cores: int, memory_gib: int, gpus: int) -> FleetFile:
    profile = profile_of(Hardware(cores=cores, memory_bytes=memory_gib * GIB, gpus=gpus))
    machines = tuple(
        Machine(metadata=ObjectMeta(name=name), spec=MachineSpec(site="simulated", profile=profile.name))
        for name in names
    )
    return FleetFile(Site(metadata=ObjectMeta(name="simulated"), spec=SiteSpec()), (profile,), machines)


def held_on(name: str, cores: list[int], *machines: str, memory_gib: int = 0, gpu: str = "") -> Offer:
    """An offer that holds the same on each of some machines."""
    one = hold(name, name, cores, memory_gib=memory_gib)
    devices = [DeviceClaim(id=gpu)] if gpu else []
    claims = [one.claims[0].model_copy(update={"machine": machine, "devices": devices}) for machine in machines]
    return offer(name, name, Hold.model_validate({**one.to_json(), "site": "simulated", "claims": claims}))


def test_of_many_machines_that_change_together_each_asks_for_its_own_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    offers = [held_on(f"o{n}", [n % 8], f"m{n // 8}") for n in range(24)]
    records = [Record("Offer", "default", o.name, o.name, "Held", o.spec.hold, "w", 0) for o in offers]
    memory: Any = SimpleNamespace(view=View("simulated", 1, {r.uid: r for r in records}), fleet=None, generation=1)
    live, walks = View.live, []

    def counted(view: View) -> list[Record]:
        walks.append(view.generation)
        return live(view)

    def changed(name: str, cores: int) -> DecisionFunction:
        now = FleetMachine(name, "simulated", cores=tuple(map(Core, range(cores))), memory=(MemoryNode(0, 0),))
        return lambda view, fleet, now_ms: capacity(name, name, "Ready", "Discovered", withdrawn=overtaken(view, now))

    monkeypatch.setattr(View, "live", counted)
    decisions = decide_in_turn([changed("m0", 8), changed("m1", 8), changed("m2", 7)], memory, 0)
    assert [[op.name for op in decision.operations] for decision in decisions] == [["m0"], ["m1"], ["m2", "o23"]]
    assert len(walks) == 1, "for all of them"


async def test_a_start_withdraws_what_was_offered_and_the_file_does_not_have_any_more(tmp_path: Path) -> None:
    offers = [
        held_on("stays", [0], "m", memory_gib=1, gpu="gpu-0"),
        held_on("core", [7], "m", "n"),
        held_on("memory", [1], "n", memory_gib=40),
        held_on("gpu", [2], "n", gpu="gpu-1"),
        held_on("retired", [0], "gone"),
        held_on("in-part", [1], "n", "gone"),
    ]
    async with embedded(tmp_path) as host, host.client("controllers") as client:
        whole = fleet_file("m", "n", "gone", cores=8, memory_gib=64, gpus=2)
        async with plane_of(client, host.home, SystemClock(), whole) as plane:
            await plane.allocator.decide(lambda view, fleet, now_ms: hold_offers(offers))
        less = fleet_file("m", "n", cores=4, memory_gib=32, gpus=1)
        async with plane_of(client, host.home, SystemClock(), less) as plane:
            phases = {o.name: o.status.phase for o in (await client.list(Offer)).items if o.status}
            assert {name for name, phase in phases.items() if phase == "Held"} == {"stays"}
            assert phases["core"] == "Withdrawn"
            batch = ledger_of(await client.get(Site, "simulated")).last_batch
            assert [op.operation for op in batch] == ["Capacity", *["Release"] * 5], "one commit, and each once"
            assert [record.name for record in (await plane.allocator.look()).view.live()] == ["stays"]


async def test_a_machine_that_its_file_lost_stays_retired_though_the_last_commit_made_it_ready(tmp_path: Path) -> None:
    async with embedded(tmp_path) as host, host.client("controllers") as client:
        whole, less = (fleet_file(*names, cores=8, memory_gib=64, gpus=0) for names in (("m", "n"), ("m",)))

        async def for_sale(fleet: FleetFile) -> list[str]:
            async with plane_of(client, host.home, SystemClock(), fleet) as plane:
                return [machine.name for machine in (await plane.allocator.look()).fleet.machines]

        async with plane_of(client, host.home, SystemClock(), whole) as plane:
            machines = MachineReconciler(plane)
            for drain in (True, False):
                await client.patch(Machine, "n", {"spec": {"drain": drain}})
                await machines.reconcile(Key("", "n"))
        (last,) = ledger_of(await client.get(Site, "simulated")).last_batch
        assert (last.name, last.to_phase) == ("n", "Ready")
        assert await for_sale(less) == ["m"]
        assert await for_sale(less) == ["m"]
        status = (await client.get(Machine, "n")).status
        assert status is not None
        assert status.state == "Retired"
        assert await for_sale(whole) == ["m", "n"], "it is back"


async def test_a_fleet_as_its_file_says_wakes_nothing_and_an_edit_of_one_machine_wakes_that_one(tmp_path: Path) -> None:
    async with embedded(tmp_path) as host, host.client("controllers") as client:
        for owner in ("one", "another"):
            whole = fleet_file("m", "n", cores=8, memory_gib=64, gpus=2)
            async with plane_of(client, host.home, SystemClock(), whole) as plane:
                machines = MachineReconciler(plane)
                found = (await client.list(Machine)).items
                assert [key for machine in found for key in machines.keys(machine)] == []
                assert all(m.status and m.status.observed_generation == m.metadata.generation for m in found)
                site = await client.get(Site, "simulated")
                assert site.status is not None
                assert (site.status.cores, site.status.gpus, site.status.cores_held) == (16, 4, 0)
                edited = await client.patch(Machine, "m", {"spec": {"owner": owner}})
                assert machines.keys(edited) == [Key("", "m")]


async def test_machines_of_whom_it_was_never_said_which_spec_was_seen_are_not_written_to_say_that(
    tmp_path: Path,
) -> None:
    async with embedded(tmp_path) as host, host.client("controllers") as client:
        whole, clock = fleet_file("m", "n", cores=8, memory_gib=64, gpus=2), SystemClock()
        await register_fleet(client, clock, whole)
        for machine in (await client.list(Machine)).items:
            assert machine.status is not None
            status = machine.status.model_copy(update={"observed_generation": None})
            await client.replace_status(machine.model_copy(update={"status": status}))
        before = (await client.list(Machine)).items
        await register_fleet(client, clock, whole)
        assert (await client.list(Machine)).items == before
        await register_fleet(client, clock, fleet_file("m", "n", cores=4, memory_gib=64, gpus=2))
        changed = [machine.status for machine in (await client.list(Machine)).items]
        assert all(status and status.observed_generation and len(status.sellable_cores) == 4 for status in changed)
