"""A ceiling for deadlines: the pool as a fluid that knows all arrivals and may serve parts of jobs.

Time is cut into buckets; jobs of the same first and last bucket and about the same size are one group. Every
simplification only loosens the limit: a job may use all of its first and last bucket, a group its widths added up.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import log2

import numpy as np

from benchmarks.placement.timed_traces import TimedJob


@contextmanager
def banner_to_stderr() -> Iterator[None]:
    """The solver prints a banner when it is made, past Python's own streams; standard output is for figures."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@dataclass(slots=True)
class _Group:
    first: int
    last: int
    work: float = 0.0
    width: int = 0
    count: int = 0
    least: float = float("inf")


def fluid_limit(jobs: Sequence[TimedJob], capacity: int, *, bucket: int, objective: str) -> float:
    """The greatest share (percent) of jobs (``jobs``) or of work (``work``) that any schedule could keep."""
    groups = _groups(jobs, bucket, by_size=objective == "jobs")
    kept = _solve(groups, capacity * bucket, bucket, objective)
    total = len(jobs) if objective == "jobs" else sum(job.work for job in jobs)
    return 100 * kept / total


def _groups(jobs: Sequence[TimedJob], bucket: int, *, by_size: bool) -> list[_Group]:
    groups: dict[tuple[int, int, int], _Group] = {}
    for job in jobs:
        first, last = job.submit // bucket, (job.deadline - 1) // bucket
        size = int(2 * log2(job.work)) if by_size else 0
        group = groups.setdefault((first, last, size), _Group(first, last))
        group.work += job.work
        group.width += job.width
        group.count += 1
        group.least = min(group.least, job.work)
    return list(groups.values())


def _solve(groups: list[_Group], room: int, bucket: int, objective: str) -> float:
    """Maximise what is served, by a linear programme: one variable for each group and bucket of its window."""
    import highspy

    spans = np.array([group.last - group.first + 1 for group in groups])
    columns = int(spans.sum())
    buckets = sorted({b for group in groups for b in range(group.first, group.last + 1)})
    row_of = {b: row for row, b in enumerate(buckets)}
    rows = len(buckets) + len(groups)
    column_bucket = np.concatenate([np.arange(g.first, g.last + 1) for g in groups])
    column_group = np.repeat(np.arange(len(groups)), spans)
    gain = np.array([1.0 / g.least if objective == "jobs" else 1.0 for g in groups])
    limit = np.array([min(g.work, g.count * g.least) if objective == "jobs" else g.work for g in groups])
    index = np.empty(2 * columns, dtype=np.int32)
    index[0::2] = [row_of[b] for b in column_bucket.tolist()]
    index[1::2] = len(buckets) + column_group
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, rows
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = gain[column_group]
    model.col_lower_ = np.zeros(columns)
    model.col_upper_ = np.array([g.width * bucket for g in groups], dtype=float)[column_group]
    model.row_lower_ = np.full(rows, -highspy.kHighsInf)
    model.row_upper_ = np.concatenate([np.full(len(buckets), float(room)), limit])
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.arange(0, 2 * columns + 1, 2, dtype=np.int32)
    model.a_matrix_.index_ = index
    model.a_matrix_.value_ = np.ones(2 * columns)
    with banner_to_stderr():
        solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.passModel(model)
    solver.run()
    return float(solver.getObjectiveValue())
