"""What one answer is planned on, so that every plan of it is made on the same. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tenure.controllers.answering.policy import Policy
from tenure.placement import (
    Alternative,
    Calendar,
    CounterOffer,
    Demand,
    Fleet,
    Plan,
    Refusal,
    fewer_members,
    plan,
    relaxations,
)
from tenure.placement.question import Question
from tenure.placement.weighing import weights_at
from tenure.resources.kinds.answer import ScoreWeighed


@dataclass(frozen=True, slots=True)
class Ground:
    """One generation of the ledger, the clock, and by what a place is chosen."""

    fleet: Fleet
    calendar: Calendar
    now_ms: int
    seed: int
    policy: Policy

    def plan(self, demand: Demand) -> Plan | Refusal:
        """The plan for it, or the refusal."""
        fleet, calendar = self.fleet, self.calendar
        return plan(fleet, calendar, demand, now_ms=self.now_ms, seed=self.seed, choice=self.policy.choice)

    def fewer(self, demand: Demand) -> Alternative | None:
        """As many of its members as fit."""
        fleet, calendar = self.fleet, self.calendar
        return fewer_members(fleet, calendar, demand, now_ms=self.now_ms, seed=self.seed, choice=self.policy.choice)

    def relaxed(self, demand: Demand, given: Sequence[Alternative]) -> tuple[CounterOffer, ...]:
        """The smallest steps back from it that fit."""
        fleet, calendar, choice = self.fleet, self.calendar, self.policy.choice
        return relaxations(fleet, calendar, demand, given, now_ms=self.now_ms, seed=self.seed, choice=choice)

    def weighed(self, demand: Demand, start_ms: int) -> tuple[float | None, list[ScoreWeighed]]:
        """(the share of the fleet that is taken then, the weights that decided between its places).

        No share where no weight depends on it, no weights where there is but one machine."""
        if len(self.fleet.machines) <= 1:
            return None, []
        question = Question(self.fleet, self.calendar, demand, self.now_ms, self.seed)
        taken, weights = weights_at(question, self.policy.choice, start_ms)
        said = [ScoreWeighed(score=name, weight=w) for name, w in zip(self.policy.names, weights, strict=True)]
        return taken, said
