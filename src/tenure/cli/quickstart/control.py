"""Step 7: the control plane is killed. Requests go on being answered; on return the work is adopted."""

import os
import signal
import time

from tenure.cli.quickstart.contract import endpoint_of
from tenure.cli.quickstart.load import SteadyClient
from tenure.cli.quickstart.stage import Stage
from tenure.cli.running import plane_of

DEAD_SECONDS = 4
JUDGED_SECONDS_MAX = 8


def control_dies(stage: Stage, name: str) -> None:
    """SIGKILL, a client that never pauses, and a recount afterwards."""
    stage.heading("Control dies", "Management is not in the data path: kill it, and nothing that was promised notices.")
    running = plane_of(stage.home)
    assert running is not None
    with stage.door() as door:
        before = stage.contract(door, name).status
    assert before is not None
    with SteadyClient(endpoint_of(stage, name)) as client:
        stage.type("kill", "-9", running["pid"])
        os.kill(running["pid"], signal.SIGKILL)
        killed_ms = time.time_ns() // 10**6
        stage.watch(
            lambda t: (
                f"[red]control plane dead for {t:.1f} s[/]   "
                f"{client.answered} requests answered, {client.failed} failed"
            ),
            lambda t: t >= DEAD_SECONDS,
            DEAD_SECONDS + 1,
        )
        stage.run("up", quiet=True)
        back_ms = time.time_ns() // 10**6
        with stage.door() as door:

            def judged(_: float) -> bool:
                status = stage.contract(door, name).status
                return status is not None and any(int(w.start) >= back_ms - 1000 for w in status.windows)

            stage.watch(
                lambda _: "[dim]judging what passed meanwhile from the tap's journal ...[/]", judged, JUDGED_SECONDS_MAX
            )
            after = stage.contract(door, name).status
    assert after is not None
    assert before.run is not None
    assert after.run is not None
    same = before.run.pid == after.run.pid and before.run.restarts == after.run.restarts
    meanwhile = sum(1 for w in after.windows if killed_ms - 1000 <= int(w.start) <= back_ms)
    stage.say(f"requests  {client.answered} answered, {client.failed} failed, slowest {client.longest_seconds:.1f} s")
    stage.say(
        f"process   {before.run.pid} before, {after.run.pid} after: "
        + ("[green]adopted, not restarted[/]" if same else "[red]another process[/]")
    )
    stage.say(f"windows   {meanwhile} of those shown passed while nobody managed, and were judged afterwards")
    stage.run("ledger", "check")
