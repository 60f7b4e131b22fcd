"""Three-way JSON merge patches: what `kubectl apply` sends for objects of custom kinds, so that both work together.

After k8s.io/apimachinery/pkg/util/jsonmergepatch: what the last apply had and this one lacks is taken away; what this
one has and the host lacks or holds otherwise is set; everything else is left to whoever set it.
"""

import json
from collections.abc import Mapping
from typing import Any

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
JsonObject = dict[str, Any]


def three_way_patch(last: Mapping[str, Any], wanted: Mapping[str, Any], current: Mapping[str, Any]) -> JsonObject:
    """The merge patch that brings `current` to `wanted`, given what was applied `last`. Empty: nothing to do."""
    return merged(deletions(last, wanted, current), additions(wanted, current))


def additions(wanted: Mapping[str, Any], current: Mapping[str, Any]) -> JsonObject:
    """What to set so that `current` has all of `wanted`; lists are set whole."""
    change: JsonObject = {}
    for key, value in wanted.items():
        if key not in current:
            # null in a merge patch means absence, which is already so.
            if value is not None:
                change[key] = value
        elif isinstance(value, Mapping) and isinstance(current[key], Mapping):
            below = additions(value, current[key])
            if below:
                change[key] = below
        elif value != current[key] or isinstance(value, bool) != isinstance(current[key], bool):
            change[key] = value
    return change


def deletions(last: Mapping[str, Any], wanted: Mapping[str, Any], current: Mapping[str, Any]) -> JsonObject:
    """What to take away: what the last apply had, this one has not, and the host still has."""
    change: JsonObject = {}
    for key, value in last.items():
        if key not in current:
            continue
        if key not in wanted:
            change[key] = None
        elif isinstance(value, Mapping) and isinstance(wanted[key], Mapping) and isinstance(current[key], Mapping):
            below = deletions(value, wanted[key], current[key])
            if below:
                change[key] = below
    return change


def merged(left: Mapping[str, Any], right: Mapping[str, Any]) -> JsonObject:
    """Two patches as one; where both speak, `right` wins."""
    result = dict(left)
    for key, value in right.items():
        below = result.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping)
        result[key] = merged(below, value) if both and below is not None else value
    return result


def apply_merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: `target` with `patch` laid over it."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply_merge_patch(result.get(key), value)
    return result


def with_last_applied(content: Mapping[str, Any], namespace: str | None = None) -> JsonObject:
    """The manifest with itself noted in the annotation that kubectl reads and writes, in kubectl's form.

    `namespace` is where it goes, which kubectl notes although the manifest leaves it out; None for cluster-wide kinds.
    """
    metadata = {**content["metadata"], **({"namespace": namespace} if namespace else {})}
    annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != LAST_APPLIED}
    bare = {**content, "metadata": {**metadata, "annotations": annotations}}
    noted = json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    return {**content, "metadata": {**metadata, "annotations": {**annotations, LAST_APPLIED: noted}}}


def last_applied(current: Mapping[str, Any]) -> JsonObject:
    """What was applied last; empty when nothing was, or when the note cannot be read."""
    note = (current["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    try:
        found = json.loads(note) if note else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
