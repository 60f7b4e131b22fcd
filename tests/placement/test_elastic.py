"""Elastic roles: of all choices of sizes that fit, the one of the greatest value in all is taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.placement.builders import machine

from tenure.placement import Budget, Calendar, Claim, Demand, Fleet, Level, Notes, Plan, PowerFacts, Role, plan
from tenure.placement.elastic import TRIALS_MAX, Effort, greatest

Values = tuple[tuple[int, float], ...]


def role(name: str, *values: tuple[int, float]) -> Role:
    return Role(name, max(size for size, _ in values), cores=1, values=values)


def test_the_value_of_all_roles_together_decides_and_not_who_is_stated_first() -> None:
    fleet = Fleet.of([machine(cores=4)])
    roles = (role("a", (1, 1.0), (3, 1.1)), role("b", (1, 1.0), (3, 9.0)))
    answer = plan(fleet, Calendar(), Demand("d", roles), now_ms=0)
    assert isinstance(answer, Plan)
    assert Counter(claim.role for claim in answer.claims) == {"a": 1, "b": 3}


class Places:
    """So many places in all; counts how often it was asked."""

    def __init__(self, places: int) -> None:
        self.places, self.asked = places, 0
        self.sizes: Sequence[int] = ()

    def fit(self, sizes: Sequence[int]) -> tuple[Claim, ...] | None:
        self.asked += 1
        if sum(sizes) > self.places:
            return None
        self.sizes = list(sizes)
        return tuple(Claim("m", (n,)) for n in range(sum(sizes)))


VALUES = st.dictionaries(st.integers(1, 5), st.integers(0, 9).map(float), min_size=1, max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=3), st.integers(1, 12))
def test_no_choice_that_fits_is_worth_more(values: list[dict[int, float]], places: int) -> None:
    roles = [role(f"r{n}", *sorted(one.items())) for n, one in enumerate(values)]
    room = Places(places)
    claims = greatest(roles, room.fit)
    fitting = [
        sum(value for _, value in chosen)
        for chosen in product(*(one.values for one in roles))
        if sum(size for size, _ in chosen) <= places
    ]
    assert (claims is not None) == bool(fitting)
    if claims is not None:
        worth = sum(dict(one.values)[size] for one, size in zip(roles, room.sizes, strict=True))
        assert worth == max(fitting)


def test_the_search_for_the_greatest_value_is_bounded_and_a_plan_is_found_all_the_same() -> None:
    sizes = [(size, float(size)) for size in range(1, 60)]
    roles = [role(name, *sizes) for name in "abcd"]
    room = Places(4)
    claims = greatest(roles, room.fit)
    assert claims is not None
    assert len(claims) == 4
    assert room.asked <= TRIALS_MAX + 4 * 8 + 1, "a role of 59 sizes by halving"


def test_sizes_that_counting_rules_out_are_not_placed() -> None:
    roles = [role(name, *((size, float(size)) for size in range(1, 13))) for name in "abc"]
    room = Places(9)
    assert greatest(roles, room.fit, Effort(admits=lambda sizes: sum(sizes) <= 9)) is not None
    assert sum(room.sizes) == 9
    assert room.asked == 2, "the least sizes, and the best"


@pytest.mark.parametrize("effort", [Effort(trials_max=3), Effort(ended=lambda: True)])
def test_whoever_may_not_search_for_long_still_gets_a_plan(effort: Effort) -> None:
    roles = [role(name, *((size, float(size)) for size in range(1, 60))) for name in "abcd"]
    room = Places(30)
    assert greatest(roles, room.fit, effort) is not None
    assert room.asked <= 3 + 4 * 8 + 1


def test_a_full_fleet_is_asked_only_for_sizes_that_its_racks_may_carry() -> None:
    """Three roles of twelve sizes in racks of nine cores and watts for eight: 1,728 choices, most of them too large."""
    boxes = [
        machine(f"m{rack}{n}", cores=3, core_power=PowerFacts(10), place=(("rack", f"r{rack}"),))
        for rack in range(2)
        for n in range(3)
    ]
    watts = [Budget("power", "rack", f"r{rack}", 80) for rack in range(2)]
    fleet = Fleet.of(boxes, levels=(Level("rack"),), budgets=watts)
    roles = tuple(role(name, *((size, float(size)) for size in range(1, 13))) for name in "abc")
    tried = Notes()
    answer = plan(fleet, Calendar(), Demand("d", roles, required_level="rack"), now_ms=0, reporter=tried)
    assert isinstance(answer, Plan)
    assert len(answer.claims) == 8
    assert tried.attempts < 40, "all three roles count together, in cores and in watts"


def test_a_role_without_values_takes_what_the_dearest_choice_leaves() -> None:
    roles = [Role("plain", 4, cores=1, count_min=1), role("a", (1, 1.0), (2, 5.0))]
    room = Places(5)
    assert greatest(roles, room.fit) is not None
    assert room.sizes == [3, 2]
