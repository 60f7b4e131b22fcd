"""A contract over a real command whose machine was started anew, and whose own record was damaged: it goes on where
that is honest, and says what it does not know where it is not."""

import base64
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tenure.engines import LocalEngine, Phase
from tenure.engines.local import examine, procfs
from tests.controllers.test_terms_real import nothing_is_left
from tests.requirements.home import House
from tests.requirements.served import until

pytestmark = pytest.mark.real

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {{name: login, namespace: default}}\ndata: {{token: {token}}}\n"
NEED = """
apiVersion: tenure.dev/v1alpha1
kind: Workload
metadata: {name: job, namespace: default}
spec:
  command: {}
  run: {command: [sleep, infinity], env: [{name: TOKEN, secret: login/token}]}
  term: {duration: 20m}
"""


@pytest.fixture(scope="module")
def job(home: House) -> str:
    """Under contract, with a Secret in its environment. Its run's id."""
    log_in_with(home, "before")
    home.must("request", "-f", home.manifest("job", NEED), "--accept", "best")
    run_id: str = until(lambda: contract(home, "Active"))["spec"]["hold"]["id"]
    return run_id


def log_in_with(home: House, token: str) -> None:
    home.must("apply", "-f", home.manifest("login", SECRET.format(token=base64.b64encode(token.encode()).decode())))


def contract(home: House, phase: str) -> dict[str, Any] | None:
    items: list[dict[str, Any]] = home.must("get", "contracts", "-o", "json").json["items"]
    return next((item for item in items if item.get("status", {}).get("phase") == phase), None)


def ready(home: House) -> tuple[str, str, str]:
    found = contract(home, "Active")
    assert found is not None
    said = next(one for one in found["status"]["conditions"] if one["type"] == "Ready")
    return said["status"], said["reason"], said["message"]


def without_supervisor(home: House, run_id: str) -> LocalEngine:
    """The control plane is down and nobody cares for the run; its work goes on."""
    home.must("down")
    engine = LocalEngine(home.path)
    supervisor = engine.state(run_id).supervisor
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: engine.state(run_id).phase is Phase.UNSUPERVISED)
    return engine


def record(home: House, run_id: str) -> Path:
    return home.path / "runs" / run_id / "state.json"


def work(home: House, run_id: str) -> int:
    process = LocalEngine(home.path).state(run_id).work.process
    assert process is not None
    return process.pid


def test_after_a_reboot_it_goes_on_by_its_own_record_though_its_secret_was_rotated(home: House, job: str) -> None:
    log_in_with(home, "after")
    engine = without_supervisor(home, job)
    process = engine.state(job).work.process
    assert process is not None
    examine.clean(engine.group, job)
    for path in (record(home, job), record(home, job).parent / "commands" / "work"):
        path.write_text(path.read_text().replace(process.boot_id, "00000000-0000-0000-0000-000000000000"))
    home.must("up")
    until(lambda: engine.state(job).phase is Phase.RUNNING, what="it runs again")
    environment = Path(f"/proc/{work(home, job)}/environ")
    until(lambda: b"TOKEN=before" in environment.read_bytes().split(b"\0"), what="it has the token of its own record")
    until(lambda: ready(home)[0] == "True", what="its contract goes on")
    assert "RebootResumed" in home.must("events").out


def test_with_its_record_cut_off_the_plane_starts_and_says_which_file_and_what_to_do(home: House, job: str) -> None:
    pid = work(home, job)
    without_supervisor(home, job)
    whole = record(home, job).read_bytes()
    record(home, job).write_bytes(whole[:100])
    home.must("up")
    said = until(lambda: (seen := ready(home))[1] == "RunUnreadable" and seen)
    assert said[0] == "Unknown"
    assert str(record(home, job)) in said[2]
    assert "tenure end" in said[2]
    assert Path(f"/proc/{pid}").exists(), "its work goes on"
    until(lambda: home.tenure("ledger", "check").code == 0, what=lambda: home.tenure("ledger", "check").out)
    record(home, job).write_bytes(whole)
    until(lambda: ready(home)[0] == "True", what="put back, the record is good again")
    assert work(home, job) == pid


def test_with_its_record_cut_off_it_can_be_ended(home: House, job: str) -> None:
    pid = work(home, job)
    without_supervisor(home, job)
    record(home, job).write_bytes(record(home, job).read_bytes()[:100])
    home.must("up")
    home.must("end", "job")
    assert procfs.start_ticks(pid) is None, "it is gone, or waits to be reaped by whoever inherited it"
    nothing_is_left(home)
