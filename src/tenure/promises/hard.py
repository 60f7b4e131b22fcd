"""Hard promises: what is reserved and where, checked by reading it back from the kernel and the hardware.

They carry no share and no budget: one read-back that differs is a breach, and none at all is unverifiable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenure.promises.samples import Window
from tenure.promises.verdicts import Reason, Verdict, WindowVerdict


@dataclass(frozen=True, slots=True)
class ReadBack:
    """One fact: what was promised and what was found, both in the words of whoever read it."""

    promise: str
    """For instance `cores` or `memoryBytes`."""
    promised: str
    found: str | None
    """None where it could not be read."""
    holds: bool
    """Whether what was found satisfies what was promised; decided by the reader, who knows the axis."""
    detail: str = ""


def judge_read_back(window: Window, read_back: ReadBack) -> WindowVerdict:
    """Verdict on a hard promise in a window."""
    said = f"promised {read_back.promised}, found {read_back.found}"
    detail = f"{said}: {read_back.detail}" if read_back.detail else said
    if read_back.found is None:
        return WindowVerdict(read_back.promise, window, Verdict.UNVERIFIABLE, Reason.NOT_READ_BACK, read_back.detail)
    if not read_back.holds:
        return WindowVerdict(read_back.promise, window, Verdict.BREACHED, Reason.READ_BACK_DIFFERS, detail)
    return WindowVerdict(read_back.promise, window, Verdict.KEPT, Reason.WITHIN_BOUND, detail)


def hard_verdict(verdicts: Sequence[WindowVerdict]) -> Verdict:
    """Verdict of a hard promise over its period: breached once it ever was, else as in its newest window."""
    if any(verdict.verdict is Verdict.BREACHED for verdict in verdicts):
        return Verdict.BREACHED
    return verdicts[-1].verdict if verdicts else Verdict.UNVERIFIABLE
