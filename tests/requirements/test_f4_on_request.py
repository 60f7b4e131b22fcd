"""F4: training and inference on request: a contract, or a counter-offer with a date; progress and checkpoints seen."""

import os
import signal
from typing import Any

import pytest

from tenure.quantities import SystemClock, format_instant, parse_instant
from tests.requirements.home import House
from tests.requirements.served import serve, until

pytestmark = pytest.mark.real
PORT = 19474
STEPS = 30_000
DONE_SECONDS = 290
"""Its deadline is five minutes from its request; a slow machine takes some of them."""
COUNTER_OFFERED, INFEASIBLE = 6, 5
TRAINING = """
apiVersion: tenure.dev/v1alpha1
kind: Workload
metadata: {{name: {name}, namespace: default}}
spec:
  training: {{}}
  run:
    command: ["{{python}}", -m, tenure.catalog.jobs.training, --steps, "{steps}", --port, "{port}"]
    ports: [{port}]
    metrics: {{port: {port}}}
  objectives: {{completion: {{by: "{by}"}}}}
  term: {{duration: 10m}}
{more}
"""


def wanted(home: House, name: str, *, port: int = PORT, seconds: int = 300, more: str = "") -> Any:
    by = format_instant(SystemClock().now_ms() + seconds * 1000)
    return home.manifest(name, TRAINING.format(name=name, steps=STEPS, port=port, by=by, more=more))


def status_of(home: House, name: str) -> dict[str, Any]:
    items = home.must("get", "contracts", "-o", "json").json["items"]
    found: dict[str, Any] = next((c["status"] for c in items if c["spec"]["workload"]["name"] == name), {})
    return found


def test_training_is_requested_and_its_progress_and_checkpoint_are_seen(home: House) -> None:
    said = home.must("request", "-f", wanted(home, "train"), "--accept", "any")
    assert "train" in said.out
    until(lambda: status_of(home, "train").get("phase") == "Active")
    until(lambda: (status_of(home, "train").get("progress") or {}).get("ratio", 0) > 0, 120, "it says how far it is")
    assert "%" in home.must("status").out, "progress stands beside the deadline"
    until(lambda: list(home.path.rglob("checkpoint.npz")), 120, "it keeps checkpoints")


def test_a_killed_training_goes_on_from_its_checkpoint_and_is_done(home: House) -> None:
    # Right after its first checkpoint: a quick machine is done with it before long.
    os.kill(status_of(home, "train")["run"]["pid"], signal.SIGKILL)
    until(lambda: f"done: {STEPS} steps" in home.must("logs", "train").out, DONE_SECONDS, "it is done")
    assert " 0 of them before the last start" not in home.must("logs", "train").out
    until(lambda: status_of(home, "train").get("endedBecause") == "Completed", what="and its contract with it")


def test_what_does_not_fit_now_is_offered_for_a_date(home: House) -> None:
    for taken in range(os.cpu_count() or 1):  # until every core is somebody's
        said = home.tenure("request", "-f", wanted(home, f"more-{taken}", port=PORT + 1 + taken), "--accept", "any")
        if said.code != 0:
            break
    later = home.tenure("request", "-f", wanted(home, "later", port=PORT + 99), "-o", "json")
    assert later.code == COUNTER_OFFERED, later.out + later.err
    quotes = home.must("get", "workload", "later", "-o", "json").json["status"]["answer"]["quotes"]
    dated = [q for q in quotes if any(r["axis"] == "later" for r in q["relaxed"])]
    assert dated, quotes
    now_ms = SystemClock().now_ms()
    assert all(parse_instant(q["start"]) > now_ms for q in dated), "and the date is to come"


def test_inference_is_requested_in_the_same_way(home: House) -> None:
    for workload in home.must("get", "workloads", "-o", "json").json["items"]:
        home.tenure("delete", "workload", workload["metadata"]["name"])
    until(lambda: not home.must("get", "contracts", "-o", "json").json["items"], what="the cores are free")
    contract = serve(home)
    assert contract.status is not None
    assert contract.status.endpoint is not None


def test_twin_what_no_machine_can_carry_is_refused_by_name(home: House) -> None:
    said = home.tenure("request", "-f", wanted(home, "huge", more="  resources: {cores: 4096}"))
    assert said.code == INFEASIBLE, said.out + said.err
    assert "cores" in said.out + said.err
