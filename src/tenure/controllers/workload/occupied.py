"""What is taken, and until when: the live holds as placement's calendar, those included that outlive their end. Pure.

A contract's or a trial's hold is released once its processes are gone, so one that is live past its end still has them,
or may have.
"""

from dataclasses import dataclass, replace

from tenure.ledger import View
from tenure.ledger.convert import to_placed
from tenure.placement import FOREVER_MS, Calendar

STOP_MARGIN_MS = 2_000
"""Between two holds of the same capacity: covers stopping what ran before (architecture, law 7 of the ledger)."""
STUCK_MS = 30_000
"""For so long after its end work is about to be gone; after that nobody knows when its capacity is free again."""
STEP_MS = 1_000


@dataclass(frozen=True, slots=True)
class _Known:
    """A calendar, true at the instants of [since, until)."""

    calendar: Calendar
    since_ms: int
    until_ms: int


def calendar_of(view: View, now_ms: int) -> Calendar:
    """The live holds as they stand at `now_ms`, with the margin that stopping takes; kept while that stays true."""
    known: _Known | None = view.derived.get("calendar")
    if known is None or not known.since_ms <= now_ms < known.until_ms:
        known = view.derived["calendar"] = _calendar(view, now_ms)
    return known.calendar


def _calendar(view: View, now_ms: int) -> _Known:
    holds, until_ms = [], FOREVER_MS
    for record in view.live():
        hold = to_placed(record.hold)
        if record.kind == "Contract" or record.trial:
            end_ms, changes_ms = occupied(hold.end_ms, now_ms)
            until_ms = min(until_ms, changes_ms)
            hold = hold if end_ms == hold.end_ms else replace(hold, end_ms=end_ms)
        holds.append(hold)
    return _Known(Calendar.of(holds, margin_ms=STOP_MARGIN_MS), now_ms, until_ms)


def occupied(end_ms: int, now_ms: int) -> tuple[int, int]:
    """The end to reckon with of live work that was to end at `end_ms`, and the instant up to which to do so."""
    if now_ms < end_ms + STOP_MARGIN_MS:
        return end_ms, end_ms + STOP_MARGIN_MS
    if now_ms < end_ms + STUCK_MS:
        soon_ms = (now_ms // STEP_MS + 1) * STEP_MS
        return soon_ms, soon_ms
    return FOREVER_MS, FOREVER_MS
