"""Random histories of two allocators, one after the other or call by call, with crashes and lost answers between any
two calls: the recount agrees after every step, and what was committed is there."""

from itertools import chain, repeat
from typing import Any

import anyio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tenure.client import Conflict, Unreachable
from tenure.ledger import Allocator, accept, nothing, recount, release
from tenure.ledger.allocator import Commit
from tenure.ledger.decision import capacity as capacity_operation
from tenure.ledger.memory import ledger_of
from tenure.ledger.records import COUNTING, Record, record_of_contract, record_of_offer
from tenure.ledger.recount_budgets import Limit
from tenure.quantities import VirtualClock
from tenure.resources import Contract, Offer, Site
from tests.ledger.builders import SEAT, capacity, contract_for, fleet_of, machine, site, take_free_core
from tests.support.interleaving import Gate
from tests.support.memory_host import Crashed, MemoryHost

CORES, SEATS = 4, 2
"""So that what runs out first is the one or the other: a need with a reserve takes two cores, and each takes a seat."""
LIMIT = Limit(SEAT, SEATS, frozenset({"m"}), unit="seats", name=SEAT)
WISHES = st.tuples(st.sampled_from(["request", "accept", "accept", "expire", "end"]), st.integers(0, 3))


class LedgerHistory(RuleBasedStateMachine):
    """Request, accept, expire, end, crash; two allocators that know nothing of each other."""

    def __init__(self) -> None:
        super().__init__()
        self.host = MemoryHost()
        self.clock = VirtualClock(1000)
        self.count = 0
        anyio.run(self.host.create, site())
        anyio.run(self.host.create, machine())
        self.held_when_drained: set[str] | None = None
        self.told: set[str] = set()
        self.allocators = [self._fresh(), self._fresh()]

    def _fresh(self) -> tuple[Gate, Allocator]:
        gate = Gate(self.host, open=True)
        return gate, Allocator(gate, "local", self.clock, fleet_of(CORES))  # type: ignore[arg-type]

    def _decide(self, who: int, decide: object) -> None:
        async def once() -> None:
            await self._outcome(who, self.allocators[who][1].decide(decide))  # type: ignore[arg-type]

        try:
            anyio.run(once)
        finally:
            self.host.heal()

    async def _outcome(self, who: int, deciding: Any) -> None:
        """What became of it: its commit is remembered, a process that died is started again and remembers nothing."""
        try:
            commit: Commit = await deciding
        except Crashed:
            self.allocators[who] = self._fresh()
        except (Unreachable, Conflict):
            pass  # nothing is known to be committed; it is asked for again, or not
        else:
            self.told |= {obj.uid for obj in [*commit.offers, *commit.contracts]}

    @rule(first=WISHES, second=WISHES, order=st.lists(st.integers(0, 1), max_size=50))
    def both_at_once(self, first: tuple[str, int], second: tuple[str, int], order: list[int]) -> None:
        """Two decisions whose calls fall between each other's; a crash takes only the one that made the call."""

        async def interleaved() -> None:
            gates = [gate for gate, _ in self.allocators]
            for (gate, allocator), wish in zip(self.allocators, (first, second), strict=True):
                gate.open = False
                await gate.start(allocator.decide(self._wish(*wish)))
            turns = chain(order, repeat(0))
            while not all(gate.done for gate in gates):
                who = next(turns)
                who = 1 - who if gates[who].done else who
                await gates[who].let()
                if gates[who].done:
                    self.host.heal()
            for who, gate in enumerate(gates):
                gate.open = True
                await self._outcome(who, gate.finish())

        anyio.run(interleaved)
        self.held_when_drained = None

    def _wish(self, what: str, which: int) -> Any:
        """A decision as it would be made now."""
        self.count += 1
        offers = self._all(Offer)
        match what:
            case "request":
                return self._take(self.clock.now_ms() + 40, 1 + which % 2, reserve=which > 1)
            case "accept" if offers:
                chosen = offers[-1 - which % len(offers)]
                return lambda view, fleet, now: accept(view, chosen.uid, contract_for(chosen), now)
            case "expire":
                return lambda view, fleet, now: release(
                    [r for r in view.live() if r.kind == "Offer"][:which], "Expired", "Expired"
                )
            case "end":
                return lambda view, fleet, now: release(
                    [r for r in view.live() if r.kind == "Contract"][:1], "Ended", "EndedByUser"
                )
        return lambda view, fleet, now: nothing("NotFound", "there is no offer")

    def _take(self, expires: int, siblings: int, *, reserve: bool) -> Any:
        """Cores, a seat of a budget, and a reserve where one is wanted."""
        name = f"w{self.count}"
        return take_free_core(name, name, expires, siblings, seats=SEATS, reserve=reserve)

    @rule(who=st.integers(0, 1), siblings=st.integers(1, 2), life=st.integers(1, 50), reserve=st.booleans())
    def request(self, who: int, siblings: int, life: int, reserve: bool) -> None:
        self.count += 1
        self._decide(who, self._take(self.clock.now_ms() + life, siblings, reserve=reserve))

    @rule(who=st.integers(0, 1), which=st.integers(0, 9))
    def accept_some(self, who: int, which: int) -> None:
        offers = self._all(Offer)
        if offers:
            chosen = offers[which % len(offers)]
            contract = contract_for(chosen)
            self._decide(who, lambda view, fleet, now: accept(view, chosen.uid, contract, now))

    @rule(who=st.integers(0, 1), ms=st.integers(0, 40))
    def expire(self, who: int, ms: int) -> None:
        self.clock.advance(ms)

        def due(view, fleet, now_ms):  # type: ignore[no-untyped-def]
            late = [r for r in view.live() if r.expires_ms is not None and r.expires_ms <= now_ms]
            return release(late, "Expired", "Expired")

        self._decide(who, due)

    @rule(who=st.integers(0, 1), which=st.integers(0, 9))
    def end(self, who: int, which: int) -> None:
        def end_one(view, fleet, now_ms):  # type: ignore[no-untyped-def]
            contracts = [r for r in view.live() if r.kind == "Contract"]
            return release(contracts[which % len(contracts) :][:1] if contracts else [], "Ended", "EndedByUser")

        self._decide(who, end_one)

    @rule(who=st.integers(0, 1), drain=st.booleans())
    def drain_or_return(self, who: int, drain: bool) -> None:
        state = "Draining" if drain else "Ready"
        uid = self.host.objects["Machine", "", "m"]["metadata"]["uid"]
        self._decide(who, lambda view, fleet, now: capacity_operation("m", uid, state, "Drained"))
        self.held_when_drained = self._live_holds() if drain and self._committed_state() == "Draining" else None

    def _committed_state(self) -> str:
        """The machine's state by the last commit, whose mark may be late."""
        ledger = ledger_of(Site.model_validate(self.host.objects["Site", "", "local"]))
        marked = self.host.objects["Machine", "", "m"].get("status", {}).get("state", "Ready")
        return next((op.to_phase for op in ledger.last_batch if op.kind == "Machine"), marked)

    def _live_holds(self) -> set[str]:
        return {r.hold.id for r in self._records() if r.phase != "Proposed" and r.counts}

    @rule(calls=st.integers(0, 12), applied=st.booleans())
    def crash_soon(self, calls: int, applied: bool) -> None:
        self.host.crash_after(calls, applied=applied)

    @rule(calls=st.integers(0, 12))
    def lose_an_answer_soon(self, calls: int) -> None:
        self.host.lose_answer_after(calls)

    def _all(self, model: type[Any]) -> list[Any]:
        found = [o for key, o in sorted(self.host.objects.items()) if key[0] == model.__name__]
        return [model.model_validate(o) for o in found]

    def _records(self) -> list[Record]:
        return [*map(record_of_offer, self._all(Offer)), *map(record_of_contract, self._all(Contract))]

    @invariant()
    def nothing_is_sold_twice(self) -> None:
        ledger = ledger_of(Site.model_validate(self.host.objects["Site", "", "local"]))
        found = recount(ledger, self._records(), [capacity(CORES)], None, self.clock.now_ms(), [LIMIT])
        assert [f for f in found if f.severity == "error"] == []

    @invariant()
    def what_was_committed_is_there(self) -> None:
        ledger = ledger_of(Site.model_validate(self.host.objects["Site", "", "local"]))
        there = {record.uid for record in self._records()}
        assert {op.uid for op in ledger.last_batch if op.kind in ("Offer", "Contract")} <= there
        assert self.told <= there

    @invariant()
    def an_accepted_offer_has_its_contract(self) -> None:
        accepted = {offer.name for offer in self._all(Offer) if offer.status and offer.status.phase == "Accepted"}
        assert accepted <= {contract.name for contract in self._all(Contract)}

    @invariant()
    def nothing_new_is_held_while_it_drains(self) -> None:
        if self.held_when_drained is not None:
            assert self._live_holds() <= self.held_when_drained

    @invariant()
    def one_hold_has_one_holder(self) -> None:
        marked = [r.hold.id for r in self._records() if r.phase in COUNTING[r.kind]]
        ledger = ledger_of(Site.model_validate(self.host.objects["Site", "", "local"]))
        if not any(op.operation == "Choose" for op in ledger.last_batch):
            assert len(marked) == len(set(marked))


LedgerHistory.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLedgerHistory = LedgerHistory.TestCase
