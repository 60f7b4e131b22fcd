"""Stores and objects for the tests of the store."""

from pathlib import Path
from typing import Any

from tenure.quantities import VirtualClock
from tenure.store import NAMESPACES, LogBounds, Resource, Store, Stored

WIDGETS = Resource("test.dev", "v1", "Widget", "widgets")
GADGETS = Resource("test.dev", "v1", "Gadget", "gadgets", namespaced=False)
NOTES = Resource("", "v1", "Note", "notes", has_status=False)
RESOURCES = (WIDGETS, GADGETS, NOTES)


def open_store(folder: Path, *, clock: VirtualClock | None = None, bounds: LogBounds | None = None) -> Store:
    store = Store(folder / "state.db", RESOURCES, clock=clock, bounds=bounds)
    if store.refusal is None and store.get(NAMESPACES, "", "default") is None:
        make_namespace(store, "default")
    return store


def make_namespace(store: Store, name: str) -> Stored:
    return store.create(NAMESPACES, {"metadata": {"name": name}}).result()


def widget(name: str = "a", *, namespace: str = "default", spec: Any = None, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, **metadata}, "spec": spec or {"size": 1}}


def gadget(name: str = "g", **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **metadata}, "spec": {}}


def make(store: Store, name: str = "a", **more: Any) -> Stored:
    return store.create(WIDGETS, widget(name, **more)).result()


def owned_by(owner: Stored, resource: Resource) -> list[dict[str, Any]]:
    uid = owner.content["metadata"]["uid"]
    return [{"apiVersion": resource.api_version, "kind": resource.kind, "name": owner.name, "uid": uid}]


def settle(store: Store) -> None:
    """Wait until the collector has nothing left to do: each round of it ends with a commit."""
    for _ in range(20):
        store.create(NOTES, {"metadata": {"name": "x", "namespace": "default"}}, dry_run=True).exception()
