"""What one answer is planned on, so that every plan of it is made on the same. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tenure.placement import (
    Alternative,
    Calendar,
    Choice,
    CounterOffer,
    Demand,
    Fleet,
    Plan,
    Refusal,
    fewer_members,
    plan,
    relaxations,
)


@dataclass(frozen=True, slots=True)
class Ground:
    """One generation of the ledger, the clock, and by what a place is chosen."""

    fleet: Fleet
    calendar: Calendar
    now_ms: int
    seed: int
    policy: Choice

    def plan(self, demand: Demand) -> Plan | Refusal:
        """The plan for it, or the refusal."""
        fleet, calendar = self.fleet, self.calendar
        return plan(fleet, calendar, demand, now_ms=self.now_ms, seed=self.seed, choice=self.policy)

    def fewer(self, demand: Demand) -> Alternative | None:
        """As many of its members as fit."""
        fleet, calendar = self.fleet, self.calendar
        return fewer_members(fleet, calendar, demand, now_ms=self.now_ms, seed=self.seed, choice=self.policy)

    def relaxed(self, demand: Demand, given: Sequence[Alternative]) -> tuple[CounterOffer, ...]:
        """The smallest steps back from it that fit."""
        fleet, calendar = self.fleet, self.calendar
        return relaxations(fleet, calendar, demand, given, now_ms=self.now_ms, seed=self.seed, choice=self.policy)
