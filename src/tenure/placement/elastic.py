"""Elastic roles: which sizes to take when not every member fits."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tenure.placement.demand import Role
from tenure.placement.holds import Claim

Fit = Callable[[Sequence[int]], tuple[Claim, ...] | None]
"""Claims for these sizes of the roles, or None."""

TRIALS_MAX = 128
"""Choices of sizes that are placed in search of the greatest value. What a choice that did not fit rules out (whatever
is no smaller in any role) costs no trial, so one role of any number of sizes, or a few of a dozen, stay well within."""

CHOICES_MAX = 5_000
"""Choices of sizes that are looked at, those that are ruled out included."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How far to look for the greatest value: each trial is a whole search, in which a large fleet takes long."""

    admits: Callable[[Sequence[int]], bool] = lambda sizes: True  # noqa: ARG005
    """Whether these sizes fit as far as counting tells; what does not is not placed."""
    trials_max: int = TRIALS_MAX
    ended: Callable[[], bool] = lambda: False
    """Whether enough of them gave up, which is when a search takes longest."""


def greatest(roles: Sequence[Role], fit: Fit, effort: Effort | None = None) -> tuple[Claim, ...] | None:
    """Claims at the best sizes that fit.

    Where roles have values the sizes of the greatest value in all are taken, within the effort and ``CHOICES_MAX``;
    beyond that, role by role as stated. Then each other role takes as many members as still fit.
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
        known = effort if effort is not None else Effort()
        sizes, claims = _of_greatest_value(roles, fit, known) or _role_by_role(roles, sizes, claims, fit, known)
    for place, role in enumerate(roles):
        better = None if role.values else _by_halving(place, role, sizes, fit)
        if better is not None:
            sizes, claims = better
    return claims


Sized = tuple[list[int], tuple[Claim, ...]]


def _of_greatest_value(roles: Sequence[Role], fit: Fit, effort: Effort) -> Sized | None:
    """The first choice that fits, the dearest first; None where the bounds end the search before that."""
    failed: list[list[int]] = []
    for number, sizes in enumerate(_choices(roles)):
        if number >= CHOICES_MAX or len(failed) >= effort.trials_max or effort.ended():
            return None
        # Fewer members fit wherever more do.
        if any(all(size >= gone for size, gone in zip(sizes, known, strict=True)) for known in failed):
            continue
        if not effort.admits(sizes):
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


def _role_by_role(
    roles: Sequence[Role], sizes: list[int], claims: tuple[Claim, ...], fit: Fit, effort: Effort
) -> Sized:
    """The best size of each role in turn, the others at what was found or at their least."""
    for place, role in enumerate(roles):
        if role.values:
            sizes, claims = _of_one_role(place, role, (sizes, claims), fit, effort)
    return sizes, claims


def _of_one_role(place: int, role: Role, known: Sized, fit: Fit, effort: Effort) -> Sized:
    """Fewer members fit wherever more do: the greatest size is found by halving, and the best of no more than that is
    taken, so that a role of a hundred sizes costs eight trials."""
    sizes, claims = known
    found = {sizes[place]: claims}

    def resized(size: int) -> list[int]:
        return [*sizes[:place], size, *sizes[place + 1 :]]

    def fits(size: int) -> bool:
        if size not in found and effort.admits(resized(size)) and not effort.ended():
            made = fit(resized(size))
            if made is not None:
                found[size] = made
        return size in found

    offered = sorted(size for size, _ in role.values)
    low, high = 0, len(offered) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(offered[middle]) else (low, middle - 1)
    for size, _ in _by_descending_value(role):
        if size <= offered[low] and fits(size):
            return resized(size), found[size]
    return known


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
