"""`tenure delete`: by manifest or by name, and by default waits until it is really gone."""

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from tenure.cli import exit_codes, failures, requests, screen
from tenure.cli.door import Door, open_door
from tenure.cli.durations import seconds_of
from tenure.cli.failures import Failure
from tenure.cli.formats import named
from tenure.cli.manifests import read_manifests
from tenure.cli.options import DRY_RUN_WORDS, HERE, DryRun, Filename, Objects, Output, Reach, Recursive, Selector
from tenure.cli.targets import parse_targets
from tenure.client import NotFound, WaitTimeout
from tenure.resources import Kind

TELL_AFTER_SECONDS = 3.0
LONG_WAIT_SECONDS = 60.0
CASCADES = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}


def delete(
    *what: Objects,
    filename: Filename | None = None,
    recursive: Recursive = False,
    selector: Selector = "",
    all: Annotated[bool, Parameter(negative=(), help="Every object of the kind in the namespace.")] = False,
    wait: Annotated[bool, Parameter(help="Wait until finalizers are done and the object is gone.")] = True,
    timeout: Annotated[str, Parameter(help="How long to wait for each; 0 waits as long as it takes.")] = "0",
    cascade: Annotated[str, Parameter(help="background, foreground or orphan.")] = "background",
    ignore_not_found: Annotated[bool, Parameter(negative=(), help="What is not there is no error.")] = False,
    dry_run: DryRun = "none",
    output: Output = "text",
    reach: Reach = HERE,
) -> None:
    """Delete objects; what they hold is released, and their processes end, before they are gone.

    Parameters
    ----------
    what
        KIND NAME..., KIND/NAME..., or a KIND with -l or --all.
    """
    if cascade not in CASCADES:
        raise failures.usage(f"--cascade {cascade!r} is not known", f"one of {', '.join(CASCADES)}")
    patience = seconds_of(timeout)
    deleted = []
    with open_door(reach) as door:
        chosen = _chosen(door, what, filename or [], recursive, selector, all, reach)
        for kind, name, namespace in chosen:
            if dry_run != "client" and not _delete(door, kind, name, namespace, cascade, ignore_not_found, dry_run):
                continue
            deleted.append({"apiVersion": kind.api_version, "kind": kind.kind, "name": name, "outcome": "deleted"})
            if output != "json":
                screen.say(f'{named(kind, "").rstrip("/")} "{name}" deleted{DRY_RUN_WORDS[dry_run]}')
        if wait and dry_run == "none":
            for kind, name, namespace in chosen:
                wait_gone(door, kind, name, namespace, patience)
    if output == "json":
        screen.say_as("Applied", {"dryRun": dry_run, "items": deleted})


def wait_gone(door: Door, kind: Kind, name: str, namespace: str, timeout_seconds: float) -> None:
    """Return once the object is gone; says what it waits for when that takes long. Raises Failure when time is up."""
    waited, told = 0.0, False
    while True:
        step = LONG_WAIT_SECONDS if told else TELL_AFTER_SECONDS
        if timeout_seconds:
            step = min(step, timeout_seconds - waited)
        try:
            door.client.wait_deleted(kind.model, name, namespace=namespace, timeout_seconds=step)
            return
        except WaitTimeout:
            waited += step
            said = _waiting_for(door, kind, name, namespace)
            if timeout_seconds and waited >= timeout_seconds:
                message = f"{named(kind, name)} is not gone after {timeout_seconds:g} s; {said}"
                raise Failure(message, exit_code=exit_codes.NO, reason="Timeout") from None
            if not told:
                screen.note(said)
                told = True


_HOLDING_BACK = ("WaitingForRelease", "ReconcileFailed")


def _waiting_for(door: Door, kind: Kind, name: str, namespace: str) -> str:
    content = door.find(kind, name, namespace) or {}
    finalizers = ", ".join(content.get("metadata", {}).get("finalizers") or []) or "its finalizers"
    reasons = [
        f"{c['reason']}: {c['message']}"
        for c in content.get("status", {}).get("conditions") or []
        if c.get("reason") in _HOLDING_BACK
    ]
    return f"{named(kind, name)} waits for {'; '.join(reasons) or finalizers}"


def _delete(
    door: Door, kind: Kind, name: str, namespace: str, cascade: str, ignore_not_found: bool, dry_run: str
) -> bool:
    try:
        call = requests.delete(kind, name, namespace, cascade=CASCADES[cascade], dry_run=dry_run == "server")
        door.send(call)
    except NotFound:
        if not ignore_not_found:
            raise
        return False
    return True


def _chosen(
    door: Door,
    what: Sequence[str],
    files: list[str],
    recursive: bool,
    selector: str,
    every: bool,
    reach: Reach,
) -> list[tuple[Kind, str, str]]:
    if files:
        manifests = read_manifests(files, recursive=recursive)
        return [(m.kind, m.name, m.namespace(door.namespace, reach.namespace)) for m in manifests]
    chosen = []
    for target in parse_targets(what):
        if target.name:
            chosen.append((target.kind, target.name, door.namespace))
        elif selector or every:
            items, _ = door.list(target.kind, door.namespace, selector)
            chosen += [(target.kind, item["metadata"]["name"], door.namespace) for item in items]
        else:
            raise failures.usage(
                f"{target.kind.plural} without a name would delete all of them",
                "name them, select with -l, or add --all",
            )
    return chosen
