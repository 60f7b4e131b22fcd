"""Elastic roles: which size to take when not every member fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tenure.placement.demand import Role
from tenure.placement.holds import Claim

Fit = Callable[[Sequence[int]], tuple[Claim, ...] | None]
"""Claims for these sizes of the roles, or None."""


def greatest(roles: Sequence[Role], fit: Fit) -> tuple[Claim, ...] | None:
    """Claims at the best sizes that fit: role by role as stated, the others at what was found or at their least."""
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
    for place, role in enumerate(roles):
        better = _by_value(place, role, sizes, fit) if role.values else _by_halving(place, role, sizes, fit)
        if better is not None:
            sizes, claims = better
    return claims


Sized = tuple[list[int], tuple[Claim, ...]]


def _by_value(place: int, role: Role, sizes: list[int], fit: Fit) -> Sized | None:
    for size, _ in sorted(role.values, key=lambda pair: (-pair[1], pair[0])):
        trial = [*sizes[:place], size, *sizes[place + 1 :]]
        claims = fit(trial)
        if claims is not None:
            return trial, claims
    return None


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
