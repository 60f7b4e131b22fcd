"""Samples are given up in their time: it is stated, the tree stays, and nothing else may be missing."""

from pathlib import Path

from tenure.evidence import Subject, digest, export_bundle, verify_bundle
from tenure.evidence.retirement import PLAN_FILE
from tests.evidence.builders import AT_MS, SOURCE, SPEC, a_log, a_ring, a_statement, a_window, recompute

MINUTE_MS = 60_000
SUBJECT = Subject("contracts/default/chat", digest(SPEC))


def filled(folder: Path, windows: int = 6):
    log = a_log(folder)
    log.append_all([a_window(number, {"latencyMs": [number, 10, 20]}) for number in range(windows)])
    return log


def retired(folder: Path, minutes: int, windows: int = 6):
    """A log whose windows of the first minutes were given up, opened anew."""
    log = filled(folder, windows)
    root = log.root
    log.retire(SOURCE, subjects=[SUBJECT], before_ms=AT_MS + minutes * MINUTE_MS, at_ms=AT_MS + 10**9)
    log.close()
    again = a_log(folder)
    assert again.root_at(windows) == root
    return again


def verified(folder: Path, log, **how):
    path = folder / "bundle.jsonl"
    export_bundle(log, path, sources=[SOURCE], keys=a_ring(folder), at_ms=AT_MS)
    return verify_bundle(path, public_key=a_ring(folder).signing.public, recompute=recompute, **how)


def test_statements_and_tree_stay_and_the_samples_go(tmp_path: Path) -> None:
    log = retired(tmp_path, 4)
    assert log.retired_bytes > 0
    report = verified(tmp_path, log)
    assert (report.ok, report.recomputed, report.retired) == (True, 2, 4)
    assert sum(1 for _ in log.verify(keys=a_ring(tmp_path).public_keys)) == 7
    log.append(a_statement(id="later"))
    log.close()
    assert a_log(tmp_path).retired_bytes == 0, "the plan was carried out once"


def test_twin_samples_that_are_missing_without_a_retirement_fail(tmp_path: Path) -> None:
    log = filled(tmp_path)
    log.close()
    (tmp_path / "evidence" / PLAN_FILE).write_text(f'{{"{SOURCE}": {AT_MS + 4 * MINUTE_MS}}}')
    report = verified(tmp_path, a_log(tmp_path))
    assert not report.ok
    assert {failure.field for failure in report.failures} == {"$.predicate.inputs.samples"}
    assert len(report.failures) == 4


def test_what_another_statement_stands_on_stays(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    shared = {"latencyMs": [1, 2, 3]}
    log.append_all([a_window(0, shared), a_window(5, shared)])
    log.retire(SOURCE, subjects=[SUBJECT], before_ms=AT_MS + MINUTE_MS, at_ms=AT_MS + 10**9)
    log.close()
    report = verified(tmp_path, a_log(tmp_path))
    assert (report.ok, report.recomputed, report.retired) == (True, 2, 0)


def test_stated_again_it_is_the_same(tmp_path: Path) -> None:
    log = filled(tmp_path)
    for at_ms in (AT_MS + 10**9, AT_MS + 10**9 + 1):
        log.retire(SOURCE, subjects=[SUBJECT], before_ms=AT_MS, at_ms=at_ms)
    assert log.count(SOURCE) == 7


def test_a_plan_that_cannot_be_read_gives_nothing_up(tmp_path: Path) -> None:
    log = filled(tmp_path)
    log.close()
    (tmp_path / "evidence" / PLAN_FILE).write_bytes(b"\xff not a plan")
    report = verified(tmp_path, a_log(tmp_path))
    assert (report.ok, report.recomputed) == (True, 6)
