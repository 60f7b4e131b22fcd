"""Kueue's generator.yaml: read whole, or an error that names the file, the key and what stands there."""

from pathlib import Path

import pytest
from benchmarks.placement.kueue import read_scenario
from benchmarks.placement.traces import TraceError

GENERATOR = """\
cohorts:
- count: 1
  queuesSets:
  - count: 2
    nominalQuota: 4
    borrowingLimit: 500m
    workloadsSets:
    - count: 3
      creationIntervalMs: 10
      workloads:
      - {className: small, runtimeMs: 200, priority: 50, request: 1}
"""


def scenario_of(folder: Path, text: str) -> None:
    (folder / "generator.yaml").write_text(text)
    read_scenario(folder)


def test_what_is_right_is_read(tmp_path: Path) -> None:
    scenario_of(tmp_path, GENERATOR)
    scenario = read_scenario(tmp_path)
    assert (len(scenario.gangs), scenario.queue_milli, scenario.gangs[0].milli_cpu) == (6, 4500, 1000)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("nominalQuota: 4", "nominalQuota: four", "nominalQuota: 'four'"),
        ("nominalQuota: 4", "nominalQuota: -4", "nominalQuota: -4"),
        ("count: 3", "count: many", "count: 'many'"),
        ("runtimeMs: 200", "runtimeMs: 0", "runtimeMs: 0"),
        ("request: 1", "request: 1.5", "request: 1.5"),
        ("priority: 50, ", "", "no key 'priority'"),
        ("workloadsSets:", "workloadsSets: 7\n    others:", "something else"),
        ("cohorts:", "cohorts: [", "no YAML"),
    ],
)
def test_what_is_wrong_names_the_file_and_the_key(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    with pytest.raises(TraceError) as found:
        scenario_of(tmp_path, GENERATOR.replace(right, wrong, 1))
    assert str(found.value).startswith("generator.yaml: ")
    assert told in str(found.value)
