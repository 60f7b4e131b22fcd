"""Random histories against a few lines of Python that say what a store is."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tenure.store import Change, ObjectConflictError, ObjectExistsError, ObjectNotFoundError, Store, VersionExpiredError
from tests.store.builders import WIDGETS, open_store, widget

NAMES = st.sampled_from(["a", "b", "c"])


class Histories(RuleBasedStateMachine):
    """The store must agree with `expected` (name -> spec), and a follower of the log must rebuild it at any time."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store: Store = open_store(self.folder)
        self.expected: dict[str, Any] = {}
        self.held: set[str] = set()
        self.deleting: set[str] = set()
        self.cursor = self.store.version
        self.follower: dict[str, Any] = {}
        self.snapshots: list[tuple[int, dict[str, Any]]] = []

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    @rule(name=NAMES, size=st.integers(0, 3), held=st.booleans())
    def create(self, name: str, size: int, held: bool) -> None:
        more: dict[str, Any] = {"finalizers": ["test.dev/one"]} if held else {}
        error = self.store.create(WIDGETS, widget(name, spec={"size": size}, **more)).exception()
        if name in self.expected:
            assert isinstance(error, ObjectExistsError)
            return
        assert error is None
        self.expected[name] = {"size": size}
        if held:
            self.held.add(name)

    @rule(name=NAMES, size=st.integers(0, 3), stale=st.booleans())
    def update(self, name: str, size: int, stale: bool) -> None:
        current = self.store.get(WIDGETS, "default", name)
        assert (current is not None) == (name in self.expected)
        if current is None:
            return
        content = {**current.content, "spec": {"size": size}}
        if stale:
            content["metadata"] = {**content["metadata"], "resourceVersion": str(current.version + 1_000)}
            assert isinstance(self.store.update(WIDGETS, content).exception(), ObjectConflictError)
            return
        changed = self.store.update(WIDGETS, content).result()
        generation = current.content["metadata"]["generation"]
        moved = self.expected[name] != {"size": size}
        assert changed.content["metadata"]["generation"] == generation + moved
        assert (changed.version > current.version) == moved
        self.expected[name] = {"size": size}

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        outcome = self.store.delete(WIDGETS, "default", name)
        if name not in self.expected:
            assert isinstance(outcome.exception(), ObjectNotFoundError)
            return
        assert outcome.result().removed == (name not in self.held)
        if name in self.held:
            self.deleting.add(name)
        else:
            del self.expected[name]

    @rule(name=NAMES)
    def release(self, name: str) -> None:
        current = self.store.get(WIDGETS, "default", name)
        if current is None or name not in self.held:
            return
        content = json.loads(current.body)
        del content["metadata"]["finalizers"]
        self.store.update(WIDGETS, content).result()
        self.held.discard(name)
        if name in self.deleting:
            self.deleting.discard(name)
            del self.expected[name]

    @rule()
    def restart(self) -> None:
        version = self.store.version
        self.store.close()
        self.store = open_store(self.folder)
        assert self.store.version == version

    @rule()
    def remember(self) -> None:
        self.snapshots.append((self.store.version, dict(self.expected)))

    @rule()
    def compact(self) -> None:
        self.follow()
        self.store.compact(self.store.version)
        for version, _ in self.snapshots:
            if version < self.store.version:
                try:
                    self.store.list(WIDGETS, at=version)
                    raise AssertionError("a list from before the log")
                except VersionExpiredError:
                    pass
        self.snapshots = [s for s in self.snapshots if s[0] == self.store.version]

    @rule(limit=st.integers(1, 3))
    def follow(self, limit: int = 2) -> None:
        while self.cursor < self.store.version:
            piece = self.store.changes(WIDGETS, self.cursor, limit=limit)
            for change in piece.items:
                self.apply(change)
            self.cursor = piece.through
        assert self.follower == self.expected

    def apply(self, change: Change) -> None:
        assert change.version > self.cursor
        known = change.name in self.follower
        assert known == (change.type != "ADDED")
        if change.type == "DELETED":
            del self.follower[change.name]
        else:
            self.follower[change.name] = change.content["spec"]

    @invariant()
    def lists_agree(self) -> None:
        if not hasattr(self, "store"):
            return
        listed = {item.name: item.content["spec"] for item in self.store.list(WIDGETS).items}
        assert listed == self.expected
        for version, state in self.snapshots:
            page = self.store.list(WIDGETS, at=version)
            assert {item.name: item.content["spec"] for item in page.items} == state


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
