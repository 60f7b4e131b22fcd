"""Reading the situation: each look keeps the last one, because time taken is a difference of two looks."""

import asyncio
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from tenure.controllers.contract.judging import Standing
from tenure.controllers.contract.reserve import cores_now, held_back
from tenure.controllers.plane import Plane
from tenure.controllers.remedies.causes import KernelLook, KernelLooks
from tenure.controllers.remedies.situation import Intruder, Situation
from tenure.engines import RunState
from tenure.measurement.intruders import Ran, intruders, ran
from tenure.measurement.kernel import KernelFacts, causes, read_facts
from tenure.measurement.procfs import read_processes
from tenure.promises import Verdict, Window, WindowVerdict
from tenure.resources import Contract
from tenure.resources.kinds.standing import ReadBackFact

OWN = {os.getpid()}
UNMEASURED_MS = 60_000
LATELY_WINDOWS = 8
"""As far as the long burn rate looks back."""


@dataclass(slots=True)
class Looks:
    """The last look at each run."""

    facts: dict[str, KernelFacts] = field(default_factory=dict)
    ran: dict[str, tuple[int, dict[int, Ran]]] = field(default_factory=dict)
    kernel: dict[str, KernelLooks] = field(default_factory=dict)
    """What the kernel counted over the last few windows, by the contract's uid."""
    causes: dict[str, dict[int, str]] = field(default_factory=dict)
    """What was said to have broken its windows, by their start."""
    seconds: dict[str, float] = field(default_factory=dict)
    """How long before the last look the one before it was."""
    told: set[str] = field(default_factory=set)
    """Contracts whose log and status are known to speak of the same remedies."""
    met: set[str] = field(default_factory=set)
    """Contracts of whose run it was said that it went on until this control plane began, or that were seen not to."""

    async def situation(
        self, plane: Plane, contract: Contract, state: RunState, read_back: Sequence[ReadBackFact], standing: Standing
    ) -> Situation:
        """What there is to see now, against the look before."""
        topology = await plane.topology(contract.spec.machine)
        cpus = topology.cpus_of(cores_now(contract))
        pid = state.work.process.pid if state.work.process else None
        found_causes, found_intruders = await asyncio.to_thread(
            self._look, contract.uid, pid, cpus, plane.clock.monotonic_ns()
        )
        self._keep(contract, found_intruders, cpus, plane.clock.now_ms())
        newest = standing.newest
        failed = [v for v in newest if v.verdict is Verdict.BREACHED]
        burning = {promise.name for promise, account in standing.accounts if account.remedy_due}
        missed, missing = most_broken(standing.recent, burning, measured=True)
        broken, breaking = most_broken(standing.recent, burning)
        wanted = contract.spec.body.remedies
        room_elsewhere = set(plane.system_cpus) - set(cpus)  # on a machine of one core there is nowhere else to go
        return Situation(
            intruders=tuple(found_intruders) if room_elsewhere else (),
            differing=tuple(fact for fact in read_back if not fact.agrees),
            causes=tuple(found_causes),
            healthy=state.healthy,
            stuck=bool(failed) and all(v.observed in (None, float("inf")) for v in failed),
            broken=broken,
            breaking=breaking,
            missed=missed,
            missing=missing,
            spare=held_back(contract),
            spent=any(account.verdict is Verdict.BREACHED for _, account in standing.accounts),
            may_end=wanted is not None and wanted.last_resort == "end-with-credit",
        )

    def _keep(self, contract: Contract, others: Sequence[Intruder], cpus: tuple[int, ...], now_ms: int) -> None:
        facts = self.facts.get(contract.uid)
        looks = self.kernel.setdefault(contract.uid, KernelLooks())
        if facts is None or (looks.kept and looks.kept[-1].facts is facts):
            return  # there was no process to be read
        statistical = contract.spec.promises.statistical
        length_ms = statistical[0].window.ms if statistical else UNMEASURED_MS
        used = {(one.pid, one.name): one.cpu_share * self.seconds.get(contract.uid, 0.0) for one in others}
        looks.add(KernelLook(now_ms, facts, cpus, used), length_ms)

    def cause_of(self, uid: str, window: Window) -> dict[str, Any] | None:
        """What took time from the work in a window, as it is stated; None where nobody looked then."""
        found = self.kernel.get(uid)
        return found.cause_of(window) if found is not None else None

    def _look(self, uid: str, pid: int | None, cpus: tuple[int, ...], now_ns: int):  # type: ignore[no-untyped-def]
        processes = read_processes()
        now_ran = ran(processes)
        facts = read_facts(pid, now_ns, processes=processes) if pid is not None else None
        before_facts, before_ran = self.facts.get(uid), self.ran.get(uid)
        self.ran[uid] = (now_ns, now_ran)
        if facts is not None:
            self.facts[uid] = facts
        found_causes = causes(before_facts, facts, cpus) if before_facts and facts else []
        if before_ran is None:
            return found_causes, []
        own = {*OWN, *(facts.processes if facts else ())}
        seconds = self.seconds[uid] = (now_ns - before_ran[0]) / 1e9
        return found_causes, [
            Intruder(one.pid, one.start_ticks, one.name, cpus, share)
            for one, share in intruders(before_ran[1], now_ran, cpus, own, seconds)
        ]

    def forget(self, uid: str) -> None:
        """The contract is over."""
        self.facts.pop(uid, None)
        self.ran.pop(uid, None)
        for book in (self.kernel, self.causes, self.seconds):
            book.pop(uid, None)
        self.told.discard(uid)
        self.met.discard(uid)


def most_broken(
    recent: Sequence[WindowVerdict], burning: Collection[str], *, measured: bool = False
) -> tuple[int, str]:
    """Of the promises that burn their budget, the one most broken in its newest windows, and in how many; pure.

    `measured`: only windows with a figure count. Work that gets no CPU at all answers nobody, and leaves none.
    """
    counts = {
        promise: sum(
            verdict.verdict is Verdict.BREACHED and (not measured or _has_a_figure(verdict))
            for verdict in [v for v in recent if v.settled and v.promise == promise][-LATELY_WINDOWS:]
        )
        for promise in sorted(burning)
    }
    promise = max(counts, key=lambda name: counts[name], default="")
    return (counts[promise], promise) if counts.get(promise) else (0, "")


def _has_a_figure(verdict: WindowVerdict) -> bool:
    return verdict.observed is not None and isfinite(verdict.observed)
