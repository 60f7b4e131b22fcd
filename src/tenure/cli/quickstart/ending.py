"""The end: what holds now, what to try next, and nothing left behind unless that was wanted."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from rich.markup import escape

from tenure.cli.homes import remove_home
from tenure.cli.quickstart.outcome import Mark, broken, not_shown, of_pace
from tenure.cli.quickstart.stage import Stage
from tenure.cli.running import end_all_runs, stop_plane
from tenure.cli.words import counted

SIGNS = {Mark.HELD: "[green]✓[/]", Mark.NOT_SHOWN: "[yellow]·[/]", Mark.BROKEN: "[red]✗[/]"}


def what_holds(stage: Stage, *, keep: bool) -> None:
    """The table of what holds; then keep it, or take all of it away."""
    stage.heading("What holds now", "The same table as any day.")
    stage.run("status", expect=(0, 1, 7))
    if stage.whole:
        stage.outcomes.append(of_pace(time.monotonic() - stage.begun))
    tell_outcomes(stage)
    if keep:
        stage.say(f"[bold]It is left running.[/] Look around: [bold]export TENURE_HOME={stage.home}[/]")
        stage.say(f"  export PATH={Path(sys.argv[0]).resolve().parent}:$PATH")
        stage.say(
            "  tenure get workloads,offers,contracts      tenure why busier      tenure describe contract chat-..."
        )
        stage.say(f"  export KUBECONFIG={stage.home}/kubeconfig; kubectl get contracts -w")
        stage.say(f"  ls {stage.folder}      the files that the commands above name")
        stage.say("  tenure down --purge                        ends and removes all of it")
        return
    ended = counted(clean(stage), "run")
    stage.say(f"[green]Everything that this started is gone again[/]: {ended}, and the files that the commands name.")
    stage.say("Next: [bold]make quickstart ARGS=--keep[/] leaves it running, with those files;")
    stage.say("[bold]tenure --help[/] shows every command.")


def tell_outcomes(stage: Stage) -> None:
    """What the later steps came to; where a claim did not hold, what to do about it."""
    if not stage.outcomes:
        return
    stage.say("")
    for one in stage.outcomes:
        stage.say(f"{SIGNS[one.mark]} [bold]{one.step}[/]  {one.mark}: {escape(one.said)}")
    if not_shown(stage.outcomes):
        stage.say(f"[dim]{_busy()} That may be why a step could not be shown here; it is no failure.[/]")
    if broken(stage.outcomes):
        stage.say(f"[red]Of what this story claims, that did not hold, and so it ends with 1.[/] {_busy()}")
        stage.say("A busy machine is the usual reason: run it again when it is quieter, with [bold]make quickstart[/].")
        stage.say("If it still does not hold, [bold]make quickstart ARGS=--keep[/] leaves all of it to be looked at.")
    stage.say("")


def _busy() -> str:
    """How busy the machine is, as its kernel says."""
    return f"The load of this machine is {os.getloadavg()[0]:.1f}, on {counted(os.cpu_count() or 1, 'CPU')}."


def clean(stage: Stage) -> int:
    """End all that was started; returns how many runs that were."""
    stop_plane(stage.home)
    ended = end_all_runs(stage.home) if stage.home.exists() else []
    with suppress(OSError):
        remove_home(stage.home)
    return len(ended)
