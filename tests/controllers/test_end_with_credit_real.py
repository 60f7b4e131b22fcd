"""End with credit, with a real model: it cannot keep its promise, its user asked for an end then, and gets it.

The server's process is stopped again and again, so nothing on the ladder helps and the error budget is used up. The
contract ends as its terms allow, its cores are free, the credit is due and stays due, and a stranger can verify it all.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tenure.resources import Contract
from tests.requirements.home import House, house
from tests.requirements.served import NEED, active, load, serve, until

pytestmark = pytest.mark.real
TERM = "5m"
"""It has a budget of 75 windows of a second, which are used up long before it ends by itself, on a busy machine too."""
ENDED_SECONDS = 290


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = house(tmp_path_factory.mktemp("credited"))
    try:
        yield made
    finally:
        made.close()


def contract_named(home: House, name: str) -> Contract:
    return Contract.model_validate(home.must("get", "contract", name, "-o", "json").json)


def stop_server(home: House) -> None:
    """Whatever runs now is stopped, also what a remedy has just started anew."""
    found = active(home)
    pid = found.status.run.pid if found and found.status and found.status.run else None
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)


def test_it_ends_as_declared_and_the_credit_stays_due(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.requirements.served.NEED", NEED + "  remedies: {{lastResort: end-with-credit}}\n")
    contract = serve(home, term=TERM)
    assert contract.spec.body.remedies is not None
    assert contract.spec.price.credit, "the schedule is part of what was signed"
    assert held(home) == [contract.name], "twin: it holds now"

    give_up = time.monotonic() + ENDED_SECONDS
    with load(home, contract):
        while active(home) is not None:
            assert time.monotonic() < give_up, home.tenure("status").out
            stop_server(home)
            time.sleep(1)
    ended = until(lambda: over(home, contract.name), 120, "the contract is over")

    assert ended.status is not None
    assert ended.status.ended_because == "EndedWithCredit", ended.status
    assert ended.status.verdict == "Breached"
    credit = ended.status.credit
    assert credit is not None, "its terms owe it"
    until(lambda: held(home) == [], what=lambda: f"what it held may be sold again: {held(home)}")
    assert home.must("ledger", "check", "-o", "json").json["agrees"]
    assert f"{credit.percent}" in home.must("describe", "contract", contract.name).out

    audit = audit_of(home, contract.name)
    assert audit["ended"] == "EndedWithCredit"
    assert audit["credit"]["percent"] == credit.percent, "recomputed from the signed windows"
    assert "end-with-credit" in {step["rung"] for step in audit["remedies"]}
    assert all(step["outcome"] for step in audit["remedies"]), "no step without an outcome"

    home.must("down")
    home.must("up")
    again = contract_named(home, contract.name)
    assert again.status is not None
    assert again.status.credit == credit, "a restart forgives nothing"
    verified(home, contract.name)


def over(home: House, name: str) -> Contract | None:
    found = contract_named(home, name)
    return found if found.status is not None and found.status.phase == "Ended" else None


def held(home: House) -> list[str]:
    """Whose contracts hold anything. Its need is still there, so it is offered anew, and offers are held."""
    holds = home.must("ledger", "show", "-o", "json").json["holds"]
    return [one["name"] for one in holds if one["kind"] == "Contract"]


def audit_of(home: House, name: str) -> dict[str, Any]:
    said = home.tenure("contract", "audit", name, "-o", "json")
    assert said.code == 1, "breached, and said so"
    found: dict[str, Any] = said.json
    return found


def verified(home: House, name: str) -> None:
    """Offline, with the public key alone: every window that is owed has its verdict, and each follows from samples."""
    bundle, key = home.path.parent / "bundle.jsonl", home.path.parent / "public.pem"
    home.must("evidence", "export", name, "--to", bundle)
    key.write_text(home.must("evidence", "show", "--public-key").out)
    said = home.tenure("evidence", "verify", bundle, "--public-key", key)
    assert said.code == 0, said.out + said.err
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    assert home.tenure("evidence", "verify", bundle, "--public-key", key).code == 1, "twin: one bit makes it fail"
