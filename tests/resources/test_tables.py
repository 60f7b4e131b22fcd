"""Columns and cells."""

import pytest

from tenure.resources.registry import kind_named
from tenure.resources.table import cells, column_definitions, human_age, value_at

NOW_MS = 1_800_000_000_000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (150, "2m30s"),
        (600, "10m"),
        (10_740, "179m"),
        (10_800, "3h"),
        (12_000, "3h20m"),
        (28_800, "8h"),
        (172_800, "2d"),
        (180_000, "2d2h"),
        (691_200, "8d"),
        (63_072_000, "2y"),
        (-5, "0s"),
    ],
)
def test_ages_read_as_kubernetes_writes_them(seconds: int, text: str) -> None:
    assert human_age(seconds * 1000) == text


def test_paths_go_through_members_indexes_and_conditions() -> None:
    content = {"a": {"b-c": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}]}}
    assert value_at(content, ".a.b-c[1].status") == "False"
    assert value_at(content, ".a['b-c'][0].type") == "Ready"
    assert value_at(content, '.a.b-c[?(@.type=="Ready")].status') == "True"
    assert value_at(content, '.a.b-c[?(@.type=="Absent")].status') is None
    assert value_at(content, ".a.b-c[7].status") is None
    assert value_at(content, ".a.x.y.z") is None
    with pytest.raises(ValueError, match="no path of a column"):
        value_at(content, "..a")


def test_an_object_has_a_cell_for_each_column() -> None:
    contract = kind_named("contract")
    assert contract is not None
    content = {
        "metadata": {"name": "c", "creationTimestamp": "2027-01-15T07:59:00Z"},
        "spec": {"workload": {"name": "chat"}},
        "status": {"phase": "Active", "conditions": [{"type": "Ready", "status": "True"}]},
    }
    titles = [definition["name"] for definition in column_definitions(contract)]
    row = dict(zip(titles, cells(contract, content, NOW_MS), strict=True))
    assert row["Name"] == "c"
    assert row["Workload"] == "chat"
    assert row["Ready"] == "True"
    assert row["Verdict"] is None
    assert row["Age"] == "60s"
