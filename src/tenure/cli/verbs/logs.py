"""`tenure logs`: what the work of a contract printed, read from its run on this machine, with or without a host."""

from collections.abc import Iterator
from typing import Annotated, Any

from cyclopts import Parameter

from tenure.cli import failures, screen
from tenure.cli.door import Door, open_door
from tenure.cli.options import HERE, ContractName, Output, Reach
from tenure.cli.requests import JsonObject
from tenure.cli.targets import the_kind
from tenure.client import home_directory
from tenure.quantities import format_instant
from tenure.resources import Contract, Workload, kind_of

SIMULATED = "simulated"
"""The mechanism of a run that is a record alone; `engines.simulated` has it beside what logs need not load."""


def logs(
    name: ContractName,
    *,
    follow: Annotated[
        bool, Parameter(name=["--follow", "-f"], negative=(), help="Go on until the run is over.")
    ] = False,
    tail: Annotated[int, Parameter(help="Only the last lines; -1 shows all.")] = -1,
    container: Annotated[
        str, Parameter(name=["--container", "-c"], help="Which command of the run: work, or a sidecar such as tap.")
    ] = "work",
    timestamps: Annotated[bool, Parameter(negative=(), help="Put the time before each line.")] = False,
    output: Output = "text",
    reach: Reach = HERE,
) -> None:
    """Show what the work of a contract, or of a workload's contract, printed.

    With --follow and -o json each line comes as an answer of its own, on one line.

    Parameters
    ----------
    name
        A contract or a workload: NAME, contract/NAME or workload/NAME.
    """
    with open_door(reach) as door:
        contract = contract_named(door, name)
    run_id = run_id_of(contract)
    if ((contract.get("status") or {}).get("run") or {}).get("mechanism") == SIMULATED:
        said = f"contract {contract['metadata']['name']} is simulated: nothing runs, so nothing was printed"
        raise failures.not_found(said, "`tenure why` says how it is kept")
    lines = _lines(run_id, follow=follow, tail=None if tail < 0 else tail, command=container)
    if output == "json":
        items = ({"time": format_instant(line.at_ms), "stream": line.stream, "text": line.text} for line in lines)
        if follow:
            for item in items:
                screen.say_line_as("Logs", {"run": run_id, "items": [item]})
        else:
            screen.say_as("Logs", {"run": run_id, "items": list(items)})
        return
    for line in lines:
        screen.say(f"{format_instant(line.at_ms)} {line.text}" if timestamps else line.text)
        if follow:
            screen.flush()


def contract_named(door: Door, name: str) -> JsonObject:
    """The contract of that name, or of the workload of that name. Raises Failure (not found; usage: no such kind)."""
    word, slash, rest = name.partition("/")
    wanted = the_kind(word) if slash else None
    name = rest if slash else name
    if wanted is None or wanted.kind == "Contract":
        contract = door.find(kind_of(Contract), name)
        if contract is not None:
            return contract
    workload = door.find(kind_of(Workload), name) if wanted is None or wanted.kind == "Workload" else None
    if workload is None:
        raise failures.not_found(
            f"neither a contract nor a workload is named {name} in {door.namespace}", "`tenure get contracts,workloads`"
        )
    holder = (workload.get("status") or {}).get("contract")
    if not holder:
        phase = (workload.get("status") or {}).get("phase", "Pending")
        raise failures.not_found(f"workload {name} is {phase} and has no contract", f"`tenure why {name}`")
    return door.get(kind_of(Contract), holder)


def run_id_of(contract: JsonObject) -> str:
    """The run behind a contract."""
    run = (contract.get("status") or {}).get("run") or {}
    return str(run.get("id") or contract["spec"]["hold"]["id"])


def _lines(run_id: str, *, follow: bool, tail: int | None, command: str) -> Iterator[Any]:
    from tenure.engines import LocalEngine, RunNotFound

    try:
        yield from LocalEngine(home_directory()).logs(run_id, follow=follow, tail=tail, command=command)
    except RunNotFound:
        raise failures.not_found(
            f"run {run_id} left nothing on this machine", "it may not have started yet: `tenure events`"
        ) from None
