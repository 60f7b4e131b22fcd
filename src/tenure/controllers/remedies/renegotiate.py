"""Rung: renegotiate. An offer of terms that service can keep is held for the same Workload; its user decides.

The offer itself is the Workload's to make (`controllers/workload/renegotiation.py`), from the step that stands in the
contract's status: whoever died in between finds it there.
"""

from collections.abc import Sequence

from tenure.controllers.plane import Plane
from tenure.controllers.remedies.ladder import SETTLE_WINDOWS, After, Outcome, Reasoned
from tenure.controllers.remedies.situation import Situation
from tenure.resources import Contract, Offer
from tenure.resources.kinds.standing import RemedyStep

ANSWERED_MS_MAX = 30_000
"""An offer that was not held by then could not be made."""


class Renegotiate:
    """Costs nothing until it is accepted; then a restart on the new terms, and their commissioning."""

    name = "renegotiate"
    cost = "none until accepted; then the time to stop, start and commission anew, on the terms offered"
    heavy = True
    waits = True

    def helps(self, situation: Situation) -> Reasoned | None:
        """The budget burns by windows that were measured: what was measured says what could be kept."""
        if situation.missed < SETTLE_WINDOWS:
            return None
        return Reasoned(f"{situation.missing} was broken in {situation.missed} of its newest windows")

    def success(self, after: After) -> Outcome:
        """By what its user did with the offer, and not by windows, which are those of the old terms."""
        return answer_to(after.step, after.offers, after.now_ms)

    async def act(self, plane: Plane, contract: Contract, situation: Situation) -> str:  # noqa: ARG002 - one shape for all
        """Nothing more than the step itself, which the Workload follows."""
        return "an offer of terms that service keeps was asked for; it waits for its user"


def answer_to(step: RemedyStep, offers: Sequence[Offer], now_ms: int) -> Outcome:
    """What became of the offer: it waits, or nobody took it, or there was none to make. Pure.

    `offers` are those that would replace the contract. One that was accepted ends the contract, which ends the step.
    """
    phases = [o.status.phase if o.status else "Proposed" for o in offers]
    if any(phase in ("Proposed", "Held", "Accepted") for phase in phases):
        return "InProgress"
    made = [o for o in offers if int(o.metadata.creation_timestamp or 0) + 1_000 >= int(step.started_at)]
    if not made and now_ms - int(step.started_at) < ANSWERED_MS_MAX:
        return "InProgress"
    return "DidNotHelp"
