"""A prober goes on across an upgrade: it is compared by what its own code measures, and by nothing newer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tenure.measurement import Declared, JournalReading, JournalWriter, gather, read_journal
from tenure.promises import Metric, Reason, RequestSample, Verdict, View, Window, judge
from tests.promises.builders import MS, promise, request

WINDOW = Window(100_000, 110_000)
VIEWS = Declared(frozenset({View.TAP, View.PROBER}), probes_per_second=0.1)
INSIDE = request(101_000, gaps_ms=(50, 50, 50), request_id="probe-1")
AWOKE_LATE = replace(INSIDE, end_after_ns=(INSIDE.end_after_ns or 0) + 400 * MS)
"""Its prober got no CPU when the answer ended, and took the time when it did."""


def tap() -> JournalReading:
    users = [request(102_000)]
    return JournalReading(
        samples={"user": users, "prober": [INSIDE]}, oldest_ns=0, newest_ns=111_000 * MS, lived_ns=[(0, 111_000 * MS)]
    )


def written_by_a_prober(folder: Path, record: dict[str, Any]) -> JournalReading:
    def clocks(at_ms: int) -> dict[str, int]:
        return dict.fromkeys(("wallNs", "monotonicNs", "bootNs"), at_ms * MS)

    journal = JournalWriter(folder, read_clocks=lambda: clocks(99_000))
    for at_ms in range(100_000, 111_001, 1_000):
        journal.append("mark", clocks(at_ms))
        if at_ms == 102_000:
            journal.append("probe", {"sample": record})
    return read_journal(folder)


def judged(folder: Path, outside: RequestSample) -> tuple[Verdict, Reason]:
    record = outside.as_record()
    assert outside.end_by_kernel == ("endByKernel" in record), "an older prober's journal does not know the field"
    evidence = gather(WINDOW, 111_000, tap(), declared=VIEWS, prober=written_by_a_prober(folder, record))
    found = judge(promise(Metric.REQUEST_LATENCY, bound_ms=500), WINDOW, evidence)
    return found.verdict, found.reason


def test_the_ends_of_one_that_stamped_them_when_it_awoke_accuse_nobody(tmp_path: Path) -> None:
    assert judged(tmp_path, AWOKE_LATE) == (Verdict.KEPT, Reason.WITHIN_BOUND)


def test_twin_those_that_are_the_kernels_do(tmp_path: Path) -> None:
    told = replace(AWOKE_LATE, end_by_kernel=True)
    assert judged(tmp_path, told) == (Verdict.UNVERIFIABLE, Reason.VIEWS_DISAGREE)


def test_what_it_said_of_its_ends_is_kept_in_the_evidence(tmp_path: Path) -> None:
    told = written_by_a_prober(tmp_path, replace(AWOKE_LATE, end_by_kernel=True).as_record()).samples["probe"]
    assert RequestSample.from_record(told[0].as_record()) == told[0]
    assert told[0].end_by_kernel
