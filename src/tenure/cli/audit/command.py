"""The command."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from tenure.cli import exit_codes
from tenure.cli.audit.replay import Audit, replay, to_json
from tenure.cli.evidence import faces, open_log, source_of
from tenure.cli.failures import not_found
from tenure.cli.files import write_text
from tenure.cli.options import Output
from tenure.cli.screen import console, say, say_as
from tenure.client import home_directory
from tenure.evidence import KeyRing
from tenure.promises import Verdict
from tenure.quantities import SystemClock

app = App(name="contract", help="Contracts: audit one from its signed evidence, or repeat a request to one.")
app.command("tenure.cli.own.repeat:repeat", name="repeat")
EXITS = {
    Verdict.KEPT: exit_codes.YES,
    Verdict.BREACHED: exit_codes.NO,
    Verdict.UNVERIFIABLE: exit_codes.UNVERIFIABLE,
}


@app.command
def audit(
    name: str,
    *,
    namespace: Annotated[str, Parameter(name=["--namespace", "-n"], help="Namespace of the contract.")] = "default",
    html: Annotated[Path | None, Parameter(help="Write one HTML file that opens offline.")] = None,
    output: Output = "text",
) -> int:
    """Replay a contract's measurements from its signed evidence: each window, verdict, cause, remedy and attainment.

    Works without a server. Exits 0 when the contract was kept, 1 when it was breached, 7 when that is unverifiable.
    """
    found = read(name, namespace)
    if html is not None:
        from tenure.cli.audit.page import page

        write_text("--html", html, page(found))
    if output == "json":
        say_as("Audit", to_json(found))
    else:
        from tenure.cli.audit.chart import render

        screen = console()
        screen.print(render(found, screen.width))
        if html is not None:
            say(f"written to {html}")
    return EXITS[found.verdict]


def read(name: str, namespace: str) -> Audit:
    """The story of one contract, or of a Workload's newest contract."""
    with faces():
        keys = KeyRing.read(home_directory() / "keys")
        with open_log(keys) as log:
            source = source_of(log, namespace, name)
            statements = [log.statement(place) for place in log.places(source)]
    name = statements[0].subjects[0].name.rpartition("/")[2]
    try:
        return replay(name, statements, SystemClock().now_ms())
    except ValueError as error:
        raise not_found(str(error), "`tenure get contracts` shows which are Active") from error
