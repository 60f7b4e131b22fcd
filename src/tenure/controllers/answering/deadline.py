"""A deadline in an offer: promised by its instant, and said with which confidence that is known to hold. Pure.

Nothing measures how long work takes before it has run, so an offer for it states no confidence: it is a counter-offer,
whatever else it meets. Whoever accepts it all the same has the deadline signed and judged, and credit where it is
missed; an offer that starts behind the deadline promises none, and says so. An offer that follows from the work's own
progress is another matter (`workload/later.py`).
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
    """Why none of these is an offer in full: the confidence in a deadline that they sign, or that none signs one."""
    signing = next((quote for quote in quotes if quote.promises.complete_by is not None), None)
    if signing is not None:
        asked = next(relaxed.asked for relaxed in signing.relaxed if relaxed.what == WHAT)
        message = f"asked for {asked}, which is {UNKNOWN}"
        next_step = (
            "accept it all the same (--accept any): the deadline is signed and judged, and credit is due where it is "
            "missed"
        )
    else:
        asked = next(relaxed.asked for quote in quotes for relaxed in quote.relaxed if relaxed.what == WHAT)
        first = min(int(quote.start) for quote in quotes)
        message = (
            f"asked for {asked}, and the earliest start is {format_instant(first)}, so no offer promises a deadline"
        )
        next_step = (
            "name a later deadline or an earlier start; whoever accepts one of these all the same (--accept any) is "
            "promised no deadline"
        )
    binding = Binding(constraint=WHAT, imposed_by="workload", message=f"{WHAT}: {message}", next_step=next_step)
    return RefusalDetail(binding=binding, funnel=[], conflicting=[WHAT])
