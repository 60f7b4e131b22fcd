"""A host in memory with the verbs of `AsyncClient`, for tests of protocols that need thousands of histories a second.

It keeps what a Kubernetes API server promises and nothing more: compare-and-swap on resourceVersion, uids, status apart
from spec, finalizers. `crash_after` makes the n-th call from now raise `Crashed`, before or after it took effect;
`lose_answer_after` makes it alone raise `Unreachable` after it took effect, which its caller lives to see.
"""

import copy
import itertools
from typing import Any

from tenure.client import AlreadyExists, Conflict, NotFound, ObjectList, Unreachable
from tenure.resources import ApiObject, kind_of


class Crashed(Exception):  # noqa: N818 - it plays a process that dies, not an error that is handled
    """The process died at this call."""


class MemoryHost:
    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._versions = itertools.count(1)
        self._uids = itertools.count(1)
        self._crash_in: int | None = None
        self._crash_applied = False
        self._error: Exception = Crashed()

    def crash_after(self, calls: int, *, applied: bool) -> None:
        """Die at the call after `calls` more; `applied`: the call's effect stays, only its answer is lost."""
        self._crash_in, self._crash_applied, self._error = calls, applied, Crashed()

    def lose_answer_after(self, calls: int) -> None:
        """The call after `calls` more takes effect, and its answer never comes."""
        self._crash_in, self._crash_applied, self._error = calls, True, Unreachable("no answer came", sent=True)

    def heal(self) -> None:
        self._crash_in = None

    async def get(self, model: type[ApiObject], name: str, *, namespace: str | None = None) -> Any:
        self._step()
        return self._decode(model, self._find(model, name, namespace))

    async def list(self, model: type[ApiObject], **_: Any) -> ObjectList[Any]:
        self._step()
        kind = kind_of(model).kind
        found = [self._decode(model, o) for key, o in sorted(self.objects.items()) if key[0] == kind]
        return ObjectList(found, str(next(self._versions)))

    async def create(self, obj: Any) -> Any:
        late = self._step()
        model: type[ApiObject] = type(obj)
        key = self._key(model, obj.name, obj.namespace)
        if key in self.objects:
            raise AlreadyExists(f"{key} exists")
        stored = obj.to_json()
        if kind_of(model).status_subresource:
            stored.pop("status", None)
        stored["metadata"] |= {"uid": f"uid-{next(self._uids)}", "generation": 1}
        self._store(key, stored)
        self._die_if(late)
        return self._decode(type(obj), stored)

    async def replace(self, obj: Any) -> Any:
        return self._swap(obj, lambda old, new: {**new, **({"status": old["status"]} if "status" in old else {})})

    async def replace_status(self, obj: Any) -> Any:
        return self._swap(obj, lambda old, new: {**old, "status": new.get("status", {})})

    async def delete(
        self,
        model: type[ApiObject],
        name: str,
        *,
        namespace: str | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
    ) -> None:
        late = self._step()
        stored = self._find(model, name, namespace)
        if uid is not None and stored["metadata"]["uid"] != uid:
            raise Conflict("another uid")
        if resource_version is not None and stored["metadata"]["resourceVersion"] != resource_version:
            raise Conflict("another version")
        if stored["metadata"].get("finalizers"):
            stored["metadata"].setdefault("deletionTimestamp", "2026-01-01T00:00:00Z")
            self._store(self._key(model, name, namespace), stored)
        else:
            del self.objects[self._key(model, name, namespace)]
        self._die_if(late)

    def _swap(self, obj: Any, merge: Any) -> Any:
        late = self._step()
        stored = self._find(type(obj), obj.name, obj.namespace)
        if obj.metadata.resource_version != stored["metadata"]["resourceVersion"]:
            raise Conflict(f"{obj.name} changed meanwhile")
        key = self._key(type(obj), obj.name, obj.namespace)
        merged = merge(stored, obj.to_json())
        if merged["metadata"].get("deletionTimestamp") and not merged["metadata"].get("finalizers"):
            del self.objects[key]
        else:
            self._store(key, merged)
        self._die_if(late)
        return self._decode(type(obj), merged)

    def _store(self, key: tuple[str, str, str], stored: dict[str, Any]) -> None:
        stored["metadata"]["resourceVersion"] = str(next(self._versions))
        self.objects[key] = copy.deepcopy(stored)

    def _find(self, model: type[ApiObject], name: str, namespace: str | None) -> dict[str, Any]:
        try:
            return copy.deepcopy(self.objects[self._key(model, name, namespace)])
        except KeyError:
            raise NotFound(f"{model.__name__} {name}") from None

    @staticmethod
    def _key(model: type[ApiObject], name: str, namespace: str | None) -> tuple[str, str, str]:
        kind = kind_of(model)
        return kind.kind, (namespace or "default") if kind.namespaced else "", name

    @staticmethod
    def _decode(model: type[ApiObject], stored: dict[str, Any]) -> Any:
        return model.model_validate(copy.deepcopy(stored))

    def _step(self) -> bool:
        """True when this call takes effect and its answer is lost."""
        if self._crash_in is None:
            return False
        self._crash_in -= 1
        if self._crash_in >= 0:
            return False
        if not self._crash_applied:
            raise self._error
        if isinstance(self._error, Unreachable):
            self.heal()
        return True

    def _die_if(self, late: bool) -> None:
        if late:
            raise self._error
