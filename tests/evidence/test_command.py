"""`tenure evidence`: show and export on the machine that has the log, verify on any other."""

import json

import pytest

from tenure.cli.main import run
from tenure.evidence import Draft, Statement, contract_source, contract_statement, contract_subject
from tenure.promises import RequestSample, Window, WindowEvidence, judge
from tests.evidence.builders import AT_MS, a_log

stating = pytest.importorskip("tenure.controllers.contract.stating")
terms_module = pytest.importorskip("tenure.controllers.contract.terms")

WHO = {"namespace": "default", "name": "chat-abc"}
UID = "0c9f"
LOAD = {"requestsPerSecond": "1", "promptTokens": 100, "outputTokens": 50}
PROMISES = {
    "load": LOAD,
    "statistical": [
        {
            "metric": "timeToFirstToken",
            "percentile": "p95",
            "bound": "400ms",
            "window": "10s",
            "share": "0.9",
            "confidence": "0.9",
            "evidence": {
                "grade": "measured-here",
                "method": "by-windows",
                "windows": 22,
                "samples": 220,
                "neighbours": "quiet",
                "hardwareClass": "test",
                "runtime": "test",
                "measuredAt": "2026-01-01T00:00:00Z",
                "load": LOAD,
            },
        }
    ],
}
SPEC = {"workload": {"name": "chat", "uid": "w", "generation": 1}, "promises": PROMISES}


def a_verdict(number, first_token_ms):
    """A judged window of ten requests, stated as the controllers state it."""
    start = AT_MS + 10_000 * number
    window = Window(start, start + 10_000)
    requests = tuple(a_request((start + 900 * k) * 1_000_000, first_token_ms * 1_000_000) for k in range(10))
    evidence = WindowEvidence(asof_ms=start + 12_000, tap_asof_ms=start + 12_000, requests=requests)
    (promise,) = the_promises()
    verdict = judge(promise, window, evidence)
    statement = Statement(
        predicate="window-verdict",
        id=f"{contract_source(UID)}/window/{number}",
        source=contract_source(UID),
        sequence=0,
        at_ms=window.end_ms,
        subjects=(contract_subject(**WHO, spec=SPEC),),
        body=stating.verdict_body(verdict),
    )
    return Draft(statement, {"evidence": evidence.as_record()})


def the_promises():
    from tenure.resources.kinds.allocation import Promises

    return terms_module.promises_of(Promises.model_validate(PROMISES))


def a_request(arrival_ns, first_token_ns):
    """A completed request of 100 tokens in and 50 out."""
    return RequestSample(arrival_ns, first_token_ns, (20_000_000,) * 49, first_token_ns + 980_000_000, 100, 50, 200)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with the evidence of one contract: three windows kept, one breached."""
    monkeypatch.setenv("TENURE_HOME", str(tmp_path / "home"))
    log = a_log(tmp_path / "home")
    log.append(contract_statement(**WHO, uid=UID, spec=SPEC, at_ms=AT_MS))
    subjects = [contract_subject(**WHO, spec=SPEC)]
    note = log.issue_checkpoint(contract_source(UID), purpose="activation", subjects=subjects, at_ms=AT_MS)
    (tmp_path / "checkpoint").write_text(note)
    log.append_all([a_verdict(number, 900 if number == 2 else 200) for number in range(4)])
    log.close()
    return tmp_path


@pytest.fixture
def bundle(home, capsys, monkeypatch):
    """The exported bundle and the public key beside it, on another machine: no TENURE_HOME."""
    run(["evidence", "show", "--public-key"])
    (home / "key.pem").write_text(capsys.readouterr().out)
    assert run(["evidence", "export", "chat-abc", "--to", str(home / "b.jsonl")]) == 0
    capsys.readouterr()
    monkeypatch.setenv("TENURE_HOME", str(home / "elsewhere"))
    return home / "b.jsonl"


def verify(bundle, *more):
    key = bundle.with_name("key.pem")
    return run(["evidence", "verify", str(bundle), "--public-key", str(key), *more])


def test_a_stranger_verifies_with_the_public_key(bundle, capsys):
    assert verify(bundle, "--checkpoint", str(bundle.with_name("checkpoint"))) == 0
    told = capsys.readouterr().out
    assert "4 verdicts follow from their samples and the signed terms (1 Breached, 3 Kept)" in told
    assert "complete: the log goes on from your checkpoint" in told


def test_a_checkpoint_may_have_been_through_a_mail(bundle, capsys):
    path = bundle.with_name("checkpoint")
    path.write_text(path.read_text().replace("\n", "\r\n").rstrip())
    assert verify(bundle, "--checkpoint", str(path)) == 0
    assert "complete" in capsys.readouterr().out


def test_one_flipped_byte_exits_1_and_is_named(bundle, capsys):
    data = bytearray(bundle.read_bytes())
    data[data.rindex(b'"sig"', 0, len(data) - 500) + 10] ^= 1
    bundle.write_bytes(data)
    assert verify(bundle) == 1
    assert "$.signatures[0].sig" in capsys.readouterr().out


def test_json_carries_the_failures(bundle, capsys):
    assert verify(bundle, "-o", "json") == 0
    assert json.loads(capsys.readouterr().out)["recomputed"] == 4


def test_usage_and_absence_have_codes_of_their_own(bundle, home):
    key = str(home / "key.pem")
    assert run(["evidence", "verify", str(home / "none"), "--public-key", key]) == 3
    assert run(["evidence", "verify", str(bundle), "--public-key", str(home / "none")]) == 3
    assert run(["evidence", "verify", str(bundle), "--public-key", str(bundle)]) == 2
    assert run(["evidence", "verify", str(bundle)]) == 2
    assert run(["evidence", "show"]) == 3
    assert verify(bundle, "-o", "xml") == 2


def test_show_lists_what_there_is(home, capsys):
    assert run(["evidence", "show"]) == 0
    assert "contracts/default/chat-abc" in capsys.readouterr().out
    assert run(["evidence", "show", "chat-abc"]) == 0
    assert "Breached (BoundExceeded)" in capsys.readouterr().out
    assert run(["evidence", "show", "chat-abc", "-o", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 6
    assert run(["evidence", "show", "--checkpoint", "chat-abc"]) == 0
    assert "source contract/0c9f 6" in capsys.readouterr().out


def test_a_workload_s_name_finds_its_contract(home, capsys):
    assert run(["evidence", "export", "chat", "--to", str(home / "w.jsonl"), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["subject"] == "contracts/default/chat-abc"
    assert run(["evidence", "export", "other", "--to", str(home / "w.jsonl")]) == 3
    assert run(["evidence", "export", "chat", "-n", "team", "--to", str(home / "w.jsonl")]) == 3


def test_a_rotated_key_is_vouched_for_by_the_old_one(home, capsys, bundle, monkeypatch):
    monkeypatch.setenv("TENURE_HOME", str(home / "home"))
    assert run(["evidence", "rotate"]) == 0
    assert run(["evidence", "export", "chat-abc", "--to", str(bundle)]) == 0
    assert verify(bundle, "--checkpoint", str(home / "checkpoint")) == 0


def test_a_span_without_a_verdict_is_unverifiable(home, capsys):
    log = a_log(home / "home")
    draft = a_verdict(9, 200)
    log.append(draft.statement, draft.inputs)
    log.close()
    run(["evidence", "show", "--public-key"])
    (home / "key.pem").write_text(capsys.readouterr().out)
    run(["evidence", "export", "chat", "--to", str(home / "b.jsonl")])
    assert verify(home / "b.jsonl") == 7
    assert "no verdict was ever stated" in capsys.readouterr().out
