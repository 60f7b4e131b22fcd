"""The embedded host's memory: JSON objects of some resources in one SQLite file, and the log of all their changes.

Promises: an acknowledged write is on disk; one growing version over all objects; lists as of one version; a log that
any reader follows by cursor across restarts, until compaction says so; compare-and-swap; finalizers, owner references
and namespaces as Kubernetes keeps them. Refuses: to write to a disk or file that cannot be trusted (reads go on), and
to judge what is in an object beyond its metadata.
"""

from tenure.store.backup import back_up, back_up_file, restore, verify
from tenure.store.errors import (
    FieldRefusedError,
    NamespaceNotFoundError,
    NamespaceTerminatingError,
    ObjectConflictError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectProtectedError,
    StoreBusyError,
    StoreError,
    StoreInUseError,
    StoreUnreadableError,
    StoreUnwritableError,
    VersionExpiredError,
)
from tenure.store.sqlite import NAMESPACES, Store
from tenure.store.values import (
    Change,
    Changes,
    Deleted,
    Page,
    Part,
    Propagation,
    Resource,
    Statistics,
    Stored,
    body_of,
)
from tenure.store.writer import LogBounds

__all__ = [
    "NAMESPACES",
    "Change",
    "Changes",
    "Deleted",
    "FieldRefusedError",
    "LogBounds",
    "NamespaceNotFoundError",
    "NamespaceTerminatingError",
    "ObjectConflictError",
    "ObjectExistsError",
    "ObjectNotFoundError",
    "ObjectProtectedError",
    "Page",
    "Part",
    "Propagation",
    "Resource",
    "Statistics",
    "Store",
    "StoreBusyError",
    "StoreError",
    "StoreInUseError",
    "StoreUnreadableError",
    "StoreUnwritableError",
    "Stored",
    "VersionExpiredError",
    "back_up",
    "back_up_file",
    "body_of",
    "restore",
    "verify",
]
