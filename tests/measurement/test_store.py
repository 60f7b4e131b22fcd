"""Evidence is kept whole and found by what makes it comparable; a settled window is never changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tenure.measurement.sketch import Sketch
from tenure.measurement.store import Evidence, EvidenceKey, MeasurementStore
from tenure.promises import (
    Assurance,
    Load,
    Reason,
    RequestSample,
    Verdict,
    Window,
    WindowVerdict,
    account,
    account_of,
    tally,
)
from tests.promises.builders import request

KEY = EvidenceKey("sha256:a", "llama-cpp", "1", (("threads", 1), ("slots", 2)), "epyc", "quiet")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MeasurementStore]:
    opened = MeasurementStore(tmp_path / "measurements.db")
    yield opened
    opened.close()


def evidence(arrivals: float = 1.0, key: EvidenceKey = KEY, at_ms: int = 0) -> Evidence:
    load = Load(round(arrivals * 1e6), 50, 40)
    windows = ((request(1000, request_id="a"), request(1500)), (), (request(9000),))
    return Evidence(key, load, 3000, windows, at_ms)


def test_what_was_measured_comes_back_as_it_was(store: MeasurementStore) -> None:
    number = store.add(evidence())
    (found,) = store.find(model_digest="sha256:a")
    assert (found.key, found.load, found.windows, found.id) == (KEY, evidence().load, evidence().windows, number)
    assert store.get(number) == found
    assert store.get(99) is None


def test_heavier_evidence_is_found_for_a_lighter_load_never_the_other_way(store: MeasurementStore) -> None:
    for arrivals in (0.5, 1.0, 2.0):
        store.add(evidence(arrivals))
    asked = Load(1_000_000, 50, 40)
    found = [e.load.arrivals_per_second for e in store.find(model_digest="sha256:a", at_least=asked)]
    assert sorted(found) == [1.0, 2.0]
    longer = Load(1_000_000, 51, 40)
    assert store.find(model_digest="sha256:a", at_least=longer) == []


def test_the_key_separates(store: MeasurementStore) -> None:
    store.add(evidence())
    named = {"model_digest": "sha256:a", "shape": (("slots", 2), ("threads", 1)), "neighbours": "quiet"}
    assert len(store.find(**named)) == 1  # type: ignore[arg-type]
    for other in ({"shape": (("slots", 4), ("threads", 1))}, {"neighbours": "memory"}, {"model_digest": "sha256:b"}):
        assert store.find(**(named | other)) == []  # type: ignore[arg-type]


def test_newest_first(store: MeasurementStore) -> None:
    for at_ms in (5, 9, 7):
        store.add(evidence(at_ms=at_ms))
    assert [e.measured_at_ms for e in store.find(model_digest="sha256:a", newest=2)] == [9, 7]


def test_pruning_leaves_all_that_any_answer_reads(store: MeasurementStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.measurement.store.NEWEST_MAX", 3)
    other = replace(KEY, neighbours="memory")
    for at_ms in range(5):
        store.add(evidence(at_ms=at_ms))
        store.add(evidence(at_ms=at_ms, key=other))
    before = [store.find(model_digest=KEY.model_digest, neighbours=n, newest=3) for n in (KEY.neighbours, "memory")]
    assert store.prune() == 4
    assert store.prune() == 0
    assert [store.find(model_digest=KEY.model_digest, neighbours=n) for n in (KEY.neighbours, "memory")] == before


def verdict(start_ms: int, kind: Verdict, reason: Reason, promise: str = "ttft") -> WindowVerdict:
    return WindowVerdict(promise, Window(start_ms, start_ms + 1000), kind, reason, "", 1e6, 2e6, 3)


def test_a_settled_window_stays_as_it_was_judged(store: MeasurementStore) -> None:
    assert store.record_window("c1", verdict(0, Verdict.UNVERIFIABLE, Reason.NOT_SETTLED))
    assert store.newest_settled_ms("c1") is None
    assert store.record_window("c1", verdict(0, Verdict.BREACHED, Reason.BOUND_EXCEEDED))
    assert not store.record_window("c1", verdict(0, Verdict.KEPT, Reason.WITHIN_BOUND))
    assert [v.verdict for v in store.verdicts("c1")] == [Verdict.BREACHED]
    assert store.newest_settled_ms("c1") == 1000


def test_a_long_period_is_counted_without_reading_each_window(store: MeasurementStore) -> None:
    reasons = [Reason.WITHIN_BOUND, Reason.BOUND_EXCEEDED, Reason.SENSOR_GONE]
    reasons += [Reason.LOAD_ABOVE_DECLARED, Reason.NOT_SETTLED]
    kinds = [Verdict.KEPT, Verdict.BREACHED, *[Verdict.UNVERIFIABLE] * 3]
    for at in range(50):
        store.record_window("c1", verdict(at * 1000, kinds[at % 5], reasons[at % 5]))
    every = store.verdicts("c1", "ttft")
    for since_ms in (0, 17_000):
        assert store.tally("c1", "ttft", since_ms) == tally(every, since_ms)
    assert store.newest("c1", "ttft", 7) == every[-7:]
    assurance = Assurance(1000, 0.9, 0.9)
    counted = account_of(store.tally("c1", "ttft"), store.newest("c1", "ttft", 30), assurance, 60_000)
    assert counted == account(every, assurance, 60_000)


def test_windows_merge_into_one_figure_within_a_hundredth(store: MeasurementStore) -> None:
    source, values = random.Random(1), []
    for at in range(10):
        window = [source.lognormvariate(18, 1) for _ in range(50)]
        values += window
        store.record_window("c1", verdict(at * 1000, Verdict.KEPT, Reason.WITHIN_BOUND), Sketch(window))
    merged = store.merged("c1", "ttft", 0, 10_000)
    assert merged.count == 500
    low, high = merged.at_rank(475)
    assert low * 0.999 <= sorted(values)[474] <= high * 1.001
    assert high / low == pytest.approx(1.01 / 0.99)


def test_retention_deletes_the_oldest(store: MeasurementStore) -> None:
    for at in range(5):
        store.record_window("c1", verdict(at * 1000, Verdict.KEPT, Reason.WITHIN_BOUND))
    assert store.retire("c1", 3000) == 3
    assert [v.window.start_ms for v in store.verdicts("c1")] == [3000, 4000]


def test_a_file_of_the_future_is_refused(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "measurements.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(ValueError, match="newer"):
        MeasurementStore(path)


def test_samples_need_little_room(tmp_path: Path) -> None:
    """A trial of 60 requests of 40 tokens: some ten kilobytes."""
    source = random.Random(4)

    def sample(at: int) -> RequestSample:
        return request(at, gaps_ms=tuple(6 + source.random() for _ in range(39)))

    store = MeasurementStore(tmp_path / "m.db")
    windows = tuple(tuple(sample(w * 3000 + i * 500) for i in range(6)) for w in range(10))
    before = (tmp_path / "m.db").stat().st_size
    store.add(Evidence(KEY, Load(2_000_000, 50, 40), 3000, windows, 0))
    store.close()
    assert (tmp_path / "m.db").stat().st_size - before < 40_000
