"""Training with a deadline on a real machine: seen to be late while there is time, resumed after a kill, done."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tenure.cli.running import plane_of
from tenure.quantities import SystemClock, format_instant, parse_instant
from tests.controllers.test_terms_real import contract, until
from tests.requirements.home import House, house

pytestmark = pytest.mark.real

PORT = 19464


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = house(tmp_path_factory.mktemp("training"))
    try:
        yield made
    finally:
        made.close()


def training(home: House, name: str, steps: int, seconds: int) -> int:
    """A training under contract, due in so many seconds; returns its deadline."""
    by_ms = SystemClock().now_ms() + seconds * 1000
    home.must(
        "apply",
        "-f",
        home.manifest(
            name,
            f"""
apiVersion: tenure.dev/v1alpha1
kind: Workload
metadata: {{name: {name}, namespace: default}}
spec:
  training: {{}}
  acceptance: auto
  run:
    command: ["{{python}}", -m, tenure.catalog.jobs.training, --steps, "{steps}", --port, "{PORT}"]
    ports: [{PORT}]
    metrics: {{port: {PORT}}}
  objectives: {{completion: {{by: "{format_instant(by_ms)}"}}}}
  term: {{duration: 10m}}
""",
        ),
    )
    return by_ms


def at_risk(home: House, name: str, phase: str = "Active") -> dict[str, Any]:
    found = contract(home, name, phase) or {"status": {"conditions": []}}
    return next((c for c in found["status"]["conditions"] if c["type"] == "AtRisk"), {})


def test_what_cannot_be_in_time_is_known_long_before_its_deadline(home: House) -> None:
    by_ms = training(home, "late", 10_000_000, 60)
    risky = until(lambda: (said := at_risk(home, "late")).get("reason") == "WillMiss" and said, 30)
    assert by_ms - parse_instant(risky["lastTransitionTime"]) > 35_000
    progress = contract(home, "late", "Active")["status"]["progress"]
    assert parse_instant(progress["likely"]) > by_ms
    assert "AtRisk" in home.must("events").out or "WillMiss" in home.must("events").out
    home.must("end", "late")
    for left in home.path.rglob("checkpoint.npz"):
        left.unlink()


def test_a_killed_training_goes_on_from_its_checkpoint_and_is_done_in_time(home: House) -> None:
    training(home, "soon", 20_000, 300)
    until(lambda: contract(home, "soon", "Active"))
    until(lambda: list(home.path.rglob("checkpoint.npz")), 40)
    os.kill(contract(home, "soon", "Active")["status"]["run"]["pid"], signal.SIGKILL)
    ended = until(lambda: contract(home, "soon", "Ended"), 120)["status"]
    assert (ended["endedBecause"], ended["progress"]["ratio"]) == ("Completed", 1.0)
    assert at_risk(home, "soon", "Ended")["reason"] == "DeadlineKept"
    assert next(c for c in ended["conditions"] if c["type"] == "HardPromisesKept")["status"] == "True"
    said = home.must("logs", "soon").out
    assert "done: 20000 steps" in said
    assert " 0 of them before the last start" not in said
    found = home.must("get", "workload", "soon", "-o", "json").json
    assert found["status"]["phase"] == "Succeeded"
    agreed = home.must("ledger", "check", "-o", "json").json
    assert (agreed["holds"], agreed["runs"]) == (0, 0)


def test_what_was_done_while_nobody_managed_it_is_done_and_not_out_of_time(home: House) -> None:
    text = home.command("quick", extra="  acceptance: auto\n", run_line="[sleep, '3']").read_text()
    home.must("apply", "-f", home.manifest("quick", text.replace("10m", "6s")))
    found = until(lambda: contract(home, "quick", "Active"))
    running = plane_of(home.path)
    assert running is not None
    os.kill(running["pid"], signal.SIGKILL)
    until(lambda: SystemClock().now_ms() > parse_instant(found["spec"]["term"]["end"]) + 500)
    home.must("up")
    assert until(lambda: contract(home, "quick", "Ended"))["status"]["endedBecause"] == "Completed"
