"""What follows from a deletion: dependents without owners go, and namespaces that are empty at last.

Level-triggered: it looks at what is, never at what happened, so that a crash between any two steps costs nothing. The
writer calls it after commits that unsettled something, and once for everything after opening.
"""

from tenure.store import rules
from tenure.store.transaction import Transaction, copy_of
from tenure.store.values import Resource, Stored

# Deletions done in one transaction; what is left goes into the next, so that other writers are not kept waiting.
STEPS_MAX = 200


def everything(txn: Transaction) -> None:
    """Mark all that a crash may have left unfinished."""
    txn.unsettled_uids.update(txn.missing_owners())
    for resource, stored in txn.deleting():
        txn.unsettled_uids.add(stored.content["metadata"]["uid"])
        if resource.key == rules.NAMESPACES:
            txn.unsettled_namespaces.add(stored.name)


def settle(txn: Transaction) -> None:
    """Take up to STEPS_MAX steps; what remains stays in the transaction's unsettled sets."""
    steps = 0
    while steps < STEPS_MAX and (txn.unsettled_uids or txn.unsettled_namespaces):
        if txn.unsettled_uids:
            uid = txn.unsettled_uids.pop()
            taken, finished = _settle_owner(txn, uid, STEPS_MAX - steps)
            if not finished:
                txn.unsettled_uids.add(uid)
        else:
            name = txn.unsettled_namespaces.pop()
            taken, finished = _settle_namespace(txn, name, STEPS_MAX - steps)
            if not finished:
                txn.unsettled_namespaces.add(name)
        steps += taken


def _settle_owner(txn: Transaction, uid: str, steps_max: int) -> tuple[int, bool]:
    owner = txn.by_uid(uid)
    dependents = txn.dependents(uid)
    if owner is None:
        lost = [(r, d) for r, d in dependents if not (_deleting(d) or _protected(r, d) or _has_owner(txn, d))]
        for resource, dependent in lost[:steps_max]:
            rules.delete(txn, resource, dependent.namespace, dependent.name)
        return min(len(lost), steps_max), len(lost) <= steps_max
    resource, stored = owner
    if not _deleting(stored) or rules.FOREGROUND not in (stored.content["metadata"].get("finalizers") or ()):
        return 0, True
    if not dependents:
        rules.release(txn, resource, stored, rules.FOREGROUND)
        return 1, True
    waiting = [(r, d) for r, d in dependents if not (_deleting(d) or _protected(r, d))]
    for dependent_resource, dependent in waiting[:steps_max]:
        rules.delete(txn, dependent_resource, dependent.namespace, dependent.name, "Foreground")
    return min(len(waiting), steps_max), len(waiting) <= steps_max


def _settle_namespace(txn: Transaction, name: str, steps_max: int) -> tuple[int, bool]:
    namespaces = txn.resources[rules.NAMESPACES]
    namespace = txn.get(namespaces, "", name)
    if namespace is None or not _deleting(namespace):
        return 0, True
    contents = txn.in_namespace(name)
    waiting = [(r, s) for r, s in contents if not _deleting(s)]
    for resource, stored in waiting[:steps_max]:
        rules.delete(txn, resource, stored.namespace, stored.name)
    if len(waiting) > steps_max:
        return steps_max, False
    if not txn.in_namespace(name) and not namespace.content["metadata"].get("finalizers"):
        txn.remove(namespaces, copy_of(namespace), namespace)
    return len(waiting) + 1, True


def _protected(resource: Resource, stored: Stored) -> bool:
    return resource.key == rules.NAMESPACES and stored.name in rules.PROTECTED_NAMESPACES


def _deleting(stored: Stored) -> bool:
    return "deletionTimestamp" in stored.content["metadata"]


def _has_owner(txn: Transaction, dependent: Stored) -> bool:
    served = {(r.api_version, r.kind) for r in txn.resources.values()}
    references = dependent.content["metadata"].get("ownerReferences") or ()
    return any((r["apiVersion"], r["kind"]) not in served or txn.by_uid(r["uid"]) for r in references)
