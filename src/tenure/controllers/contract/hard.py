"""Hard promises over a contract's life: read back, stated when first seen to hold and when first seen not to."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from tenure.controllers.contract.readback import seen, unread
from tenure.controllers.contract.stating import state, stated
from tenure.controllers.events import record
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition
from tenure.evidence import Statement
from tenure.promises import Verdict, worst
from tenure.resources import Condition, Contract, condition_of
from tenure.resources.kinds.standing import ReadBackFact

HARD = "HardPromisesKept"
FIRST, DIFFERENCE = "first", "first-difference"
BY_THE_PROVIDER = ("Lost", "EndedWithCredit")
"""Ends before the term through whoever provides it: the end of the term is a hard promise too. Work that fails by
itself breaks nothing that was promised to it."""
_CONDITIONS: Mapping[str, Verdict] = {"True": Verdict.KEPT, "False": Verdict.BREACHED}


async def hard_condition(plane: Plane, contract: Contract, facts: Sequence[ReadBackFact]) -> Condition:
    """Whether what is reserved was ever found otherwise. One read-back that differs breaches it, once and for all.

    While a limit cannot be read, nothing is said of it.

    Raises NotWrittenError: what cannot be stated is not said.
    """
    before = condition_of(contract.status.conditions, HARD) if contract.status else None
    if before is not None and before.status == "False":
        return before
    if plane.simulated:
        return condition(HARD, None, "Simulated", "nothing runs that could be read back", plane.clock)
    told = await asyncio.to_thread(stated, plane, contract, "read-back", DIFFERENCE)
    hidden, facts = unread(facts), seen(facts)
    if hidden is not None and not facts and told is None:
        message = f"{hidden.what}: the contract holds {hidden.expected}, {hidden.found} ({hidden.source})"
        return condition(HARD, None, "NotReadBack", message, plane.clock)
    if not facts and told is None:
        return before or condition(HARD, None, "NotReadBack", "no process of it runs yet", plane.clock)
    body = {"facts": [fact.to_json() for fact in facts]}
    wrong = next((fact for fact in facts if not fact.agrees), None)
    if wrong is None and told is not None:
        # Stated just before a crash: it was so, whatever is found now.
        wrong = next(fact for fact in map(ReadBackFact.model_validate, told.body["facts"]) if not fact.agrees)
    elif wrong is None:
        await asyncio.to_thread(state, plane, contract, "read-back", FIRST, body)
        return condition(HARD, True, "Kept", f"{len(facts)} limits read back", plane.clock)
    await asyncio.to_thread(state, plane, contract, "read-back", DIFFERENCE, body)  # once; the first one stands
    message = f"{wrong.what}: the contract holds {wrong.expected}, the kernel said {wrong.found} ({wrong.source})"
    await record(plane.client, contract, "ReadBackDiffers", message, plane.clock, warning=True)
    return condition(HARD, False, "ReadBackDiffers", message, plane.clock)


def hard_of_status(contract: Contract) -> Verdict:
    """What the contract's own conditions say of its hard promises."""
    found = condition_of(contract.status.conditions, HARD) if contract.status else None
    return _CONDITIONS.get(found.status, Verdict.UNVERIFIABLE) if found else Verdict.UNVERIFIABLE


async def hard_at_end(plane: Plane, contract: Contract) -> Verdict:
    """The same at a contract's end, when nobody is left to be read: what was stated stands, though whoever stated it
    died before the conditions said so."""
    if await asyncio.to_thread(stated, plane, contract, "read-back", DIFFERENCE) is not None:
        return Verdict.BREACHED
    if await asyncio.to_thread(stated, plane, contract, "read-back", FIRST) is not None:
        return Verdict.KEPT
    return hard_of_status(contract)


def hard_of_statements(statements: Sequence[Statement]) -> Verdict:
    """What a contract's statements say of its hard promises. Pure."""
    read = [fact for s in statements if s.predicate == "read-back" for fact in s.body["facts"]]
    if any(not _agrees(fact) for fact in read):
        return Verdict.BREACHED
    return Verdict.KEPT if read else Verdict.UNVERIFIABLE


def overall(statistical: Sequence[Verdict], hard: Verdict, ended_because: str | None = None) -> Verdict:
    """A contract's verdict: the worst of all that it promises. The same for its status and for its audit. Pure."""
    broken_off = [Verdict.BREACHED] if ended_because in BY_THE_PROVIDER else []
    return worst([*statistical, hard, *broken_off])


def _agrees(fact: Mapping[str, Any]) -> bool:
    return fact.get("agrees") is True
