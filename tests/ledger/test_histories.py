"""Random histories with crashes between any two calls and a second allocator: the recount agrees after every step."""

import anyio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tenure.ledger import Allocator, accept, recount, release
from tenure.ledger.decision import capacity as capacity_operation
from tenure.ledger.memory import ledger_of
from tenure.ledger.records import COUNTING, Record, record_of_contract, record_of_offer
from tenure.quantities import VirtualClock
from tenure.resources import Contract, Offer, Site
from tests.ledger.builders import capacity, contract_for, fleet_of, machine, site, take_free_core
from tests.support.memory_host import Crashed, MemoryHost

CORES = 3


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
        self.allocators = [self._fresh(), self._fresh()]

    def _fresh(self) -> Allocator:
        return Allocator(self.host, "local", self.clock, fleet_of(CORES))  # type: ignore[arg-type]

    def _decide(self, who: int, decide: object) -> None:
        async def once() -> None:
            await self.allocators[who].decide(decide)  # type: ignore[arg-type]

        try:
            anyio.run(once)
        except Crashed:
            self.allocators[who] = self._fresh()  # the process is started again, and remembers nothing
        finally:
            self.host.heal()

    @rule(who=st.integers(0, 1), siblings=st.integers(1, 2), life=st.integers(1, 50))
    def request(self, who: int, siblings: int, life: int) -> None:
        self.count += 1
        expires = self.clock.now_ms() + life
        self._decide(who, take_free_core(f"w{self.count}", f"w{self.count}", expires, siblings))

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

    def _all(self, model: type) -> list:  # type: ignore[type-arg]
        found = [o for key, o in sorted(self.host.objects.items()) if key[0] == model.__name__]
        return [model.model_validate(o) for o in found]

    def _records(self) -> list[Record]:
        return [*map(record_of_offer, self._all(Offer)), *map(record_of_contract, self._all(Contract))]

    @invariant()
    def nothing_is_sold_twice(self) -> None:
        ledger = ledger_of(Site.model_validate(self.host.objects["Site", "", "local"]))
        found = recount(ledger, self._records(), [capacity(CORES)], None, self.clock.now_ms())
        assert [f for f in found if f.severity == "error"] == []

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
