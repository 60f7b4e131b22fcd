"""How long after users were first hurt it was said, and how long until the burn rate called for a remedy. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.honesty.row import Row
from tenure.promises import Assurance, Verdict, WindowVerdict, account

BACK_WINDOWS = 40
"""More than any burn rate looks back."""


@dataclass(frozen=True)
class Said:
    """The last verdict on a window, and the look at which it settled."""

    verdict: WindowVerdict
    at_ms: int | None
    """None where it had not settled at the last look: so far it tells nobody anything."""


def note_episode(
    row: Row,
    starts: Sequence[int],
    said: Mapping[int, Said],
    bad: Callable[[int], bool],
    assurance: Assurance,
) -> None:
    """Add one episode of a fault to its row, where it really spoilt a window.

    `starts` are the windows (Unix ms) that it overlaps, in order; `bad` says whether users really missed the promise
    in one. Time counts from the end of the first such window: nobody can tell before. An episode so short that no burn
    rate calls for a remedy while it lasts has no time for that.
    """
    spoilt = next((start for start in starts if bad(start)), None)
    if spoilt is None:
        return
    length = assurance.window_ms
    over_ms = spoilt + length
    later = [said[start] for start in starts if start >= spoilt]
    noticed = [one.at_ms for one in later if one.at_ms is not None and one.verdict.verdict is not Verdict.KEPT]
    if noticed:
        after_ms = max(0, min(noticed) - over_ms)
        row.detected_after_ms.append(after_ms)
        row.detected_after_windows.append(after_ms // length)
    else:
        row.undetected += 1
    for look_ms in sorted(one.at_ms for one in later if one.at_ms is not None):
        known = [one for _, one in sorted(said.items()) if one.at_ms is not None and one.at_ms <= look_ms]
        if account([one.verdict for one in known][-BACK_WINDOWS:], assurance, None).remedy_due:
            row.remedy_due_after_windows.append(max(0, look_ms - over_ms) // length)
            return
