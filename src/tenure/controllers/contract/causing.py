"""Giving broken windows their cause: stated once, in a statement of its own beside the verdict, then shown."""

import asyncio
from collections.abc import Sequence

from tenure.controllers.contract.judging import Standing
from tenure.controllers.contract.stating import state, stated
from tenure.controllers.plane import Plane
from tenure.controllers.remedies.watching import Looks
from tenure.promises import Verdict, Window
from tenure.quantities import format_instant
from tenure.resources import Contract
from tenure.resources.kinds.standing import WindowVerdict

CAUSE = "cause"
REMEMBERED = 64


async def state_causes(plane: Plane, looks: Looks, contract: Contract, standing: Standing) -> dict[int, str]:
    """State the cause of each window that was judged broken just now; returns what was said lately, by their starts.

    Raises NotWrittenError.
    """
    said = looks.causes.setdefault(contract.uid, {})
    for window in sorted({v.window for v in standing.fresh if v.verdict is Verdict.BREACHED}, key=_start):
        found = looks.cause_of(contract.uid, window)
        if found is not None:
            body = {"window": format_instant(window.start_ms), **found}
            await asyncio.to_thread(state, plane, contract, CAUSE, str(window.start_ms), body)
            said[window.start_ms] = str(found["said"])
    for start in sorted(said)[:-REMEMBERED]:
        del said[start]
    return said


async def with_causes(
    plane: Plane, contract: Contract, windows: Sequence[WindowVerdict], said: dict[int, str]
) -> list[WindowVerdict]:
    """`windows` as the status shows them, each broken one with what the kernel says took time from it.

    What is not in `said` is looked up in the log, and noted there: it may have been stated before a restart.
    """
    for shown in windows:
        start_ms = int(shown.start)
        if shown.verdict == "Breached" and start_ms not in said:
            told = await asyncio.to_thread(stated, plane, contract, CAUSE, str(start_ms))
            said[start_ms] = str(told.body["said"]) if told is not None else ""
    return [_caused(shown, said.get(int(shown.start), "")) for shown in windows]


def _start(window: Window) -> int:
    return window.start_ms


def _caused(shown: WindowVerdict, cause: str) -> WindowVerdict:
    if shown.verdict != "Breached" or not cause:
        return shown
    return shown.model_copy(update={"cause": f"{shown.cause}; {cause}" if shown.cause else cause})
