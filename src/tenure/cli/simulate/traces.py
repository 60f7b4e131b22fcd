"""Traces of work from files, told apart by their headers: ours, openb's, Philly's (Chronus) and ElasticFlow's.

Manifests are a trace too (`workloads`). Times of a trace count from its own start. Every error names file, row and
column, or file, document and field; nothing is half read.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tenure.cli.simulate.jobs import Job, Trace
from tenure.cli.simulate.workloads import are_manifests, read_workloads
from tenure.discovery.fleets import Table, read_table
from tenure.discovery.fleets.tables import CORES_MAX, DEVICES_MAX, MEMBERS_MAX, Cells
from tenure.resources.problems import Problem, ProblemsFound

SECOND_MS, MINUTE_MS = 1000, 60_000
MIB = 1 << 20
BEFORE_ARRIVAL = "a deadline is a time of the trace, as {} is; this one does not lie after the arrival"
JOB_TYPES = ("", "strict", "soft", "best")
"""Philly's; of a job without one no deadline is known."""
LEVELS = ("", "machine", "nvlinkDomain", "rail", "leaf", "spine", "rack", "row", "feed", "site")


def read_trace(path: Path) -> Trace:
    """The trace in `path`, a file or a folder of manifests. Raises ProblemsFound and OSError."""
    if are_manifests(path):
        return read_workloads(path)
    table = read_table(path)
    for form, mark, required, optional, job_of in FORMS:
        if mark in table.columns:
            table.need(required, optional)
            _check_names(table, required[0])
            jobs = [job_of(row) for row in table]
            table.settle()
            timed = form != "openb" or "creation_time" in table.columns
            kept = [job for job in jobs if job is not None]
            return Trace(Path(table.source).name, form, tuple(sorted(kept, key=lambda job: job.arrival_ms)), timed)
    message = f"row 1: the columns {','.join(table.columns)} are those of no trace that is known"
    known = "; ".join(f"{form}: {','.join(required)}" for form, _, required, _, _ in FORMS)
    raise ProblemsFound([Problem("UnknownField", message, "", f"known are {known}", table.source, 1)])


def _check_names(table: Table, column: str) -> None:
    """Each job is told by its name, so there is one of it."""
    seen: set[str] = set()
    for row in table:
        name = row.text(column)
        if not name:
            row.wrong(column, "a job needs a name", "MissingField", "give it one")
        elif name in seen:
            row.wrong(column, f"a second job {name}", "AlreadyExists", "give it another name")
        seen.add(name)


def _deadline_ms(row: Cells, column: str, arrival: str, arrival_ms: int) -> int | None:
    """None where the cell is empty; nothing else stands for no deadline."""
    if not row.text(column):
        return None
    deadline_ms = row.whole(column) * SECOND_MS
    if deadline_ms <= arrival_ms:
        row.wrong(column, BEFORE_ARRIVAL.format(arrival))
    return deadline_ms


def _ours(row: Cells) -> Job:
    level, prefer = row.text("must"), row.text("prefer")
    for column, named in (("must", level), ("prefer", prefer)):
        if named not in LEVELS:
            row.wrong(column, f"{named!r} is no level; one of {', '.join(LEVELS[1:])}")
    arrival_ms = row.whole("arrival_s") * SECOND_MS
    milli = row.whole("gpu_milli", 1000, least=1)
    gpus = row.whole("gpus", 0, most=DEVICES_MAX)
    if milli > 1000 or (milli < 1000 and gpus != 1):
        row.wrong("gpu_milli", "a share is of one GPU, at most 1000")
    return Job(
        name=row.text("name"),
        arrival_ms=arrival_ms,
        duration_ms=row.whole("duration_s", least=1) * SECOND_MS,
        members=row.whole("members", 1, least=1, most=MEMBERS_MAX),
        gpus=gpus,
        gpu_milli=milli,
        cpu_milli=row.whole("cores", 0, most=CORES_MAX) * 1000,
        memory_bytes=row.whole("memory_mib", 0) * MIB,
        models=tuple(sorted(filter(None, row.text("gpu_model").split("|")))),
        deadline_ms=_deadline_ms(row, "deadline_s", "arrival_s", arrival_ms),
        must=level,
        prefer=prefer,
    )


def _openb(row: Cells) -> Job:
    created = row.whole("creation_time", row.line - 2)
    deleted = row.whole("deletion_time", 0)
    gpus = row.whole("num_gpu", most=DEVICES_MAX)
    milli = row.whole("gpu_milli")
    if gpus == 1 and not 0 < milli <= 1000:
        row.wrong("gpu_milli", "a share of a GPU lies between 1 and 1000")
    elif gpus > 1 and milli != 1000:
        row.wrong("gpu_milli", f"a share is of one GPU; of {gpus} each is whole, 1000")
    if deleted and deleted < created:
        row.wrong("deletion_time", "it lies before the creation_time")
    return Job(
        name=row.text("name"),
        arrival_ms=created * SECOND_MS,
        duration_ms=max(1, deleted - created) * SECOND_MS if deleted else None,
        gpus=gpus,
        gpu_milli=milli if gpus == 1 else 1000,
        cpu_milli=row.whole("cpu_milli", most=CORES_MAX * 1000),
        memory_bytes=row.whole("memory_mib") * MIB,
        models=tuple(sorted(filter(None, row.text("gpu_spec").split("|")))),
    )


def _philly(row: Cells) -> Job | None:
    """Minutes; a gang of single GPUs. Rows without GPUs are left out, as their authors do."""
    arrival_ms, gpus = row.whole("submit_time") * MINUTE_MS, row.whole("num_gpu", most=MEMBERS_MAX)
    duration_ms = row.whole("duration") * MINUTE_MS
    kind = row.text("job_type")
    if kind not in JOB_TYPES:
        row.wrong("job_type", f"{kind!r} is none of {', '.join(JOB_TYPES[1:])}")
    strict = kind == "strict"
    slack_ms = row.whole("expect_time_list", until="-") * MINUTE_MS if strict else 0
    if not gpus:
        return None
    return Job(
        name=f"job-{row.text('job_id')}",
        arrival_ms=arrival_ms,
        duration_ms=max(MINUTE_MS, duration_ms),
        members=gpus,
        gpus=1,
        deadline_ms=arrival_ms + slack_ms if strict else None,
    )


def _elasticflow(row: Cells) -> Job | None:
    """Seconds; a gang of single GPUs. Deadlines hold for the sizes that their authors would have chosen freely."""
    gpus, arrival_ms = row.whole("num_gpu", most=MEMBERS_MAX), row.whole("submission_time") * SECOND_MS
    job = Job(
        name=row.text("job_id"),
        arrival_ms=arrival_ms,
        duration_ms=max(1, row.whole("duration")) * SECOND_MS,
        members=max(1, gpus),
        gpus=1,
        deadline_ms=_deadline_ms(row, "deadline", "submission_time", arrival_ms),
    )
    return job if gpus else None


Form = tuple[str, str, tuple[str, ...], tuple[str, ...], Callable[[Cells], Job | None]]
FORMS: tuple[Form, ...] = (
    (
        "tenure",
        "arrival_s",
        ("name", "arrival_s", "duration_s"),
        (
            *("members", "gpus", "gpu_milli", "gpu_model", "cores", "memory_mib"),
            *("must", "prefer", "deadline_s"),
        ),
        _ours,
    ),
    (
        "openb",
        "gpu_milli",
        ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"),
        ("gpu_spec", "qos", "pod_phase", "creation_time", "deletion_time", "scheduled_time"),
        _openb,
    ),
    (
        "philly",
        "submit_time",
        ("job_id", "num_gpu", "submit_time", "duration"),
        (
            *("user", "iterations", "model_name", "interval", "expect_time_list"),
            *("expect_value_list", "best_effort", "job_type"),
        ),
        _philly,
    ),
    (
        "elasticflow",
        "submission_time",
        ("job_id", "submission_time", "num_gpu", "duration"),
        ("num_iteration", "model_name", "deadline", "batch_size"),
        _elasticflow,
    ),
)
"""(name, the column that tells it, required columns, further ones, how a row is read)."""

__all__ = ["Job", "Table", "Trace", "read_trace"]
