"""What this machine has to sell may be another when its control plane starts again: that is a commit, as any change."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenure.cli.recount_facts import capacity_of
from tenure.client import AsyncClient, Unreachable
from tenure.controllers.assembly import plane_of
from tenure.controllers.kernel import Key
from tenure.controllers.machine import register
from tenure.controllers.machine.reconcile import MachineReconciler
from tenure.controllers.plane import Plane
from tenure.ledger import accept, hold_offers, recount
from tenure.ledger.memory import ledger_of
from tenure.ledger.records import record_of_contract, record_of_offer
from tenure.quantities import SystemClock
from tenure.resources import Contract, Engine, HardwareProfile, Machine, Offer, Site, condition_of
from tenure.resources.kinds.allocation import Hold
from tenure.resources.kinds.site import LedgerStatus
from tenure.topology import NumaNode, ObservedMachine, SystemReserve
from tests.ledger.builders import contract_for, hold, offer
from tests.support.embedded import embedded
from tests.topology.builders import GIB, a_machine, an_observed

LAST_CORE = 7
SEEN = an_observed(hostname="m", reserved=SystemReserve((0,), GIB))
FEWER_CORES = an_observed(hostname="m", reserved=SystemReserve((0,), GIB), allowed_cpus=tuple(set(range(16)) - {7, 15}))
LESS_MEMORY = an_observed(
    a_machine(numa_nodes=(NumaNode(0, 32 * GIB, (0, 1, 2, 3)), NumaNode(1, 32 * GIB, (4, 5, 6, 7)))),
    hostname="m",
    reserved=SystemReserve((0,), GIB),
)


class Home:
    """A home whose control plane starts and stops while its host goes on."""

    def __init__(self, client: AsyncClient, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client, self._folder, self._patch = client, folder, monkeypatch

    @asynccontextmanager
    async def started(self, seen: ObservedMachine) -> AsyncIterator[Plane]:
        self.sees(seen)
        async with plane_of(self.client, self._folder, SystemClock()) as plane:
            yield plane

    def sees(self, seen: ObservedMachine) -> None:
        self._patch.setattr(register, "scan", lambda: seen)

    async def machine(self) -> Machine:
        return await self.client.get(Machine, "m")

    async def ledger(self) -> LedgerStatus:
        return ledger_of(await self.client.get(Site, register.SITE))

    async def batch(self) -> list[tuple[str, str, str]]:
        return [(op.operation, op.name, op.to_phase) for op in (await self.ledger()).last_batch]

    async def phase(self, name: str) -> str | None:
        found = await self.client.get(Offer, name, namespace="default")
        return found.status.phase if found.status else None

    async def findings(self) -> list[tuple[str, str]]:
        """What the independent recount says."""
        offers, contracts = (await self.client.list(Offer)).items, (await self.client.list(Contract)).items
        profiles = {profile.name: profile for profile in (await self.client.list(HardwareProfile)).items}
        records = [*map(record_of_offer, offers), *map(record_of_contract, contracts)]
        capacities = [capacity_of(await self.machine(), profiles)]
        found = recount(await self.ledger(), records, capacities, None, SystemClock().now_ms())
        return [(one.code, one.subject) for one in found if one.severity == "error"]


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Home]:
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(embedded(tmp_path))
        client = await stack.enter_async_context(host.client("controllers"))
        yield Home(client, host.home, monkeypatch)


async def held(plane: Plane, *holds: Hold) -> None:
    """An offer for each hold, called as it is."""
    made = [offer(one.id, one.id, one) for one in holds]
    commit = await plane.allocator.decide(lambda view, fleet, now_ms: hold_offers(made))
    assert len(commit.offers) == len(holds)


async def test_the_first_start_counts_it_before_anybody_is_answered(home: Home) -> None:
    async with home.started(SEEN) as plane:
        assert await home.batch() == [("Capacity", "m", "Ready")]
        (machine,) = (await plane.allocator.look()).fleet.machines
        assert machine.sellable_cores() == frozenset(range(1, 8))


async def test_a_start_that_finds_the_same_commits_nothing(home: Home) -> None:
    async with home.started(SEEN) as plane:
        await held(plane, hold("stays", "stays", [LAST_CORE]))
    before = await home.ledger()
    async with home.started(SEEN):
        assert await home.ledger() == before
        assert await home.phase("stays") == "Held"


@pytest.mark.parametrize(
    ("less", "goes"),
    [(FEWER_CORES, hold("goes", "goes", [LAST_CORE])), (LESS_MEMORY, hold("goes", "goes", [5], memory_gib=40))],
    ids=["fewer cores", "less memory"],
)
async def test_a_start_that_finds_less_commits_that_and_withdraws_what_it_does_not_carry(
    home: Home, less: ObservedMachine, goes: Hold
) -> None:
    async with home.started(SEEN) as plane:
        await held(plane, hold("stays", "stays", [1], memory_gib=0), goes)
        before = (await home.ledger()).generation
        assert await home.findings() == []
    async with home.started(less) as plane:
        assert (await home.ledger()).generation == before + 1
        assert await home.batch() == [("Capacity", "m", "Ready"), ("Release", "goes", "Withdrawn")]
        assert (await home.phase("stays"), await home.phase("goes")) == ("Held", "Withdrawn")
        assert await home.findings() == []
        (machine,) = (await plane.allocator.look()).fleet.machines
        assert sorted(machine.sellable_cores()) == list((await home.machine()).status.sellable_cores)  # type: ignore[union-attr]
    async with home.started(less):
        assert (await home.ledger()).generation == before + 1


async def test_a_contract_keeps_its_hold_on_what_is_gone_and_the_recount_says_so(home: Home) -> None:
    async with home.started(SEEN) as plane:
        await held(plane, hold("taken", "taken", [LAST_CORE]))
        chosen = await home.client.get(Offer, "taken", namespace="default")
        await plane.allocator.decide(lambda view, fleet, now_ms: accept(view, chosen.uid, contract_for(chosen), 0))
    async with home.started(FEWER_CORES) as plane:
        assert await home.batch() == [("Capacity", "m", "Ready")]
        assert [r.kind for r in (await plane.allocator.look()).view.live()] == ["Contract"]
        assert await home.findings() == [("CoreNotSellable", f"m/core-{LAST_CORE}")]


async def test_a_machine_keeps_its_name_and_what_was_declared_of_it_where_its_host_is_called_otherwise(
    home: Home,
) -> None:
    async with home.started(SEEN) as plane:
        await home.client.patch(Machine, "m", {"spec": {"hourlyCost": "1 EUR"}})
        await held(plane, hold("taken", "taken", [LAST_CORE]))
    renamed = replace(SEEN, hostname="renamed")
    async with home.started(renamed) as plane:
        assert [machine.name for machine in (await plane.allocator.look()).fleet.machines] == ["m"], "it is sold once"
        assert plane.machine == "m"
        assert str((await home.machine()).spec.hourly_cost) == "1.00 EUR"


async def test_a_machine_that_was_deleted_is_registered_under_the_name_that_its_host_has(home: Home) -> None:
    async with home.started(SEEN):
        pass
    await home.client.delete(Machine, "m")
    await home.client.patch(Machine, "m", {"metadata": {"finalizers": None}})
    async with home.started(replace(SEEN, hostname="renamed")) as plane:
        assert plane.machine == "renamed"
        assert (await home.client.get(Engine, "local")).spec.machine == "renamed"


async def test_who_dies_between_the_figures_and_their_commit_leaves_the_commit_to_the_next_start(home: Home) -> None:
    async with home.started(SEEN):
        before = (await home.ledger()).generation
    home.sees(FEWER_CORES)
    await register.register(home.client, SystemClock())
    said = condition_of((await home.machine()).status.conditions, "Counted")  # type: ignore[union-attr]
    assert said is not None
    assert (said.status, said.reason) == ("False", "Proposed")
    async with home.started(FEWER_CORES):
        assert (await home.ledger()).generation == before + 1
        said = condition_of((await home.machine()).status.conditions, "Counted")  # type: ignore[union-attr]
        assert said is not None
        assert said.status == "True"


async def test_what_is_declared_of_it_later_counts_from_a_commit_on_and_what_it_costs_needs_none(home: Home) -> None:
    async with home.started(SEEN) as plane:
        machines = MachineReconciler(plane)
        assert machines.keys(await home.machine()) == []
        await plane.allocator.look()
        await home.client.patch(Machine, "m", {"spec": {"hourlyCost": "1 EUR"}})
        before = (await home.ledger()).generation
        await machines.reconcile(Key("", "m"))
        seen = await home.machine()
        assert seen.status is not None
        assert seen.status.observed_generation == seen.metadata.generation, "it was seen"
        assert (await home.ledger()).generation == before
        assert machines.keys(seen) == []
        await home.client.patch(Machine, "m", {"spec": {"localDisk": "1Ti"}})
        assert machines.keys(await home.machine()) == [Key("", "m")]
        assert (await plane.allocator.look()).fleet.budgets == (), "its memory is exact for one generation"
        await machines.reconcile(Key("", "m"))
        assert [budget.id for budget in (await plane.allocator.look()).fleet.budgets] == ["localDisk:m"]
        assert machines.keys(await home.machine()) == []


async def test_a_greater_reserve_withdraws_what_was_offered_of_it_also_when_its_first_commit_fails(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with home.started(SEEN) as plane:
        await held(plane, hold("stays", "stays", [1]), hold("goes", "goes", [LAST_CORE]))
        await home.client.patch(Machine, "m", {"spec": {"reserved": {"cores": [0, LAST_CORE], "memory": "1Gi"}}})
        machines, decide = MachineReconciler(plane), plane.allocator.decide

        async def unreachable(*_: Any, **__: Any) -> Any:
            raise Unreachable("the host is gone", sent=False)

        monkeypatch.setattr(plane.allocator, "decide", unreachable)
        with pytest.raises(Unreachable):
            await machines.reconcile(Key("", "m"))
        monkeypatch.setattr(plane.allocator, "decide", decide)
        await machines.reconcile(Key("", "m"))
        assert await home.batch() == [("Capacity", "m", "Ready"), ("Release", "goes", "Withdrawn")]
        assert await home.findings() == []


async def test_the_site_says_what_it_has_to_sell_from_the_start_and_once_that_changed(home: Home) -> None:
    async def sold() -> int | None:
        status = (await home.client.get(Site, "local")).status
        return status.cores if status is not None else None

    async with home.started(SEEN) as plane:
        seen = (await home.machine()).status
        assert seen is not None
        assert await sold() == len(seen.sellable_cores) > 0
        await home.client.patch(Machine, "m", {"spec": {"reserved": {"cores": [0, LAST_CORE], "memory": "1Gi"}}})
        await MachineReconciler(plane).reconcile(Key("", "m"))
        assert await sold() == len(seen.sellable_cores) - 1
