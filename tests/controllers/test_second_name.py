"""A host that an older version registered once more, under another name, is one machine: its cores are sold once.

Such a version left the second Machine Ready, by a commit that was its last, and work under contract on both.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tenure.cli.own import capacity as capacity_shown
from tenure.cli.recount_facts import capacity_of, second_names
from tenure.client import AsyncClient
from tenure.controllers.assembly import plane_of
from tenure.controllers.in_use.users import Books
from tenure.controllers.machine import register
from tenure.controllers.machine.fleet import fleet_of
from tenure.ledger import Decision, View, accept, hold_offers, nothing, recount, release
from tenure.ledger.allocator import Allocator
from tenure.ledger.convert import to_placed
from tenure.ledger.decision import capacity
from tenure.ledger.memory import ledger_of
from tenure.ledger.records import Record, record_of_contract, record_of_offer
from tenure.ledger.recount import Capacity
from tenure.placement import Calendar, Fleet
from tenure.quantities import SystemClock
from tenure.resources import Contract, Engine, HardwareProfile, Machine, ObjectMeta, Offer, Site
from tenure.resources.kinds.site import LedgerStatus
from tenure.topology import SystemReserve
from tests.ledger.builders import contract_for, hold, offer
from tests.support.embedded import embedded
from tests.topology.builders import GIB, an_observed

ALL = set(range(1, 8))
HELD = (("one", 1), ("two", 2))
SEEN = an_observed(hostname="m", reserved=SystemReserve((0,), GIB))


class Twice:
    """A home as an older version left it: its host is the Machine m, and since it was renamed the Machine renamed."""

    def __init__(self, client: AsyncClient, folder: Path) -> None:
        self.client, self.folder = client, folder

    def starts(self) -> Any:
        return plane_of(self.client, self.folder, SystemClock())

    def older(self, machine: str | None = None) -> Allocator:
        return Allocator(self.client, "local", SystemClock(), fleet_of, machine)

    async def offers(self, name: str, machine: str, core: int, end: int = 10**9) -> Offer:
        one = hold(name, name, [core], end=end)
        claims = [one.claims[0].model_copy(update={"machine": machine})]
        made = offer(name, name, one.model_copy(update={"claims": claims}))
        commit = await self.older().decide(lambda view, fleet, now_ms: hold_offers([made]))
        return commit.offers[0]

    async def contracts(self, name: str, machine: str, core: int, end: int = 10**9) -> None:
        chosen = await self.offers(name, machine, core, end)
        await self.older().decide(lambda view, fleet, now_ms: accept(view, chosen.uid, contract_for(chosen), 0))

    async def last_made_ready(self) -> None:
        uid = (await self.client.get(Machine, "renamed")).uid
        await self.older().decide(lambda view, fleet, now_ms: capacity("renamed", uid, "Ready", "Discovered"))

    async def state(self) -> str | None:
        status = (await self.client.get(Machine, "renamed")).status
        return status.state if status is not None else None

    async def findings(self) -> list[tuple[str, str, str]]:
        """What the independent recount says."""
        offers, contracts = (await self.client.list(Offer)).items, (await self.client.list(Contract)).items
        profiles = {profile.name: profile for profile in (await self.client.list(HardwareProfile)).items}
        records = [*map(record_of_offer, offers), *map(record_of_contract, contracts)]
        machines = (await self.client.list(Machine)).items
        capacities = [capacity_of(machine, profiles) for machine in machines]
        same = second_names((await self.client.list(Engine)).items, machines)
        ledger = ledger_of(await self.client.get(Site, "local"))
        found = recount(ledger, records, capacities, None, SystemClock().now_ms(), same=same)
        return [(one.code, one.subject, one.severity) for one in found]


def free(view: View, fleet: Fleet) -> set[int]:
    """The cores that are for sale; on one machine alone."""
    (machine,) = fleet.machines
    assert machine.name == "m"
    calendar = Calendar.of(to_placed(record.hold) for record in view.live())
    return set(calendar.free_over(machine, 0, 10**9).cores)


@pytest.fixture
async def twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Twice]:
    monkeypatch.setattr(register, "scan", lambda: SEEN)
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(embedded(tmp_path))
        home = Twice(await stack.enter_async_context(host.client("controllers")), host.home)
        async with home.starts():
            pass
        first = await home.client.get(Machine, "m")
        second = first.model_copy(update={"metadata": ObjectMeta(name="renamed"), "status": None})
        made = await home.client.create(second)
        await home.client.replace_status(made.model_copy(update={"status": first.status}))
        yield home


async def test_it_is_retired_for_good_though_the_last_commit_made_it_ready(twice: Twice) -> None:
    await twice.contracts("one", "m", 1)
    await twice.offers("offered", "renamed", 2)
    await twice.last_made_ready()
    assert await twice.findings() == [("MachineSame", "Machine/renamed", "late")] * 2
    for _ in range(2):
        async with twice.starts() as plane:
            memory = await plane.allocator.look()
            assert free(memory.view, memory.fleet) == ALL - {1}
        assert await twice.state() == "Retired"
        assert [op.name for op in ledger_of(memory.site).last_batch] == ["renamed", "offered"], "one commit, and once"
        assert await twice.findings() == []


async def test_what_is_under_contract_there_is_sold_to_nobody_else_until_it_ends(twice: Twice) -> None:
    await twice.contracts("two", "renamed", 1)
    await twice.last_made_ready()
    for _ in range(2):
        async with twice.starts() as plane:
            memory = await plane.allocator.look()
            assert free(memory.view, memory.fleet) == ALL - {1}
            assert (memory.site.status and memory.site.status.cores_held) == 1
            for name in ("m", "renamed"):
                users = await Books(plane).users_of(await twice.client.get(Machine, name))
                assert [user.words for user in users] == ["contract default/two"]
        assert await twice.findings() == [("MachineSame", "Machine/renamed", "late")]
    async with twice.starts() as plane:
        await plane.allocator.decide(lambda view, fleet, now_ms: release(view.live(), "Ended", "Deleted"))
        memory = await plane.allocator.look()
        assert free(memory.view, memory.fleet) == ALL
    assert await twice.findings() == []


async def test_what_an_older_version_sold_twice_the_recount_says(twice: Twice) -> None:
    await twice.contracts("one", "m", 1)
    await twice.contracts("two", "renamed", 1)
    assert ("CoreHeldTwice", "m/core-1", "error") in await twice.findings()


async def test_what_is_accepted_there_before_it_is_retired_counts_in_the_same_commit(twice: Twice) -> None:
    chosen = await twice.offers("offered", "renamed", 2)
    books, seen = twice.older("m"), []

    def look(view: View, fleet: Fleet, now_ms: int) -> Decision:
        seen.append(free(view, fleet))
        return nothing("NotFound", "it only looks")

    await asyncio.gather(
        books.decide(look),  # while it is at work, the next two come to wait and share a commit
        books.decide(lambda view, fleet, now_ms: accept(view, chosen.uid, contract_for(chosen), 0)),
        books.decide(look),
    )
    memory = await books.look()
    assert [*seen, free(memory.view, memory.fleet)] == [ALL - {2}] * 3


async def test_the_second_name_is_the_machine_again_where_the_first_was_deleted(
    twice: Twice, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with twice.starts():
        assert await twice.state() == "Retired"
    await twice.client.delete(Machine, "m")
    await twice.client.patch(Machine, "m", {"metadata": {"finalizers": None}})
    monkeypatch.setattr(register, "scan", lambda: an_observed(hostname="renamed", reserved=SystemReserve((0,), GIB)))
    async with twice.starts() as plane:
        assert [machine.name for machine in (await plane.allocator.look()).fleet.machines] == ["renamed"]
    assert await twice.state() == "Ready"


def test_the_recount_says_in_words_what_is_held_on_a_machine_that_is_none_any_more() -> None:
    holds = [hold(name, name, [core]) for name, core in HELD]
    records = [Record("Offer", "default", one.id, one.id, "Held", one, "w", 0) for one in holds]
    retired = Capacity("m", frozenset(ALL), 8 * GIB, retired=True)

    def said(*records: Record, same: dict[str, str] | None = None) -> list[str]:
        other = replace(retired, machine="other", retired=False)
        found = recount(LedgerStatus(), records, [retired, other], None, 0, same=same)
        assert {one.severity for one in found} <= {"late"}
        return [f"{one.code} {one.subject}: {one.message}" for one in found]

    assert said(*records) == [
        "MachineRetired Machine/m: 2 live holds stand on it; it is retired, nothing new is placed on it"
    ]
    (told,) = said(records[0], same={"m": "other"})
    assert told.startswith("MachineSame Machine/m: 1 live hold stands on it: held on other, which it is under another")
    assert said(same={"m": "other"}) == []
    assert said(same={"other": "m"}) == [
        "MachineSame Machine/other: it is m under another name; the next start of the control plane retires it"
    ]


async def test_what_is_left_is_told_without_what_is_held_under_the_other_name(
    twice: Twice, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now_ms = SystemClock().now_ms()
    await twice.contracts("two", "renamed", 1, end=now_ms + 10**7)
    kinds = (Machine, HardwareProfile, Offer, Contract, Engine)
    listed = {kind: await twice.client.list(kind) for kind in kinds}
    site = await twice.client.get(Site, "local")
    client = SimpleNamespace(list=listed.__getitem__, get=lambda kind, name: site)
    monkeypatch.setattr(capacity_shown, "open_door", lambda reach: nullcontext(SimpleNamespace(client=client)))
    capacity_shown.show("local", cores=1, output="json")
    (cores,) = json.loads(capsys.readouterr().out)["limits"]
    assert (cores["used"], cores["limit"]) == (1, len(ALL))
