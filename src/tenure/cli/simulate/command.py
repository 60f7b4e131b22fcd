"""The command: read both files, run as asked and as changed, say it as text, JSON and one page."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tenure.cli import exit_codes, screen
from tenure.cli.failures import usage
from tenure.cli.files import write_text
from tenure.cli.options import Output
from tenure.cli.own.outcome import check_output

WhatIf = Annotated[
    list[str],
    Parameter(
        name="--what-if", negative=(), help="Also run it with add=N, power=LIMIT, cooling=LIMIT or outage=NAME[@TIME]."
    ),
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
    """Run a trace of work on a fleet under a virtual clock, by the placement core.

    Nothing is started, measured or sent. Same files, same seed: same bytes. Each job
    is planned as the door plans a Workload; prices and evidence are not simulated.

    A fleet of 16 GPUs, and work for it:

        sn,cpu_milli,memory_mib,gpu,model,rack,gpu_power,rated_power
        m-0,96000,2097152,8,H100,rack-0,700W,10.2kW
        m-1,96000,2097152,8,H100,rack-1,700W,10.2kW

        name,arrival_s,duration_s,members,gpus,deadline_s
        train,0,7200,16,1,14400
        urgent,600,600,4,1,1800

        tenure simulate fleet.csv trace.csv --html report.html
        tenure simulate fleet.csv trace.csv --what-if outage=rack-0@1h

    A deadline is a time of the trace. Each job with a deadline is promised or refused
    as it arrives; only in a trace too large to plan, when it starts. All columns, and
    how Workload manifests are a trace: docs/reference/fleets.md.

    Parameters
    ----------
    fleet
        A table of machines or manifests, as for `tenure up --fleet`.
    trace
        A table of jobs (ours, openb's, Philly's or ElasticFlow's, by its header), or
        Workload manifests: a file with any number of documents, or a folder.
    """
    from tenure.cli.simulate.page import page, page_json
    from tenure.cli.simulate.traces import read_trace
    from tenure.cli.simulate.what_if import changed
    from tenure.discovery.fleets import read_fleet

    as_json = check_output(output)
    if html is not None and not html.parent.is_dir():
        raise usage(f"--html {html}: there is no folder {html.parent}", "make it, or write elsewhere", "FileNotFound")
    if html is not None and html.suffix == ".json":
        page_name = html.with_suffix(".html")
        raise usage(f"--html {html}: its figures go to {html}, too", f"name the page {page_name}", "InvalidValue")
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
        write_text("--html", html, page(told))
        write_text("--html", html.with_suffix(".json"), page_json(told))
    if as_json:
        screen.say(page_json(told).rstrip())
    else:
        _say(told)
        if html is not None:
            screen.say(f"report {html}, figures {html.with_suffix('.json')}")
    return exit_codes.YES


def _run(site: Any, outages: Any, work: Any, seed: int, name: str) -> dict[str, Any]:
    from tenure.cli.simulate.asked import judged
    from tenure.cli.simulate.run import simulate as run
    from tenure.controllers.answering.policy import policy_of
    from tenure.controllers.machine.fleet import fleet_of
    from tenure.controllers.machine.simulated import as_observed

    observed = as_observed(site, 0)
    placed = fleet_of(site.site, observed, site.profiles)
    gpus = {m.name: sum(device.device_class == "gpu" for device in m.devices) for m in placed.machines}
    machines = [[m.name, m.domain("rack") or "", gpus[m.name]] for m in placed.machines]
    by_name = {machine.name: machine for machine in observed}
    work, choice = judged(work, site.site, by_name), policy_of(site.site.spec, by_name).choice
    given: dict[str, Any] = {"seed": seed, "outages": outages, "choice": choice}
    if not screen.console(stderr=True).is_terminal:
        return {**run(placed, work, **given), "machines": machines}
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen.console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=len(work.jobs))
        told = run(placed, work, **given, tick=lambda done, _: bar.update(task, completed=done))
    return {**told, "machines": machines}


def _say(told: dict[str, Any]) -> None:
    from tenure.cli.simulate.figures import FIGURES

    runs = told["runs"]
    names = list(runs)
    first = runs[names[0]]
    jobs = first["trace"]["jobs"]
    screen.say(
        f"{jobs:,} {'job' if jobs == 1 else 'jobs'} of {told['trace']} ({first['trace']['form']}) on {told['fleet']}, "
        f"seed {told['seed']}; simulated, nothing is measured"
    )
    screen.say_table(("", *names), [(label, *(value(runs[name]) for name in names)) for label, value in FIGURES])
