"""The log of changes: consistent lists, cursors, compaction, and restarts."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.store import Change, LogBounds, Store, VersionExpiredError
from tests.store.builders import GADGETS, WIDGETS, gadget, make, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def set_size(store: Store, name: str, size: int) -> int:
    current = store.get(WIDGETS, "default", name)
    assert current is not None
    return store.update(WIDGETS, {**current.content, "spec": {"size": size}}).result().version


def told(changes: tuple[Change, ...]) -> list[tuple[str, str, int]]:
    return [(change.type, change.name, change.version) for change in changes]


def test_versions_grow_over_all_objects(store: Store) -> None:
    one = make(store, "a").version
    two = store.create(GADGETS, gadget()).result().version
    three = set_size(store, "a", 2)
    assert one < two < three == store.version


def test_a_cursor_sees_each_change_of_its_resource_once_and_in_order(store: Store) -> None:
    start = store.version
    created = make(store, "a").version
    store.create(GADGETS, gadget()).result()
    changed = set_size(store, "a", 2)
    store.delete(WIDGETS, "default", "a").result()
    expected = [("ADDED", "a", created), ("MODIFIED", "a", changed), ("DELETED", "a", store.version)]
    assert told(store.changes(WIDGETS, start).items) == expected
    seen, cursor = [], start
    while cursor < store.version:
        piece = store.changes(WIDGETS, cursor, limit=1)
        seen += told(piece.items)
        cursor = piece.through
    assert seen == expected


def test_a_change_knows_the_state_before_it(store: Store) -> None:
    start = store.version
    make(store, "a")
    set_size(store, "a", 2)
    added, modified = store.changes(WIDGETS, start).items
    assert added.previous is None
    assert modified.previous_content == added.content


def test_a_deletion_carries_the_last_state_under_its_own_version(store: Store) -> None:
    make(store, "a")
    start = store.version
    store.delete(WIDGETS, "default", "a").result()
    (deleted,) = store.changes(WIDGETS, start).items
    assert deleted.content["spec"] == {"size": 1}
    assert deleted.content["metadata"]["resourceVersion"] == str(deleted.version)


def test_pages_show_one_moment_while_others_write(store: Store) -> None:
    for name in "abcdef":
        make(store, name)
    first = store.list(WIDGETS, limit=2)
    store.delete(WIDGETS, "default", "c").result()
    set_size(store, "d", 9)
    make(store, "ee")
    seen = list(first.items)
    page = first
    while page.more:
        last = page.items[-1]
        page = store.list(WIDGETS, after=(last.namespace, last.name), at=first.version, limit=2)
        seen += page.items
        assert page.version == first.version
    assert [(item.name, item.content["spec"]["size"]) for item in seen] == [(name, 1) for name in "abcdef"]


def test_a_list_as_of_any_version_in_the_log(store: Store) -> None:
    history = []
    make(store, "a")
    for size in range(2, 6):
        history.append((store.version, {i.name: i.content["spec"]["size"] for i in store.list(WIDGETS).items}))
        set_size(store, "a", size)
        make(store, f"n{size}")
        store.delete(WIDGETS, "default", f"n{size}").result()
    for version, state in history:
        assert {i.name: i.content["spec"]["size"] for i in store.list(WIDGETS, at=version).items} == state


def test_lists_are_of_one_namespace_or_one_name_or_all(store: Store) -> None:
    from tests.store.builders import make_namespace

    make_namespace(store, "other")
    make(store, "a")
    make(store, "b")
    make(store, "a", namespace="other")
    assert [i.name for i in store.list(WIDGETS, "default").items] == ["a", "b"]
    assert [i.namespace for i in store.list(WIDGETS, name="a").items] == ["default", "other"]


class TestCompaction:
    def test_expires_older_cursors_and_lists(self, store: Store) -> None:
        make(store, "a")
        old = store.version
        set_size(store, "a", 2)
        new = store.version
        store.compact(new)
        with pytest.raises(VersionExpiredError):
            store.changes(WIDGETS, old)
        with pytest.raises(VersionExpiredError):
            store.list(WIDGETS, at=old)
        assert store.changes(WIDGETS, new).items == ()
        assert len(store.list(WIDGETS).items) == 1

    def test_never_lets_versions_start_again(self, store: Store, tmp_path: Path) -> None:
        make(store, "a")
        version = store.version
        store.compact(version)
        store.close()
        again = open_store(tmp_path)
        assert again.version == version
        assert make(again, "b").version == version + 1
        again.close()

    def test_keeps_the_log_within_its_bounds(self, tmp_path: Path) -> None:
        store = open_store(tmp_path, bounds=LogBounds(changes=50))
        make(store, "a")
        for size in range(300):
            set_size(store, "a", size + 2)
        figures = store.statistics()
        assert figures.log_changes <= 60
        assert figures.compacted_version >= 240
        assert len(store.changes(WIDGETS, store.version - 50).items) == 50
        store.close()


def test_a_version_ahead_of_the_store_is_refused(store: Store) -> None:
    with pytest.raises(VersionExpiredError, match="ahead"):
        store.changes(WIDGETS, store.version + 1)


def test_cursors_go_on_after_a_restart(store: Store, tmp_path: Path) -> None:
    make(store, "a")
    cursor = store.version
    make(store, "b")
    store.close()
    again = open_store(tmp_path)
    make(again, "c")
    assert [name for _, name, _ in told(again.changes(WIDGETS, cursor).items)] == ["b", "c"]
    again.close()


def test_listeners_hear_which_resources_changed(store: Store) -> None:
    heard: list[tuple[int, frozenset[str]]] = []
    stop = store.on_commit(lambda version, resources: heard.append((version, resources)))
    make(store, "a")
    stop()
    make(store, "b")
    assert heard == [(store.version - 1, frozenset({"widgets.test.dev"}))]


def test_texts_of_any_script_come_back_as_they_were(store: Store) -> None:
    text = "Ω \u0000 \U0001f9ea 'quoted' \"too\""
    made = make(store, "a", annotations={"k": text})
    found = store.get(WIDGETS, "default", "a")
    assert found is not None
    assert found.content["metadata"]["annotations"]["k"] == text
    assert json.loads(made.body) == found.content
