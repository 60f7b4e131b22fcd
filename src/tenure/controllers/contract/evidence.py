"""What commissioning measured joins the evidence: the same class of hardware, beside what was there."""

from tenure.controllers.answering.gather import Missing, find_subject
from tenure.controllers.answering.measured import RunShape
from tenure.controllers.answering.need import need_of
from tenure.controllers.measuring import Windows
from tenure.controllers.plane import Plane
from tenure.controllers.trialling.book import remember
from tenure.promises import Load
from tenure.resources import Contract, Machine


async def remember_commissioning(plane: Plane, contract: Contract, windows: Windows) -> None:
    """Keep the windows of a commissioning. Neighbours were as they happened to be: that is `quiet`, the weaker key."""
    need = need_of(contract.spec.body, int(contract.spec.term.start))
    subject = await find_subject(plane, need, await plane.client.get(Machine, contract.spec.machine))
    load, shape = contract.spec.promises.load, contract.spec.shape
    if isinstance(subject, Missing) or load is None or shape is None:
        return
    remember(
        plane,
        subject,
        RunShape(shape.threads, shape.slots),
        Load(int(load.requests_per_second), load.prompt_tokens, load.output_tokens),
        contract.spec.promises.statistical[0].window.ms,
        windows,
        neighbours="quiet",
        origin="commissioning",
    )
