"""The truth of the virtual part: what users of the simulated server saw, against each verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from benchmarks.honesty.aims import WINDOW_MS, Aim
from benchmarks.honesty.faults import LYING, LYING_ABOUT_GAPS, Kind
from benchmarks.honesty.row import Row
from benchmarks.honesty.world import Episode, Truth
from tenure.promises import Tolerance, Window, WindowVerdict


class World(Protocol):
    """What is known of a kind once it is over."""

    kind: Kind
    aim: Aim
    sensor: list[Episode]
    truths: list[Truth]


def count(row: Row, world: World, window: Window, verdict: WindowVerdict) -> None:
    """Add one verdict to its row."""
    users = _users(world, window)
    row.add(
        verdict,
        bad=truly_bad(world, window),
        fine=world.aim.fine(users),
        unprobed=_unprobed(world, window),
        explained=_explained(world, users),
        truth=[(t.arrival_ns, t.how, t.first_after_ns, max(t.gaps_ns, default=0)) for t in users],
    )


def truly_bad(world: World, window: Window) -> bool:
    """Whether users really saw a breach of an owed window, beyond the measurement error.

    The tolerance states how far two clocks may be apart: a breach counts only if it is one for every such shift.
    """
    error_ms = Tolerance().clock_ns // 1_000_000 if world.kind.sensor == "tap-drifting" else 0
    shifts = {-error_ms, -error_ms // 2, 0, error_ms // 2, error_ms}
    shifted = [Window(window.start_ms + shift, window.end_ms + shift) for shift in shifts]
    return all(world.aim.bad(_users(world, one)) for one in shifted)


def _users(world: World, window: Window) -> list[Truth]:
    return [t for t in world.truths if t.role == "user" and window.holds(t.arrival_ns)]


def _unprobed(world: World, window: Window) -> int:
    """The how-manieth window this is of a tap's lie that no probe was sent into yet; 0 where that is not so."""
    if world.kind.sensor not in (LYING, LYING_ABOUT_GAPS):
        return 0
    end_ns = window.end_ms * 1_000_000
    begun = [e.start_ns for e in world.sensor if e.start_ns < end_ns]
    if not begun or any(begun[-1] <= t.arrival_ns < end_ns for t in world.truths if t.role == "prober"):
        return 0
    return (window.start_ms - begun[-1] // 1_000_000 // WINDOW_MS * WINDOW_MS) // WINDOW_MS + 1


def _explained(world: World, users: Sequence[Truth]) -> str:
    """Why a breach may be a true one that the simulated server knows nothing of; empty where nothing tells."""
    if world.kind.sensor != "tap-killed":
        return ""
    broken = sum(any(u.arrival_ns < e.start_ns < (u.end_ns or 0) for e in world.sensor) for u in users)
    if not broken:
        return ""
    return f"{broken} of these requests were open when the tap was killed: their users lost the answer with it"
