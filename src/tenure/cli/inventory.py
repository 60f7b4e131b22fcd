"""`tenure inventory`: the hardware as Tenure sees it, scanned here, as registered, or out of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from tenure.cli import completers, exit_codes, failures
from tenure.cli.options import HERE, Output, Reach, formats
from tenure.cli.screen import OUTPUT_VERSION, console, say, say_as, say_json, say_yaml
from tenure.cli.typed import typed
from tenure.discovery import RootNotReadableError, scan
from tenure.discovery.importers import ImportedFileError, import_hwloc, import_nvidia_smi
from tenure.topology import (
    MachineTopology,
    ObservedMachine,
    TopologyFormatError,
    digest,
    identity_json,
    machine_from_json,
    missing_attributes,
    observed_from_json,
    to_json,
)

app = App(name="inventory", help="The hardware as Tenure sees it.")

FORMATS = ("tree", "wide", "json", "yaml")
Shown = Annotated[str, formats(*FORMATS)]

FILE_BYTES_MAX = 64 << 20


@app.command(name="scan")
def scan_command(
    *,
    root: Annotated[Path, Parameter(help="Root of a tree recorded from another machine (its /sys and /proc).")] = Path(
        "/"
    ),
    source: Annotated[
        Path | None,
        Parameter(name="--from", help="A file instead: hwloc XML, `nvidia-smi -q -x`, or what -o json wrote."),
    ] = None,
    try_limits: Annotated[
        bool,
        Parameter(
            name="--try",
            negative="--no-try",
            help="Try what can be enforced, in a control group that is removed at once.",
        ),
    ] = True,
    output: Shown = "tree",
) -> int:
    """Look at this machine now, and show it. Nothing is registered and nothing is left behind."""
    _show(_read_file(source) if source is not None else _scanned(root, probe=try_limits), output)
    return exit_codes.YES


@app.command(name="show")
def show_command(
    name: Annotated[str | None, Parameter(completer=completers.machines)] = None,
    *,
    reach: Reach = HERE,
    output: Shown = "tree",
) -> int:
    """Show machines as they are registered; all of them without a name."""
    from tenure.cli.inventory_registered import registered

    machines = registered(reach, name)
    if output in ("json", "yaml"):
        if name is not None:
            _show(machines[0], output)
        else:
            _say("ObservedMachines", {"items": [to_json(machine) for machine in machines]}, output)
        return exit_codes.YES
    for machine in machines:
        _show(machine, output)
    if not machines:
        say(typed("No machine is registered. `tenure up` registers this one."))
    return exit_codes.YES


@app.command(name="lint")
def lint_command(
    file: Annotated[
        Path | None, Parameter(help="A file or a recorded tree; without it, this machine is scanned.")
    ] = None,
    *,
    strict: Annotated[bool, Parameter(help="Also count what is wanted and not needed.", negative=())] = False,
    output: Output = "text",
) -> int:
    """Name every attribute that is missing, and why. Exits 1 when one is missing that decisions stand on."""
    machine = _scanned(Path("/"), probe=False) if file is None else _read_file(file)
    missing = missing_attributes(machine.topology)
    needed = [gap for gap in missing if strict or gap.weight == "needed"]
    if output == "json":
        gaps = [{"path": gap.path, "reason": gap.reason, "weight": gap.weight} for gap in missing]
        say_as("InventoryGaps", {"source": machine.source, "complete": not needed, "missing": gaps})
        return exit_codes.NO if needed else exit_codes.YES
    for gap in missing:
        say(f"  {'✗' if gap in needed else '·'} {gap.path}: {gap.reason}")
    if needed:
        say(f"{len(needed)} of what decisions stand on is missing; a source that knows more fills it in")
    else:
        say(f"  ✓ nothing that decisions stand on is missing{'; · would be good to have' if missing else ''}")
    return exit_codes.NO if needed else exit_codes.YES


def _scanned(root: Path, *, probe: bool) -> ObservedMachine:
    recorded = root != Path("/")  # what the running system lacks, its scan says
    if recorded and root.is_dir() and not any((root / name).is_dir() for name in ("sys", "proc")):
        said = f"{root} holds neither sys/ nor proc/, so it is no tree of a machine"
        raise failures.usage(said, "name the folder that holds sys/ and proc/", "TopologyUnreadable")
    try:
        return scan(root, probe=probe)
    except RootNotReadableError as error:
        raise failures.not_found(str(error), "name the folder that holds sys/ and proc/") from None


def _read_file(path: Path) -> ObservedMachine:
    """A machine from a file of any sort that we read, told apart by its beginning. Raises Failure."""
    if path.is_dir():
        return _scanned(path, probe=False)
    if not path.exists():
        raise failures.not_found(f"{path}: no such file", "name a file, or a folder that holds sys/ and proc/")
    with path.open("rb") as file:
        beginning = file.read(4096)
    reader: Callable[[Path], ObservedMachine] = _read_json
    if b"<nvidia_smi_log" in beginning:
        reader = import_nvidia_smi
    elif beginning.lstrip().startswith(b"<"):
        reader = import_hwloc
    try:
        return reader(path)
    except (ImportedFileError, TopologyFormatError) as error:
        step = (
            "files of lstopo (XML, hwloc 2 or 3), of nvidia-smi -q -x and of `tenure inventory scan -o json` are read"
        )
        raise failures.usage(str(error), step, "TopologyUnreadable") from None


def _read_json(path: Path) -> ObservedMachine:
    """An observed machine, a topology alone, or a HardwareProfile object."""
    if path.stat().st_size > FILE_BYTES_MAX:
        raise TopologyFormatError(f"{path}: larger than {FILE_BYTES_MAX >> 20} MiB, which no machine is")
    from tenure.resources.plain_json import JsonRefused, load_json

    try:
        value: Any = load_json(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise TopologyFormatError(f"{path}: neither XML nor JSON: byte {error.start} is not UTF-8 text") from None
    except JsonRefused as refused:
        raise TopologyFormatError(f"{path}: neither XML nor JSON: {refused}") from None
    if not isinstance(value, dict):
        raise TopologyFormatError(f"{path}: expected an object")
    if value.get("kind") == "HardwareProfile" and isinstance(value.get("spec"), dict):
        value = value["spec"].get("topology")
    if isinstance(value, dict) and "topology" in value:
        return observed_from_json({name: part for name, part in value.items() if name not in ("apiVersion", "kind")})
    from tenure.cli.inventory_registered import observed_from_profile

    return observed_from_profile(machine_from_json(value), str(path))


def _show(machine: ObservedMachine, output: str) -> None:
    if output in ("json", "yaml"):
        _say("ObservedMachine", to_json(machine), output)
        return
    from tenure.cli.inventory_tree import render_tree  # rich costs more than the scan: only pictures load it

    console().print(render_tree(machine, wide=output == "wide"))


def _say(kind: str, members: dict[str, Any], output: str) -> None:
    value = {"apiVersion": OUTPUT_VERSION, "kind": kind, **members}
    if output == "json":
        say_json(value)
    else:
        say_yaml(value)


def profile_json(machine: MachineTopology) -> dict[str, Any]:
    """What a HardwareProfile carries of a machine: its digest and its identity form."""
    return {"digest": digest(machine), "topology": identity_json(machine)}
