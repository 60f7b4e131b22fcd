"""A contract that was signed is signed, whether or not its status came to say so."""

import asyncio

from tenure.controllers.contract.marks import set_phase
from tenure.controllers.contract.stating import activated_ms, checkpoint_of, commissioning_of, state_terms
from tenure.controllers.plane import Plane
from tenure.resources import Contract


async def say_what_was_signed(plane: Plane, contract: Contract, phase: str | None = None) -> Contract:
    """The contract with its signature in its status, where the checkpoint of its activation was given; in its phase,
    or in the later one that is named.

    A crash, or a host that took no writes, may have come between that and the status, and the contract be over by the
    next look: the checkpoint was issued all the same, and every window since then is owed a verdict.
    """
    if contract.status is None or contract.status.signature is not None:
        return contract
    if await asyncio.to_thread(activated_ms, plane, contract) is None:
        return contract
    measured = await asyncio.to_thread(commissioning_of, plane, contract)
    return await set_phase(
        plane,
        contract,
        phase or contract.status.phase,
        signature=await asyncio.to_thread(state_terms, plane, contract),
        checkpoint=await asyncio.to_thread(checkpoint_of, plane, contract),
        commissioning=measured or contract.status.commissioning,
    )
