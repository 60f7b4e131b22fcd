"""`tenure apply` and `create`: manifests become objects, with kubectl's words for what became of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tenure.cli import requests, screen
from tenure.cli.door import Door, open_door
from tenure.cli.formats import qualified_name
from tenure.cli.manifests import Manifest, read_manifests
from tenure.cli.options import DRY_RUN_WORDS, HERE, DryRun, Filename, ManifestOutput, Reach, Recursive
from tenure.cli.three_way import last_applied, three_way_patch, with_last_applied
from tenure.client import AlreadyExists, Conflict

Outcome = Literal["created", "configured", "unchanged", "valid"]
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one manifest."""

    content: dict[str, Any]
    outcome: Outcome

    def to_json(self) -> dict[str, Any]:
        """For programs: which object, and what became of it."""
        metadata = self.content["metadata"]
        named = {"apiVersion": self.content["apiVersion"], "kind": self.content["kind"], "name": metadata["name"]}
        where = {"namespace": metadata["namespace"]} if metadata.get("namespace") else {}
        return {**named, **where, "outcome": self.outcome}


def apply(
    *,
    filename: Filename | None = None,
    recursive: Recursive = False,
    dry_run: DryRun = "none",
    output: ManifestOutput = "text",
    reach: Reach = HERE,
) -> None:
    """Make objects as the manifests say: create what is absent, change what differs, leave the rest."""
    manifests = read_manifests(filename or [], recursive=recursive)
    if dry_run == "client":
        _say([Applied(m.content, "valid") for m in manifests], output, dry_run)
        return
    with open_door(reach) as door:
        namespaces = [m.namespace(door.namespace, reach.namespace) for m in manifests]
        done = [
            apply_one(door, manifest, namespace, dry_run=dry_run == "server")
            for manifest, namespace in zip(manifests, namespaces, strict=True)
        ]
    _say(done, output, dry_run)


def apply_one(
    door: Door,
    manifest: Manifest,
    namespace: str,
    *,
    dry_run: bool = False,
    annotations: Mapping[str, str] | None = None,
) -> Applied:
    """Bring one object to what its manifest says, by a three-way merge. Raises the door's errors.

    `annotations` are set in the same write and are no part of the manifest: applying it again leaves them alone.
    """
    wanted = with_last_applied(manifest.content, namespace if manifest.kind.namespaced else None)
    if annotations:
        metadata = wanted["metadata"]
        wanted = {**wanted, "metadata": {**metadata, "annotations": {**metadata["annotations"], **annotations}}}
    kind = manifest.kind
    for attempt in range(ATTEMPTS):
        current = door.find(kind, manifest.name, namespace)
        try:
            if current is None:
                created = door.send(requests.create(kind, wanted, namespace, dry_run=dry_run))
                return Applied(created, "created")
            change = three_way_patch(last_applied(current), wanted, current)
            if not change:
                return Applied(current, "unchanged")
            # What was compared is what is changed: somebody else's write in between is seen and merged anew.
            change.setdefault("metadata", {})["resourceVersion"] = current["metadata"]["resourceVersion"]
            patched = door.send(requests.patch(kind, manifest.name, change, namespace, dry_run=dry_run))
            return Applied(patched, "configured")
        except (AlreadyExists, Conflict):
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("the loop returns or raises")


def create(
    *,
    filename: Filename | None = None,
    recursive: Recursive = False,
    dry_run: DryRun = "none",
    output: ManifestOutput = "text",
    reach: Reach = HERE,
) -> None:
    """Create the objects of the manifests; one that exists is an error."""
    manifests = read_manifests(filename or [], recursive=recursive, generated_names=True)
    if dry_run == "client":
        _say([Applied(m.content, "valid") for m in manifests], output, dry_run)
        return
    done = []
    with open_door(reach) as door:
        for manifest in manifests:
            namespace = manifest.namespace(door.namespace, reach.namespace)
            call = requests.create(manifest.kind, manifest.content, namespace, dry_run=dry_run == "server")
            done.append(Applied(door.send(call), "created"))
    _say(done, output, dry_run)


def _say(done: list[Applied], output: str, dry_run: str) -> None:
    match output:
        case "json":
            screen.say_as("Applied", {"dryRun": dry_run, "items": [applied.to_json() for applied in done]})
        case "name":
            for applied in done:
                screen.say(qualified_name(applied.content))
        case "yaml":
            for applied in done:
                screen.say("---")
                screen.say_yaml(applied.content)
        case _:
            for applied in done:
                screen.say(f"{qualified_name(applied.content)} {applied.outcome}{DRY_RUN_WORDS[dry_run]}")
