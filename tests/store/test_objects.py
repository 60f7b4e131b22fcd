"""How objects come, change and go. Any store must pass this."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.quantities import VirtualClock
from tenure.store import (
    NAMESPACES,
    FieldRefusedError,
    NamespaceTerminatingError,
    ObjectConflictError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectProtectedError,
    Store,
)
from tests.store.builders import GADGETS, NOTES, WIDGETS, gadget, make, make_namespace, open_store, settle, widget


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1_800_000_000_000)


@pytest.fixture
def store(tmp_path: Path, clock: VirtualClock) -> Iterator[Store]:
    opened = open_store(tmp_path, clock=clock)
    yield opened
    opened.close()


class TestCreate:
    def test_gives_uid_version_generation_and_time(self, store: Store) -> None:
        made = make(store)
        metadata = made.content["metadata"]
        assert metadata["generation"] == 1
        assert metadata["creationTimestamp"] == "2027-01-15T08:00:00Z"
        assert metadata["resourceVersion"] == str(made.version) == str(store.version)
        assert len(metadata["uid"]) == 36
        assert made.content["apiVersion"] == "test.dev/v1"
        assert store.get(WIDGETS, "default", "a") == made

    def test_ignores_what_only_the_host_writes(self, store: Store) -> None:
        made = make(store, uid="mine", generation=7, creationTimestamp="1999-01-01T00:00:00Z", deletionTimestamp="x")
        metadata = made.content["metadata"]
        assert metadata["uid"] != "mine"
        assert metadata["generation"] == 1
        assert metadata["creationTimestamp"] == "2027-01-15T08:00:00Z"
        assert "deletionTimestamp" not in metadata

    def test_drops_the_status_where_it_has_its_own_door(self, store: Store) -> None:
        made = store.create(WIDGETS, {**widget(), "status": {"phase": "Done"}}).result()
        assert "status" not in made.content
        note = store.create(NOTES, {**widget("n"), "status": "kept"}).result()
        assert note.content["status"] == "kept"
        assert "generation" not in note.content["metadata"]

    def test_completes_a_generated_name(self, store: Store) -> None:
        first = store.create(WIDGETS, {"metadata": {"generateName": "w-", "namespace": "default"}}).result()
        second = store.create(WIDGETS, {"metadata": {"generateName": "w-", "namespace": "default"}}).result()
        assert first.name != second.name
        assert first.name.startswith("w-")
        assert len(first.name) == len("w-") + 5

    def test_refuses_a_name_that_is_taken(self, store: Store) -> None:
        make(store)
        with pytest.raises(ObjectExistsError, match=r'widgets.test.dev "a" already exists'):
            make(store)

    def test_refuses_a_namespace_that_is_not_there(self, store: Store) -> None:
        with pytest.raises(ObjectNotFoundError, match='namespaces "nowhere" not found'):
            make(store, namespace="nowhere")

    def test_refuses_an_object_that_was_read_elsewhere(self, store: Store) -> None:
        with pytest.raises(FieldRefusedError) as refused:
            make(store, resourceVersion="5")
        assert refused.value.field == "metadata.resourceVersion"

    def test_refuses_no_name(self, store: Store) -> None:
        with pytest.raises(FieldRefusedError):
            store.create(WIDGETS, {"metadata": {"namespace": "default"}}).result()

    def test_rehearses_without_keeping(self, store: Store) -> None:
        before = store.version
        assert store.create(WIDGETS, widget(), dry_run=True).result().name == "a"
        assert store.get(WIDGETS, "default", "a") is None
        assert store.version == before


class TestUpdate:
    def test_swaps_only_from_the_version_that_was_read(self, store: Store) -> None:
        made = make(store)
        changed = {**made.content, "spec": {"size": 2}}
        assert store.update(WIDGETS, changed).result().content["spec"] == {"size": 2}
        with pytest.raises(ObjectConflictError):
            store.update(WIDGETS, {**made.content, "spec": {"size": 3}}).result()

    def test_needs_a_version(self, store: Store) -> None:
        make(store)
        with pytest.raises(FieldRefusedError, match="must be specified"):
            store.update(WIDGETS, widget()).result()

    def test_counts_changes_of_the_spec_and_no_others(self, store: Store) -> None:
        current = make(store)
        labelled = json.loads(current.body)
        labelled["metadata"]["labels"] = {"app": "chat"}
        current = store.update(WIDGETS, labelled).result()
        assert current.content["metadata"]["generation"] == 1
        current = store.update(WIDGETS, {**current.content, "status": {"phase": "Done"}}, "status").result()
        assert current.content["metadata"]["generation"] == 1
        current = store.update(WIDGETS, {**current.content, "spec": {"size": 9}}).result()
        assert current.content["metadata"]["generation"] == 2

    def test_keeps_spec_and_status_apart(self, store: Store) -> None:
        made = make(store)
        both = {**made.content, "spec": {"size": 2}, "status": {"phase": "Done"}}
        status = store.update(WIDGETS, both, "status").result()
        assert status.content["spec"] == {"size": 1}
        assert status.content["status"] == {"phase": "Done"}
        main = store.update(WIDGETS, {**status.content, "spec": {"size": 3}, "status": {"phase": "No"}}).result()
        assert main.content["spec"] == {"size": 3}
        assert main.content["status"] == {"phase": "Done"}

    def test_uses_no_version_when_nothing_changes(self, store: Store) -> None:
        made = make(store)
        assert store.update(WIDGETS, {**made.content}).result() == made
        assert store.version == made.version

    def test_treats_empty_and_absent_metadata_alike(self, store: Store) -> None:
        made = make(store)
        same = json.loads(made.body)
        same["metadata"] |= {"labels": {}, "finalizers": []}
        assert store.update(WIDGETS, same).result().version == made.version

    def test_keeps_what_only_the_host_writes(self, store: Store) -> None:
        made = make(store)
        forged = json.loads(made.body)
        forged["metadata"] |= {"generation": 99, "creationTimestamp": "1999-01-01T00:00:00Z", "labels": {"a": "b"}}
        kept = store.update(WIDGETS, forged).result().content["metadata"]
        assert kept["generation"] == 1
        assert kept["creationTimestamp"] == made.content["metadata"]["creationTimestamp"]

    def test_refuses_another_objects_uid(self, store: Store) -> None:
        forged = json.loads(make(store).body)
        forged["metadata"]["uid"] = "another"
        with pytest.raises(ObjectConflictError, match="uid"):
            store.update(WIDGETS, forged).result()

    def test_of_what_is_not_there(self, store: Store) -> None:
        with pytest.raises(ObjectNotFoundError):
            store.update(WIDGETS, widget("ghost", resourceVersion="1")).result()


class TestDelete:
    def test_takes_the_object_away(self, store: Store) -> None:
        make(store)
        assert store.delete(WIDGETS, "default", "a").result().removed
        assert store.get(WIDGETS, "default", "a") is None
        with pytest.raises(ObjectNotFoundError):
            store.delete(WIDGETS, "default", "a").result()

    def test_waits_for_finalizers(self, store: Store, clock: VirtualClock) -> None:
        make(store, finalizers=["test.dev/one", "test.dev/two"])
        clock.advance(60_000)
        marked = store.delete(WIDGETS, "default", "a").result()
        assert not marked.removed
        content = json.loads(marked.object.body)
        assert content["metadata"]["deletionTimestamp"] == "2027-01-15T08:01:00Z"
        content["metadata"]["finalizers"] = ["test.dev/two"]
        content = json.loads(store.update(WIDGETS, content).result().body)
        assert store.get(WIDGETS, "default", "a") is not None
        del content["metadata"]["finalizers"]
        store.update(WIDGETS, content).result()
        assert store.get(WIDGETS, "default", "a") is None

    def test_twice_marks_once(self, store: Store) -> None:
        make(store, finalizers=["test.dev/one"])
        first = store.delete(WIDGETS, "default", "a").result()
        second = store.delete(WIDGETS, "default", "a").result()
        assert second.object.version == first.object.version

    def test_takes_no_new_finalizers_once_marked(self, store: Store) -> None:
        make(store, finalizers=["test.dev/one"])
        content = json.loads(store.delete(WIDGETS, "default", "a").result().object.body)
        content["metadata"]["finalizers"].append("test.dev/late")
        with pytest.raises(FieldRefusedError, match="no new finalizers"):
            store.update(WIDGETS, content).result()

    def test_cannot_be_taken_back(self, store: Store) -> None:
        make(store, finalizers=["test.dev/one"])
        content = json.loads(store.delete(WIDGETS, "default", "a").result().object.body)
        del content["metadata"]["deletionTimestamp"]
        content["metadata"]["labels"] = {"a": "b"}
        assert "deletionTimestamp" in store.update(WIDGETS, content).result().content["metadata"]

    def test_holds_to_its_preconditions(self, store: Store) -> None:
        made = make(store)
        with pytest.raises(ObjectConflictError):
            store.delete(WIDGETS, "default", "a", uid="another").result()
        with pytest.raises(ObjectConflictError):
            store.delete(WIDGETS, "default", "a", version="1").result()
        uid = made.content["metadata"]["uid"]
        assert store.delete(WIDGETS, "default", "a", uid=uid, version=str(made.version)).result().removed

    def test_rehearsed_leaves_it(self, store: Store) -> None:
        make(store)
        store.delete(WIDGETS, "default", "a", dry_run=True).result()
        assert store.get(WIDGETS, "default", "a") is not None


class TestNamespaces:
    def test_take_their_contents_with_them(self, store: Store) -> None:
        make_namespace(store, "team")
        make(store, "a", namespace="team")
        make(store, "held", namespace="team", finalizers=["test.dev/one"])
        make(store, "elsewhere")
        marked = store.delete(NAMESPACES, "", "team").result()
        assert not marked.removed
        assert marked.object.content["status"]["phase"] == "Terminating"
        settle(store)
        assert store.get(WIDGETS, "team", "a") is None
        assert store.get(NAMESPACES, "", "team") is not None
        held = store.get(WIDGETS, "team", "held")
        assert held is not None
        freed = json.loads(held.body)
        del freed["metadata"]["finalizers"]
        store.update(WIDGETS, freed).result()
        settle(store)
        assert store.get(NAMESPACES, "", "team") is None
        assert store.get(WIDGETS, "default", "elsewhere") is not None

    def test_that_go_take_nothing_new(self, store: Store) -> None:
        make_namespace(store, "team")
        make(store, "held", namespace="team", finalizers=["test.dev/one"])
        store.delete(NAMESPACES, "", "team").result()
        with pytest.raises(NamespaceTerminatingError):
            make(store, "late", namespace="team")

    def test_that_are_empty_go_at_once(self, store: Store) -> None:
        make_namespace(store, "team")
        assert store.delete(NAMESPACES, "", "team").result().removed

    def test_default_stays(self, store: Store) -> None:
        with pytest.raises(ObjectProtectedError):
            store.delete(NAMESPACES, "", "default").result()

    def test_cluster_scoped_objects_have_none(self, store: Store) -> None:
        assert store.create(GADGETS, gadget()).result().namespace == ""
