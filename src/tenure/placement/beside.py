"""How many members of several roles machines carry beside each other, told by counting.

Each of two roles may fit by itself, and both ask together for no more than there is, while no machine carries one of
each: of eight devices five are taken and three are left. So what a machine carries of both at once is reckoned once a
sort, an upper limit axis by axis: its corners, from most of the one to most of the other. Whatever a member of each is
worth, all machines carry no more than the dearest corner of each, added up; members worth more than that do not fit.
Worths at which two corners of some machine are worth the same are all that need be tried (the dual of the linear
program; nothing is lost but that members are whole).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from math import gcd, lcm, prod

from tenure.placement.axes import units
from tenure.placement.calendar import Free
from tenure.placement.demand import DeviceRequest, Role
from tenure.placement.device_choice import takes_milli
from tenure.placement.fleet import WHOLE_MILLI
from tenure.placement.remains import Mix, Remains

CORNERS_MAX = 256
"""Members of one role on a machine up to which its corners are told; beyond, each role counts there by itself."""

WORTHS_MAX = 64
"""Worths that are tried for two roles."""

WORTHS_ALL_MAX = 8
"""Worths that are tried for three roles and more."""

MIXTURES_MAX = 1_000
"""Mixtures of three roles and more that are looked through on a machine; beyond, each role counts there by itself."""

Corner = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Part:
    """Roles whose members need the same: one of them, how many members they have, and the most on each sort."""

    role: Role
    count: int
    most: Mapping[int, int]


def too_many_beside(
    free: Remains, mix: Mix, roles: Sequence[Role], most: Sequence[Mapping[int, int]], known: dict[object, list[Corner]]
) -> bool:
    """Whether members of these roles surely do not fit onto so many machines of these sorts. ``most``: upper limits of
    each role on each sort, no greater than its count; ``known`` keeps corners from one domain to the next."""
    parts = _parts(roles, most)
    if any(sum(part.most[sort] * number for sort, number in mix) < part.count for part in parts):
        return True
    for one, other in combinations(parts, 2):

        def corners(sort: int, one: _Part = one, other: _Part = other) -> list[Corner]:
            key = (sort, id(one.role), id(other.role))
            if key not in known:
                known[key] = _corners(free.ones[sort], one, other, sort)
            return known[key]

        if _short(one.count, other.count, [(corners(sort), number) for sort, number in mix]):
            return True
    return len(parts) > 2 and _all_short(free, mix, parts)


def _parts(roles: Sequence[Role], most: Sequence[Mapping[int, int]]) -> list[_Part]:
    alike: dict[Role, list[int]] = {}
    for place, role in enumerate(roles):
        bare = replace(role, name="", count=1, count_min=None, values=(), draws=(), prefers=frozenset())
        alike.setdefault(bare, []).append(place)
    parts: list[_Part] = []
    for places in alike.values():
        count = sum(roles[place].count for place in places)
        # A limit below a role's count is the machine's own, so it is that of all of them together.
        own = {
            sort: min((most[p][sort] for p in places if most[p][sort] < roles[p].count), default=count)
            for sort in most[places[0]]
        }
        parts.append(_Part(roles[places[0]], count, own))
    return parts


def _corners(free: Free, one: _Part, other: _Part, sort: int) -> list[Corner]:
    """What a machine carries of both, at most: the corners of the hull, from none of the one to most of it."""
    most, beside = one.most[sort], other.most[sort]
    if most > CORNERS_MAX:
        return [(most, beside)]
    axes = [(have, each, rest) for have, (each, rest) in _axes(free, (one.role, other.role))]
    hull: list[Corner] = []
    for number in range(most + 1):
        least = min(((have - number * each) // rest for have, each, rest in axes if rest), default=beside)
        if any(have < number * each for have, each, _ in axes):
            break
        corner = (number, min(beside, least))
        while len(hull) > 1 and _above(hull[-2], hull[-1], corner):
            hull.pop()
        hull.append(corner)
    return hull


def _above(first: Corner, middle: Corner, last: Corner) -> bool:
    """Whether the straight line from the first to the last passes the middle one or lies above it."""
    rise = (last[1] - first[1]) * (middle[0] - first[0])
    return rise >= (middle[1] - first[1]) * (last[0] - first[0])


def _axes(free: Free, roles: Sequence[Role]) -> list[tuple[int, list[int]]]:
    """(what there is, what a member of each role takes at least) of each axis. Where more is taken than there is,
    nothing is left."""
    memory = sum(max(0, left) for left in free.memory.values())
    axes = [(len(free.cores), [r.cores for r in roles]), (memory, [r.memory_bytes for r in roles])]
    classes = {request.device_class for role in roles for request in role.devices}
    return axes + [_devices(free, name, roles) for name in sorted(classes)]


def _devices(free: Free, name: str, roles: Sequence[Role]) -> tuple[int, list[int]]:
    """Whole devices of a class where only whole ones are asked for, else thousandths."""
    asked = [[request for request in role.devices if request.device_class == name] for role in roles]
    if all(request.milli == WHOLE_MILLI for requests in asked for request in requests):
        return units(free, DeviceRequest(name)), [sum(r.count for r in requests) for requests in asked]
    devices = [device for device in free.machine.devices if device.device_class == name]

    def least(request: DeviceRequest) -> int:
        return request.count * min((takes_milli(device, request) for device in devices), default=1)

    have = sum(max(0, free.devices[device.id]) for device in devices)
    return have, [sum(map(least, requests)) for requests in asked]


def _short(one: int, other: int, machines: Sequence[tuple[list[Corner], int]]) -> bool:
    """Whether so many members of two roles are worth more than what machines with these corners carry."""
    worths: dict[Corner, None] = {}
    for corners, _ in machines:
        for (a, b), (more, fewer) in pairwise(corners):
            shared = gcd(b - fewer, more - a)
            worths[(b - fewer) // shared, (more - a) // shared] = None
    for each, rest in list(worths)[:WORTHS_MAX]:
        most = sum(number * max([each * a + rest * b for a, b in corners]) for corners, number in machines)
        if most < each * one + rest * other:
            return True
    return False


def _all_short(free: Remains, mix: Mix, parts: Sequence[_Part]) -> bool:
    """The same for three roles and more, at a few worths alone: a member is worth as large a part of a machine as the
    machine carries members of its role."""
    tried: dict[tuple[int, ...], None] = {}
    for sort, _ in mix:
        most = [part.most[sort] for part in parts]
        if all(most):
            whole = lcm(*most)
            tried[tuple(whole // each for each in most)] = None
    for worths in list(tried)[:WORTHS_ALL_MAX]:
        asked = sum(part.count * worth for part, worth in zip(parts, worths, strict=True))
        if sum(number * _dearest(free.ones[sort], sort, parts, worths) for sort, number in mix) < asked:
            return True
    return False


def _dearest(free: Free, sort: int, parts: Sequence[_Part], worths: Sequence[int]) -> int:
    """What members together on one machine are worth at most."""
    axes = _axes(free, [part.role for part in parts])
    most = [part.most[sort] for part in parts]
    if prod(each + 1 for each in most[:-1]) > MIXTURES_MAX:
        return sum(each * worth for each, worth in zip(most, worths, strict=True))

    def dearest(place: int, left: Sequence[int]) -> int:
        room = min(
            (have // takes[place] for have, (_, takes) in zip(left, axes, strict=True) if takes[place]),
            default=most[place],
        )
        room = min(most[place], room)
        if place == len(parts) - 1:
            return room * worths[place]
        return max(
            number * worths[place]
            + dearest(place + 1, [have - number * takes[place] for have, (_, takes) in zip(left, axes, strict=True)])
            for number in range(room + 1)
        )

    return dearest(0, [have for have, _ in axes])
