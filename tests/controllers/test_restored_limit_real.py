"""A memory limit of a real contracted run, changed behind the control plane's back, is the contract's again: the rung
`restore-limits` is stated, taken and announced. Where nothing differs, nothing is done."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenure.resources import Contract
from tests.requirements.home import House
from tests.requirements.served import active, until

pytestmark = pytest.mark.real

RUNG = "restore-limits"
LESS_BYTES = 8 << 20


@pytest.fixture(scope="module")
def job(home: House) -> Contract:
    """A command under contract for a core and its memory."""
    home.must("request", "-f", home.command("job"), "--accept", "best")
    found = until(lambda: now(home))
    assert found is not None
    return found


def now(home: House) -> Contract | None:
    return active(home, "job")


def memory(home: House) -> dict[str, Any]:
    """What the kernel says of its memory limit, as the contract's status tells it."""
    found = now(home)
    assert found is not None
    assert found.status is not None
    assert found.status.run is not None
    facts = [fact.model_dump(mode="json") for fact in found.status.run.read_back]
    return next((fact for fact in facts if fact["what"] == "memory"), {})


def limit_file(home: House) -> Path:
    """The control group's own file; skips where this system limits no memory."""
    source = Path(until(lambda: memory(home), what="it is read back")["source"])
    if not source.is_file():
        pytest.skip(f"no memory limit is enforced here: {memory(home)}")
    return source


def steps(home: House) -> list[Any]:
    found = now(home)
    assert found is not None
    assert found.status is not None
    return [step for step in found.status.remedies if step.rung == RUNG]


def statements(home: House, contract: Contract) -> list[dict[str, Any]]:
    shown = home.must("evidence", "show", contract.name, "--tail", 0, "-o", "json").json
    return [one for one in _bodies(shown) if one.get("rung") == RUNG]


def _bodies(shown: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in what was shown: where in it a body stands is not what is tested here."""
    if isinstance(shown, dict):
        yield shown
    for inner in shown.values() if isinstance(shown, dict) else shown if isinstance(shown, list) else ():
        yield from _bodies(inner)


def test_twin_where_the_kernel_agrees_no_limit_is_set_again(home: House, job: Contract) -> None:
    file = limit_file(home)
    before = file.read_text()
    time.sleep(3)  # several looks
    assert memory(home)["agrees"] is True
    assert (steps(home), statements(home, job)) == ([], [])
    assert file.read_text() == before


def test_a_limit_changed_behind_its_back_is_restored_stated_and_announced(home: House, job: Contract) -> None:
    file = limit_file(home)
    contracted = int(file.read_text())
    file.write_text(str(contracted - LESS_BYTES))
    until(lambda: int(file.read_text()) == contracted, 60, lambda: f"the limit is the contract's again: {now(home)}")
    step = until(lambda: [one for one in steps(home) if one.did], what="the step is in the status")[0]
    assert step.cause.startswith("memory limit ")
    assert str(file) in step.cause
    assert "no quota" in step.did
    until(lambda: memory(home)["agrees"], what="the read-back agrees again")
    told = home.must("events", "-o", "json").json["items"]
    event = next(one for one in told if one["reason"] == "Remedied" and one["message"].startswith(f"{RUNG}: memory"))
    assert event["type"] == "Warning"
    assert step.did in event["message"]
    stated = statements(home, job)
    assert stated[0]["stage"] == "begins"
    assert stated[0]["cause"] == step.cause
    assert len(steps(home)) == 1, "once is enough"
