"""Notice: both parties are told before a term is over, once, early enough to go on without a break."""

import asyncio

from tenure.controllers.contract.marks import set_phase
from tenure.controllers.contract.stating import state
from tenure.controllers.events import record
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition
from tenure.evidence import NotWrittenError
from tenure.quantities import format_instant
from tenure.resources import Contract, condition_of

ENDING_SOON = "EndingSoon"
SHARE_OF_TERM = 10
NOTICE_MS_MAX = 3_600_000


def notice_at_ms(contract: Contract) -> int:
    """When notice is due: a tenth of the term before its end, and no more than an hour."""
    start, end = int(contract.spec.term.start), int(contract.spec.term.end)
    return end - min((end - start) // SHARE_OF_TERM, NOTICE_MS_MAX)


def is_ending_soon(contract: Contract) -> bool:
    """Whether notice was given. It is what a renewal offer follows."""
    found = condition_of(contract.status.conditions, ENDING_SOON) if contract.status else None
    return found is not None and found.status == "True"


def until_next(contract: Contract, now_ms: int) -> int:
    """Milliseconds until the term asks for the next thing: the notice, then the end."""
    end, notice = int(contract.spec.term.end), notice_at_ms(contract)
    return (end if now_ms >= notice else notice) - now_ms


async def give_notice(plane: Plane, contract: Contract) -> None:
    """Give it when it is due; stated, then said. Late notice, after a control plane that was dead, is better than none.

    Notice that cannot be stated is not given; it is tried again at the next look.
    """
    if plane.clock.now_ms() < notice_at_ms(contract) or is_ending_soon(contract):
        return
    until = format_instant(int(contract.spec.term.end))
    body = {"what": ENDING_SOON, "end": until}
    try:
        await asyncio.to_thread(state, plane, contract, "notice", ENDING_SOON, body)
    except NotWrittenError:
        return
    message = f"it ends at {until}"
    said = condition(ENDING_SOON, True, ENDING_SOON, message, plane.clock)
    updated = await set_phase(plane, contract, "Active", said)
    await record(plane.client, updated, ENDING_SOON, message, plane.clock)
