"""How objects come, change and go: the bookkeeping of Kubernetes' metadata, as pure steps on a transaction.

Each function is one write. It raises a StoreError where a rule forbids it, and then has written nothing.
"""

import secrets
import uuid
from typing import Any

from tenure.store.errors import (
    FieldRefusedError,
    NamespaceNotFoundError,
    NamespaceTerminatingError,
    ObjectConflictError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectProtectedError,
)
from tenure.store.transaction import Transaction, copy_of
from tenure.store.values import Deleted, JsonObject, Part, Propagation, Resource, Stored

NAMESPACES = "namespaces"
PROTECTED_NAMESPACES = frozenset({"default"})
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"

# Kubernetes' alphabet for generated names: no vowels, so no words; nothing that looks like something else.
_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_SUFFIX_TRIES = 8
_NAME_LENGTH_MAX = 253

# Written by the store alone; whatever a client sends for them on an update is replaced by what is.
_SYSTEM_FIELDS = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "namespace",
)


def create(txn: Transaction, resource: Resource, content: JsonObject) -> Stored:
    """Add an object: name from generateName where asked, uid, creation time, generation 1. Its status is dropped."""
    content = {"apiVersion": resource.api_version, "kind": resource.kind, **content}
    metadata = content["metadata"] = dict(content.get("metadata") or {})
    namespace = metadata.get("namespace") or ""
    _name(txn, resource, metadata, namespace)
    name = metadata["name"]
    if metadata.pop("resourceVersion", None):
        why = "resourceVersion may not be set on an object to be created"
        raise FieldRefusedError(resource.key, name, "metadata.resourceVersion", why, "leave it out")
    if resource.namespaced:
        _require_open_namespace(txn, resource, namespace, name)
    if txn.get(resource, namespace, name):
        raise ObjectExistsError(resource.key, name)
    for field in _SYSTEM_FIELDS[:-1]:
        metadata.pop(field, None)
    metadata["uid"] = str(uuid.uuid4())
    metadata["creationTimestamp"] = txn.now
    if resource.has_status:
        content.pop("status", None)
        metadata["generation"] = 1
    if resource.key == NAMESPACES:
        content["status"] = {"phase": "Active"}
    return txn.put(resource, content, None)


def update(txn: Transaction, resource: Resource, content: JsonObject, part: Part) -> Stored:
    """Replace an object, or its status alone, by compare-and-swap on metadata.resourceVersion.

    Nothing changes (and no version is used) when the object is already as wanted. An object that is marked for
    deletion goes away with its last finalizer.
    """
    wanted = content.get("metadata") or {}
    namespace, name = wanted.get("namespace") or "", wanted["name"]
    before = txn.get(resource, namespace, name)
    if before is None:
        raise ObjectNotFoundError(resource.key, name)
    current = before.content
    if not wanted.get("resourceVersion"):
        why = "metadata.resourceVersion must be specified for an update"
        step = "read the object, change what you read and write that"
        raise FieldRefusedError(resource.key, name, "metadata.resourceVersion", why, step)
    _require(resource, before, uid=wanted.get("uid"), version=wanted["resourceVersion"])

    after = _with_status(current, content) if part == "status" else _with_main(resource, current, content)
    if after == current:
        return before
    metadata = after["metadata"]
    deleting = "deletionTimestamp" in metadata
    if deleting and set(metadata.get("finalizers") or ()) - set(current["metadata"].get("finalizers") or ()):
        why = "no new finalizers can be added while the object is being deleted"
        step = "leave the finalizers as they are, or take some away"
        raise FieldRefusedError(resource.key, name, "metadata.finalizers", why, step)
    if deleting and not metadata.get("finalizers") and resource.key != NAMESPACES:
        return txn.remove(resource, after, before)
    return txn.put(resource, after, before)


def delete(
    txn: Transaction,
    resource: Resource,
    namespace: str,
    name: str,
    propagation: Propagation = "Background",
    uid: str | None = None,
    version: str | None = None,
) -> Deleted:
    """Remove an object, or mark it where finalizers, its dependents or (for a namespace) its contents hold it."""
    before = txn.get(resource, namespace, name)
    if before is None:
        raise ObjectNotFoundError(resource.key, name)
    if resource.key == NAMESPACES and name in PROTECTED_NAMESPACES:
        raise ObjectProtectedError(resource.key, name)
    _require(resource, before, uid=uid, version=version)
    content = copy_of(before)
    metadata = content["metadata"]
    finalizers = list(metadata.get("finalizers") or ())
    if propagation == "Orphan":
        _orphan(txn, metadata["uid"])
    elif propagation == "Foreground" and FOREGROUND not in finalizers and txn.dependents(metadata["uid"]):
        finalizers.append(FOREGROUND)
    held = bool(finalizers) or (resource.key == NAMESPACES and bool(txn.in_namespace(name)))
    if not held:
        return Deleted(txn.remove(resource, content, before), removed=True)
    if finalizers:
        metadata["finalizers"] = finalizers
    if "deletionTimestamp" not in metadata:
        metadata["deletionTimestamp"] = txn.now
        metadata["deletionGracePeriodSeconds"] = 0
        if resource.key == NAMESPACES:
            content["status"] = {**(content.get("status") or {}), "phase": "Terminating"}
    if content == before.content:
        return Deleted(before, removed=False)
    return Deleted(txn.put(resource, content, before), removed=False)


def release(txn: Transaction, resource: Resource, stored: Stored, finalizer: str) -> None:
    """Take one finalizer of the store's own away, and the object with it when that was the last and it is deleted."""
    content = copy_of(stored)
    metadata = content["metadata"]
    left = [f for f in metadata.get("finalizers") or () if f != finalizer]
    metadata["finalizers"] = left
    if not left:
        del metadata["finalizers"]
    if "deletionTimestamp" in metadata and not left and resource.key != NAMESPACES:
        txn.remove(resource, content, stored)
    elif content != stored.content:
        txn.put(resource, content, stored)


def _name(txn: Transaction, resource: Resource, metadata: dict[str, Any], namespace: str) -> None:
    if metadata.get("name"):
        return
    prefix = metadata.get("generateName")
    if not prefix:
        why = "name or generateName is required"
        raise FieldRefusedError(resource.key, "", "metadata.name", why, "write metadata: {name: ...}")
    prefix = prefix[: _NAME_LENGTH_MAX - _SUFFIX_LENGTH]
    for _ in range(_SUFFIX_TRIES):
        metadata["name"] = prefix + "".join(secrets.choice(_SUFFIX_ALPHABET) for _ in range(_SUFFIX_LENGTH))
        if not txn.get(resource, namespace, metadata["name"]):
            return


def _require_open_namespace(txn: Transaction, resource: Resource, namespace: str, name: str) -> None:
    if not namespace:
        step = "write metadata.namespace, such as default"
        raise FieldRefusedError(resource.key, name, "metadata.namespace", "a namespace is required", step)
    found = txn.get(txn.resources[NAMESPACES], "", namespace)
    if found is None:
        raise NamespaceNotFoundError(NAMESPACES, namespace)
    if "deletionTimestamp" in found.content["metadata"]:
        raise NamespaceTerminatingError(resource.key, name, namespace)


def _require(resource: Resource, before: Stored, uid: str | None, version: str | None) -> None:
    current_uid = before.content["metadata"]["uid"]
    if uid and uid != current_uid:
        why = f"the uid in the precondition is {uid}, the object's is {current_uid}"
        raise ObjectConflictError(resource.key, before.name, "metadata.uid", why)
    if version and version != str(before.version):
        why = "the object has been modified; please apply your changes to the latest version and try again"
        raise ObjectConflictError(resource.key, before.name, "metadata.resourceVersion", why)


def _with_status(current: JsonObject, wanted: JsonObject) -> JsonObject:
    after = {key: value for key, value in current.items() if key != "status"}
    if wanted.get("status") is not None:
        after["status"] = wanted["status"]
    return {**after, "metadata": dict(current["metadata"])}


def _with_main(resource: Resource, current: JsonObject, wanted: JsonObject) -> JsonObject:
    after = {**wanted, "apiVersion": resource.api_version, "kind": resource.kind}
    before = current["metadata"]
    metadata = {key: value for key, value in wanted["metadata"].items() if key not in _SYSTEM_FIELDS}
    metadata |= {key: before[key] for key in _SYSTEM_FIELDS if key in before}
    metadata["resourceVersion"] = before["resourceVersion"]
    for field in ("labels", "annotations", "finalizers", "ownerReferences"):
        if not metadata.get(field):
            metadata.pop(field, None)  # empty and absent are the same
    after["metadata"] = metadata
    if resource.has_status:
        after.pop("status", None)
        if "status" in current:
            after["status"] = current["status"]
        if _specification(after) != _specification(current):
            metadata["generation"] = before.get("generation", 0) + 1
    return after


def _specification(content: JsonObject) -> JsonObject:
    return {key: value for key, value in content.items() if key not in ("metadata", "status")}


def _orphan(txn: Transaction, owner_uid: str) -> None:
    for resource, dependent in txn.dependents(owner_uid):
        content = copy_of(dependent)
        left = [r for r in content["metadata"]["ownerReferences"] if r["uid"] != owner_uid]
        content["metadata"]["ownerReferences"] = left
        if not left:
            del content["metadata"]["ownerReferences"]
        txn.put(resource, content, dependent)
