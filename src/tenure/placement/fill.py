"""One attempt to place members: what is free, what is left of budgets, and what was taken so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tenure.placement.budgets import claim_draw, draws, overdrawn
from tenure.placement.calendar import Free
from tenure.placement.fleet import Budget
from tenure.placement.holds import Claim
from tenure.placement.question import Question


@dataclass(slots=True)
class Outcome:
    """Claims, or none; ``proved`` is false where the bounded search gave up."""

    claims: tuple[Claim, ...] | None
    proved: bool = True


@dataclass(slots=True)
class Fill:
    """One attempt to place all members. Mutable inside one call, never seen outside."""

    question: Question
    free: dict[str, Free]
    left: dict[str, int]
    rank: Mapping[str, int]
    claims: list[Claim] = field(default_factory=list)
    per_domain: dict[str, int] = field(default_factory=dict)

    def budgets_of(self, machine: str) -> list[Budget]:
        return [budget for budget in self.question.fleet.budgets_over(machine) if not budget.crossing]

    def drawn(self, claim: Claim) -> dict[str, int]:
        """What a claim draws of budgets. One that it draws nothing of does not bind it, be it ever so overdrawn."""
        facts = self.question.fleet.machine(claim.machine)
        amounts = ((b.id, claim_draw(b, facts, claim)) for b in self.budgets_of(claim.machine))
        return {name: amount for name, amount in amounts if amount}

    def admits(self, claim: Claim) -> bool:
        """Budgets and spread: what does not follow from the machine alone."""
        if overdrawn(self.left, self.drawn(claim)) is not None:
            return False
        spread = self.question.demand.spread
        domain = self._spread_domain(claim.machine)
        return spread is None or (domain is not None and self.per_domain.get(domain, 0) < spread.members_max)

    def take(self, claim: Claim) -> None:
        self.free[claim.machine] = self.free[claim.machine].minus(claim)
        for budget, amount in self.drawn(claim).items():
            self.left[budget] -= amount
        domain = self._spread_domain(claim.machine)
        if domain is not None:
            self.per_domain[domain] = self.per_domain.get(domain, 0) + 1
        self.claims.append(claim)

    def give_back(self, before: Free) -> None:
        claim = self.claims.pop()
        self.free[claim.machine] = before
        for budget, amount in self.drawn(claim).items():
            self.left[budget] += amount
        domain = self._spread_domain(claim.machine)
        if domain is not None:
            self.per_domain[domain] -= 1

    def crossing_fits(self) -> bool:
        """Budgets that count crossings are judged once all members are placed."""
        crossing = {budget.id for budget in self.question.fleet.budgets if budget.crossing}
        drawn = {
            budget: amount for budget, amount in draws(self.question.fleet, self.claims).items() if budget in crossing
        }
        return overdrawn(self.left, drawn) is None

    def _spread_domain(self, machine: str) -> str | None:
        if self.question.demand.spread is None:
            return None
        return self.question.fleet.machine(machine).domain(self.question.demand.spread.level)
