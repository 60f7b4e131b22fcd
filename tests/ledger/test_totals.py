"""What a Site says is sold and held: with each commit, and at once where capacity changed."""

import pytest

from tenure.ledger import release
from tenure.ledger.decision import nothing
from tenure.ledger.records import Record, View
from tenure.ledger.totals import Totals
from tenure.placement import Core, Device, Fleet, FleetMachine
from tenure.resources import Site
from tenure.resources.kinds.allocation import DeviceClaim, Hold
from tests.ledger.builders import hold, take_free_core
from tests.ledger.test_commit import allocator, host_with_site
from tests.support.memory_host import MemoryHost

pytestmark = pytest.mark.anyio


async def said(host: MemoryHost) -> tuple[int | None, int | None]:
    status = (await host.get(Site, "local")).status
    return (status.cores, status.cores_held) if status else (None, None)


async def test_each_commit_says_what_is_sold_and_held() -> None:
    host = await host_with_site()
    one = allocator(host, cores=4)
    (offer,) = (await one.decide(take_free_core("a", "a"))).offers
    assert await said(host) == (4, 1)
    await one.decide(take_free_core("b", "b", siblings=2))
    assert await said(host) == (4, 3)
    await one.decide(lambda view, fleet, now_ms: release([view.records[offer.uid]], "Withdrawn", "Withdrawn"))
    assert await said(host) == (4, 2)


async def test_a_ledger_that_is_read_anew_says_it_once_and_a_question_writes_nothing_more() -> None:
    host = await host_with_site()
    one = allocator(host, cores=4)
    await one.look()
    assert await said(host) == (4, 0)
    version = (await host.get(Site, "local")).metadata.resource_version
    await one.decide(lambda view, fleet, now_ms: nothing("Infeasible", "no"))
    await allocator(host, cores=4).recover()
    assert (await host.get(Site, "local")).metadata.resource_version == version


def held(uid: str, on: Hold) -> Record:
    return Record("Contract", "default", uid, uid, "Active", on, "w", 0)


def test_only_gpus_count_as_gpus_and_what_several_hold_counts_once() -> None:
    devices = (Device("g0", "gpu"), Device("g1", "gpu", healthy=False), Device("n0", "nic"))
    cores = tuple(Core(id) for id in range(4))
    fleet = Fleet.of([FleetMachine("m", "s", cores=cores, devices=devices, reserved_cores=frozenset({0}))])
    one, two = hold("one", "g", [1, 2]), hold("two", "h", [2, 3], start=10**9, end=2 * 10**9)
    claim = one.claims[0].model_copy(update={"devices": [DeviceClaim(id="g0"), DeviceClaim(id="n0")]})
    one = one.model_copy(update={"claims": [claim]})
    totals = Totals()
    both = View("s", 1, {"1": held("1", one), "2": held("2", two)})
    assert totals.of(fleet, both) == {"cores": 3, "gpus": 1, "cores_held": 3, "gpus_held": 1}
    assert totals.of(fleet, both.without({"1"})) == {"cores": 3, "gpus": 1, "cores_held": 2, "gpus_held": 0}
    moved = View("s", 2, {"2": held("2", hold("two", "h", [1]))})
    assert totals.of(fleet, moved) == {"cores": 3, "gpus": 1, "cores_held": 1, "gpus_held": 0}


def test_what_is_held_is_a_part_of_what_is_sold_where_less_is_sold_than_was() -> None:
    def fleet(*, reserved: set[int], healthy: bool, name: str = "m") -> Fleet:
        cores, devices = tuple(Core(id) for id in range(4)), (Device("g0", "gpu", healthy=healthy), Device("g1", "gpu"))
        return Fleet.of([FleetMachine(name, "s", cores=cores, devices=devices, reserved_cores=frozenset(reserved))])

    one = hold("one", "g", [0, 1, 2])
    claim = one.claims[0].model_copy(update={"devices": [DeviceClaim(id="g0"), DeviceClaim(id="g1")]})
    view, totals = View("s", 1, {"1": held("1", one.model_copy(update={"claims": [claim]}))}), Totals()
    whole = fleet(reserved=set(), healthy=True)
    assert totals.of(whole, view) == {"cores": 4, "gpus": 2, "cores_held": 3, "gpus_held": 2}
    less = fleet(reserved={0, 1, 3}, healthy=False)
    assert totals.of(less, view) == {"cores": 1, "gpus": 1, "cores_held": 1, "gpus_held": 1}
    assert totals.of(less, View("s", 2, {})) == {"cores": 1, "gpus": 1, "cores_held": 0, "gpus_held": 0}
    assert totals.of(fleet(reserved=set(), healthy=True, name="n"), view)["cores_held"] == 0, "its machine is gone"
