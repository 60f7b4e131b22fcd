"""Wrong input of every sort: a stable code, the field's path, the next step, exit code 2, and nothing left behind."""

from pathlib import Path

import pytest

from tests.cli.host import Shell
from tests.cli.manifests import CHAT, chat
from tests.cli.wrong_input import CASES, written
from tests.requirements.fleets import fleet, hopper

VERBS = (
    ("apply", "-f"),
    ("create", "-f"),
    ("diff", "-f"),
    ("lint", "-f"),
    ("ask", "-f"),
    ("request", "-f"),
    ("trial", "--for", "1m", "-f"),
)


@pytest.mark.parametrize("case", CASES)
def test_every_verb_refuses_it_with_code_path_and_next_step(shell: Shell, tmp_path: Path, case: str) -> None:
    _, code, path = CASES[case]
    file = tmp_path / "m.yaml"
    file.write_bytes(written(case))
    before = shell.objects()
    for verb in VERBS:
        run = shell if verb[0] == "lint" else shell.here  # it asks no host
        ran = run(*verb, file, "-o", "json")
        assert ran.code == 2, (verb, ran.err)
        assert ran.out == "", verb
        cause = ran.status["details"]["causes"][0]
        assert (cause["code"], cause.get("path", "")) == (code, path), verb
        assert cause["nextStep"], verb
        assert cause["source"] == str(file), verb
    assert shell.objects() == before, "nothing of it is left behind"


def test_twin_what_is_left_behind_would_be_seen(shell: Shell) -> None:
    before = shell.objects()
    shell.here("apply", "-f", "-", stdin=CHAT)
    assert shell.objects() - before == {"workload.tenure.dev/chat"}


@pytest.mark.parametrize("case", CASES)
def test_what_describes_no_machine_is_no_inventory(offline: Shell, tmp_path: Path, case: str) -> None:
    file = tmp_path / "machine.json"
    file.write_bytes(written(case))
    ran = offline("inventory", "lint", file)
    assert (ran.code, ran.out) == (2, "")
    assert "[TopologyUnreadable]" in ran.err
    assert "→" in ran.err


def test_one_bad_document_keeps_the_good_ones_from_being_sent(shell: Shell) -> None:
    ran = shell.here("apply", "-f", "-", stdin=f"{CHAT}---\n{chat('two', term='{duration: -3d}')}")
    assert ran.code == 2
    assert "spec.term.duration" in ran.err
    assert "nothing was sent" in ran.err
    assert shell.here("get", "workloads", "-o", "name").out == ""


def test_what_reaches_the_host_is_refused_the_same_way(shell: Shell) -> None:
    shell.here("apply", "-f", "-", stdin=CHAT)
    ran = shell.here("patch", "workload", "chat", "-p", "{spec: {preference: fastest, nonsense: 1}}", "-o", "json")
    assert ran.code == 2
    causes = {cause["path"]: cause for cause in ran.status["details"]["causes"]}
    assert causes["spec.preference"]["code"] == "InvalidValue"
    assert causes["spec.nonsense"]["code"] == "UnknownField"
    assert all("tenure explain workload.spec" in cause["nextStep"] for cause in causes.values())


@pytest.mark.parametrize("patch", ["{spec: {term: {duration: -5m}}}", "{metadata: {labels: {a: 'not a label!'}}}"])
def test_each_cause_that_the_host_names_has_a_next_step(shell: Shell, patch: str) -> None:
    shell.here("apply", "-f", "-", stdin=CHAT)
    ran = shell.here("patch", "workload", "chat", "-p", patch, "-o", "json")
    assert ran.code == 2
    causes = ran.status["details"]["causes"]
    assert causes
    assert all(cause["nextStep"] for cause in causes), causes


@pytest.mark.parametrize(
    ("tokens", "code", "reason"),
    [
        (["bogus"], 2, "UnknownCommand"),
        (["get", "--bogus"], 2, "Usage"),
        (["get", "workloads", "-o", "xml"], 2, "UnknownFormat"),
        (["get", "workloads", "-o", "jsonpath={.items[}"], 2, "InvalidJsonPath"),
        (["get", "bogus"], 2, "UnknownKind"),
        (["get", "workload", "nobody"], 3, "NotFound"),
        (["describe", "workload/nobody"], 3, "NotFound"),
        (["delete", "workload", "nobody"], 3, "NotFound"),
        (["delete", "workloads"], 2, "Usage"),
        (["apply", "-f", "/does/not/exist.yaml"], 3, "FileNotFound"),
        (["apply", "-f", "https://example.com/a.yaml"], 2, "NoDownloads"),
        (["apply"], 2, "Usage"),
        (["apply", "-f", "-", "--dry-run=maybe"], 2, "Usage"),
        (["delete", "wl", "chat", "--dry-run=maybe"], 2, "Usage"),
        (["patch", "wl", "chat", "-p", "{}", "--dry-run=maybe"], 2, "Usage"),
        (["explain", "workload.spec.nonsense"], 3, "UnknownField"),
        (["explain", "bogus"], 2, "UnknownKind"),
        (["wait", "workload/x", "--for=nonsense"], 2, "Usage"),
        (["wait", "workload/x", "--for=delete", "--timeout=soon"], 2, "InvalidQuantity"),
        (["accept", "nobody"], 3, "OfferNotFound"),
        (["env", "nobody"], 3, "NotFound"),
        (["end", "nobody"], 3, "NotFound"),
        (["logs", "nobody"], 3, "NotFound"),
        (["why", "nobody"], 3, "NotFound"),
        (["why", "secret/x"], 2, "Usage"),
        (["price", "set", "vm", "twelve"], 2, "InvalidQuantity"),
        (["price", "set", "vm", "0.12 EUR"], 3, "NotFound"),
        (["site", "assert", "local", "--country", "Germany", "--by", "me"], 2, "UnknownCountry"),
        (["trial", "-f", "x.yaml", "--for", "-3m"], 2, "InvalidQuantity"),
        (["renew", "need", "--for", "2q"], 2, "InvalidQuantity"),
        (["renew", "need", "--for", "-5m"], 2, "InvalidQuantity"),
        (["up", "--port", "99999"], 2, "InvalidValue"),
        (["up", "--port", "-1"], 2, "InvalidValue"),
        (["request", "-f", "x.yaml", "--accept", "worst"], 2, "Usage"),
        (["model", "show", "smollm"], 3, "NotFound"),
        (["completion", "tcsh"], 2, "Usage"),
        (["--home"], 2, "Usage"),
        (["--home", "", "status"], 2, "Usage"),
        (["down", "--purge", "--yes", "--home="], 2, "Usage"),
        (["get", "site", ""], 2, "Usage"),
        (["delete", "workload", ""], 2, "Usage"),
        (["get", "workloads", ""], 2, "Usage"),
        (["wait", "workload", "", "--for=delete"], 2, "Usage"),
        (["apply", "-f", ""], 2, "Usage"),
        (["delete", "-f", ""], 2, "Usage"),
        (["lint", "-f", ""], 2, "Usage"),
        (["ask", "-f", ""], 2, "Usage"),
        (["accept", ""], 2, "InvalidName"),
        (["end", ""], 2, "InvalidName"),
        (["env", ""], 2, "InvalidName"),
        (["why", ""], 2, "InvalidName"),
        (["why", "workload/"], 2, "InvalidName"),
        (["logs", ""], 2, "InvalidName"),
        (["renew", ""], 2, "InvalidName"),
        (["price", "set", "", "1 EUR"], 2, "InvalidName"),
        (["site", "assert", "", "--country", "DE", "--by", "me"], 2, "InvalidName"),
        (["get", "site", "a%b"], 2, "InvalidName"),
        (["end", "../x"], 2, "UnknownKind"),
        (["get", "workloads", "-n", "../../x"], 2, "InvalidName"),
        (["patch", "wl", "chat", "-p", "{}", "--subresource", "../x"], 2, "Usage"),
        (["status", "-n", "x" * 254], 2, "InvalidName"),
        (["accept", "chat-1", "--timeout", "9" * 30], 2, "InvalidQuantity"),
        (["wait", "wl", "x", "--for=delete", "--timeout", "9" * 400], 2, "InvalidQuantity"),
        (["capacity", "--memory", "banana"], 2, "InvalidQuantity"),
        (["capacity", "--memory", "-1"], 2, "InvalidQuantity"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_a_wrong_command_line_says_what_and_what_to_do(shell: Shell, tokens: list[str], code: int, reason: str) -> None:
    ran = shell(*tokens)
    assert (ran.code, ran.out) == (code, "")
    assert f"[{reason}]" in ran.err.splitlines()[0]
    assert "→" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("drawn", ["licence:solvr", "licence:solvr=2"])
def test_a_budget_that_nobody_declared_is_not_taken_for_endless_room(
    offline: Shell, tmp_path: Path, drawn: str
) -> None:
    path = fleet(tmp_path / "fleet.csv", hopper("m-0", "rack-0"))
    ran = offline("capacity", "--fleet", path, "--draw", drawn)
    assert (ran.code, ran.out) == (3, "")
    assert "declares no such budget" in ran.err
    assert "→ declared here: " in ran.err


@pytest.mark.parametrize("drawn", ["licence:solver=²", "licence:solver=0", "=2", "licence:solver=-1"])
def test_a_budget_and_a_count_are_written_so(offline: Shell, drawn: str) -> None:
    ran = offline("capacity", "--draw", drawn)
    assert (ran.code, ran.out) == (2, "")
    assert "[InvalidValue]" in ran.err


def test_a_misspelt_word_is_recognised(shell: Shell) -> None:
    assert "did you mean get?" in shell("gte").err
    assert "did you mean workload" in shell("get", "worklods").err
    assert "did you mean objectives?" in shell("explain", "workload.spec.objectivs").err


def test_where_no_host_runs_the_next_step_starts_one(offline: Shell) -> None:
    for tokens in (["get", "workloads"], ["status"], ["why", "chat"]):
        ran = offline(*tokens)
        assert ran.code == 7, ran.err
        assert "tenure up" in ran.err


def test_a_fault_of_ours_is_short_and_says_so(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    import tenure.cli.verbs.about as about

    def broken(**_: object) -> None:
        raise RuntimeError("the unforeseen")

    monkeypatch.setattr(about, "version", broken)
    ran = shell("version")
    assert ran.code == 70
    assert "the unforeseen" in ran.err
    assert "Traceback" not in ran.err
    monkeypatch.setenv("TENURE_DEBUG", "1")
    assert "Traceback" in shell("version").err
