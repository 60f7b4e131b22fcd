"""Ready: shown on evidence younger than a window, and Unknown without it.

Where a contract promises statistically, the evidence is its newest judged window together with what its tap has written
since. Until its first window is judged it is the commissioning, for one window. Hard promises alone rest on what was
read back of the process that runs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tenure.controllers.contract.judging import Standing
from tenure.controllers.status import condition
from tenure.engines import Phase
from tenure.promises import Verdict
from tenure.quantities import Clock, Instant, format_instant
from tenure.resources import Condition, Contract
from tenure.resources.freshness import UNMEASURED_WINDOW_MS
from tenure.resources.kinds.standing import ReadBackFact

COMMISSIONED = "measured on its own allocation just before it was signed; its first window is not judged yet"
UNSEEN = ("NotReadBack", "NotRunning")
"""Reasons for which a contract with hard promises alone is not Ready: nothing of it was read back."""


def ready_condition(standing: Standing, clock: Clock) -> Condition:
    """Ready of a contract whose promises are judged by windows, as of now."""
    if standing.ready and standing.commissioned:
        return condition("Ready", True, "Commissioned", COMMISSIONED, clock)
    if standing.ready:
        return condition("Ready", True, "Kept", "the newest window was kept", clock)
    last = {verdict.promise: verdict for verdict in standing.newest}  # the newest of each promise
    newest = max(last.values(), key=lambda verdict: verdict.verdict.severity, default=None)
    if newest is None:
        return condition("Ready", None, "Unverifiable", "no window is over yet", clock)
    if newest.verdict is Verdict.KEPT:
        until = "" if standing.evidence_ms is None else f" since {format_instant(standing.evidence_ms)}"
        return condition("Ready", None, "Unverifiable", f"there is no evidence{until}: older than a window", clock)
    text = f"{newest.promise}: {newest.reason}" + (f", {newest.detail}" if newest.detail else "")
    if newest.verdict is Verdict.BREACHED:
        return condition("Ready", False, "Breached", text, clock)
    return condition("Ready", None, "Unverifiable", text, clock)


def ready_when_read(
    contract: Contract, phase: Phase, facts: Sequence[ReadBackFact], message: str, clock: Clock
) -> Condition:
    """Ready of a contract with hard promises alone: what is reserved runs, and was read back within a window."""
    if phase not in (Phase.RUNNING, Phase.UNSUPERVISED):
        return condition("Ready", False, "NotRunning", f"the run is {phase}", clock)
    if facts:
        return condition("Ready", True, "Active", message, clock)
    read_at = contract.status.observed_at if contract.status else None
    if read_at is not None and clock.now_ms() - int(read_at) <= window_ms(contract):
        return condition("Ready", True, "Active", message, clock)
    return condition("Ready", None, "NotReadBack", "nothing of it could be read back for longer than a window", clock)


def ready_at_activation(
    contract: Contract,
    finished_at: Instant | None,
    phase: Phase,
    facts: Sequence[ReadBackFact],
    message: str,
    clock: Clock,
) -> tuple[Condition, int | None]:
    """Ready of a contract that was signed just now, and up to when there is evidence of it (Unix ms).

    `finished_at` is when its commissioning was, None where nothing is promised by windows.
    """
    if finished_at is None:
        return ready_when_read(contract, phase, facts, message, clock), clock.now_ms() if facts else None
    if clock.now_ms() - int(finished_at) <= window_ms(contract):
        return condition("Ready", True, "Commissioned", COMMISSIONED, clock), int(finished_at)
    return condition("Ready", None, "Unverifiable", "commissioned, and no window is over since", clock), None


def observed(contract: Contract, ready: Condition, evidence_ms: int | None, began_ms: int) -> Mapping[str, Any]:
    """What to write of how young the evidence is: anew once what is written is half a window old, or Ready turns, or
    it is of before `began_ms`, when this control plane began to look.

    Readers hold it against their own clock (`tenure.resources.freshness`). Written at every look it would wake
    everybody who watches, for nothing.
    """
    if ready.status != "True" or evidence_ms is None:
        return {}
    before = contract.status.observed_at if contract.status else None
    if before is not None and int(before) > evidence_ms + window_ms(contract):
        before = None  # of a time to come: the clock was set back since
    if before is not None and (
        evidence_ms <= int(before)
        or (_stood(contract) and int(before) >= began_ms and evidence_ms - int(before) <= window_ms(contract) // 2)
    ):
        return {}
    return {"observed_at": Instant(evidence_ms)}


def window_ms(contract: Contract) -> int:
    """The length of its windows; where none is promised, the time within which hard promises are read back again."""
    promises = contract.spec.promises.statistical
    return promises[0].window.ms if promises else UNMEASURED_WINDOW_MS


def _stood(contract: Contract) -> bool:
    conditions = contract.status.conditions if contract.status else []
    return any(found.type == "Ready" and found.status == "True" for found in conditions)
