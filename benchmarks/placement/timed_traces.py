"""Jobs with arrival times: philly's (Chronus) and elasticflow's columns. A bad file is an error that names its row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.placement.traces import TraceError, read_fleet

NEVER = 2**40


@dataclass(frozen=True, slots=True)
class TimedJob:
    """``width`` GPUs for ``length``, arriving at ``submit`` and due at ``deadline``, all in the trace's time unit.

    ``strict``: a deadline was asked for. ``model``: what it trains, where the trace says so.
    """

    name: str
    submit: int
    width: int
    length: int
    deadline: int
    strict: bool = True
    model: str = ""

    @property
    def work(self) -> int:
        return self.width * self.length


def philly_jobs(path: Path) -> list[TimedJob]:
    """Chronus' columns, in minutes. Rows without GPUs are left out; of several soft deadlines the first counts."""
    jobs = []
    for row in _rows(path, ("job_id", "num_gpu", "submit_time", "duration", "expect_time_list", "best_effort")):
        if row.number("num_gpu") == 0:
            continue
        submit = row.number("submit_time")
        strict = row.number("best_effort") == 0
        slack = row.number("expect_time_list", part="-") if strict else 0
        jobs.append(
            TimedJob(
                row.text("job_id"),
                submit,
                row.number("num_gpu", least=1),
                row.number("duration", least=1),
                submit + slack if strict else NEVER,
                strict,
                row.values.get("model_name", ""),
            )
        )
    return _in_order(jobs)


def elasticflow_jobs(path: Path) -> list[TimedJob]:
    """ElasticFlow's columns, in seconds."""
    jobs = [
        TimedJob(
            row.text("job_id"),
            row.number("submission_time"),
            row.number("num_gpu", least=1),
            row.number("duration", least=1),
            row.number("deadline"),
            True,
            row.values.get("model_name", ""),
        )
        for row in _rows(path, ("job_id", "submission_time", "num_gpu", "duration", "deadline"))
    ]
    return _in_order(jobs)


def gpus_of(fleet: str) -> list[int]:
    """GPUs of each machine that has any: from ``NODESxGPUS``, or from a file of a fleet's columns, in its order."""
    path = Path(fleet)
    if path.is_file():
        gpus = [int(count) for count in read_fleet(path).devices if count]
        if not gpus:
            raise TraceError(f"{path.name}: no machine has a GPU")
        return gpus
    nodes, times, each = fleet.partition("x")
    if not (times and nodes.isdigit() and each.isdigit() and int(nodes) and int(each)):
        raise TraceError(f"--fleet {fleet!r}: no such file; name a fleet's table, or write NODESxGPUS, such as 120x8")
    return [int(each)] * int(nodes)


@dataclass(frozen=True, slots=True)
class _Row:
    path: Path
    line: int
    values: dict[str, str]

    def text(self, column: str) -> str:
        value = self.values.get(column) or ""
        if not value:
            raise TraceError(f"{self.path.name}, row {self.line}, column {column}: empty")
        return value

    def number(self, column: str, *, least: int = 0, part: str = "") -> int:
        text = self.text(column)
        first = text.split(part)[0] if part else text
        try:
            number = int(float(first))
        except (ValueError, OverflowError):
            raise TraceError(f"{self.path.name}, row {self.line}, column {column}: {text!r} is no number") from None
        if number < least:
            raise TraceError(f"{self.path.name}, row {self.line}, column {column}: {text!r} is below {least}")
        return number


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[_Row]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise TraceError(f"{path.name}, row 1: no column {', '.join(missing)}")
        for values in reader:
            yield _Row(path, reader.line_num, values)


def _in_order(jobs: list[TimedJob]) -> list[TimedJob]:
    return sorted(jobs, key=lambda job: job.submit)
