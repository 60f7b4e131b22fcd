"""Steps 1 and 2: this machine as it is, and a need of nine lines without a hardware word in it."""

from importlib.resources import files

from tenure.cli.failures import Failure
from tenure.cli.quickstart.stage import Stage

COUNTER_OFFERED = 6


def discover(stage: Stage) -> None:
    """The control plane comes up and shows the machine."""
    stage.heading("Discover", "What is this machine, what can be enforced on it, and what could not be read?")
    stage.run("up")
    stage.run("inventory", "show")


def ask(stage: Stage) -> str:
    """Ask, measure, and be offered; returns the best offer's name."""
    stage.heading("Ask", "A developer says what must be achieved. Nothing about cores, threads or NUMA nodes.")
    path = stage.file("chat.yaml", files("tenure.cli.quickstart").joinpath("chat.yaml").read_text())
    stage.say(
        "[dim]Windows of 1 s, kept in 75 % of them, with 75 % confidence: modest figures, so that half a minute of "
        "measuring can bound them.\nThe defaults are 60 s, 95 % and 90 %.[/]"
    )
    stage.say(
        "[dim]Nobody has measured this model here yet. So Tenure holds a core and measures it, at several shapes.[/]"
    )
    code = stage.run("request", "-f", path, expect=(0, COUNTER_OFFERED))
    if code == COUNTER_OFFERED:
        stage.say("[yellow]This machine is busy or slow: what was asked cannot be kept; the nearest offer is taken.[/]")
    return best_offer(stage, "chat")


def best_offer(stage: Stage, workload: str) -> str:
    """The first offer of a Workload's answer."""
    found = stage.json("get", "workload", workload)
    quotes = found["status"]["answer"]["quotes"]
    if not quotes:
        raise Failure(
            f"no offer was made for {workload}", exit_code=5, reason="Infeasible", next_step=f"tenure why {workload}"
        )
    return str(quotes[0]["offer"])
