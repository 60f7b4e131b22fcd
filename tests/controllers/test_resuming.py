"""A lost run is resumed from its own record: what its contract would ask for by now is not looked at, and a run that is
only out of reach is not given up."""

from pathlib import Path
from typing import Any, cast

import pytest

from tenure.controllers.contract import active
from tenure.engines import (
    EndReason,
    EngineFailure,
    EngineUnreachable,
    Phase,
    RunNotFound,
    RunNotRecorded,
    RunState,
    RunUnreadable,
    StartFailed,
)
from tenure.engines.local.translate import unknown_run
from tests.controllers.test_judging import Service


class Engine:
    """Knows how to resume, and nothing else: a start with a spec would fail the test."""

    def __init__(self, failure: EngineFailure | None) -> None:
        self.failure = failure
        self.resumed: list[str] = []

    def resume(self, run_id: str) -> RunState:
        self.resumed.append(run_id)
        if self.failure is not None:
            raise self.failure
        return unknown_run(run_id, (), "", Phase.RUNNING)


async def said_of(
    failure: EngineFailure | None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, list[str], Service]:
    """What is said of the contract, and which runs were resumed."""
    service = Service(folder)
    plane = cast(Any, service.plane)
    engine = plane.engine = Engine(failure)
    plane.client = None  # events are caught below
    said = ["resumed"]

    async def cannot_say(_plane: Any, _contract: Any, reason: str, _why: str) -> None:
        said.append(reason)

    async def lost(*_: Any) -> None:
        said.append("Lost")

    async def event(*_: Any, **__: Any) -> None: ...

    monkeypatch.setattr(active, "_cannot_say", cannot_say)
    monkeypatch.setattr(active, "_lost", lost)
    monkeypatch.setattr(active, "record", event)
    gone = unknown_run(service.contract.spec.hold.id, (), "the machine was started anew since", Phase.LOST)
    assert gone.reason is EndReason.NEVER_STARTED
    await active._resume(service.plane, service.contract, gone)
    return said[-1], engine.resumed, service


async def test_its_own_record_is_all_that_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, resumed, service = await said_of(None, tmp_path, monkeypatch)
    assert (said, resumed) == ("resumed", [service.contract.spec.hold.id])


@pytest.mark.parametrize("kind", [EngineUnreachable, RunNotRecorded, RunUnreadable])
async def test_what_is_only_out_of_reach_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[EngineFailure]
) -> None:
    said, _, _ = await said_of(kind("not now"), tmp_path, monkeypatch)
    assert said == kind.code


@pytest.mark.parametrize("kind", [StartFailed, RunNotFound])
async def test_twin_what_cannot_run_again_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[EngineFailure]
) -> None:
    said, _, _ = await said_of(kind("never"), tmp_path, monkeypatch)
    assert said == "Lost"
