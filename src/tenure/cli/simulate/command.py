"""The command: read both files, run as asked and as changed, say it as text, JSON and one page."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tenure.cli import exit_codes, screen
from tenure.cli.options import Output
from tenure.cli.own.outcome import check_output

WhatIf = Annotated[
    list[str],
    Parameter(name="--what-if", negative=(), help="Also run it with add=N, power=LIMIT or outage=NAME[@TIME]."),
]


def simulate(
    fleet: Path,
    trace: Path,
    *,
    seed: Annotated[int, Parameter(help="Orders a trace without times; 0 keeps the file's order.")] = 0,
    what_if: WhatIf = [],  # noqa: B006 - cyclopts reads the default; it is never changed
    html: Annotated[Path | None, Parameter(help="Write the report as one page; its JSON lies beside it.")] = None,
    output: Output = "text",
) -> int:
    """Run a trace of work on a fleet under a virtual clock, through the placement code that decides at the door.

    Both come from files: the fleet as for `tenure up --fleet`, the trace with our columns, openb's, Philly's or
    ElasticFlow's, told apart by the header. Same files, same seed: same bytes.

    Parameters
    ----------
    fleet
        Manifests or a table of machines.
    trace
        A table of jobs.
    """
    from tenure.cli.simulate.page import page, page_json
    from tenure.cli.simulate.traces import read_trace
    from tenure.cli.simulate.what_if import changed
    from tenure.discovery.fleets import read_fleet

    as_json = check_output(output)
    site = read_fleet(fleet)
    work = read_trace(trace)
    runs = {"as given": _run(site, (), work, seed, "as given")}
    if what_if:
        other = changed(site, what_if)
        name = "with " + ", ".join(what_if)
        runs[name] = _run(other.fleet, other.outages, work, seed, name)
    told: dict[str, Any] = {
        "apiVersion": screen.OUTPUT_VERSION,
        "kind": "Simulation",
        "fleet": fleet.name,
        "trace": trace.name,
        "seed": seed,
        "runs": runs,
    }
    if html is not None:
        html.write_text(page(told))
        html.with_suffix(".json").write_text(page_json(told))
    if as_json:
        screen.say(page_json(told).rstrip())
    else:
        _say(told)
        if html is not None:
            screen.say(f"report {html}, figures {html.with_suffix('.json')}")
    return exit_codes.YES


def _run(site: Any, outages: Any, work: Any, seed: int, name: str) -> dict[str, Any]:
    from tenure.cli.simulate.run import simulate as run
    from tenure.controllers.machine.fleet import fleet_of
    from tenure.controllers.machine.simulated import as_observed

    placed = fleet_of(site.site, as_observed(site, 0), site.profiles)
    machines = [[m.name, m.domain("rack") or "", len(m.devices)] for m in placed.machines]
    if not screen.console(stderr=True).is_terminal:
        return {**run(placed, work, seed=seed, outages=outages), "machines": machines}
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen.console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=len(work.jobs))
        told = run(placed, work, seed=seed, outages=outages, tick=lambda done, _: bar.update(task, completed=done))
    return {**told, "machines": machines}


def _say(told: dict[str, Any]) -> None:
    from tenure.cli.simulate.figures import FIGURES

    runs = told["runs"]
    names = list(runs)
    first = runs[names[0]]
    screen.say(
        f"{first['trace']['jobs']:,} jobs of {told['trace']} ({first['trace']['form']}) on {told['fleet']}, "
        f"seed {told['seed']}; simulated, nothing is measured"
    )
    screen.say_table(("", *names), [(label, *(value(runs[name]) for name in names)) for label, value in FIGURES])
