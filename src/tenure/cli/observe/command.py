"""The commands."""

from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text

from tenure.cli import exit_codes, failures, screen
from tenure.cli.answer import BAD, GOOD, QUIET
from tenure.cli.door import Door, open_door, readable
from tenure.cli.observe.layers import Layer, layers_of
from tenure.cli.observe.request import to_json, trace
from tenure.cli.options import HERE, Output, Reach
from tenure.cli.own.outcome import check_output
from tenure.cli.tables import WordTable
from tenure.cli.words import duration_text
from tenure.client import home_directory
from tenure.resources import Contract, Machine

app = App(name="observe", help="Which layer is seen by what, how fresh; and one request through all of them.")
STYLES = {"seen": GOOD, "hole": BAD, "unobservable": QUIET}


def _live(door: Door) -> list[Contract]:
    """Active contracts whose work runs on this machine's home."""
    found = readable(door.client.list(Contract, namespace=None))
    return [c for c in found if c.status is not None and c.status.phase == "Active"]


@app.command
def coverage(*, output: Output = "text", reach: Reach = HERE) -> int:
    """Show, for every Active contract, each layer with the source that sees it and the age of what it said last.

    Exits 0 without a hole, 1 where a source that should be there is silent or stale, 7 where nothing is under contract.
    What cannot be seen on this machine at all is named with its reason, and is no hole.
    """
    as_json = check_output(output)
    with open_door(reach) as door:
        contracts = _live(door)
        machines = {machine.name: machine for machine in readable(door.client.list(Machine))}
    seen = [(c, layers_of(home_directory(), c, machines.get(c.spec.machine))) for c in contracts]
    holes = sum(layer.state == "hole" for _, layers in seen for layer in layers)
    if as_json:
        screen.say_as("Coverage", {"holes": holes, "contracts": [_json(of, layers) for of, layers in seen]})
    else:
        for of, layers in seen:
            _say(of.name if of.namespace == door.namespace else f"{of.namespace}/{of.name}", layers)
        if not seen:
            screen.say("Nothing is under contract here.")
    if not seen:
        return exit_codes.UNVERIFIABLE
    return exit_codes.NO if holes else exit_codes.YES


@app.command
def request(
    id: Annotated[str, Parameter(help="The X-Request-Id that it was sent with, or a probe's name.")],
    *,
    output: Output = "text",
    reach: Reach = HERE,
) -> int:
    """Trace one request: response time, outcome, server, cores, limits, power and its window's verdict together."""
    as_json = check_output(output)
    with open_door(reach) as door:
        found = trace(home_directory(), _live(door), id)
    if found is None:
        raise failures.not_found(
            f"no journal of an Active contract knows the request {id!r}", "send it with an X-Request-Id, and trace that"
        )
    if as_json:
        screen.say_as("RequestTrace", to_json(found))
        return exit_codes.YES
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for layer, said, source in found.facts():
        table.add_row(Text(layer, style=QUIET), said, Text(source, style=QUIET))
    console = screen.console(markup=False)
    console.print(f"{id} to {found.contract.name} ({found.role})")
    console.print(table)
    return exit_codes.YES


def _say(name: str, layers: list[Layer]) -> None:
    rows = []
    for layer in layers:
        age = "now" if layer.age_ms is None else duration_text(layer.age_ms)
        shown = age if layer.state == "seen" else layer.state
        rows.append((layer.name, layer.source, layer.seen, Text(shown, style=STYLES[layer.state])))
    screen.console(markup=False).print(WordTable(("layer", "seen by", "said", "age"), rows, title=name))


def _json(contract: Contract, layers: list[Layer]) -> dict[str, object]:
    return {
        "contract": contract.name,
        "namespace": contract.namespace,
        "layers": [
            {
                "layer": layer.name,
                "source": layer.source,
                "said": layer.seen,
                "ageMs": layer.age_ms,
                "ageMsMax": layer.age_ms_max,
                "state": layer.state,
            }
            for layer in layers
        ],
    }
