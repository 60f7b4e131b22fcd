"""JSON merge patches (RFC 7386), and the few strategic ones that mean the same."""

from typing import Any

from tenure.resources import Kind
from tenure.server.refusals import unsupported_media

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
USE = f"use {MERGE}"
JSON_PATCH = "application/json-patch+json"
APPLY = ("application/apply-patch+yaml", "application/apply-patch+cbor")


def require_supported(kind: Kind, sort: str, patch: Any) -> None:
    """Raises 415, saying what is left out and what to use instead, unless the patch is one that merges plainly."""
    if sort == MERGE:
        return
    if sort in APPLY:
        step = f"use client-side apply (kubectl apply without --server-side) or a patch of type {MERGE}"
        raise unsupported_media(f"server-side apply is left out of the embedded host on purpose; {step}", step)
    if sort == STRATEGIC and kind.group in ("", "coordination.k8s.io"):
        if _merges_plainly(patch):
            return
        left_out = "strategic merge patches with lists or directives are left out of the embedded host"
        raise unsupported_media(f"{left_out}; {USE}", USE)
    left_out = "JSON patches are left out of the embedded host; " if sort == JSON_PATCH else ""
    raise unsupported_media(f"{left_out}{sort or 'no content type'} is not taken for {kind.kind}; {USE}", USE)


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386: `target` with `patch` laid over it; null takes a member away."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def _merges_plainly(patch: Any) -> bool:
    if isinstance(patch, list):
        return False
    if isinstance(patch, dict):
        return all(not key.startswith("$") and _merges_plainly(value) for key, value in patch.items())
    return True
