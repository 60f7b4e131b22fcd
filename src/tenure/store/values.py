"""What goes into the store and what comes out: frozen values around plain JSON objects."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]
Propagation = Literal["Background", "Foreground", "Orphan"]
Part = Literal["main", "status"]
JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as the store knows it. `has_status`: the status has its own door, and specs are counted by generation."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    has_status: bool = True

    @property
    def key(self) -> str:
        """plural.group, as Kubernetes writes it in messages and as rows are keyed."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        """group/version, or the version alone for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version


@dataclass(frozen=True)
class Stored:
    """An object as it lies in the store. `body` is its JSON text with metadata.resourceVersion = `version` in it."""

    namespace: str
    name: str
    version: int
    body: str

    @cached_property
    def content(self) -> JsonObject:
        """The parsed body; treat it as read-only."""
        parsed: JsonObject = json.loads(self.body)
        return parsed


@dataclass(frozen=True)
class Change:
    """One entry of the log. `previous` is the body before it (None for ADDED); for DELETED `body` is the last state."""

    type: ChangeType
    namespace: str
    name: str
    version: int
    body: str
    previous: str | None

    @cached_property
    def content(self) -> JsonObject:
        """The parsed body; treat it as read-only."""
        parsed: JsonObject = json.loads(self.body)
        return parsed

    @cached_property
    def previous_content(self) -> JsonObject | None:
        """The parsed body before the change."""
        return json.loads(self.previous) if self.previous is not None else None


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list: objects in order of (namespace, name), all as of `version`; `more` says whether others follow."""

    items: tuple[Stored, ...]
    version: int
    more: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """Part of the log: nothing of interest lies between the version asked for and `through` except `items`."""

    items: tuple[Change, ...]
    through: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deletion did: `removed`, or only marked because finalizers hold it."""

    object: Stored
    removed: bool


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures for /metrics."""

    version: int
    compacted_version: int
    log_changes: int
    log_bytes: int
    commits: int
    writes: int
    waiting_writes: int
    commit_seconds: float
    objects: Mapping[str, int]
    file_bytes: int


def body_of(content: JsonObject) -> str:
    """JSON text as it is stored and served."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
