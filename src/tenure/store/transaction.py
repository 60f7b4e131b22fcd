"""What the rules see while they write: objects by key, and a log that every change goes into."""

import json
import sqlite3
from collections.abc import Iterable, Mapping

from tenure.store.values import ChangeType, JsonObject, Resource, Stored, body_of


class Transaction:
    """One group of writes on the write connection, before its commit. Used by the write thread alone."""

    def __init__(self, db: sqlite3.Connection, resources: Mapping[str, Resource], version: int, now: str) -> None:
        """`version` is the last one in use; `now` is the wall clock as RFC 3339."""
        self._db = db
        self._served = {(r.api_version, r.kind) for r in resources.values()}
        self.resources = resources
        self.version = version
        self.now = now
        self.log_changes = 0
        self.log_bytes = 0
        self.touched: set[str] = set()
        self.unsettled_uids: set[str] = set()
        self.unsettled_namespaces: set[str] = set()

    def touch(self) -> None:
        """Write a page as it is."""
        self._db.execute("UPDATE facts SET value = value WHERE name = 'floor'")

    def get(self, resource: Resource, namespace: str, name: str) -> Stored | None:
        """The object as this transaction sees it."""
        row = self._db.execute(
            "SELECT version, body FROM objects WHERE resource = ? AND namespace = ? AND name = ?",
            (resource.key, namespace, name),
        ).fetchone()
        return Stored(namespace, name, row[0], row[1]) if row else None

    def put(self, resource: Resource, content: JsonObject, before: Stored | None) -> Stored:
        """Write an object and its entry in the log; the content gets its new resourceVersion."""
        stored = self._log("MODIFIED" if before else "ADDED", resource, content, before)
        metadata = content["metadata"]
        deleting = "deletionTimestamp" in metadata
        self._db.execute(
            "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "version = excluded.version, deleting = excluded.deleting, body = excluded.body",
            (resource.key, stored.namespace, stored.name, metadata["uid"], stored.version, deleting, stored.body),
        )
        if before is None or before.content["metadata"].get("ownerReferences") != metadata.get("ownerReferences"):
            self._note_owners(resource, stored, metadata)
        if deleting:
            self.unsettled_uids.add(metadata["uid"])
            self._unsettle(resource, stored)
        return stored

    def remove(self, resource: Resource, content: JsonObject, before: Stored) -> Stored:
        """Take an object away; its last state goes into the log under a version of its own."""
        stored = self._log("DELETED", resource, content, before)
        key = (resource.key, before.namespace, before.name)
        self._db.execute("DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?", key)
        self._db.execute("DELETE FROM owners WHERE resource = ? AND namespace = ? AND name = ?", key)
        self.unsettled_uids.add(content["metadata"]["uid"])
        for reference in content["metadata"].get("ownerReferences") or ():
            self.unsettled_uids.add(reference["uid"])  # a foreground deletion may wait for this one
        self._unsettle(resource, stored)
        return stored

    def dependents(self, owner_uid: str) -> list[tuple[Resource, Stored]]:
        """Objects that name this owner."""
        rows = self._db.execute(
            "SELECT resource, namespace, name FROM owners WHERE owner_uid = ?", (owner_uid,)
        ).fetchall()
        return self._load(rows)

    def in_namespace(self, namespace: str) -> list[tuple[Resource, Stored]]:
        """Everything that lies in a namespace."""
        keys = [r.key for r in self.resources.values() if r.namespaced]
        marks = ", ".join("?" * len(keys))
        rows = self._db.execute(
            f"SELECT resource, namespace, name FROM objects WHERE resource IN ({marks}) AND namespace = ?",
            (*keys, namespace),
        ).fetchall()
        return self._load(rows)

    def by_uid(self, uid: str) -> tuple[Resource, Stored] | None:
        """The object with this uid."""
        rows = self._db.execute("SELECT resource, namespace, name FROM objects WHERE uid = ?", (uid,)).fetchall()
        found = self._load(rows)
        return found[0] if found else None

    def missing_owners(self) -> list[str]:
        """Every owner uid that is named and does not exist; a full scan, for the first sweep after opening."""
        rows = self._db.execute(
            "SELECT DISTINCT owner_uid FROM owners WHERE owner_uid NOT IN (SELECT uid FROM objects)"
        ).fetchall()
        return [row[0] for row in rows]

    def deleting(self) -> list[tuple[Resource, Stored]]:
        """Everything marked for deletion."""
        return self._load(self._db.execute("SELECT resource, namespace, name FROM objects WHERE deleting").fetchall())

    def _load(self, rows: Iterable[tuple[str, str, str]]) -> list[tuple[Resource, Stored]]:
        found = []
        for key, namespace, name in rows:
            resource = self.resources.get(key)
            stored = self.get(resource, namespace, name) if resource else None
            if resource and stored:
                found.append((resource, stored))
        return found

    def _log(self, type: ChangeType, resource: Resource, content: JsonObject, before: Stored | None) -> Stored:
        self.version += 1
        metadata = content["metadata"]
        metadata["resourceVersion"] = str(self.version)
        stored = Stored(metadata.get("namespace") or "", metadata["name"], self.version, body_of(content))
        previous = before.body if before else None
        self._db.execute(
            "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self.version, type, resource.key, stored.namespace, stored.name, stored.body, previous),
        )
        self.touched.add(resource.key)
        self.log_changes += 1
        self.log_bytes += len(stored.body) + len(previous or "")
        return stored

    def _note_owners(self, resource: Resource, stored: Stored, metadata: JsonObject) -> None:
        key = (resource.key, stored.namespace, stored.name)
        self._db.execute("DELETE FROM owners WHERE resource = ? AND namespace = ? AND name = ?", key)
        for reference in metadata.get("ownerReferences") or ():
            # Owners of kinds that we do not serve are beyond our judgement: they count as present.
            if (reference["apiVersion"], reference["kind"]) in self._served:
                self._db.execute("INSERT OR IGNORE INTO owners VALUES (?, ?, ?, ?)", (reference["uid"], *key))
                self.unsettled_uids.add(reference["uid"])  # looked at once: the owner may be gone already

    def _unsettle(self, resource: Resource, stored: Stored) -> None:
        if resource.key == "namespaces":
            self.unsettled_namespaces.add(stored.name)
        elif resource.namespaced:
            self.unsettled_namespaces.add(stored.namespace)


def copy_of(stored: Stored) -> JsonObject:
    """A fresh copy of a stored object that may be changed."""
    content: JsonObject = json.loads(stored.body)
    return content
