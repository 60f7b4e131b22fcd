"""Gangs are whole, lie in the narrowest domain that carries them, and leave large blocks whole."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.placement.gangs import FreeCounts, GangChoice, LevelTree, choose


def counts(machines: int = 8, *, gpus: int = 8, leaf: int = 2, rack: int = 4) -> FreeCounts:
    names = range(machines)
    tree = LevelTree.of(
        [
            ("machine", [f"m{n:05d}" for n in names]),
            ("leaf", [f"l{n // leaf:04d}" for n in names]),
            ("rack", [f"r{n // rack:04d}" for n in names]),
            ("site", ["s" for _ in names]),
        ]
    )
    return FreeCounts(tree, np.full((machines, 1), gpus, dtype=np.int64))


def take(state: FreeCounts, count: int, need: int = 1, **wish: str) -> GangChoice | None:
    choice = choose(state, (need,), count, **wish)
    if choice is not None:
        state.take((need,), choice.rows, choice.members)
    return choice


def test_the_narrowest_level_that_carries_the_gang_is_taken() -> None:
    state = counts()
    levels = [choice.level for n in (4, 8, 16, 32) if (choice := take(state, n)) is not None]
    assert levels == ["machine", "machine", "leaf", "rack"]


def test_what_is_nearly_full_is_filled_before_what_is_empty_is_broken() -> None:
    state = counts()
    take(state, 5)
    choice = take(state, 3)
    assert choice is not None
    assert choice.rows.tolist() == [0]
    assert state.free.tolist() == [[0]] + [[8]] * 7


def test_the_rest_of_a_wide_gang_goes_to_the_smallest_gap() -> None:
    state = counts(leaf=4)
    take(state, 5)
    choice = take(state, 11)
    assert choice is not None
    assert dict(zip(choice.rows.tolist(), choice.members.tolist(), strict=True)) == {1: 8, 0: 3}


def test_a_required_level_is_never_left() -> None:
    state = counts()
    assert take(state, 17, widest="leaf") is None
    assert take(state, 9, widest="machine") is None
    assert take(state, 64, widest="site") is not None


def test_a_required_level_is_shared_where_a_narrower_one_cuts_through_it() -> None:
    tree = LevelTree.of(
        [
            ("machine", [f"m{n}" for n in range(6)]),
            ("rail", [f"l{n % 3}" for n in range(6)]),
            ("rack", [f"r{n // 3}" for n in range(6)]),
        ]
    )
    state = FreeCounts(tree, np.full((6, 1), 1, dtype=np.int64))
    choice = choose(state, (1,), 2, widest="rack")
    assert choice is not None
    assert choice.level == "rack"
    assert len(set(tree.domains[2][choice.rows].tolist())) == 1
    unasked = choose(state, (1,), 2)
    assert unasked is not None
    assert unasked.level == "rail"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([None, "a", "b", "c"]), st.sampled_from([None, "x", "y"])), min_size=1),
    st.integers(1, 6),
    st.sampled_from(["machine", "rail", "rack"]),
)
def test_a_gang_fits_into_a_level_exactly_where_one_of_its_domains_has_room(
    places: list[tuple[str | None, str | None]], count: int, widest: str
) -> None:
    names = [f"m{n}" for n in range(len(places))]
    rails, racks = [rail for rail, _ in places], [rack for _, rack in places]
    tree = LevelTree.of([("machine", names), ("rail", rails), ("rack", racks)])
    state = FreeCounts(tree, np.full((len(places), 1), 2, dtype=np.int64))
    at = tree.names.index(widest)
    choice = choose(state, (1,), count, widest=widest)
    assert (choice is not None) == bool((state.by_domain((1,), at) >= count).any())
    if choice is not None:
        assert choice.members.sum() == count
        domains = set(tree.domains[at][choice.rows].tolist())
        assert len(domains) == 1
        assert domains != {-1}
        state.take((1,), choice.rows, choice.members)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 8), st.booleans()), max_size=40))
def test_gangs_are_whole_and_freeing_restores_the_exact_state(steps: list[tuple[int, int, bool]]) -> None:
    state = counts(leaf=2, rack=3)
    standing: list[tuple[int, GangChoice]] = []
    for count, need, leave in steps:
        if leave and standing:
            old, gone = standing.pop(count % len(standing))
            state.give((old,), gone.rows, gone.members)
        room = state.places((need,)).sum()
        fits = [bool((state.by_domain((need,), level) >= count).any()) for level in range(4)]
        choice = take(state, count, need)
        if choice is None:
            assert room < count
        else:
            assert choice.members.sum() == count
            assert len(set(choice.rows.tolist())) == len(choice.rows)
            assert state.tree.names[fits.index(True)] == choice.level
            standing.append((need, choice))
        state.check()
    for need, choice in standing:
        state.give((need,), choice.rows, choice.members)
    assert (state.free == state.capacity).all()


def test_a_gang_of_a_thousand_devices_is_decided_within_fifty_milliseconds() -> None:
    state = counts(12_500, leaf=16, rack=64)
    random = np.random.default_rng(7)
    for size in random.integers(1, 30, 4_000).tolist():
        take(state, int(size))
    for need, count in ((8, 128), (1, 1024)):
        choose(state, (need,), count)
        began = perf_counter()
        choice = take(state, count, need)
        assert choice is not None
        assert perf_counter() - began < 0.05
