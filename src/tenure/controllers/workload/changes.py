"""New terms for a contract, as they are looked for: what is known, which answers count, and how they are said. Pure."""

from dataclasses import dataclass, replace

from tenure.controllers.answering.answer import Answered, Knowledge, Planned, answer
from tenure.controllers.answering.deadline import WHAT
from tenure.controllers.answering.need import Window
from tenure.placement import Calendar, Fleet
from tenure.quantities import Instant, format_instant
from tenure.resources import Contract
from tenure.resources.kinds.allocation import Relaxation
from tenure.resources.kinds.answer import Quote


@dataclass(frozen=True, slots=True)
class Terms:
    """New terms to be found from now on until `end_ms`; `by_ms` is a later deadline, None where there is none."""

    contract: Contract
    known: Knowledge
    end_ms: int
    by_ms: int | None = None

    def answer(self, fleet: Fleet, calendar: Calendar, group: str, now_ms: int) -> Answered:
        """The answer for the rest of the time, on one generation of the ledger."""
        when = Window(now_ms, now_ms, max(1, self.end_ms - now_ms))
        known = replace(self.known, need=replace(self.known.need, when=when))
        return answer(known, fleet, calendar, group, now_ms)

    def changes(self, planned: Planned) -> bool:
        """Whether accepting it would change anything: the terms that are broken now are no way out."""
        if self.by_ms is not None:
            return True
        same = planned.quote.shape == self.contract.spec.shape and planned.quote.meets_in_full
        claims = [(claim.machine, sorted(claim.cores)) for claim in self.contract.spec.hold.claims]
        return not (same and claims == [(claim.machine, sorted(claim.cores)) for claim in planned.plan.claims])

    def quote(self, planned: Planned) -> Quote:
        """What is said of it, with the later deadline where that is what changes."""
        quote = planned.quote
        wanted = self.contract.spec.body.objectives
        if self.by_ms is None or wanted is None or wanted.completion is None:
            return quote
        agreed = self.contract.spec.promises.complete_by
        asked = wanted.completion.by or agreed or f"within {wanted.completion.within}"
        later = Relaxation(
            axis="later",
            what="objectives.completion.by",
            asked=str(asked),
            offered=format_instant(self.by_ms),
        )
        promises = quote.promises.model_copy(update={"complete_by": Instant(self.by_ms)})
        # Its own progress says when it will be done, and how surely: that takes the place of what was not known.
        relaxed = [*(one for one in quote.relaxed if one.what != WHAT), later]
        return quote.model_copy(update={"meets_in_full": False, "relaxed": relaxed, "promises": promises})
