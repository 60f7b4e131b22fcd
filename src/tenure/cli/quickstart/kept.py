"""Steps 5 and 6: the promise beside what is measured, live; then real interference, seen at once and remedied."""

import os
import time
from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from tenure.cli.cpus import cpus_on, held_cpus
from tenure.cli.quickstart.contract import endpoint_of
from tenure.cli.quickstart.load import Interference, Load
from tenure.cli.quickstart.outcome import (
    Disturbance,
    Mark,
    Outcome,
    detected_after_ms,
    judged,
    of_disturbance,
    of_keeping,
)
from tenure.cli.quickstart.stage import Stage
from tenure.cli.words import counted
from tenure.controllers.contract.judging import settling_ms
from tenure.measurement import TrialPlan
from tenure.promises import Load as DeclaredLoad
from tenure.resources import Contract, Machine
from tenure.resources.kinds.contract import ContractStatus
from tenure.resources.kinds.standing import RemedyStep

CPUS_MIN = 2
KEPT_SECONDS, KEPT_SECONDS_MAX = 8, 30
"""Longer only until at least one window was judged."""
BREACH_SECONDS_MAX = 30
KEPT_AGAIN_SECONDS_MAX = 90
"""What a contract has to be kept again once nothing disturbs it any more."""
INTERFERERS = 8
LOAD_WINDOWS = 180
MARKS = {"Kept": "[green]kept[/]", "Breached": "[red]breached[/]", "Unverifiable": "[yellow]unverifiable[/]"}


def keep(stage: Stage, name: str) -> None:
    """Requests at the declared load, and the windows as they are judged."""
    stage.heading("Kept", "Requests arrive at the declared load. Every window is judged from the tap's own journal.")
    stage.type("tenure", "get", "contract", name, "-w")
    began_ms = time.time_ns() // 10**6
    with stage.door() as door, _load(stage, name):
        stage.watch(
            lambda _: table(stage.contract(door, name)),
            lambda t: t >= KEPT_SECONDS and bool(judged(stage.audit(name), began_ms)),
            KEPT_SECONDS_MAX,
        )
    stage.outcomes.append(of_keeping(judged(stage.audit(name), began_ms), KEPT_SECONDS_MAX))


def breach_and_remedy(stage: Stage, name: str) -> None:
    """Processes are put on the contracted core; the first rung that helps is taken."""
    stage.heading("Breach and remedy", f"{INTERFERERS} busy processes are put on the contracted core. What happens?")
    if len(os.sched_getaffinity(0)) < CPUS_MIN:
        skipped = Outcome("Breach and remedy", Mark.NOT_SHOWN, "with one CPU there is nowhere to move an intruder to")
        stage.say(f"[yellow]Skipped: {skipped.said}.[/]")
        stage.outcomes.append(skipped)
        return
    with stage.door() as door:

        def now() -> Contract:
            return stage.contract(door, name)

        contract = now()
        cpus = held_cpus(door.client, contract)  # with its siblings: half a core disturbs less than a stranger would
        stage.type("taskset", "-c", ",".join(map(str, cpus)), "python", "-c", "while True: sum(range(100000))", "&")
        began_ms = time.time_ns() // 10**6
        with _load(stage, name):
            with Interference(cpus, INTERFERERS):
                helped = stage.watch(
                    lambda _: table(now(), remedies=True), lambda _: _helped(now(), began_ms), BREACH_SECONDS_MAX
                )
            gone_ms = time.time_ns() // 10**6
            again = helped
            if not helped:
                stage.say("[dim]The interference is over; when is the promise kept again?[/]")
                again = stage.watch(
                    lambda _: table(now(), remedies=True),
                    lambda _: _kept_since(stage.audit(name), gone_ms),
                    KEPT_AGAIN_SECONDS_MAX,
                )
        status = now().status or ContractStatus()
    audit, window_ms = stage.audit(name), contract.spec.promises.statistical[0].window.ms
    seen = Disturbance(
        breached=judged(audit, began_ms)["Breached"],
        steps=_steps(status, began_ms),
        detected_after_ms=detected_after_ms(audit, began_ms),
        window_ms=window_ms,
        settling_ms=settling_ms(window_ms),
        kept_again=again,
        after=judged(audit, gone_ms),
        waited_seconds=KEPT_AGAIN_SECONDS_MAX,
    )
    _tell(stage, status, seen)
    stage.outcomes.append(of_disturbance(seen))


def _steps(status: ContractStatus, since_ms: int) -> list[RemedyStep]:
    """The steps of the ladder against what was done here; an offer of other terms waits for its user."""
    return [step for step in status.remedies if int(step.started_at) >= since_ms and step.rung != "renegotiate"]


def _helped(contract: Contract, since_ms: int) -> bool:
    return any(step.outcome == "Helped" for step in _steps(contract.status or ContractStatus(), since_ms))


def _kept_since(audit: Mapping[str, Any], since_ms: int) -> bool:
    """Whether each promise was kept in a window that began after an instant."""
    return all(
        any(window["verdict"] == "Kept" and window["startMs"] >= since_ms for window in promise["windows"])
        for promise in audit["promises"]
    )


def _tell(stage: Stage, status: ContractStatus, seen: Disturbance) -> None:
    if seen.detected_after_ms is not None:
        after = f"{seen.detected_after_ms / 1000:.1f} s after the first breached window was over"
        stage.say(f"detected {after}; {counted(seen.breached, 'window')} breached, by the audit")
    if not seen.steps:
        said = "no window was breached" if not seen.breached else "too few windows were breached to call for a remedy"
        stage.say(f"[yellow]Nothing was remedied: {said}.[/]")
        return
    step = seen.steps[-1]
    took = f" after {(int(step.finished_at) - int(step.started_at)) / 1000:.1f} s" if step.finished_at else ""
    stage.say(f"cause    {escape(step.cause)}")
    stage.say(f"remedy   [bold]{step.rung}[/]: {escape(step.did)}  [dim](cost: {escape(step.cost)})[/]")
    stage.say(f"outcome  {_outcome(step, seen, took)}")
    for entry in status.accounting:
        budget, left = entry.budget_windows, entry.budget_left
        used = f"{budget - left:.0f} of {budget:.0f}" if budget is not None and left is not None else "none"
        stage.say(
            f"budget   {entry.metric}.{entry.percentile}: {used} windows used; "
            f"credit {status.credit or 'none due while the budget lasts'}"
        )


def _outcome(step: RemedyStep, seen: Disturbance, took: str) -> str:
    if step.outcome == "Helped":
        return f"[green]kept again{took}[/]"
    if seen.kept_again:
        return "[yellow]did not help while the interference lasted; kept again after it[/]"
    return "[red]not kept again[/]"


def table(contract: Contract, *, remedies: bool = False) -> Table:
    """Promised beside measured, with the newest windows."""
    status = contract.status or ContractStatus()
    shown = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("promise", "bound", "newest windows", "attainment", "budget left"):
        shown.add_column(column, overflow="fold")
    for promise in contract.spec.promises.statistical:
        windows = [w for w in status.windows if (w.metric, w.percentile) == (promise.metric, promise.percentile)]
        account = next(
            (a for a in status.accounting if (a.metric, a.percentile) == (promise.metric, promise.percentile)), None
        )
        marks = "  ".join(
            f"{MARKS[w.verdict]} {int(w.measured) / 1e6:.0f} ms" if w.measured else MARKS[w.verdict]
            for w in windows[-3:]
        )
        attained = f"{account.attainment:.0%}" if account and account.attainment is not None else "-"
        left = (
            f"{account.budget_left:.0f} of {account.budget_windows:.0f}" if account and account.budget_windows else "-"
        )
        shown.add_row(f"{promise.metric}.{promise.percentile}", str(promise.bound), marks, attained, left)
    for step in status.remedies if remedies else ():
        shown.add_row(f"[bold]{step.rung}[/]", "", f"{step.outcome}: {step.cause}", "", "")
    return shown


def _load(stage: Stage, name: str) -> Load:
    with stage.door() as door:
        contract = stage.contract(door, name)
        kept = door.client.get(Machine, contract.spec.machine).spec.reserved.cores
        system = cpus_on(door.client, contract.spec.machine, kept)
    declared = contract.spec.promises.load
    assert declared is not None
    plan = TrialPlan(
        load=DeclaredLoad(int(declared.requests_per_second), declared.prompt_tokens, declared.output_tokens),
        window_ms=contract.spec.promises.statistical[0].window.ms,
        windows=LOAD_WINDOWS,
        warmup_ms=0,
    )
    return Load(stage.folder, endpoint_of(stage, name), plan, system)
