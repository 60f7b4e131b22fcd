"""Workload manifests are a trace: read whole or not at all, and decided by all that the door knows."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tenure.cli.simulate.asked import demand_of, judged
from tenure.cli.simulate.jobs import Trace
from tenure.cli.simulate.run import PLANNED_MAX, simulate
from tenure.cli.simulate.traces import read_trace
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.machine.simulated import as_observed
from tenure.resources.problems import Problem, ProblemsFound
from tests.controllers.fleets import file_of

HOUR_MS = 3_600_000


def workload(name: str, at: str | None = "0s", **spec: Any) -> dict[str, Any]:
    """A gang of one member with eight GPUs for an hour, coming at the trace's beginning."""
    body = {
        "training": {},
        "run": {"command": ["train"]},
        "term": {"duration": "1h"},
        "resources": {"devices": [{"class": "gpu", "count": 8}]},
    }
    metadata: dict[str, Any] = {"name": name, "namespace": "team-a"}
    if at is not None:
        metadata["annotations"] = {"tenure.dev/arrival": at}
    return {"apiVersion": "tenure.dev/v1alpha1", "kind": "Workload", "metadata": metadata, "spec": body | spec}


def trace(folder: Path, *documents: Any, name: str = "work.yaml") -> Trace:
    """The trace in one file, a document each; a string stands as it is."""
    texts = [one if isinstance(one, str) else yaml.safe_dump(one) for one in documents]
    (folder / name).write_text("---\n" + "---\n".join(texts))
    return read_trace(folder / name)


def problems(folder: Path, *documents: Any) -> list[Problem]:
    with pytest.raises(ProblemsFound) as found:
        trace(folder, *documents)
    return list(found.value.problems)


def told(folder: Path, *documents: Any, planned_max: int = PLANNED_MAX, **site: Any) -> dict[str, Any]:
    """A run on four machines of eight cores on two nodes and eight GPUs, two a rack."""
    made = file_of(folder, "rack,numa_nodes", *(f"m-{n},r-{n // 2},2" for n in range(4)), **site)
    machines = as_observed(made, 0)
    work = judged(trace(folder, *documents), made.site, {machine.name: machine for machine in machines})
    return simulate(fleet_of(made.site, machines, made.profiles), work, planned_max=planned_max)


def test_term_deadline_and_arrival_are_read(tmp_path: Path) -> None:
    due = workload("due", "90m", objectives={"completion": {"within": "3h"}})
    wide = workload("wide", "1h", resources={"roles": [{"name": "a", "members": 3, "devices": [{"class": "gpu"}]}]})
    one, other = trace(tmp_path, due, wide).jobs
    assert (one.name, one.gpu_total_milli, one.arrival_ms) == ("team-a/wide", 3000, HOUR_MS)
    assert (other.arrival_ms, other.duration_ms) == (HOUR_MS * 3 // 2, HOUR_MS)
    assert other.deadline_ms == HOUR_MS * 9 // 2


def test_what_a_control_plane_wrote_out_is_a_trace_by_its_creation(tmp_path: Path) -> None:
    written = [workload(name, None) for name in "ab"]
    for minute, one in enumerate(written):
        one["metadata"]["creationTimestamp"] = f"2026-12-01T09:0{9 - minute}:00Z"
    items = {"apiVersion": "v1", "kind": "List", "items": written}
    first, second = trace(tmp_path, items).jobs
    assert (first.name, second.name, second.arrival_ms - first.arrival_ms) == ("team-a/b", "team-a/a", 60_000)


def test_a_folder_is_one_trace_and_one_without_arrivals_keeps_its_order(tmp_path: Path) -> None:
    trace(tmp_path, workload("b", None), name="2.yaml")
    trace(tmp_path, workload("a", None), name="1.yml")
    (tmp_path / "notes.txt").write_text("no manifest")
    found = read_trace(tmp_path)
    assert ([job.name for job in found.jobs], found.timed) == (["team-a/a", "team-a/b"], False)


@pytest.mark.parametrize(
    ("changed", "path", "said"),
    [
        ({"term": {"duration": "soon"}}, "spec.term.duration", "soon"),
        ({"resources": {"devices": [{"class": "gpu", "count": 0}]}}, "spec.resources.devices[0].count", ""),
        ({"reources": {}}, "spec.reources", "resources"),
        ({"term": {"start": "2026-12-01T09:00:00Z", "duration": "1h"}}, "spec.term.start", "instant"),
        ({"objectives": {"completion": {"by": "2026-12-01T09:00:00Z"}}}, "spec.objectives.completion.by", "instant"),
    ],
)
def test_a_malformed_document_is_named_with_its_file_and_field_and_nothing_is_loaded(
    tmp_path: Path, changed: dict[str, Any], path: str, said: str
) -> None:
    (found,) = problems(tmp_path, workload("good"), workload("bad", **changed))
    assert (found.path, found.object_name) == (path, "workload/bad")
    assert found.source.endswith("work.yaml")
    assert found.line > 10, "the second document"
    assert said in found.message + found.next_step


def test_every_problem_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    site = {"apiVersion": "tenure.dev/v1alpha1", "kind": "Site", "metadata": {"name": "s"}, "spec": {}}
    nameless = workload("x")
    del nameless["metadata"]["name"]
    (tmp_path / "a.yaml").write_text("a: [")
    problems(tmp_path, site, workload("a", "whenever"), nameless, workload("b"), workload("b"))
    with pytest.raises(ProblemsFound) as found:
        read_trace(tmp_path)
    assert [(one.code, one.path) for one in found.value.problems] == [
        ("NotYaml", "a[0]"),
        ("UnknownKind", "kind"),
        ("InvalidValue", "metadata.annotations.tenure.dev/arrival"),
        ("MissingField", "metadata.name"),
        ("AlreadyExists", "metadata.name"),
    ]


def test_arrivals_tell_one_order_or_none(tmp_path: Path) -> None:
    (silent,) = problems(tmp_path, workload("a", "1h"), workload("b", None))
    assert (silent.code, silent.object_name) == ("MissingField", "workload/b")
    (other,) = problems(tmp_path, workload("a", "1h"), workload("b", "2026-12-01T09:00:00Z"))
    assert (other.code, other.object_name) == ("InvalidValue", "workload/a")


def test_what_is_never_measured_here_and_what_is_over_before_it_begins_is_no_trace(tmp_path: Path) -> None:
    chat = workload("chat", inference={"model": "m"}, objectives={"timeToFirstToken": {"p95": "1s"}})
    chat["spec"] |= {"load": {"requestsPerSecond": 1, "promptTokens": 1, "outputTokens": 1}}
    for name in ("training", "run", "resources"):
        del chat["spec"][name]
    (found,) = problems(tmp_path, chat)
    assert (found.code, found.path) == ("MissingField", "spec.resources")
    late = workload("late", "2026-12-01T09:00:00Z", objectives={"completion": {"by": "2026-12-01T08:00:00Z"}})
    (found,) = problems(tmp_path, late)
    assert found.path == "spec.objectives.completion"
    (tmp_path / "none.yaml").write_text("# nothing\n")
    with pytest.raises(ProblemsFound, match="a trace without Workloads"):
        read_trace(tmp_path / "none.yaml")


def test_a_trace_runs_through_the_door_s_own_plan(tmp_path: Path) -> None:
    pair = {"members": 2, "devices": [{"class": "gpu", "count": 8}]}
    found = told(tmp_path, *(workload(f"g-{n}", f"{n}s", resources=pair) for n in range(3)))
    assert found["trace"] == {"source": "work.yaml", "form": "workloads", "jobs": 3}
    assert (found["jobs"]["finished"], found["gpuHours"]) == (3, 48)
    assert found["waitSeconds"]["max"] == 3598
    assert max(point["gpus"] for point in found["series"]) == 32


def test_a_limit_of_power_keeps_machines_of_which_it_is_known(tmp_path: Path) -> None:
    made = file_of(tmp_path, "rack,rated_power", "m-0,r,6kW", "m-1,r,")
    machines = {machine.name: machine for machine in as_observed(made, 0)}
    limited = trace(tmp_path, *(workload(name, power="10kW") for name in "ab"))
    (kept,) = {job.constraints for job in judged(limited, made.site, machines).jobs}
    assert [(one.id, one.machines) for one in kept] == [("spec.power", frozenset({"m-0"}))]


def test_licences_are_kept_and_named(tmp_path: Path) -> None:
    takes = {"draws": [{"budget": "licence:x", "amount": 2}]}
    named = [{"name": "licence:x", "limit": 3, "unit": "seats"}]
    vast = workload("vast", "2s", resources={"draws": [{"budget": "licence:x", "amount": 4}]})
    found = told(tmp_path, workload("a", resources=takes), workload("b", "1s", resources=takes), vast, named=named)
    assert found["heldBy"] == {"licence:x": 1}
    assert found["waitSeconds"]["max"] == 3599
    assert found["jobs"]["refused"] == {"beyond licence:x": 1}


def test_what_lies_together_inside_a_machine_and_what_is_spread_is_placed_so(tmp_path: Path) -> None:
    node = {"must": [{"share": "numaNode"}]}
    cores = {"cores": 4, "devices": [{"class": "gpu", "count": 4}]}
    fits, wide = (workload(f"c-{n}", topology=node, resources=cores | {"cores": n}) for n in (4, 5))
    apart = workload("apart", topology={"must": [{"spread": "rack"}]}, resources={"members": 3})
    found = told(tmp_path, fits, wide, apart)
    assert found["jobs"]["started"] == 1
    assert found["jobs"]["refused"].pop("topology:numa") == 1
    assert sum(found["jobs"]["refused"].values()) == 1


def test_what_is_preferred_is_carried_and_refuses_nothing(tmp_path: Path) -> None:
    wish = {"prefer": [{"numaDistanceMax": 10}, {"linkBandwidthMin": "1TB/s"}, {"share": "pcieSwitch"}]}
    gang = workload("gang", topology=wish, resources={"members": 4, "devices": [{"class": "gpu", "count": 8}]})
    assert told(tmp_path, gang)["jobs"]["started"] == 1
    made = file_of(tmp_path, "rack", "m-0,r")
    on = fleet_of(made.site, as_observed(made, 0), made.profiles)
    (job,) = trace(tmp_path, gang).jobs
    demand = demand_of(job, on, now_ms=0)
    assert demand.preferred_link_bytes_per_s_min == 10**12
    assert [(one.preferred_numa_distance_max, one.prefers) for one in demand.roles] == [(10, {"pcie"})]


def test_a_start_asked_for_is_waited_for_and_one_asked_by_is_kept_or_refused(tmp_path: Path) -> None:
    at = "2026-12-01T09:00:00Z"
    later = workload("later", at, term={"start": "2026-12-01T11:00:00Z", "duration": "1h"})
    full = workload("full", at, resources={"members": 4, "devices": [{"class": "gpu", "count": 8}]})
    soon = workload("soon", at, term={"startBy": "2026-12-01T09:30:00Z", "duration": "1h"})
    found = told(tmp_path, full, soon, later)
    assert found["jobs"]["refused"] == {"no room by its latest start": 1}
    assert (found["jobs"]["finished"], found["waitSeconds"]["max"]) == (2, 0), "who asks for eleven waits from eleven"


def test_what_this_version_keeps_nowhere_is_refused_by_its_name(tmp_path: Path) -> None:
    found = told(tmp_path, workload("spot", **{"class": "spot"}), workload("there", residency={"countries": ["FR"]}))
    assert found["jobs"]["refused"] == {"residency: FR": 1, "spec.class: spot": 1}


def test_a_seed_orders_what_has_no_arrival_and_each_keeps_its_own_deadline(tmp_path: Path) -> None:
    due = {"objectives": {"completion": {"within": "1h"}}}
    jobs = trace(tmp_path, *(workload(f"w-{n}", None, **due) for n in range(3))).jobs
    moved = jobs[2].moved(0)
    assert (moved.arrival_ms, moved.deadline_ms, moved.latest_start_ms, moved.wanted_from_ms) == (0, HOUR_MS, 0, 0)


def test_what_is_kept_is_what_ran_of_what_was_asked_for(tmp_path: Path) -> None:
    half = {"members": 2, "devices": [{"class": "gpu", "count": 8}]}
    some = workload("some", "1s", resources=half | {"members": 4, "membersMin": 2})
    some["spec"] |= {"objectives": {"completion": {"within": "1h"}}}
    found = told(tmp_path, workload("half", resources=half), some)
    assert (found["promises"]["kept"], found["promises"]["keptGpuTimeShare"]) == (1, 0.5)


@pytest.mark.parametrize(("many", "planned_max", "said"), [(3, 1, "3 Workloads on 4 machines"), (8, 4, "still booked")])
def test_more_than_can_be_planned_is_refused_by_its_number(
    tmp_path: Path, many: int, planned_max: int, said: str
) -> None:
    whole = {"members": 4, "devices": [{"class": "gpu", "count": 8}]}
    with pytest.raises(ProblemsFound) as found:
        told(tmp_path, *(workload(f"w-{n}", resources=whole) for n in range(many)), planned_max=planned_max)
    (problem,) = found.value.problems
    assert (problem.code, problem.path) == ("TraceTooLarge", "metadata.annotations.tenure.dev/arrival")
    assert said in problem.message
