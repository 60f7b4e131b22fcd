"""Steps 5 and 6: the promise beside what is measured, live; then real interference, seen at once and remedied."""

from collections.abc import Callable

from rich.table import Table

from tenure.cli.quickstart.contract import endpoint_of
from tenure.cli.quickstart.load import Interference, Load
from tenure.cli.quickstart.stage import Stage
from tenure.measurement import TrialPlan
from tenure.promises import Load as DeclaredLoad
from tenure.resources import Contract, Machine, kind_of
from tenure.resources.kinds.contract import ContractStatus

KEPT_SECONDS = 8
BREACH_SECONDS_MAX = 30
INTERFERERS = 8
LOAD_WINDOWS = 60
MARKS = {"Kept": "[green]kept[/]", "Breached": "[red]breached[/]", "Unverifiable": "[yellow]unverifiable[/]"}


def keep(stage: Stage, name: str) -> None:
    """Requests at the declared load, and the windows as they are judged."""
    stage.heading("Kept", "Requests arrive at the declared load. Every window is judged from the tap's own journal.")
    stage.type("tenure", "get", "contract", name, "-w")
    with stage.door() as door, _load(stage, name):
        stage.watch(lambda _: table(stage.contract(door, name)), lambda t: t >= KEPT_SECONDS, KEPT_SECONDS + 1)


def breach_and_remedy(stage: Stage, name: str) -> None:
    """Processes are put on the contracted core; the first rung that helps is taken."""
    stage.heading("Breach and remedy", f"{INTERFERERS} busy processes are put on the contracted core. What happens?")
    with stage.door() as door:
        contract = stage.contract(door, name)
        cpus = tuple(contract.spec.hold.claims[0].cores)
        stage.type("taskset", "-c", ",".join(map(str, cpus)), "python", "-c", "while True: sum(range(100000))", "&")
        with _load(stage, name), Interference(cpus, INTERFERERS):
            helped = stage.watch(
                lambda _: table(stage.contract(door, name), remedies=True),
                _until_helped(lambda: stage.contract(door, name)),
                BREACH_SECONDS_MAX,
            )
        status = stage.contract(door, name).status
    assert status is not None
    _tell(stage, status, helped)


def _until_helped(contract: Callable[[], Contract]) -> Callable[[float], bool]:
    def helped(_: float) -> bool:
        status = contract().status
        return status is not None and any(step.outcome == "Helped" for step in status.remedies)

    return helped


def _tell(stage: Stage, status: ContractStatus, helped: bool) -> None:
    if not status.remedies:
        stage.say("[yellow]The promise was kept in spite of it: no window was breached, so nothing was remedied.[/]")
        return
    step = status.remedies[-1]
    took = f" after {(int(step.finished_at) - int(step.started_at)) / 1000:.1f} s" if step.finished_at else ""
    stage.say(f"cause    {step.cause}")
    stage.say(f"remedy   [bold]{step.rung}[/]: {step.did}  [dim](cost: {step.cost})[/]")
    stage.say(f"outcome  {'[green]kept again' + took + '[/]' if helped else '[yellow]not yet judged[/]'}")
    for entry in status.accounting:
        stage.say(
            f"budget   {entry.metric}.{entry.percentile}: {entry.breached} of {entry.budget_windows:.0f} windows used; "
            f"credit {status.credit or 'none due while the budget lasts'}"
        )


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
        machine = Machine.model_validate(door.get(kind_of(Machine), contract.spec.machine))
    declared = contract.spec.promises.load
    assert declared is not None
    plan = TrialPlan(
        load=DeclaredLoad(int(declared.requests_per_second), declared.prompt_tokens, declared.output_tokens),
        window_ms=contract.spec.promises.statistical[0].window.ms,
        windows=LOAD_WINDOWS,
        warmup_ms=0,
    )
    return Load(stage.folder, endpoint_of(stage, name), plan, tuple(machine.spec.reserved.cores))
