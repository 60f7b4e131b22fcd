"""How long after users were first hurt it was said, and how long until the burn rate called for a remedy. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchmarks.honesty.row import Row
from tenure.promises import Assurance, Verdict, WindowVerdict, account

UNDETECTED = 99
BACK_WINDOWS = 40
"""More than any burn rate looks back."""


def note_episode(
    row: Row,
    starts: Sequence[int],
    verdicts: Mapping[int, WindowVerdict],
    bad: Callable[[int], bool],
    assurance: Assurance,
) -> None:
    """Add one episode of a fault to its row, where it really spoilt a window.

    `starts` are the windows (Unix ms) that it overlaps, in order; `bad` says whether users really missed the promise
    in one. An episode so short that no burn rate calls for a remedy while it lasts has no time for that.
    """
    spoilt = next((start for start in starts if bad(start)), None)
    if spoilt is None:
        return
    length = assurance.window_ms
    said = next((s for s in starts if s >= spoilt and verdicts[s].verdict is not Verdict.KEPT), None)
    row.detected_after_windows.append(UNDETECTED if said is None else (said - spoilt) // length)
    for start in (s for s in starts if s >= spoilt):
        so_far = [verdicts[s] for s in sorted(verdicts) if s <= start][-BACK_WINDOWS:]
        if account(so_far, assurance, None).remedy_due:
            row.remedy_due_after_windows.append((start - spoilt) // length)
            return
