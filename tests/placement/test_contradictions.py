"""Facts that contradict themselves are refused as they are stated, by the path of the field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.placement.builders import demand, machine

from tenure.placement import Budget, Draw, Fleet, PlacementError

NUMA = machine(nodes=2)


@pytest.mark.parametrize(
    ("stated", "code", "path"),
    [
        (lambda: demand(cores=1, role={"draws": (Draw("licence", -1),)}), "DemandInvalid", "roles[0].draws"),
        (lambda: demand(count=2, role={"values": ((1, float("nan")),)}), "DemandInvalid", "roles[0].values"),
        (
            lambda: Fleet.of([NUMA], budgets=(Budget("power", "rack", "1", 5), Budget("power", "row", "1", 9))),
            "BudgetInvalid",
            "budgets[1]",
        ),
        (
            lambda: replace(NUMA, numa_distances=((10, -1), (-1, 10))),
            "MachineInvalid",
            "machines[m1].numaDistances",
        ),
    ],
    ids=[
        "a negative draw",
        "a value that is no number",
        "two budgets of one id",
        "a distance",
    ],
)
def test_what_contradicts_itself_is_refused(stated: Callable[[], object], code: str, path: str) -> None:
    with pytest.raises(PlacementError) as caught:
        stated()
    assert (caught.value.code, caught.value.path) == (code, path)


def test_budgets_of_one_name_and_domain_are_told_apart_by_a_label() -> None:
    row = Budget("power", "row", "1", 9, label="power:row/1")
    assert len(Fleet.of([NUMA], budgets=(Budget("power", "rack", "1", 5), row)).budgets) == 2
