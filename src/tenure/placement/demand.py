"""What is asked for: members in roles, what each needs, when, and which constraints somebody imposed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tenure.placement.fleet import WHOLE_MILLI, Draw
from tenure.placement.values import FOREVER_MS, PlacementError, as_json

INSIDE_LEVELS = frozenset({"l3", "numa", "pcie"})
"""Levels inside a machine that a member may require or prefer: a last-level cache, a NUMA node, a PCIe switch."""


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """``count`` devices of a class, each with ``milli`` thousandths free. ``models`` empty means any model.

    ``milli`` of 1000 asks for whole devices: one that sells less than that (a device's own ``milli``) is whole when all
    that it sells is free.
    """

    device_class: str
    count: int = 1
    milli: int = WHOLE_MILLI
    models: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Role:
    """Alike members of a demand. All quantities are for one member. Claims carry the role's name; those of two roles of
    one name, as a reserve of several sorts has, are not told apart by it.

    ``requires`` and ``prefers`` name levels inside the machine. With "numa", cores, memory and devices of a member
    share one node; with "l3" its cores share a cache; with "pcie" its devices hang on one switch.
    ``numa_distance_max`` is the greatest NUMA distance between them, ``preferred_numa_distance_max`` the greatest that
    is preferred.
    ``count_min`` makes the role elastic: any size from it to ``count`` will do, the largest that fits is taken. With
    ``values``, (size, value) pairs, only these sizes will do; of all roles together those of the greatest value that
    fit are taken (``elastic`` says within which bounds).
    ``draws`` are charged to named budgets beside what the hardware itself draws.
    """

    name: str = "member"
    count: int = 1
    cores: int = 0
    memory_bytes: int = 0
    devices: tuple[DeviceRequest, ...] = ()
    requires: frozenset[str] = frozenset()
    prefers: frozenset[str] = frozenset()
    numa_distance_max: int | None = None
    preferred_numa_distance_max: int | None = None
    draws: tuple[Draw, ...] = ()
    count_min: int | None = None
    values: tuple[tuple[int, float], ...] = ()

    @property
    def least(self) -> int:
        """The smallest size that will do."""
        return min((size for size, _ in self.values), default=self.count_min or self.count)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A predicate given as data: only these machines, only these hardware classes. ``None`` permits all.

    ``policy`` marks law and rules of the house (residency, jurisdiction): it is never relaxed.
    ``hint`` is the next step for whom it stops.
    """

    id: str
    imposed_by: str
    machines: frozenset[str] | None = None
    hardware_classes: frozenset[str] | None = None
    policy: bool = False
    hint: str = ""

    def permits(self, machine: str, hardware_class: str) -> bool:
        if self.machines is not None and machine not in self.machines:
            return False
        return self.hardware_classes is None or hardware_class in self.hardware_classes


@dataclass(frozen=True, slots=True)
class Start:
    """The start is asked for in [``earliest_ms``, ``latest_ms``]; equal ends are one instant."""

    earliest_ms: int
    latest_ms: int

    @classmethod
    def now(cls, now_ms: int) -> Start:
        return cls(now_ms, now_ms)

    @classmethod
    def by_deadline(cls, now_ms: int, deadline_ms: int, duration_ms: int) -> Start:
        """Any start that still ends by the deadline.

        Raises PlacementError ``DeadlineTooSoon`` where none does.
        """
        if deadline_ms - duration_ms < now_ms:
            late_ms = now_ms + duration_ms - deadline_ms
            message = f"even a start now ends {late_ms} ms after the deadline"
            raise PlacementError("DeadlineTooSoon", "start", message, "a later deadline, or a shorter run")
        return cls(now_ms, deadline_ms - duration_ms)


@dataclass(frozen=True, slots=True)
class Spread:
    """At most ``members_max`` members in one domain of a level, so that one failure costs no more."""

    level: str
    members_max: int = 1


@dataclass(frozen=True, slots=True)
class Demand:
    """All or nothing: every member or none.

    Give ``duration_ms``, or ``until_ms`` for a fixed end, or neither for no end. Without ``start`` it starts now.
    ``required_level`` is the widest domain that all members must share; ``required_also`` are further levels that they
    must share too, where levels cut through each other. ``link_bytes_per_s_min`` is owed between any two members. What
    is preferred (``preferred_level`` and ``preferred_also``, ``preferred_link_bytes_per_s_min``, ``preferred_spread``,
    what roles prefer) is kept where all members fit so at the same start: it delays nothing and costs no member and no
    other preference that is kept already; ``preferences`` says which yields to which. ``group`` names
    the demand's own holds: alternatives of one group exclude each other, so they do not stand in each other's way.
    """

    id: str
    roles: tuple[Role, ...]
    imposed_by: str = "workload"
    group: str = ""
    start: Start | None = None
    duration_ms: int | None = None
    until_ms: int | None = None
    required_level: str | None = None
    required_also: tuple[str, ...] = ()
    preferred_level: str | None = None
    preferred_also: tuple[str, ...] = ()
    link_bytes_per_s_min: int | None = None
    preferred_link_bytes_per_s_min: int | None = None
    spread: Spread | None = None
    preferred_spread: Spread | None = None
    constraints: tuple[Constraint, ...] = ()

    def __post_init__(self) -> None:
        _check_demand(self)

    @property
    def required_levels(self) -> tuple[str, ...]:
        """Every level that all members must share."""
        return (() if self.required_level is None else (self.required_level,)) + self.required_also

    @property
    def preferred_levels(self) -> tuple[str, ...]:
        """Every level that all members should share, what yields last first."""
        return (() if self.preferred_level is None else (self.preferred_level,)) + self.preferred_also

    def start_at(self, now_ms: int) -> Start:
        """The start that is asked for, from now on: nothing starts in the past. The latest may lie before it then."""
        start = self.start if self.start is not None else Start.now(now_ms)
        return start if start.earliest_ms >= now_ms else Start(now_ms, start.latest_ms)

    def end_from(self, start_ms: int) -> int:
        """When a hold that starts here ends, in Unix ms."""
        if self.duration_ms is not None:
            return start_ms + self.duration_ms
        return FOREVER_MS if self.until_ms is None else self.until_ms

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = as_json(self)
        return value


def _check_demand(demand: Demand) -> None:
    def wrong(path: str, message: str) -> PlacementError:
        return PlacementError("DemandInvalid", path, message)

    if not demand.roles:
        raise wrong("roles", "a demand needs at least one role")
    if demand.duration_ms is not None and demand.until_ms is not None:
        raise wrong("untilMs", "give a duration or an end, not both")
    if demand.duration_ms is not None and demand.duration_ms <= 0:
        raise wrong("durationMs", "a duration is greater than zero")
    if demand.start is not None and demand.start.latest_ms < demand.start.earliest_ms:
        raise wrong("start", "the latest start lies before the earliest")
    for number, role in enumerate(demand.roles):
        at = f"roles[{number}]"
        if role.count < 1 or (role.count_min is not None and not 0 < role.count_min <= role.count):
            raise wrong(f"{at}.count", "needs at least one member, and a minimum no greater than the count")
        if role.values and not all(1 <= size <= role.count for size, _ in role.values):
            raise wrong(f"{at}.values", "a size lies between 1 and the count")
        if not all(math.isfinite(value) for _, value in role.values):
            raise wrong(f"{at}.values", "a value is a finite number")
        if any(draw.amount < 0 for draw in role.draws):
            raise wrong(f"{at}.draws", "an amount is negative")
        if role.cores < 0 or role.memory_bytes < 0:
            raise wrong(at, "a quantity is negative")
        if not (role.requires | role.prefers) <= INSIDE_LEVELS:
            raise wrong(f"{at}.requires", f"a level inside a machine is one of {sorted(INSIDE_LEVELS)}")
        for place, request in enumerate(role.devices):
            if request.count < 1 or not 0 < request.milli <= WHOLE_MILLI:
                raise wrong(f"{at}.devices[{place}]", "needs a count of at least 1 and 1 to 1000 thousandths each")
    for name, spread in (("spread", demand.spread), ("preferredSpread", demand.preferred_spread)):
        if spread is not None and spread.members_max < 1:
            raise wrong(f"{name}.membersMax", "at least one member must be allowed in a domain")
