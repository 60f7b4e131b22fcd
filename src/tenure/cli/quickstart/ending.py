"""The end: what holds now, what to try next, and nothing left behind unless that was wanted."""

import shutil
import sys
from pathlib import Path

from tenure.cli.quickstart.stage import Stage
from tenure.cli.running import end_all_runs, stop_plane
from tenure.cli.words import counted


def what_holds(stage: Stage, *, keep: bool) -> None:
    """The table of what holds; then keep it, or take all of it away."""
    stage.heading("What holds now", "The same table as any day.")
    stage.run("status", expect=(0, 1, 7))
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


def clean(stage: Stage) -> int:
    """End all that was started; returns how many runs that were."""
    stop_plane(stage.home)
    ended = end_all_runs(stage.home) if stage.home.exists() else []
    shutil.rmtree(stage.home, ignore_errors=True)
    return len(ended)
