"""Owner references: what goes when its owner goes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.store import NAMESPACES, Store
from tests.store.builders import GADGETS, WIDGETS, gadget, make, open_store, owned_by, settle


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def exists(store: Store, name: str) -> bool:
    return store.get(WIDGETS, "default", name) is not None


def test_a_chain_goes_with_its_first_owner(store: Store) -> None:
    first = make(store, "first")
    second = make(store, "second", ownerReferences=owned_by(first, WIDGETS))
    make(store, "third", ownerReferences=owned_by(second, WIDGETS))
    store.delete(WIDGETS, "default", "first").result()
    settle(store)
    assert not any(exists(store, name) for name in ("first", "second", "third"))


def test_one_owner_left_is_enough(store: Store) -> None:
    one, two = make(store, "one"), make(store, "two")
    make(store, "shared", ownerReferences=[*owned_by(one, WIDGETS), *owned_by(two, WIDGETS)])
    store.delete(WIDGETS, "default", "one").result()
    settle(store)
    assert exists(store, "shared")
    store.delete(WIDGETS, "default", "two").result()
    settle(store)
    assert not exists(store, "shared")


def test_an_owner_that_is_held_keeps_its_dependents(store: Store) -> None:
    owner = make(store, "owner", finalizers=["test.dev/one"])
    make(store, "dependent", ownerReferences=owned_by(owner, WIDGETS))
    store.delete(WIDGETS, "default", "owner").result()
    settle(store)
    assert exists(store, "dependent")


def test_a_dependent_born_too_late_goes(store: Store) -> None:
    owner = make(store, "owner")
    store.delete(WIDGETS, "default", "owner").result()
    make(store, "late", ownerReferences=owned_by(owner, WIDGETS))
    settle(store)
    assert not exists(store, "late")


def test_owners_of_kinds_that_are_not_served_count_as_present(store: Store) -> None:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": "beyond-us"}
    make(store, "guest", ownerReferences=[reference])
    settle(store)
    assert exists(store, "guest")


def test_cluster_scoped_owners(store: Store) -> None:
    owner = store.create(GADGETS, gadget("g")).result()
    make(store, "dependent", ownerReferences=owned_by(owner, GADGETS))
    store.delete(GADGETS, "", "g").result()
    settle(store)
    assert not exists(store, "dependent")


def test_orphaned_dependents_stay_and_forget(store: Store) -> None:
    owner = make(store, "owner")
    make(store, "dependent", ownerReferences=owned_by(owner, WIDGETS))
    store.delete(WIDGETS, "default", "owner", propagation="Orphan").result()
    settle(store)
    left = store.get(WIDGETS, "default", "dependent")
    assert left is not None
    assert "ownerReferences" not in left.content["metadata"]


def test_foreground_deletion_takes_the_dependents_first(store: Store) -> None:
    owner = make(store, "owner")
    make(store, "dependent", ownerReferences=owned_by(owner, WIDGETS), finalizers=["test.dev/one"])
    assert not store.delete(WIDGETS, "default", "owner", propagation="Foreground").result().removed
    settle(store)
    assert exists(store, "owner")
    dependent = store.get(WIDGETS, "default", "dependent")
    assert dependent is not None
    assert "deletionTimestamp" in dependent.content["metadata"]
    freed = json.loads(dependent.body)
    del freed["metadata"]["finalizers"]
    store.update(WIDGETS, freed).result()
    settle(store)
    assert not exists(store, "owner")


def test_a_sweep_cut_short_by_a_crash_is_finished_after_opening(store: Store, tmp_path: Path) -> None:
    owner = make(store, "owner")
    make(store, "dependent", ownerReferences=owned_by(owner, WIDGETS))
    writer = store._writer
    assert writer is not None
    # As if the process had died between the deletion's commit and the sweep's: only the owner's row is gone.
    store.close()
    import sqlite3

    db = sqlite3.connect(tmp_path / "state.db")
    db.execute("DELETE FROM objects WHERE name = 'owner'")
    db.commit()
    db.close()
    again = open_store(tmp_path)
    settle(again)
    assert again.get(WIDGETS, "default", "dependent") is None
    again.close()


def test_a_thousand_dependents_go_without_holding_up_others(store: Store) -> None:
    owner = make(store, "owner")
    references = owned_by(owner, WIDGETS)
    futures = [
        store.create(WIDGETS, {"metadata": {"name": f"d{i}", "namespace": "default", "ownerReferences": references}})
        for i in range(1000)
    ]
    for future in futures:
        future.result()
    store.delete(WIDGETS, "default", "owner").result()
    make(store, "bystander")
    settle(store)
    assert [item.name for item in store.list(WIDGETS).items] == ["bystander"]


def test_a_protected_namespace_outlives_its_owner_and_stops_nobody(store: Store) -> None:
    owner = store.create(GADGETS, gadget("g")).result()
    default = store.get(NAMESPACES, "", "default")
    assert default is not None
    owned = json.loads(default.body)
    owned["metadata"]["ownerReferences"] = owned_by(owner, GADGETS)
    store.update(NAMESPACES, owned).result()
    make(store, "dependent", ownerReferences=owned_by(owner, GADGETS))
    store.delete(GADGETS, "", "g").result()
    settle(store)
    assert store.get(NAMESPACES, "", "default") is not None
    assert not exists(store, "dependent")
