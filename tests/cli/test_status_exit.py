"""What `tenure status` exits with: 1 on any breach that counts, 7 where nobody can say, else 0."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenure.cli.own.status import _everywhere, _table, breached_lately, exit_code_of
from tenure.client import Forbidden
from tenure.quantities import format_instant
from tenure.resources import Contract
from tests.cli.answers import active_status, contract_object
from tests.cli.host import Shell, make_namespace
from tests.support.embedded import embedded_in_thread

AT_MS = 1_800_000_000_000
DAY_MS = 86_400_000


def contract(phase: str, verdict: str | None, reason: str = "Kept", **status: Any) -> Contract:
    ready = {"type": "Ready", "status": "True", "reason": reason, "message": "", "lastTransitionTime": AT_MS}
    return contract_object("c", "default", "w", phase=phase, verdict=verdict, conditions=[ready], **status)


@pytest.mark.parametrize(
    ("contracts", "code"),
    [
        ([], 0),
        ([contract("Active", "Kept")], 0),
        ([contract("Active", "Kept"), contract("Active", "Breached")], 1),
        ([contract("Active", "Unverifiable")], 7),
        ([contract("Active", "Unverifiable"), contract("Ending", "Breached")], 1),
        ([contract("Ending", "Breached")], 1),
        ([contract("Ended", "Breached")], 1),
        ([contract("Ending", "Unverifiable")], 7),
        ([contract("Ending", "Kept")], 0),
        ([contract("Commissioning", None)], 0),
        ([contract("Active", "Kept", reason="NotObserved")], 7),
    ],
)
def test_the_worst_of_all_that_counts(contracts: list[Contract], code: int) -> None:
    assert exit_code_of(contracts) == code


@pytest.mark.parametrize(
    ("phase", "verdict", "days", "counts"),
    [
        ("Ended", "Breached", 29, True),
        ("Ended", "Breached", 31, False),
        ("Ended", "Kept", 1, False),
        ("Active", "Breached", 0, False),
    ],
)
def test_an_ended_breach_counts_for_an_accounting_period(phase: str, verdict: str, days: int, counts: bool) -> None:
    ended = contract(phase, verdict, endedAt=format_instant(AT_MS))
    assert breached_lately(ended, AT_MS + days * DAY_MS) is counts


def test_one_that_is_over_says_since_when_and_not_how_long_its_term_would_have_lasted() -> None:
    ended = contract("Ended", "Breached", endedAt=format_instant(AT_MS))
    assert str(_table([ended], AT_MS + 300_000).rows[0][-1]) == "ended 5 min ago"


_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A host of its own: what holds anywhere on it counts."""
    with embedded_in_thread(tmp_path_factory.mktemp("home")) as host:
        yield host.home


@pytest.fixture
def alone(quiet: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """The command line in a namespace of that host, with nothing in any other."""
    monkeypatch.setenv("TENURE_HOME", str(quiet))
    shell = Shell(quiet, f"team-{next(_numbers)}")
    make_namespace(quiet, shell.namespace)
    yield shell
    with shell.controllers() as client:
        for found in client.list(Contract).items:
            client.delete(Contract, found.name, namespace=found.namespace)


def holds(shell: Shell, verdict: str, namespace: str = "") -> None:
    """A contract that stands so, in the shell's namespace or another."""
    there = namespace or shell.namespace
    with shell.controllers() as client:
        client.create(contract_object("chat-1", there, "chat"))
        client.patch_status(Contract, "chat-1", {"status": active_status(verdict=verdict)}, namespace=there)


@pytest.mark.parametrize(("verdict", "code"), [("Kept", 0), ("Breached", 1), ("Unverifiable", 7)])
def test_status_exits_by_the_worst_verdict(alone: Shell, verdict: str, code: int) -> None:
    holds(alone, verdict)
    ran = alone.here("status")
    assert ran.code == code
    for expected in ("chat-1", verdict, "p95 ≤ 1s", "402ms"):
        assert expected in ran.out
    said = alone.here("status", "-o", "json").json
    assert (said["verdict"], said["elsewhere"]) == (verdict, {"contracts": 0, "verdict": None})


def test_status_without_contracts_says_so(alone: Shell) -> None:
    ran = alone.here("status")
    assert (ran.code, "No contract holds here" in ran.out) == (0, True)


def test_a_breach_in_another_namespace_is_told_and_counts(alone: Shell) -> None:
    make_namespace(alone.home, other := f"team-{next(_numbers)}")
    holds(alone, "Kept")
    holds(alone, "Breached", other)
    ran = alone.here("status")
    assert ran.code == 1
    assert "1 contract in other namespaces, together Breached: tenure status -A" in ran.out
    assert ran.out.count("chat-1") == 1, "it is not listed here"
    said = alone.here("status", "-o", "json").json
    assert (len(said["contracts"]), said["elsewhere"]) == (1, {"contracts": 1, "verdict": "Breached"})
    everywhere = alone.here("status", "-A")
    assert (everywhere.code, everywhere.out.count("chat-1")) == (1, 2)
    assert "in other namespaces" not in everywhere.out


def test_twin_who_may_not_look_further_is_told_of_his_own() -> None:
    class Page:
        items = [contract("Active", "Kept")]

    class Host:
        def list(self, _model: Any, namespace: str | None = None) -> Any:
            if namespace is None:
                raise Forbidden("not everywhere")
            return Page

    class Door:
        client = Host()

    door: Any = Door()
    assert _everywhere(door, Contract, "default").items == Page.items
    with pytest.raises(Forbidden):
        _everywhere(door, Contract, None)
