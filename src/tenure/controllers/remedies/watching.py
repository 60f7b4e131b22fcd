"""Reading the situation: each look keeps the last one, because time taken is a difference of two looks."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from math import isfinite

from tenure.controllers.contract.judging import Standing
from tenure.controllers.plane import Plane
from tenure.controllers.remedies.situation import Intruder, Situation
from tenure.engines import RunState
from tenure.measurement.intruders import Ran, intruders, look
from tenure.measurement.kernel import KernelFacts, causes, read_facts
from tenure.promises import Verdict, WindowVerdict
from tenure.resources import Contract
from tenure.resources.kinds.contract import ReadBackFact

OWN = {os.getpid()}


@dataclass(slots=True)
class Looks:
    """The last look at each run."""

    facts: dict[str, KernelFacts] = field(default_factory=dict)
    ran: dict[str, tuple[int, dict[int, Ran]]] = field(default_factory=dict)

    async def situation(
        self, plane: Plane, contract: Contract, state: RunState, read_back: Sequence[ReadBackFact], standing: Standing
    ) -> Situation:
        """What there is to see now, against the look before."""
        topology = await plane.topology(contract.spec.machine)
        cpus = topology.cpus_of(contract.spec.hold.claims[0].cores)
        pid = state.work.process.pid if state.work.process else None
        found_causes, found_intruders = await asyncio.to_thread(
            self._look, contract.uid, pid, cpus, plane.clock.monotonic_ns()
        )
        newest = standing.newest
        failed = [v for v in newest if v.verdict is Verdict.BREACHED]
        missed, missing = missed_in_a_row(standing.recent)
        wanted = contract.spec.body.remedies
        return Situation(
            intruders=tuple(found_intruders),
            differing=tuple(fact for fact in read_back if not fact.agrees),
            causes=tuple(found_causes),
            healthy=state.healthy,
            stuck=bool(failed) and all(v.observed in (None, float("inf")) for v in failed),
            missed=missed,
            missing=missing,
            spent=any(account.verdict is Verdict.BREACHED for _, account in standing.accounts),
            may_end=wanted is not None and wanted.last_resort == "end-with-credit",
        )

    def _look(self, uid: str, pid: int | None, cpus: tuple[int, ...], now_ns: int):  # type: ignore[no-untyped-def]
        ran = look()
        facts = read_facts(pid, now_ns) if pid is not None else None
        before_facts, before_ran = self.facts.get(uid), self.ran.get(uid)
        self.ran[uid] = (now_ns, ran)
        if facts is not None:
            self.facts[uid] = facts
        found_causes = causes(before_facts, facts, cpus) if before_facts and facts else []
        if before_ran is None:
            return found_causes, []
        own = {*OWN, *(facts.processes if facts else ())}
        seconds = (now_ns - before_ran[0]) / 1e9
        return found_causes, [
            Intruder(one.pid, one.start_ticks, one.name, cpus, share)
            for one, share in intruders(before_ran[1], ran, cpus, own, seconds)
        ]

    def forget(self, uid: str) -> None:
        """The contract is over."""
        self.facts.pop(uid, None)
        self.ran.pop(uid, None)


def missed_in_a_row(recent: Sequence[WindowVerdict]) -> tuple[int, str]:
    """How many of the newest settled windows broke the same promise by what was measured, and which; pure.

    What cannot be measured cannot be renegotiated by a figure, so an unverifiable window ends the row.
    """
    rows: dict[str, list[WindowVerdict]] = {}
    for verdict in recent:
        if verdict.settled:
            rows.setdefault(verdict.promise, []).append(verdict)
    longest, said = 0, ""
    for promise, verdicts in rows.items():
        newest_first = sorted(verdicts, key=lambda v: v.window.start_ms, reverse=True)
        row = list(takewhile(_was_missed, newest_first))
        if len(row) > longest:
            longest, said = len(row), promise
    return longest, said


def _was_missed(verdict: WindowVerdict) -> bool:
    measured = verdict.observed is not None and isfinite(verdict.observed)
    return verdict.verdict is Verdict.BREACHED and measured
