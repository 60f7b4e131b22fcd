"""Windows that could not be judged in time are judged later, however many or large; none holds back the rest."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenure.controllers.contract import judging, stating
from tenure.controllers.contract.checking import Recomputing
from tenure.controllers.contract.oversize import too_large
from tenure.controllers.contract.stating import checkpoint_of, state_terms
from tenure.evidence import EvidenceLog, contract_source, export_bundle, verify_bundle
from tenure.promises import Promise, Reason, Verdict, Window, WindowEvidence, WindowVerdict, judge
from tests.controllers.test_judging import AT_MS, KEPT, WINDOW_MS, Service
from tests.promises.builders import promise, request

WRITE_BYTES = 3_000


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def writes(service: Service, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements each write holds."""
    sizes: list[int] = []
    append_all = EvidenceLog.append_all

    def counted(log: EvidenceLog, drafts: Any) -> Any:
        sizes.append(len(drafts))
        return append_all(log, drafts)

    monkeypatch.setattr(EvidenceLog, "append_all", counted)
    return sizes


def test_a_long_catch_up_is_written_in_pieces(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stating, "WRITE_BYTES_MAX", WRITE_BYTES)
    sizes = writes(service, monkeypatch)
    service.serve(121)
    assert service.judge() == [KEPT] * 12
    assert len(sizes) > 1
    assert sum(sizes) == 12


def test_a_window_too_large_for_one_record_is_unverifiable_and_holds_back_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    state_terms(service.plane, service.contract)
    note = checkpoint_of(service.plane, service.contract)
    service.serve(11)
    service.judge()
    for _ in range(8):
        service.ask(50)
    service.serve(20)
    monkeypatch.setattr(stating, "RECORD_BYTES_MAX", 2_500)
    assert [reason for _, reason in service.judge()] == [
        Reason.WITHIN_BOUND,
        Reason.EVIDENCE_TOO_LARGE,
        Reason.WITHIN_BOUND,
    ]
    bundle = tmp_path / "bundle"
    source, keys = contract_source(service.contract.uid), service.plane.keys
    export_bundle(service.plane.log, bundle, sources=[source], keys=keys, at_ms=service.clock.now_ms())
    found = verify_bundle(bundle, public_key=keys.signing.public, checkpoint=note, recompute=Recomputing())
    assert not found.failures, found.failures


def test_more_load_than_was_declared_stays_its_users_doing_however_large_the_record() -> None:
    window = Window(AT_MS, AT_MS + WINDOW_MS)
    many = tuple(request(AT_MS + at, first_ms=50) for at in range(0, WINDOW_MS, 50))
    evidence = WindowEvidence(window.end_ms + 1, window.end_ms + 1, requests=many)
    verdict = judge(promise(), window, evidence)
    assert verdict.reason is Reason.LOAD_ABOVE_DECLARED, "twin: what a whole record says"
    said, small = too_large(verdict, evidence, 1 << 25)
    assert (said.verdict, said.reason) == (Verdict.UNVERIFIABLE, Reason.LOAD_ABOVE_DECLARED)
    assert judge(promise(), window, small) == said


@pytest.fixture
def open_ended(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """An answer of the first window goes on and on, and could still go either way."""
    judged = judging.judge

    def judge_open(promise: Promise, window: Window, evidence: WindowEvidence) -> WindowVerdict:
        found = judged(promise, window, evidence)
        if window.start_ms == AT_MS:
            return replace(found, verdict=Verdict.UNVERIFIABLE, reason=Reason.NOT_SETTLED)
        return found

    monkeypatch.setattr(judging, "judge", judge_open)
    return service


def test_one_answer_that_stays_open_holds_back_no_later_window(
    open_ended: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "WINDOWS_PER_PASS_MAX", 3)
    said = []
    for _ in range(6):
        open_ended.serve(10)
        said = open_ended.judge()
    assert said[0] == (Verdict.UNVERIFIABLE, Reason.NOT_SETTLED), "twin: it is open all the time"
    assert said[1:5] == [KEPT] * 4


def test_settled_windows_are_not_read_from_the_log_again(open_ended: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    open_ended.serve(41)
    open_ended.judge()
    asked: list[str] = []
    find = EvidenceLog.find

    def noted(log: EvidenceLog, id: str) -> Any:
        asked.append(id)
        return find(log, id)

    monkeypatch.setattr(EvidenceLog, "find", noted)
    open_ended.serve(1)
    open_ended.judge()
    assert asked == []
