"""Commissioning goes on with the run as it was recorded: what its contract would ask for by now is not looked at."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tenure.controllers.contract import commissioning
from tenure.controllers.serving import ServingError
from tenure.engines import EndReason, Phase, RunConflict, RunNotFound
from tests.controllers.test_activation import Starting

pytestmark = pytest.mark.anyio


class Rotating(Starting):
    """A contract whose run takes a Secret, and an engine that starts each run once."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(home, monkeypatch)
        self.secret: str | None = "before"
        self.recorded: str | None = None

        async def spec(*_: object) -> str:
            if self.secret is None:
                raise ServingError("run.env.TOKEN: no Secret login/token")
            return self.secret

        monkeypatch.setattr(commissioning, "spec_of_contract", spec)

    def start(self, spec: object) -> Any:
        if self.recorded not in (None, spec):
            raise RunConflict("the run exists and differs", field="env.TOKEN")
        self.recorded = str(spec)
        return self.run

    def resume(self, run_id: str) -> Any:
        if self.recorded is None:
            raise RunNotFound(run_id)
        return self.run

    def said(self) -> tuple[str, str | None]:
        status = self.now().status
        assert status is not None
        return status.phase, status.ended_because


@pytest.fixture
def rotating(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rotating:
    return Rotating(tmp_path, monkeypatch)


@pytest.mark.parametrize("by_now", ["after", None], ids=["rotated", "deleted"])
async def test_a_secret_that_is_rotated_or_deleted_between_two_looks_changes_nothing(
    rotating: Rotating, by_now: str | None
) -> None:
    await rotating.try_again()
    rotating.secret = by_now
    await rotating.try_again()
    assert rotating.said() == ("Commissioning", None)
    assert (rotating.recorded, rotating.measurements) == ("before", 2)


async def test_twin_a_secret_that_is_not_there_when_it_is_first_started_ends_it_and_is_named(
    rotating: Rotating,
) -> None:
    rotating.secret = None
    await rotating.try_again()
    assert rotating.said() == ("Ending", "StartFailed")
    assert "login/token" in str(rotating.now().status)


@pytest.mark.parametrize("left_ms", [1, -1], ids=["a moment before by this clock", "after"])
async def test_a_run_whose_term_is_over_before_it_is_signed_was_ended_by_its_term_and_did_not_fail_to_start(
    rotating: Rotating, left_ms: int
) -> None:
    rotating.run = SimpleNamespace(
        run_id="r", phase=Phase.ENDED, reason=EndReason.TERM_OVER, final=True, healthy=None, message="its term is over"
    )
    rotating.clock.advance(int(rotating.contract.spec.term.end) - rotating.clock.now_ms() - left_ms)
    await rotating.try_again()
    assert rotating.said() == ("Ending", "EndedByTerm")
