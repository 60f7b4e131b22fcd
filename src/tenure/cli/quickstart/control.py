"""Step 7: the control plane is killed. Requests go on being answered; on return the work is adopted."""

import os
import signal
import time

from tenure.cli import exit_codes
from tenure.cli.quickstart.contract import endpoint_of
from tenure.cli.quickstart.load import SteadyClient
from tenure.cli.quickstart.outcome import Death, of_death, owed_and_judged
from tenure.cli.quickstart.stage import Stage
from tenure.cli.running import plane_of
from tenure.cli.words import counted
from tenure.resources.kinds.contract import ContractStatus
from tenure.resources.kinds.standing import RunStatus

DEAD_SECONDS, DEAD_SECONDS_MAX = 4, 20
"""Longer only until at least one request was answered."""
JUDGED_SECONDS_MAX = 60
AGREES_SECONDS_MAX = 30


def control_dies(stage: Stage, name: str) -> None:
    """SIGKILL, a client that never pauses, and a recount afterwards."""
    stage.heading("Control dies", "Management is not in the data path: kill it, and nothing that was promised notices.")
    running = plane_of(stage.home)
    assert running is not None
    before = _run(_status(stage, name))
    with SteadyClient(endpoint_of(stage, name)) as client:
        stage.type("kill", "-9", running["pid"])
        os.kill(running["pid"], signal.SIGKILL)
        killed_ms, answered_before = time.time_ns() // 10**6, client.answered
        stage.watch(
            lambda t: (
                f"[red]control plane dead for {t:.1f} s[/]   "
                f"{client.answered} requests answered, {client.failed} failed"
            ),
            lambda t: t >= DEAD_SECONDS and client.answered > answered_before,
            DEAD_SECONDS_MAX,
        )
        meanwhile = client.answered - answered_before
        stage.run("up", quiet=True)
        back_ms = time.time_ns() // 10**6
        stage.watch(
            lambda _: "[dim]judging what passed meanwhile from the tap's journal ...[/]",
            lambda _: _judged_since(_status(stage, name), back_ms) and _all_stated(stage, name, killed_ms, back_ms),
            JUDGED_SECONDS_MAX,
        )
    status = _status(stage, name)
    after = _run(status)
    owed, judged = _owed_and_judged(stage, name, killed_ms, back_ms)
    found = Death(
        answered_meanwhile=meanwhile,
        failed=client.failed,
        last_error=client.last_error,
        pid_before=before.pid,
        pid_after=after.pid,
        restarted=before.restarts != after.restarts,
        restart_was_remedy=any(
            step.rung == "restart" and int(step.finished_at or step.started_at) >= killed_ms for step in status.remedies
        ),
        owed_meanwhile=owed,
        judged_meanwhile=judged,
        waited_seconds=JUDGED_SECONDS_MAX,
        books_agree=_books_agree(stage),
    )
    _tell(stage, client, found)
    stage.outcomes.append(of_death(found))


def _status(stage: Stage, name: str) -> ContractStatus:
    with stage.door() as door:
        return stage.contract(door, name).status or ContractStatus()


def _run(status: ContractStatus) -> RunStatus:
    assert status.run is not None
    return status.run


def _judged_since(status: ContractStatus, back_ms: int) -> bool:
    """Whether judging has come as far as the return, for each promise, and the run was looked at again."""
    newest: dict[tuple[str, str | None], int] = {}
    for window in status.windows:
        key = (window.metric, window.percentile)
        newest[key] = max(newest.get(key, 0), int(window.end))
    looked_at = status.run is not None and status.run.pid is not None
    return looked_at and bool(newest) and min(newest.values()) >= back_ms


def _owed_and_judged(stage: Stage, name: str, since_ms: int, until_ms: int) -> tuple[int, int]:
    with stage.door() as door:
        window_ms = stage.contract(door, name).spec.promises.statistical[0].window.ms
    return owed_and_judged(stage.audit(name), since_ms, until_ms, window_ms)


def _all_stated(stage: Stage, name: str, since_ms: int, until_ms: int) -> bool:
    """Whether no window that passed is open any more: an answer that was under way may keep one open for a while."""
    owed, judged = _owed_and_judged(stage, name, since_ms, until_ms)
    return judged >= owed


def _books_agree(stage: Stage) -> bool:
    """Show the ledger's own check, once it agrees or had its time: what was just adopted may still be counted."""
    either = (exit_codes.YES, exit_codes.NO)
    give_up = time.monotonic() + AGREES_SECONDS_MAX
    while time.monotonic() < give_up and not stage.json("ledger", "check", expect=either)["agrees"]:
        time.sleep(1)
    return stage.run("ledger", "check", expect=either) == exit_codes.YES


def _tell(stage: Stage, client: SteadyClient, found: Death) -> None:
    adopted = "[green]adopted, not restarted[/]" if found.adopted else "[red]another process[/]"
    stage.say(f"requests  {client.answered} answered, {client.failed} failed, slowest {client.longest_seconds:.1f} s")
    stage.say(f"process   {found.pid_before} before, {found.pid_after} after: {adopted}")
    stated = f"{found.judged_meanwhile} of {counted(found.owed_meanwhile, 'verdict')}"
    stage.say(f"windows   {stated} on those that passed while nobody managed, all from the tap's journal")
