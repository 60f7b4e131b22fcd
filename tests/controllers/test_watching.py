"""What a look writes down: never more than was seen, and never nothing because something went wrong."""

from pathlib import Path

import pytest

from tenure.controllers.contract import active
from tenure.engines import Phase
from tenure.evidence import NotWrittenError
from tenure.resources.freshness import UNMEASURED_WINDOW_MS
from tests.controllers.test_judging import AT_MS
from tests.controllers.watched import AGREES, DIFFERS, NOT_READABLE, Watched, ready

pytestmark = pytest.mark.anyio


@pytest.fixture
def command(tmp_path: Path) -> Watched:
    """A contract with hard promises alone, as a job has it."""
    return Watched(tmp_path, promises={})


@pytest.fixture
def service(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


class TestHardPromisesAlone:
    async def test_what_runs_and_was_read_back_is_ready(self, command: Watched) -> None:
        seen = await command.look(AGREES)
        assert ready(seen) == ("True", "Active")
        assert seen.status is not None
        assert (seen.status.verdict, int(seen.status.observed_at or 0)) == ("Kept", AT_MS)

    async def test_a_command_that_is_started_again_and_again_is_not(self, command: Watched) -> None:
        await command.look(AGREES)
        seen = await command.look(phase=Phase.BACKING_OFF)
        assert ready(seen) == ("False", "NotRunning")
        assert seen.status is not None
        assert seen.status.verdict == "Unverifiable"

    async def test_one_look_at_nobody_says_nothing_and_a_window_of_them_does(self, command: Watched) -> None:
        await command.look(AGREES)
        command.clock.advance(UNMEASURED_WINDOW_MS)
        assert ready(await command.look()) == ("True", "Active")
        command.clock.advance(1)
        seen = await command.look()
        assert ready(seen) == ("Unknown", "NotReadBack")
        assert seen.status is not None
        assert seen.status.verdict == "Unverifiable"
        assert ready(await command.look(AGREES)) == ("True", "Active")

    async def test_what_was_never_read_is_not_ready(self, command: Watched) -> None:
        assert ready(await command.look()) == ("Unknown", "NotReadBack")

    async def test_a_limit_that_cannot_be_read_is_not_vouched_for_and_no_breach(self, command: Watched) -> None:
        await command.look(AGREES)
        command.clock.advance(UNMEASURED_WINDOW_MS + 1)
        seen = await command.look(NOT_READABLE)
        assert ready(seen) == ("Unknown", "NotReadBack")
        assert seen.status is not None
        assert seen.status.verdict == "Unverifiable"
        assert (seen.status.remedies, command.did) == ([], [])
        seen = await command.look(AGREES)
        assert ready(seen) == ("True", "Active")
        assert seen.status is not None
        assert seen.status.verdict == "Kept"

    async def test_a_limit_that_differs_is_restored_and_the_step_judged_by_what_is_read_after_it(
        self, command: Watched
    ) -> None:
        seen = await command.look(DIFFERS)
        assert command.did == ["restore-limits"]
        assert ready(seen) == ("False", "ReadBackDiffers")
        assert [(s.rung, s.outcome) for s in seen.status.remedies] == [("restore-limits", "InProgress")]
        command.clock.advance(6_000)
        seen = await command.look(AGREES)
        assert [(s.rung, s.outcome) for s in seen.status.remedies] == [("restore-limits", "Helped")]
        assert command.did == ["restore-limits"]

    async def test_a_step_after_which_it_still_differs_did_not_help_and_rests(self, command: Watched) -> None:
        await command.look(DIFFERS)
        for _ in range(3):
            command.clock.advance(6_000)
            seen = await command.look(DIFFERS)
        assert [(s.rung, s.outcome) for s in seen.status.remedies] == [("restore-limits", "DidNotHelp")]


async def test_how_young_the_evidence_is_is_written_twice_a_window_and_not_at_every_look(command: Watched) -> None:
    versions = set()
    for _ in range(30):
        versions.add((await command.look(AGREES)).metadata.resource_version)
        command.clock.advance(2_000)
    assert len(versions) <= 1 + 2 * 60_000 // UNMEASURED_WINDOW_MS


async def test_evidence_that_cannot_be_written_is_unverifiable_and_taken_up_again(
    service: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.serve(21)
    assert ready(await service.look(AGREES)) == ("True", "Kept")
    service.serve(10)
    with monkeypatch.context() as full:

        def refuse(_: object) -> None:
            raise NotWrittenError("no space left on device")

        full.setattr(service.plane.log, "append_all", refuse)
        seen = await service.look(AGREES)
        assert ready(seen) == ("Unknown", "Unverifiable")
        assert seen.status is not None
        assert seen.status.verdict == "Unverifiable"
        assert "no space left" in next(c.message for c in seen.status.conditions if c.type == "Ready")
    assert ready(await service.look(AGREES)) == ("True", "Kept")
    assert [found.verdict for found in service.plane.known.verdicts(service.contract.uid)] == ["Kept"] * 3


async def test_whatever_else_goes_wrong_is_said_before_it_is_raised(
    service: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.serve(21)
    await service.look(AGREES)

    def break_down(*_: object) -> None:
        raise RuntimeError("out of cheese")

    monkeypatch.setattr(active, "judge_windows", break_down)
    with pytest.raises(RuntimeError):
        await service.look(AGREES)
    seen = service.now()
    assert ready(seen) == ("Unknown", "Unverifiable")
    assert seen.status is not None
    assert "out of cheese" in next(c.message for c in seen.status.conditions if c.type == "Ready")


async def test_after_the_clock_was_set_back_what_is_seen_now_counts(command: Watched) -> None:
    await command.look(AGREES)
    command.clock.jump(-3_600_000)
    seen = await command.look(AGREES)
    assert seen.status is not None
    assert int(seen.status.observed_at or 0) == AT_MS - 3_600_000
