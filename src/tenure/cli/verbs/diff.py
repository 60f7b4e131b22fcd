"""`tenure diff`: what `apply` would change. Exits 0 when nothing, 1 when something, and above 1 on an error."""

import difflib
from typing import Any

from tenure.cli import exit_codes, requests, screen
from tenure.cli.door import Door, open_door
from tenure.cli.formats import named
from tenure.cli.manifests import Manifest, read_manifests
from tenure.cli.options import HERE, Filename, Output, Reach, Recursive
from tenure.cli.requests import JsonObject
from tenure.cli.three_way import LAST_APPLIED, last_applied, three_way_patch, with_last_applied
from tenure.cli.yaml_text import yaml_text

_NOT_COMPARED = ("resourceVersion", "generation", "managedFields", "uid", "creationTimestamp")


def diff(
    *,
    filename: Filename | None = None,
    recursive: Recursive = False,
    output: Output = "text",
    reach: Reach = HERE,
) -> int:
    """Show what applying the manifests would change, as the host would store it."""
    manifests = read_manifests(filename or [], recursive=recursive)
    changes: list[dict[str, Any]] = []
    with open_door(reach) as door:
        for manifest in manifests:
            namespace = manifest.namespace(door.namespace, reach.namespace)
            lines = _difference(door, manifest, namespace)
            about = {"kind": manifest.kind.kind, "name": manifest.name, "namespace": namespace}
            changes.append({**about, "different": bool(lines), "diff": lines})
            if output != "json":
                for line in lines:
                    screen.say(line)
    if output == "json":
        screen.say_as("Difference", {"items": changes})
    return exit_codes.NO if any(change["different"] for change in changes) else exit_codes.YES


def _difference(door: Door, manifest: Manifest, namespace: str) -> list[str]:
    current = door.find(manifest.kind, manifest.name, namespace)
    wanted = with_last_applied(manifest.content, namespace if manifest.kind.namespaced else None)
    if current is None:
        after: JsonObject = door.send(requests.create(manifest.kind, wanted, namespace, dry_run=True))
    else:
        change = three_way_patch(last_applied(current), wanted, current)
        if not change:
            return []
        after = door.send(requests.patch(manifest.kind, manifest.name, change, namespace, dry_run=True))
    about = f"{named(manifest.kind, manifest.name)} in {namespace}"
    before_lines = _lines(current) if current else []
    return list(difflib.unified_diff(before_lines, _lines(after), f"live {about}", f"merged {about}", lineterm=""))


def _lines(content: JsonObject) -> list[str]:
    metadata = {key: value for key, value in content["metadata"].items() if key not in _NOT_COMPARED}
    annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != LAST_APPLIED}
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    shown = {key: value for key, value in content.items() if key != "status"}
    return yaml_text({**shown, "metadata": metadata}).splitlines()
