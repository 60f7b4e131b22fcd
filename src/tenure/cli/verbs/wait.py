"""`tenure wait`: until a condition holds, a field has a value, or an object is gone."""

from collections.abc import Callable
from typing import Annotated, Any

from cyclopts import Parameter

from tenure.cli import failures, jsonpath, screen
from tenure.cli.door import Door, open_door
from tenure.cli.durations import seconds_of
from tenure.cli.formats import named
from tenure.cli.options import HERE, AllNamespaces, Filename, Objects, Output, Reach, Selector, Timeout
from tenure.cli.requests import JsonObject
from tenure.cli.targets import Target, parse_targets
from tenure.client import NotFound, WaitTimeout

Predicate = Callable[[JsonObject], bool]


def wait(
    *what: Objects,
    for_: Annotated[
        str, Parameter(name="--for", help="condition=TYPE[=STATUS], delete, create, or jsonpath=PATH[=VALUE].")
    ],
    timeout: Timeout = "30s",
    filename: Filename | None = None,
    selector: Selector = "",
    all_namespaces: AllNamespaces = False,
    output: Output = "text",
    reach: Reach = HERE,
) -> None:
    """Wait for objects; exits 1 when the time is over.

    Parameters
    ----------
    what
        KIND NAME..., KIND/NAME..., or KIND with -l.
    """
    patience = seconds_of(timeout)
    met: list[JsonObject] = []
    with open_door(reach) as door:
        for target, namespace in _targets(door, what, filename or [], selector, all_namespaces, for_, reach):
            met.append(_wait(door, target, namespace, for_, patience))
            if output != "json":
                screen.say(f"{named(target.kind, str(target.name))} condition met")
    if output == "json":
        screen.say_as("Waited", {"for": for_, "items": met})


def predicate_of(text: str) -> Predicate:
    """What --for says of a present object. Raises Failure (usage)."""
    sort, _, rest = text.partition("=")
    if sort == "condition" and rest:
        type, _, status = rest.partition("=")
        return lambda content: _condition(content, type, status or "True")
    if sort == "jsonpath" and rest:
        path, value = _path_and_value(rest)
        return lambda content: _matches(path, value, content)
    if text == "create":
        return lambda _: True
    step = "write --for=condition=Ready, --for=delete, --for=create or --for=jsonpath='{.status.phase}'=Active"
    raise failures.usage(f"--for {text!r} is not known", step)


def _wait(door: Door, target: Target, namespace: str, text: str, patience: float) -> JsonObject:
    name, model = str(target.name), target.kind.model
    about = {"apiVersion": target.kind.api_version, "kind": target.kind.kind, "name": name}
    try:
        if text == "delete":
            door.client.wait_deleted(model, name, namespace=namespace, timeout_seconds=patience)
        elif text == "create":
            _wait_created(door, target, namespace, patience)
        else:
            holds = predicate_of(text)
            door.client.wait_for(
                model, name, lambda obj: holds(obj.to_json()), namespace=namespace, timeout_seconds=patience
            )
    except WaitTimeout:
        last = door.find(target.kind, name, namespace)
        raise failures.Failure(
            f"timed out after {patience:g} s waiting for {text} of {named(target.kind, name)}",
            exit_code=1,
            reason="Timeout",
            next_step=f"`tenure describe {target.kind.singular} {name}`" if last else "",
            causes=_conditions(last),
        ) from None
    return about


def _wait_created(door: Door, target: Target, namespace: str, patience: float) -> None:
    fields = f"metadata.name={target.name}"
    found, version = door.list(target.kind, namespace, fields=fields)
    if found:
        return
    for change in door.watch(target.kind, namespace, version, fields=fields, for_seconds=patience):
        if change.type == "ADDED":
            return
    raise WaitTimeout(f"{target.name} was not created within {patience:g} s")


def _conditions(content: JsonObject | None) -> list[dict[str, Any]]:
    found = (content or {}).get("status", {}).get("conditions") or []
    return [
        {
            "code": c["reason"],
            "message": c.get("message") or c["status"],
            "path": f"condition {c['type']}={c['status']}",
        }
        for c in found
    ]


def _targets(
    door: Door,
    what: tuple[str, ...],
    files: list[str],
    selector: str,
    all_namespaces: bool,
    text: str,
    reach: Reach,
) -> list[tuple[Target, str]]:
    if text not in ("delete", "create"):
        predicate_of(text)
    if files:
        from tenure.cli.manifests import read_manifests

        manifests = read_manifests(files)
        return [(Target(m.kind, m.name), m.namespace(door.namespace, reach.namespace)) for m in manifests]
    targets: list[tuple[Target, str]] = []
    for target in parse_targets(what):
        if target.name:
            if text not in ("delete", "create") and door.find(target.kind, target.name) is None:
                raise NotFound(f"{named(target.kind, target.name)} does not exist", code=404, reason="NotFound")
            targets.append((target, door.namespace))
            continue
        items, _ = door.list(target.kind, None if all_namespaces else door.namespace, selector)
        for item in items:
            metadata = item["metadata"]
            targets.append((Target(target.kind, metadata["name"]), metadata.get("namespace") or door.namespace))
    if not targets and text != "delete":
        raise failures.not_found("no such objects", "`tenure get KIND` lists what there is")
    return targets


def _condition(content: JsonObject, type: str, status: str) -> bool:
    generation = content["metadata"].get("generation")
    for condition in content.get("status", {}).get("conditions") or []:
        if condition["type"].lower() == type.lower():
            observed = condition.get("observedGeneration")
            stale = observed is not None and generation is not None and observed < generation
            return bool(condition["status"].lower() == status.lower() and not stale)
    return False


def _path_and_value(text: str) -> tuple[str, str | None]:
    closed = text.rfind("}")
    if text.startswith("{") and closed > 0:
        path, rest = text[1:closed], text[closed + 1 :]
        return path, rest[1:] if rest.startswith("=") else None
    path, equals, value = text.partition("=")
    return path, value if equals else None


def _matches(path: str, value: str | None, content: JsonObject) -> bool:
    try:
        found = jsonpath.find(path, content)
    except jsonpath.JsonPathError as error:
        raise failures.usage(str(error), reason="InvalidJsonPath") from None
    if value is None:
        return bool(found)
    return any(screen.cell_text(one) == value.strip("'\"") for one in found)
