"""The answers: a plan, or a refusal that says what binds, by how much, who imposed it, and when that changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from tenure.placement.holds import Claim, Hold
from tenure.placement.values import as_json


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One constraint's cut: candidates before and after it. ``stage`` says in which view of the fleet it cut.

    ``needed`` is per member, ``available`` the best that any candidate before the cut had; in ``unit``.
    """

    constraint: str
    imposed_by: str
    stage: str
    before: int
    after: int
    needed: int | None = None
    available: int | None = None
    unit: str = ""
    role: str = ""
    policy: bool = False
    hint: str = ""

    @property
    def removed(self) -> int:
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Binding:
    """The constraint that decides: what was needed, what is available over the time asked for, what there is at all.

    ``frees_at_ms`` is the earliest instant from which the whole demand would fit, if waiting helps at all.
    ``held_by`` are holds that stand in the way over the time asked for, the first to end first, at most eight.
    """

    constraint: str
    imposed_by: str
    needed: int
    available: int
    capacity: int
    unit: str
    where: str = ""
    frees_at_ms: int | None = None
    policy: bool = False
    hint: str = ""
    held_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """A member of a minimal conflicting set: drop any one of the set and the demand fits."""

    constraint: str
    imposed_by: str
    policy: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """No plan. ``proved`` is false only where a bounded search gave up before it had seen everything."""

    demand: str
    reason: str
    binding: Binding
    funnel: tuple[FunnelStep, ...]
    conflict: tuple[Conflict, ...]
    earliest_ms: int | None = None
    proved: bool = True

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = as_json(self)
        for step, facts in zip(self.funnel, value["funnel"], strict=True):
            facts["removed"] = step.removed
        return value


@dataclass(frozen=True, slots=True)
class Preference:
    """One thing that was preferred, and what a plan makes of it.

    ``what`` is ``level:rack``, ``spread:rack`` or ``linkBandwidth`` of all members, and ``numaDistance``, ``numa``,
    ``pcie`` or ``l3`` of those of one ``role``. ``asked`` and ``found`` are so many bytes/s at least; a distance at
    most; domains of the level, members in one domain, NUMA nodes, switches or caches at most. ``found`` is None where
    it is not known. ``sought`` is false where it is not kept and a bounded search did not look for it everywhere.
    """

    what: str
    kept: bool
    asked: int
    found: int | None = None
    role: str = ""
    sought: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A feasible choice: claims from ``start_ms`` to ``end_ms`` at one site.

    ``level`` is the narrowest level whose one domain contains all members. ``preferences`` tells for each that was
    asked whether it is kept, and the figures. ``draws`` is what the plan takes of each budget; ``unknown_draws`` names
    power budgets over hardware of unknown power.
    """

    demand: str
    group: str
    site: str
    start_ms: int
    end_ms: int
    claims: tuple[Claim, ...]
    level: str
    domain: str
    preferences: tuple[Preference, ...] = ()
    draws: tuple[tuple[str, int], ...] = ()
    unknown_draws: tuple[str, ...] = ()

    def hold(self, hold_id: str, group: str | None = None) -> Hold:
        """The hold that makes this plan firm once it is committed."""
        own = self.group if group is None else group
        return Hold(hold_id, own, self.site, self.start_ms, self.end_ms, self.claims)

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = as_json(self)
        value["claims"] = [claim.to_json() for claim in self.claims]
        value["draws"] = dict(self.draws)
        return value


class Reporter(Protocol):
    """Hears what the search does, in order. The search never depends on it."""

    def cut(self, step: FunnelStep) -> None:
        """A constraint removed candidates."""

    def tried(self, start_ms: int, level: str, domain: str, fits: bool) -> None:
        """All members were tried at one start inside one domain."""


class Silent:
    """A reporter that keeps nothing."""

    def cut(self, step: FunnelStep) -> None:
        pass

    def tried(self, start_ms: int, level: str, domain: str, fits: bool) -> None:
        pass


class Notes(Silent):
    """A reporter that keeps the funnel and the count of what was tried: for `why` and for tests."""

    def __init__(self) -> None:
        self.funnel: list[FunnelStep] = []
        self.attempts = 0

    def cut(self, step: FunnelStep) -> None:
        self.funnel.append(step)

    def tried(self, start_ms: int, level: str, domain: str, fits: bool) -> None:  # noqa: ARG002
        self.attempts += 1
