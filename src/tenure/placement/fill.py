"""One attempt to place members: what is free, what is left of budgets, and what was taken so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
        if not self.question.fleet.budgets:
            return {}
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

    def spread_left(self, machine: str, wanted: int) -> int:
        """As many of the members wanted on a machine as the spread lets stand there."""
        spread = self.question.demand.spread
        if spread is None:
            return wanted
        domain = self._spread_domain(machine)
        return 0 if domain is None else max(0, min(wanted, spread.members_max - self.per_domain.get(domain, 0)))

    def budgets_left(self, claim: Claim, wanted: int) -> int:
        """As many of the members wanted as budgets admit if each draws what this one does."""
        return max(
            0, min((self.left[budget] // amount for budget, amount in self.drawn(claim).items()), default=wanted)
        )

    def take_all(self, claims: Sequence[Claim], rest: Free) -> bool:
        """Claims on one machine, no more than the spread lets stand there, and what they leave of it; False, and none
        is taken, where budgets do not admit them all."""
        drawn: dict[str, int] = {}
        if self.question.fleet.budgets:
            each = {id(claim): claim for claim in claims}
            for one, times in Counter(map(id, claims)).items():
                for budget, amount in self.drawn(each[one]).items():
                    drawn[budget] = drawn.get(budget, 0) + times * amount
            if overdrawn(self.left, drawn) is not None:
                return False
        self.free[rest.machine.name] = rest
        for budget, amount in drawn.items():
            self.left[budget] -= amount
        domain = self._spread_domain(rest.machine.name)
        if domain is not None:
            self.per_domain[domain] = self.per_domain.get(domain, 0) + len(claims)
        self.claims.extend(claims)
        return True

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
