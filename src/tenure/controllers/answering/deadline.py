"""A deadline in an offer: promised by its instant, and said with which confidence that is known to hold. Pure.

Nothing measures how long work takes before it has run, so an offer for it states no confidence: it is a counter-offer,
whatever else it meets. Whoever accepts it all the same has the deadline signed and judged, and credit where it is
missed. An offer that follows from the work's own progress is another matter (`workload/later.py`).
"""

from collections.abc import Sequence

from tenure.controllers.answering.need import Need
from tenure.quantities import Instant, format_instant
from tenure.resources.kinds.allocation import Relaxation
from tenure.resources.kinds.answer import Binding, Quote, RefusalDetail

WHAT = "objectives.completion"
UNKNOWN = "unknown: nobody has measured how long it takes"


def promised_by(need: Need, start_ms: int) -> Instant | None:
    """The deadline that a plan starting at `start_ms` signs; None where none is asked for, or it would be over."""
    by_ms = need.complete_by_ms
    return None if by_ms is None or start_ms >= by_ms else Instant(by_ms)


def deadline_relaxed(need: Need, start_ms: int) -> list[Relaxation]:
    """What an offer gives up of the deadline asked for."""
    by_ms = need.complete_by_ms
    if by_ms is None:
        return []
    asked = format_instant(by_ms)
    if start_ms >= by_ms:
        return [Relaxation(axis="later", what=WHAT, asked=asked, offered="none: it starts after that")]
    confidence = f"{asked} with confidence {need.assurance.confidence:g}"
    return [Relaxation(axis="confidence", what=WHAT, asked=confidence, offered=f"{asked} with confidence {UNKNOWN}")]


def unproven(quotes: Sequence[Quote]) -> RefusalDetail:
    """Why none of these is an offer in full: all that is asked for is there but the confidence in its deadline."""
    missing = next(relaxed for quote in quotes for relaxed in quote.relaxed if relaxed.what == WHAT)
    return RefusalDetail(
        binding=Binding(
            constraint=WHAT,
            imposed_by="workload",
            message=f"{WHAT}: asked for {missing.asked}, which is {UNKNOWN}",
            next_step="accept it all the same (--accept any): the deadline is signed and judged, and credit is due "
            "where it is missed",
        ),
        funnel=[],
        conflicting=[WHAT],
    )
