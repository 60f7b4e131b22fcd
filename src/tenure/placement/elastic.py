"""Elastic roles: which sizes to take when not every member fits."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence

from tenure.placement.demand import Role
from tenure.placement.holds import Claim

Fit = Callable[[Sequence[int]], tuple[Claim, ...] | None]
"""Claims for these sizes of the roles, or None."""

TRIALS_MAX = 128
"""Choices of sizes that are placed in search of the greatest value. What a choice that did not fit rules out (whatever
is no smaller in any role) costs no trial, so one role of any number of sizes, or a few of a dozen, stay well within."""

CHOICES_MAX = 20_000
"""Choices of sizes that are looked at, those that are ruled out included."""


def greatest(roles: Sequence[Role], fit: Fit) -> tuple[Claim, ...] | None:
    """Claims at the best sizes that fit.

    Where roles have values the sizes of the greatest value in all are taken, within ``TRIALS_MAX`` and
    ``CHOICES_MAX``; beyond that, role by role as stated. Then each other role takes as many members as still fit.
    """
    if all(role.least == role.count for role in roles):
        return fit([role.count for role in roles])
    if not any(role.values for role in roles):
        claims = fit([role.count for role in roles])
        if claims is not None:
            return claims
    sizes = [role.least for role in roles]
    claims = fit(sizes)
    if claims is None:
        return None
    if any(role.values for role in roles):
        sizes, claims = _of_greatest_value(roles, fit) or _role_by_role(roles, sizes, claims, fit)
    for place, role in enumerate(roles):
        better = None if role.values else _by_halving(place, role, sizes, fit)
        if better is not None:
            sizes, claims = better
    return claims


Sized = tuple[list[int], tuple[Claim, ...]]


def _of_greatest_value(roles: Sequence[Role], fit: Fit) -> Sized | None:
    """The first choice that fits, the dearest first; None where the bounds end the search before that."""
    failed: list[list[int]] = []
    for number, sizes in enumerate(_choices(roles)):
        if number >= CHOICES_MAX or len(failed) >= TRIALS_MAX:
            return None
        # Fewer members fit wherever more do.
        if any(all(size >= gone for size, gone in zip(sizes, known, strict=True)) for known in failed):
            continue
        claims = fit(sizes)
        if claims is not None:
            return sizes, claims
        failed.append(sizes)
    return None


def _choices(roles: Sequence[Role]) -> Iterator[list[int]]:
    """Sizes of all roles by descending value in all, the fewest members first among equals; other roles at least."""
    options = [_by_descending_value(role) or [(role.least, 0.0)] for role in roles]

    def entry(places: tuple[int, ...]) -> tuple[float, int, tuple[int, ...]]:
        chosen = [of_role[place] for of_role, place in zip(options, places, strict=True)]
        return -sum(value for _, value in chosen), sum(size for size, _ in chosen), places

    heap = [entry((0,) * len(options))]
    seen = {heap[0][2]}
    while heap:
        _, _, places = heapq.heappop(heap)
        yield [of_role[place][0] for of_role, place in zip(options, places, strict=True)]
        for role, of_role in enumerate(options):
            after = (*places[:role], places[role] + 1, *places[role + 1 :])
            if after[role] < len(of_role) and after not in seen:
                seen.add(after)
                heapq.heappush(heap, entry(after))


def _by_descending_value(role: Role) -> list[tuple[int, float]]:
    return sorted(role.values, key=lambda pair: (-pair[1], pair[0]))


def _role_by_role(roles: Sequence[Role], sizes: list[int], claims: tuple[Claim, ...], fit: Fit) -> Sized:
    """The best size of each role in turn, the others at what was found or at their least."""
    for place, role in enumerate(roles):
        for size, _ in _by_descending_value(role):
            trial = [*sizes[:place], size, *sizes[place + 1 :]]
            found = fit(trial)
            if found is not None:
                sizes, claims = trial, found
                break
    return sizes, claims


def _by_halving(place: int, role: Role, sizes: list[int], fit: Fit) -> Sized | None:
    """Fewer members fit wherever more do, so the greatest size is found by halving."""
    best: Sized | None = None
    low, high = sizes[place], role.count
    while low < high:
        middle = (low + high + 1) // 2
        trial = [*sizes[:place], middle, *sizes[place + 1 :]]
        claims = fit(trial)
        if claims is None:
            high = middle - 1
        else:
            low, best = middle, (trial, claims)
    return best
