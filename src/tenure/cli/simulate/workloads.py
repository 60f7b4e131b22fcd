"""Workload manifests as a trace: one file with any number of documents, or a folder of such files.

When a job comes is said by the annotation `tenure.dev/arrival`: how long after the beginning of the trace (`90m`), or
an instant. Without it `metadata.creationTimestamp` says it, so that what `tenure get workloads -o yaml` wrote is a
trace as it is. All else is read as at the door: how long it runs is its term's, the deadline its objective's. The
whole of it is read, or nothing: every error of every document names file, document and field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenure.cli.manifests import SUFFIXES, read_bytes
from tenure.cli.simulate.jobs import Job, Trace
from tenure.controllers.answering.explicit import wanted_of
from tenure.controllers.answering.need import need_of
from tenure.quantities import Duration, parse_instant
from tenure.resources import ApiObject, Workload
from tenure.resources.documents import Document, decode, parse_documents
from tenure.resources.kinds.workload import WorkloadSpec
from tenure.resources.problems import Problem, ProblemsFound

ARRIVAL = "tenure.dev/arrival"
ARRIVAL_PATH = f"metadata.annotations.{ARRIVAL}"
ARRIVAL_STEP = f'write {ARRIVAL}: "90m" (after the beginning of the trace), or an instant like 2026-12-01T09:00:00Z'
UNTIMED_STEP_MS = 1000


@dataclass(frozen=True, slots=True)
class _Written:
    """One Workload where it stood. `arrival` is (Unix ms or ms of the trace, whether it is an instant), or None."""

    workload: Workload
    document: Document
    name: str
    arrival: tuple[int, bool] | None

    def wrong(self, code: str, message: str, path: str, step: str) -> Problem:
        return _problem(self.document, self.workload, code, message, path, step)


def are_manifests(path: Path) -> bool:
    """Whether a trace is given as manifests: by the file's name, or a folder."""
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def read_workloads(path: Path) -> Trace:
    """The trace in a file or a folder of manifests. Raises ProblemsFound with every problem, and OSError."""
    problems: list[Problem] = []
    written = list(_written(path, problems))
    problems += _unclear(written)
    if not written and not problems:
        message = "a trace without Workloads"
        problems.append(Problem("MissingField", message, "", "add a manifest of kind: Workload", str(path)))
    if problems:
        raise ProblemsFound(problems)
    timed = any(one.arrival is not None for one in written)
    arrivals = [one.arrival[0] if one.arrival else n * UNTIMED_STEP_MS for n, one in enumerate(written)]
    jobs = [_job(one, arrival_ms, problems) for one, arrival_ms in zip(written, arrivals, strict=True)]
    if problems:
        raise ProblemsFound(problems)
    return Trace(path.name, "workloads", tuple(sorted(jobs, key=lambda job: job.arrival_ms)), timed)


def _written(path: Path, problems: list[Problem]) -> Iterator[_Written]:
    """Every Workload of every file; what is wrong with each document by itself is noted."""
    files = sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
    seen: set[str] = set()
    for file in files:
        try:
            documents = parse_documents(read_bytes(str(file)), source=str(file))
        except ProblemsFound as found:
            problems += found.problems
            continue
        for document in documents:
            try:
                one = _read(document, decode(document))
                if one.name in seen:
                    step = "give it another name"
                    raise ProblemsFound([one.wrong("AlreadyExists", f"a second {one.name}", "metadata.name", step)])
            except ProblemsFound as found:
                problems += found.problems
                continue
            seen.add(one.name)
            yield one


def _read(document: Document, obj: ApiObject) -> _Written:
    if not isinstance(obj, Workload):
        message, step = f"{obj.kind} is no part of a trace", "a trace has Workloads; leave it out"
        raise ProblemsFound([_problem(document, obj, "UnknownKind", message, "kind", step)])
    if not obj.metadata.name:
        step = "write metadata: {name: ...}"
        raise ProblemsFound([_problem(document, obj, "MissingField", "is required", "metadata.name", step)])
    name = f"{obj.namespace}/{obj.name}" if obj.namespace else obj.name
    return _Written(obj, document, name, _arrival(document, obj))


def _arrival(document: Document, obj: Workload) -> tuple[int, bool] | None:
    said = (obj.metadata.annotations or {}).get(ARRIVAL)
    if said is None:
        created = obj.metadata.creation_timestamp
        return None if created is None else (int(created), True)
    try:
        return Duration.parse(said).ms, False
    except ValueError:
        try:
            return parse_instant(said), True
        except ValueError:
            message = f"{said!r} is neither a length of time nor an instant"
            problem = _problem(document, obj, "InvalidValue", message, ARRIVAL_PATH, ARRIVAL_STEP)
            raise ProblemsFound([problem]) from None


def _unclear(written: Sequence[_Written]) -> Iterator[Problem]:
    """Arrivals that do not tell an order: some say one and others none, or some by the trace's clock, others by the
    calendar."""
    sorts = {None if one.arrival is None else one.arrival[1] for one in written}
    if len(sorts) < 2:
        return
    instants = True in sorts
    for one in written:
        if one.arrival is None:
            yield one.wrong("MissingField", "others say when they come, and it does not", ARRIVAL_PATH, ARRIVAL_STEP)
        elif instants and not one.arrival[1]:
            message = "others come at an instant, and it comes so long after the beginning"
            yield one.wrong("InvalidValue", message, ARRIVAL_PATH, "write all of them in one way")


def _job(one: _Written, arrival_ms: int, problems: list[Problem]) -> Job:
    """The job as the door would read it. What cannot be simulated is noted."""
    spec = one.workload.spec
    need = need_of(spec, arrival_ms)
    if spec.inference is not None and spec.resources is None:
        message = "nothing can be measured on a simulated fleet, so what it needs has to be said"
        problems.append(one.wrong("MissingField", message, "spec.resources", "say members, cores, memory and devices"))
    if one.arrival is None or not one.arrival[1]:
        for path in _instants(spec):
            message = "is an instant, and the trace's clock begins with itself"
            step = f"write the arrival as an instant, too ({ARRIVAL}), or say how long"
            problems.append(one.wrong("InvalidValue", message, path, step))
    elif need.complete_by_ms is not None and need.complete_by_ms <= need.when.earliest_ms:
        message = "lies before it can start"
        problems.append(one.wrong("InvalidValue", message, "spec.objectives.completion", "name a later deadline"))
    return Job(
        name=one.name,
        arrival_ms=arrival_ms,
        duration_ms=need.when.duration_ms,
        deadline_ms=need.complete_by_ms,
        spec=spec,
        total_milli=_gpu_milli(spec),
        not_before_ms=need.when.earliest_ms,
        start_by_ms=need.when.latest_ms if spec.term.start_by is not None else None,
    )


def _instants(spec: WorkloadSpec) -> Iterator[str]:
    """Paths of what is said as an instant of the calendar."""
    term, completion = spec.term, spec.objectives.completion if spec.objectives is not None else None
    said = {
        "spec.term.start": term.start,
        "spec.term.startBy": term.start_by,
        "spec.term.end": term.end,
        "spec.objectives.completion.by": completion.by if completion is not None else None,
    }
    yield from (path for path, instant in said.items() if instant is not None)


def _gpu_milli(spec: WorkloadSpec) -> int:
    """Thousandths of GPUs that all members ask for, the most of them where their number may vary."""
    return sum(
        sort.count * device.count * device.milli
        for sort in wanted_of(spec).sorts
        for device in sort.devices
        if device.device_class == "gpu"
    )


def _problem(document: Document, obj: ApiObject, code: str, message: str, path: str, step: str) -> Problem:
    name = "/".join(filter(None, (obj.kind.lower(), obj.metadata.name)))
    return Problem(code, message, path, step, document.source, document.line, object_name=name)
