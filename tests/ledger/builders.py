"""Builders of what the ledger's tests speak about: a machine of n cores, offers and contracts on some of them."""

from collections.abc import Callable, Sequence

from tenure.ledger.decision import Decision, nothing
from tenure.ledger.records import View
from tenure.ledger.recount import Capacity
from tenure.placement import Core, Fleet, FleetMachine, MemoryNode
from tenure.quantities import Bytes, Instant
from tenure.resources import Contract, HardwareProfile, Machine, ObjectMeta, Offer, Site
from tenure.resources.kinds.allocation import BudgetDraw, Claim, Hold, Promises
from tenure.resources.kinds.contract import (
    ContractSpec,
    ContractTerm,
    OfferSpec,
    Parties,
    PolicyDecision,
    WorkloadReference,
)
from tenure.resources.kinds.machine import MachineSpec
from tenure.resources.kinds.workload import WorkloadSpec

GIB = 2**30


def fleet(cores: int, memory_gib: int = 8, *, draining: bool = False) -> Fleet:
    """One machine `m` with cores 0..n-1, all for sale unless it drains."""
    machine = FleetMachine(
        name="m",
        site="local",
        cores=tuple(Core(id=i) for i in range(cores)),
        memory=(MemoryNode(id=0, bytes=memory_gib * GIB),),
        schedulable=not draining,
    )
    return Fleet.of([machine])


def fleet_of(cores: int) -> Callable[[Site, Sequence[Machine], Sequence[HardwareProfile]], Fleet]:
    """What an Allocator is given to read its fleet with."""

    def read(site: Site, machines: Sequence[Machine], profiles: Sequence[HardwareProfile]) -> Fleet:
        return fleet(cores, draining=any(m.status is not None and m.status.state == "Draining" for m in machines))

    return read


def capacity(cores: int, memory_gib: int = 8) -> Capacity:
    return Capacity("m", frozenset(range(cores)), memory_gib * GIB)


def site() -> Site:
    return Site(metadata=ObjectMeta(name="local"))


def machine() -> Machine:
    """The object behind `m`."""
    spec = MachineSpec(site="local", profile="hw")
    return Machine(metadata=ObjectMeta(name="m"), spec=spec)


def hold(id: str, group: str, cores: Sequence[int], start: int = 0, end: int = 10**9, memory_gib: int = 1) -> Hold:
    claim = Claim(machine="m", cores=list(cores), memory=Bytes(memory_gib * GIB), memory_nodes=[0])
    return Hold(id=id, group=group, site="local", start=Instant(start), end=Instant(end), claims=[claim])


def offer(name: str, workload: str, held: Hold, expires: int = 10**9) -> Offer:
    spec = OfferSpec(
        workload=WorkloadReference(name=workload, uid=f"uid-of-{workload}", generation=1),
        promises=Promises(),
        machine="m",
        expires_at=Instant(expires),
        hold=held,
        planned_generation=0,
    )
    return Offer(metadata=ObjectMeta(name=name, namespace="default"), spec=spec)


def contract_for(offered: Offer, *, replaces: str | None = None) -> Contract:
    spec = ContractSpec(
        workload=offered.spec.workload,
        offer=offered.name,
        parties=Parties(provider="local", consumer="default"),
        body=WorkloadSpec.model_validate({"command": {}, "run": {"command": ["true"]}}),
        promises=Promises(),
        machine="m",
        hold=offered.spec.hold,
        term=ContractTerm(start=offered.spec.hold.start, end=offered.spec.hold.end),
        policy=PolicyDecision(allowed=True),
        planned_generation=0,
        replaces=replaces,
    )
    return Contract(metadata=ObjectMeta(name=offered.name, namespace="default"), spec=spec)


SEAT = "licence:seat"


def take_free_core(
    name: str,
    workload: str,
    expires: int = 10**9,
    siblings: int = 1,
    *,
    seats: int | None = None,
    reserve: bool = False,
) -> Callable[[View, Fleet, int], Decision]:
    """A decision that offers the lowest free cores, one a sibling, as alternatives of one group; refused when full.

    With `seats` each takes one of so many of a named budget; with `reserve` each holds back a second core.
    """

    def decide(view: View, fleet_now: Fleet, now_ms: int) -> Decision:
        taken = {core for r in view.live() for claim in r.hold.claims for core in claim.cores}
        if not fleet_now.machine("m").schedulable:
            return nothing("Drained", "nothing new is placed on a machine that drains")
        free = [core.id for core in fleet_now.machine("m").cores if core.id not in taken]
        places = list(zip(free[::2], free[1::2], strict=False)) if reserve else [(core,) for core in free]
        if not places:
            return nothing("Infeasible", "no core is free")
        if seats is not None and seats_taken(view) >= seats:
            return nothing("Infeasible", "no seat is free")
        return Decision(
            offers=[
                offer(f"{name}-{i}", workload, _held(f"h-{name}-{i}", f"g-{name}", cores, seats), expires)
                for i, cores in enumerate(places[:siblings])
            ]
        )

    return decide


def seats_taken(view: View) -> int:
    """Of alternatives the greatest counts."""
    taken: dict[str, int] = {}
    for record in view.live():
        drawn = sum(draw.amount for claim in record.hold.claims for draw in claim.draws)
        group = record.hold.group or record.hold.id
        taken[group] = max(taken.get(group, 0), drawn)
    return sum(taken.values())


def _held(id: str, group: str, cores: Sequence[int], seats: int | None) -> Hold:
    """The first core to work on, the others held back."""
    one = hold(id, group, cores[:1])
    work = one.claims[0]
    if seats is not None:
        work = work.model_copy(update={"draws": [BudgetDraw(budget=SEAT, amount=1)]})
    back = [
        Claim(machine="m", cores=[core], memory=Bytes(GIB), memory_nodes=[0], purpose="reserve") for core in cores[1:]
    ]
    return one.model_copy(update={"claims": [work, *back]})
