"""Training with a deadline on a real machine: seen to be late while there is time, resumed after a kill, done."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tenure.cli.running import plane_of
from tenure.quantities import SystemClock, format_instant, parse_instant
from tests.controllers.test_terms_real import contract, contracts, nothing_is_left
from tests.requirements.home import House
from tests.requirements.served import until

pytestmark = pytest.mark.real

PORT = 19464
DONE_SECONDS = 290
"""What is due in five minutes; on a slow machine some of them are needed."""
EXAMPLES = Path(__file__).parents[2] / "examples"


def training(home: House, name: str, steps: int, seconds: int, term: str = "10m") -> int:
    """A training under contract for a term, due in so many seconds; returns its deadline."""
    by_ms = SystemClock().now_ms() + seconds * 1000
    # No run of it was measured, so its deadline is no offer in full: it is accepted all the same.
    said = home.must(
        "request",
        "--accept",
        "any",
        "-f",
        home.manifest(
            name,
            f"""
apiVersion: tenure.dev/v1alpha1
kind: Workload
metadata: {{name: {name}, namespace: default}}
spec:
  training: {{}}
  run:
    command: ["{{python}}", -m, tenure.catalog.jobs.training, --steps, "{steps}", --port, "{PORT}"]
    ports: [{PORT}]
    metrics: {{port: {PORT}}}
  objectives: {{completion: {{by: "{format_instant(by_ms)}"}}}}
  term: {{duration: {term}}}
""",
        ),
    )
    assert "nobody has measured how long it takes" in " ".join(said.out.replace("│", " ").split())
    return by_ms


def at_risk(home: House, name: str, phase: str = "Active") -> dict[str, Any]:
    found = contract(home, name, phase) or {"status": {"conditions": []}}
    return next((c for c in found["status"]["conditions"] if c["type"] == "AtRisk"), {})


def test_what_cannot_be_in_time_is_known_long_before_its_deadline(home: House) -> None:
    by_ms = training(home, "late", 10_000_000, 120)
    risky = until(lambda: (said := at_risk(home, "late")).get("reason") == "WillMiss" and said, 120)
    assert by_ms - parse_instant(risky["lastTransitionTime"]) > 70_000, "more than half of the time is left"
    progress = contract(home, "late", "Active")["status"]["progress"]
    assert parse_instant(progress["likely"]) > by_ms
    assert "AtRisk" in home.must("events").out or "WillMiss" in home.must("events").out
    home.must("end", "late")
    home.must("delete", "workload", "late")
    for left in home.path.rglob("checkpoint.npz"):
        left.unlink()


def test_a_killed_training_goes_on_from_its_checkpoint_and_is_done_in_time(home: House) -> None:
    training(home, "soon", 20_000, 300)
    until(lambda: contract(home, "soon", "Active"))
    until(lambda: list(home.path.rglob("checkpoint.npz")), 120, "it keeps checkpoints")
    os.kill(contract(home, "soon", "Active")["status"]["run"]["pid"], signal.SIGKILL)
    ended = until(lambda: contract(home, "soon", "Ended"), DONE_SECONDS)["status"]
    assert (ended["endedBecause"], ended["progress"]["ratio"]) == ("Completed", 1.0)
    assert at_risk(home, "soon", "Ended")["reason"] == "DeadlineKept"
    assert ended["verdict"] == "Kept"
    assert home.tenure("status").code == 0
    code, found = audited(home, "soon")
    assert (code, found["verdict"], found["completion"]["verdict"]) == (0, "Kept", "Kept")
    assert next(c for c in ended["conditions"] if c["type"] == "HardPromisesKept")["status"] == "True"
    said = home.must("logs", "soon").out
    assert "done: 20000 steps" in said
    assert " 0 of them before the last start" not in said
    until(lambda: phase_of(home, "soon") == "Succeeded", what=lambda: f"the workload: {phase_of(home, 'soon')}")
    nothing_is_left(home)


def phase_of(home: House, workload: str) -> str:
    return str(home.must("get", "workload", workload, "-o", "json").json["status"]["phase"])


def test_the_batch_that_ships_as_an_example_is_done_judged_and_audited_without_any_progress(home: House) -> None:
    home.must("request", "--accept", "any", "-f", EXAMPLES / "batch.yaml")
    ended = until(lambda: contract(home, "batch", "Ended"), DONE_SECONDS)["status"]
    assert (ended["endedBecause"], ended["verdict"]) == ("Completed", "Kept")
    assert "accuracy on unseen digits 0.9" in home.must("logs", "batch").out
    code, found = audited(home, "batch")
    assert (code, found["completion"]["reason"]) == (0, "DeadlineKept")


def audited(home: House, name: str) -> tuple[int, dict[str, Any]]:
    said = home.tenure("contract", "audit", name, "-o", "json")
    return said.code, said.json


def test_a_deadline_that_passed_is_a_breach_and_anyone_can_compute_it_again(home: House, tmp_path: Path) -> None:
    by_ms = training(home, "missed", 10_000_000, 25)
    until(lambda: (contract(home, "missed", "Active") or {"status": {}})["status"].get("verdict") == "Breached", 120)
    assert SystemClock().now_ms() > by_ms
    assert home.tenure("status").code == 1
    code, found = audited(home, "missed")
    assert (code, found["completion"]["verdict"], found["completion"]["reason"]) == (1, "Breached", "DeadlineMissed")
    key, bundle = tmp_path / "key.pem", tmp_path / "missed.jsonl"
    key.write_text(home.must("evidence", "show", "--public-key").out)
    home.must("evidence", "export", "missed", "--to", bundle)
    verified = home.must("evidence", "verify", bundle, "--public-key", key, "-o", "json").json
    assert verified["recomputed"] >= 1, verified
    home.must("end", "missed")
    for left in home.path.rglob("checkpoint.npz"):
        left.unlink()
    home.must("delete", "workload", "missed")


def test_work_that_failed_for_good_has_broken_its_deadline_though_there_is_time_left(home: House) -> None:
    by = format_instant(SystemClock().now_ms() + 300_000)
    due = f'  objectives: {{completion: {{by: "{by}"}}}}\n'
    text = home.command("fails", extra=due, run_line="[sh, -c, 'sleep 6; false'], restart: Never").read_text()
    home.must("request", "--accept", "any", "-f", home.manifest("fails", text.replace("command: {}", "batch: {}")))
    ended = until(lambda: contract(home, "fails", "Ended"), 120)["status"]
    assert (ended["endedBecause"], ended["verdict"]) == ("WorkFailed", "Breached")
    assert home.tenure("status").code == 1, "as long as its need stands and has no other contract"
    home.must("delete", "workload", "fails")
    until(lambda: home.tenure("status").code == 0, what=lambda: home.tenure("status").out)


def steps_in(home: House, seconds: float) -> int:
    """How many steps this machine trains in so long under contract, as busy as it is now."""
    steps = 1_000_000
    training(home, "paced", steps, 300)

    def seen() -> tuple[int, float] | None:
        progress = (contract(home, "paced", "Active") or {"status": {}})["status"].get("progress")
        return (parse_instant(progress["seenAt"]), progress["ratio"]) if progress else None

    first_ms, first = until(seen)
    later_ms, later = until(lambda: (now := seen()) and now[0] > first_ms + 4_000 and now)
    home.must("end", "paced")
    return int((later - first) * steps / (later_ms - first_ms) * 1000 * seconds)


def offer_by(offer: dict[str, Any]) -> str:
    """The instant by which an offer promises that the work is done."""
    return str(offer["spec"]["promises"]["completeBy"])


def change_offered(home: House, contract_name: str) -> dict[str, Any] | None:
    offers = home.must("get", "offers", "-o", "json").json["items"]
    held = [o for o in offers if o.get("status", {}).get("phase") == "Held"]
    return next((o for o in held if o["spec"].get("replaces") == contract_name), None)


def test_a_later_deadline_is_offered_in_time_and_accepted_the_work_goes_on_from_its_checkpoint(home: House) -> None:
    by_ms = training(home, "tight", steps_in(home, 90), 40)
    first = until(lambda: contract(home, "tight", "Active"))
    offer = until(lambda: change_offered(home, first["metadata"]["name"]), what=lambda: str(at_risk(home, "tight")))
    assert offer is not None
    assert SystemClock().now_ms() < by_ms, "the offer came after the deadline"
    assert offer["spec"]["hold"]["group"] == first["spec"]["hold"]["group"]
    assert parse_instant(offer_by(offer)) > by_ms
    assert [r["axis"] for r in offer["spec"]["relaxed"]] == ["later"]
    assert "ChangeOffered" in home.must("events").out
    done_before = contract(home, "tight", "Active")["status"]["progress"]["ratio"]
    home.must("accept", offer["metadata"]["name"])
    before = next(c for c in contracts(home, "tight") if c["metadata"]["name"] == first["metadata"]["name"])
    assert (before["status"]["phase"], before["status"]["endedBecause"]) == ("Ended", "Renegotiated")
    ended = until(lambda: contract_of_offer(home, offer, "Ended"), 2 * DONE_SECONDS)
    assert ended["status"]["endedBecause"] == "Completed"
    # A forecast on a busy machine may fail; what is said of it may not.
    in_time = parse_instant(ended["status"]["progress"]["completedAt"]) <= parse_instant(offer_by(offer))
    assert at_risk_of(ended)["reason"] == ("DeadlineKept" if in_time else "DeadlineMissed"), ended["status"]
    said = home.must("logs", offer["metadata"]["name"]).out
    assert " 0 of them before the last start" not in said
    assert done_before > 0
    nothing_is_left(home)


def contract_of_offer(home: House, offer: dict[str, Any], phase: str) -> dict[str, Any] | None:
    """The contract that accepting made, once it is in that phase; contracts bear the name of their offer."""
    found = [c for c in contracts(home, "tight") if c["metadata"]["name"] == offer["metadata"]["name"]]
    return next((c for c in found if c.get("status", {}).get("phase") == phase), None)


def at_risk_of(found: dict[str, Any]) -> dict[str, Any]:
    return next(c for c in found["status"]["conditions"] if c["type"] == "AtRisk")


def test_what_was_done_while_nobody_managed_it_is_done_and_not_out_of_time(home: House) -> None:
    text = home.command("quick", extra="  acceptance: auto\n", run_line="[sleep, '8']").read_text()
    home.must("apply", "-f", home.manifest("quick", text.replace("10m", "16s")))
    found = until(lambda: contract(home, "quick", "Active"))
    running = plane_of(home.path)
    assert running is not None
    os.kill(running["pid"], signal.SIGKILL)
    until(lambda: SystemClock().now_ms() > parse_instant(found["spec"]["term"]["end"]) + 500)
    home.must("up")
    assert until(lambda: contract(home, "quick", "Ended"))["status"]["endedBecause"] == "Completed"
