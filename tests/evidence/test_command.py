"""`tenure evidence`: show and export on the machine that has the log, verify on any other."""

import json
from dataclasses import replace

import pytest

from tenure.cli.main import run
from tenure.evidence import (
    Draft,
    KeyRing,
    LogReader,
    SigningKey,
    Statement,
    contract_source,
    contract_statement,
    contract_subject,
    export_bundle,
    parse_checkpoint,
    sign_checkpoint,
)
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
SPEC = {
    "workload": {"name": "chat", "uid": "w", "generation": 1},
    "promises": PROMISES,
    "term": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:00:45Z"},
}


def a_verdict(number, first_token_ms, **changes):
    """A judged window of ten requests, stated as the controllers state it but for `changes`."""
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
        body=stating.verdict_body(verdict) | changes,
    )
    return Draft(statement, {"evidence": evidence.as_record() | {"weather": "fine"}})


def the_promises():
    from tenure.resources.kinds.allocation import Promises

    return terms_module.promises_of(Promises.model_validate(PROMISES))


def a_request(arrival_ns, first_token_ns):
    """A completed request of 100 tokens in and 50 out."""
    return RequestSample(arrival_ns, first_token_ns, (20_000_000,) * 49, first_token_ns + 980_000_000, 100, 50, 200)


def a_home(tmp_path, verdicts):
    """A home with the evidence of one contract."""
    log = a_log(tmp_path / "home")
    log.append(contract_statement(**WHO, uid=UID, spec=SPEC, at_ms=AT_MS))
    subjects = [contract_subject(**WHO, spec=SPEC)]
    note = log.issue_checkpoint(contract_source(UID), purpose="activation", subjects=subjects, at_ms=AT_MS)
    (tmp_path / "checkpoint").write_text(note)
    log.append_all(verdicts)
    log.close()
    return tmp_path


@pytest.fixture
def export(tmp_path, capsys, monkeypatch):
    """Makes the bundle of a contract with these verdicts, the public key beside it; and leaves for another machine."""

    def make(verdicts):
        monkeypatch.setenv("TENURE_HOME", str(tmp_path / "home"))
        home = a_home(tmp_path, verdicts)
        run(["evidence", "show", "--public-key"])
        (home / "key.pem").write_text(capsys.readouterr().out)
        assert run(["evidence", "export", "chat-abc", "--to", str(home / "b.jsonl")]) == 0
        capsys.readouterr()
        monkeypatch.setenv("TENURE_HOME", str(home / "elsewhere"))
        return home / "b.jsonl"

    return make


VERDICTS = [a_verdict(number, 900 if number == 2 else 200) for number in range(4)]
"""Three windows kept, one breached."""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The machine that has the log."""
    monkeypatch.setenv("TENURE_HOME", str(tmp_path / "home"))
    return a_home(tmp_path, VERDICTS)


@pytest.fixture
def bundle(export):
    return export(VERDICTS)


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


@pytest.mark.parametrize(
    ("stated", "gaps"),
    [
        (range(1, 4), ["00:00:00Z to 2026-01-01T00:00:10Z"]),
        (range(3), ["00:00:30Z to 2026-01-01T00:00:40Z"]),
        (range(1, 3), ["00:00:00Z to 2026-01-01T00:00:10Z", "00:00:30Z to 2026-01-01T00:00:40Z"]),
        ((0, 3), ["00:00:10Z to 2026-01-01T00:00:30Z"]),
        ((), ["00:00:00Z to 2026-01-01T00:00:40Z"]),
    ],
    ids=["first cut", "last cut", "both cut", "middle", "none"],
)
def test_windows_that_were_never_stated_are_listed_and_nothing_is_called_complete(export, capsys, stated, gaps):
    """Everything is signed and numbered without a gap: the provider has just not judged them."""
    bundle = export([a_verdict(number, 200) for number in stated])
    assert verify(bundle, "--checkpoint", str(bundle.with_name("checkpoint"))) == 7
    told = capsys.readouterr().out
    assert [line for line in told.splitlines() if "no verdict was ever stated" in line] == [
        f"· timeToFirstToken.p95: no verdict was ever stated on 2026-01-01T{gap}; read it as unverifiable"
        for gap in gaps
    ]
    assert "✓ complete" not in told


def test_a_contract_that_ended_early_owes_nothing_after_its_end(export, capsys):
    ending = Statement(
        predicate="ending",
        id=f"{contract_source(UID)}/ending/ending",
        source=contract_source(UID),
        sequence=0,
        at_ms=AT_MS + 29_000,
        subjects=(contract_subject(**WHO, spec=SPEC),),
        body={"because": "EndedByUser", "at": "2026-01-01T00:00:29Z"},
    )
    bundle = export([a_verdict(0, 200), a_verdict(1, 200), Draft(ending, {})])
    assert verify(bundle, "--checkpoint", str(bundle.with_name("checkpoint"))) == 0
    assert "✓ complete" in capsys.readouterr().out


ALL_KEPT = {
    "metric": "timeToFirstToken",
    "percentile": "p95",
    "windows": 4,
    "kept": 4,
    "breached": 0,
    "unverifiable": 0,
    "attainment": 1.0,
    "budgetWindows": 0.0,
    "budgetLeft": 0.0,
    "verdict": "Kept",
}
SETTLED = Statement(
    predicate="ending",
    id=f"{contract_source(UID)}/ending/settled",
    source=contract_source(UID),
    sequence=0,
    at_ms=AT_MS + 45_000,
    subjects=(contract_subject(**WHO, spec=SPEC),),
    body={"because": "TermEnded", "stage": "settled", "countedBy": "1", "accounting": [ALL_KEPT]},
)


def dated(bundle, created_ms):
    """The same bundle, signed anew by whoever holds the key, with another time at which it says that it was made."""
    home = bundle.parent / "home"
    keys = KeyRing.read(home / "keys")
    log = LogReader.open(home / "evidence", keys=keys)
    export_bundle(log, bundle, sources=[contract_source(UID)], keys=keys, at_ms=created_ms)
    return bundle


def test_a_log_without_its_newest_statements_in_a_backdated_bundle_is_no_answer_today(export, capsys):
    """All that was owed by then is there and leads to the checkpoint: only the verifier's own clock tells."""
    bundle = dated(export([a_verdict(number, 200) for number in range(2)]), AT_MS + 21_000)
    mine = ("--checkpoint", str(bundle.with_name("checkpoint")))
    assert verify(bundle, *mine) == 7
    told = capsys.readouterr().out
    assert "UNVERIFIABLE as of" in told
    assert "✓ complete" not in told
    assert verify(bundle, *mine, "--as-of", "2026-01-01T00:00:30Z") == 0, "twin: as of then it was whole"
    told = capsys.readouterr().out
    assert "NOT SETTLED: it proves until it was made, 2026-01-01T00:00:21Z, 9 s ago" in told
    assert "judged until 2026-01-01T00:00:20Z" in told


def test_a_settled_contract_s_bundle_never_grows_old(export, capsys):
    verdicts = [a_verdict(number, 200) for number in range(4)]
    bundle = dated(export([*verdicts, Draft(SETTLED, {})]), AT_MS + 60_000)
    assert verify(bundle, "--checkpoint", str(bundle.with_name("checkpoint"))) == 0
    assert "the contract is settled, nothing more is owed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("created_ms", "why"),
    [(AT_MS - 400_000, "before its last statement"), (AT_MS + 900_000, "a clock is wrong")],
    ids=["before what it holds", "after the verifier's now"],
)
def test_a_bundle_that_cannot_have_been_made_then_is_unverifiable(export, capsys, created_ms, why):
    bundle = dated(export(VERDICTS), created_ms)
    assert verify(bundle, "--as-of", "2026-01-01T00:01:00Z", "-o", "json") == 7
    assert why in json.loads(capsys.readouterr().out)["untimely"]


def test_as_of_is_an_instant(bundle):
    assert verify(bundle, "--as-of", "yesterday") == 2


def test_a_verdict_by_an_earlier_judge_who_judged_alike_is_drawn_again(export, capsys):
    bundle = export([a_verdict(0, 200, judge="3"), a_verdict(1, 200)])
    verify(bundle)
    told = capsys.readouterr().out
    assert "✓ 2 verdicts follow from their samples" in told
    assert "judge version" not in told


def test_a_verdict_by_another_judge_is_not_called_false_but_unverifiable_and_named(export, capsys):
    bundle = export([*(a_verdict(number, 200) for number in range(3)), a_verdict(3, 200, judge="0.9", detail="other")])
    assert verify(bundle) == 7
    told = capsys.readouterr().out
    assert "1 verdicts were drawn by judge version 0.9" in told
    assert "✓ 3 verdicts follow from their samples" in told
    assert verify(bundle, "-o", "json") == 7
    assert json.loads(capsys.readouterr().out)["otherJudges"] == {"0.9": 1}


def test_a_false_verdict_by_this_judge_is_false(export, capsys):
    bundle = export([*(a_verdict(number, 200) for number in range(3)), a_verdict(3, 900, verdict="Kept")])
    assert verify(bundle) == 1
    assert "$.predicate.body.verdict: states 'Kept'" in capsys.readouterr().out


ONE_BROKEN = ALL_KEPT | {"kept": 3, "breached": 1, "attainment": 0.75, "budgetLeft": -1.0, "verdict": "Breached"}


def forged_credit(predicate, key, body):
    """A credit that nobody is due: the terms sign no schedule."""
    credit = {"percent": 100, "promise": "hard promises", "windowsUsed": 0, "windowsInPeriod": 0}
    return Draft(
        Statement(
            predicate=predicate,
            id=f"{contract_source(UID)}/{predicate}/{key}",
            source=contract_source(UID),
            sequence=0,
            at_ms=AT_MS + 45_000,
            subjects=(contract_subject(**WHO, spec=SPEC),),
            body=body | {"credit": credit, "countedBy": "1"},
        ),
        {},
    )


@pytest.mark.parametrize(
    "forged",
    [
        forged_credit("accounting", "credit/100", {"promise": "hard promises", "verdict": "Breached"}),
        forged_credit("ending", "settled", {"because": "EndedByTerm", "stage": "settled", "accounting": [ONE_BROKEN]}),
    ],
    ids=["while it runs", "when it is settled"],
)
def test_a_signed_credit_that_does_not_follow_is_named(export, capsys, forged):
    bundle = export([*VERDICTS, forged])
    assert verify(bundle, "-o", "json") == 1
    (failure,) = json.loads(capsys.readouterr().out)["failures"]
    assert (failure["statementId"], failure["field"]) == (forged.statement.id, "$.predicate.body.credit")


def test_accounts_by_other_rules_are_not_called_false_but_unverifiable_and_named(export, capsys):
    body = {"because": "EndedByTerm", "stage": "settled", "accounting": [ONE_BROKEN | {"breached": 2}]}
    older = replace(SETTLED, body=body)
    bundle = export([*VERDICTS, Draft(older, {})])
    assert verify(bundle) == 7
    assert f"· {older.id} cannot be drawn again, by version 0 of the rules" in capsys.readouterr().out
    assert verify(bundle, "-o", "json") == 7
    (named,) = json.loads(capsys.readouterr().out)["uncounted"]
    assert named["statementId"] == older.id


def test_a_damaged_verdict_is_named_and_what_was_counted_with_it_is_not_called_false(export, capsys):
    settled = replace(SETTLED, body=SETTLED.body | {"accounting": [ONE_BROKEN]})
    bundle = export([*VERDICTS, Draft(settled, {})])
    assert verify(bundle) == 0
    lines = bundle.read_bytes().splitlines(keepends=True)
    place = [number for number, line in enumerate(lines) if line.startswith(b'{"statement"')][3]
    lines[place] = lines[place].replace(b'"payload":"', b'"payload":"!', 1)
    bundle.write_bytes(b"".join(lines))
    capsys.readouterr()
    assert verify(bundle, "-o", "json") == 1
    said = json.loads(capsys.readouterr().out)
    assert settled.id not in {failure["statementId"] for failure in said["failures"]}
    assert "damaged or missing" in said["uncounted"][0]["because"]


def test_what_follows_from_a_false_verdict_is_named_after_it(export, capsys):
    lie = a_verdict(3, 900, verdict="Kept", reason="WithinBound")
    bundle = export([*VERDICTS[:3], lie, Draft(replace(SETTLED, body=SETTLED.body | {"accounting": [ALL_KEPT]}), {})])
    assert verify(bundle, "-o", "json") == 1
    named = [failure["statementId"] for failure in json.loads(capsys.readouterr().out)["failures"]]
    assert named[0] == lie.statement.id
    assert named[-1] == SETTLED.id


def test_one_flipped_byte_exits_1_and_is_named(bundle, capsys):
    data = bytearray(bundle.read_bytes())
    data[data.rindex(b'"sig"', 0, len(data) - 500) + 10] ^= 1
    bundle.write_bytes(data)
    assert verify(bundle) == 1
    assert "$.signatures[0].sig" in capsys.readouterr().out


def test_json_carries_the_failures(bundle, capsys):
    assert verify(bundle, "-o", "json") == 0
    assert json.loads(capsys.readouterr().out)["recomputed"] == 4


def test_usage_and_absence_have_codes_of_their_own(bundle, tmp_path):
    home = tmp_path
    key = str(home / "key.pem")
    assert run(["evidence", "verify", str(home / "none"), "--public-key", key]) == 3
    assert run(["evidence", "verify", str(bundle), "--public-key", str(home / "none")]) == 3
    assert run(["evidence", "verify", str(bundle), "--public-key", str(bundle)]) == 2
    assert run(["evidence", "verify", str(bundle)]) == 2
    assert run(["evidence", "show"]) == 3
    assert verify(bundle, "-o", "xml") == 2


@pytest.mark.parametrize("text", ["", "hello", "log\n1\nAAAA\n", "log\n1\nAAAA\n\n— log AAAA\n"])
def test_what_is_no_checkpoint_says_nothing_about_a_bundle(bundle, capsys, text):
    """The wrong file was named: a bundle that holds must not be told not to."""
    note = bundle.with_name("note")
    note.write_text(text)
    assert verify(bundle, "--checkpoint", str(note)) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"--checkpoint {note}: " in told.err
    assert "→ give the checkpoint as it was printed, all lines of it" in told.err


def test_twin_a_checkpoint_that_another_key_signed_speaks_against_it(bundle, capsys):
    note = bundle.with_name("note")
    given = parse_checkpoint(bundle.with_name("checkpoint").read_text())
    note.write_text(sign_checkpoint(given, key=SigningKey.generate()))
    assert verify(bundle, "--checkpoint", str(note)) == 1
    assert "signed by none of the trusted keys" in capsys.readouterr().out


def test_a_bundle_that_cannot_be_written_is_named(home, tmp_path, capsys):
    (tmp_path / "folder").mkdir()
    for where, code in ((tmp_path / "none" / "bundle", 3), (tmp_path / "folder", 2)):
        assert run(["evidence", "export", "chat-abc", "--to", str(where)]) == code
        told = capsys.readouterr().err
        assert f"{where}: cannot be written" in told
        assert "→ name a file in a folder that is there" in told
    assert list((tmp_path / "folder").iterdir()) == []


def test_show_lists_what_there_is(home, capsys):
    assert run(["evidence", "show"]) == 0
    assert "contracts/default/chat-abc" in capsys.readouterr().out
    assert run(["evidence", "show", "chat-abc"]) == 0
    assert "Breached (BoundExceeded)" in capsys.readouterr().out
    assert run(["evidence", "show", "chat-abc", "-o", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["items"]) == 6
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
