"""What the quickstart does where commissioning turns its contract away: what a person would do."""

from typing import Any

import pytest

from tenure.cli.failures import Failure
from tenure.cli.quickstart import contract
from tenure.cli.quickstart.contract import ATTEMPTS, signed


class Told:
    """A stage on which `accept` ends with these codes in turn, and each refusal brings a fresh offer."""

    def __init__(self, *codes: int, fresh: bool = True) -> None:
        self.codes = list(codes)
        self.fresh = fresh
        self.accepted: list[str] = []

    def run(self, verb: str, *tokens: str, expect: tuple[int, ...] = (0,)) -> int:
        if verb != "accept":
            return 0
        self.accepted.append(tokens[0])
        code = self.codes.pop(0)
        if code not in expect:
            raise Failure("the story is over", exit_code=code, reason="StoryInterrupted")
        return code

    def say(self, text: str) -> None:
        """Nothing to see."""

    def json(self, *tokens: str) -> Any:
        name = f"chat-{len(self.accepted)}" if self.fresh else "chat-0"
        if tokens[1] == "offers":
            return {"items": [{"metadata": {"name": name}, "status": {"phase": "Held"}}, {"metadata": {"name": "new"}}]}
        return {"status": {"answer": {"quotes": [{"offer": "chat-0"}, {"offer": name}]}}}


@pytest.mark.parametrize("turned_away", range(ATTEMPTS))
def test_a_fresh_offer_is_accepted_instead(turned_away: int) -> None:
    stage = Told(*[1] * turned_away, 0)
    assert signed(stage, "chat-0") == f"chat-{turned_away}"  # type: ignore[arg-type]
    assert stage.accepted == [f"chat-{n}" for n in range(turned_away + 1)]


def test_twin_what_is_always_turned_away_ends_the_story() -> None:
    stage = Told(*[1] * ATTEMPTS)
    with pytest.raises(Failure):
        signed(stage, "chat-0")  # type: ignore[arg-type]
    assert len(stage.accepted) == ATTEMPTS


def test_what_went_wrong_otherwise_is_not_tried_again() -> None:
    with pytest.raises(Failure):
        signed(Told(4), "chat-0")  # type: ignore[arg-type]


def test_the_offer_that_was_turned_away_is_no_fresh_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "FRESH_SECONDS_MAX", 0.0)
    with pytest.raises(Failure, match="no fresh offer"):
        signed(Told(1, fresh=False), "chat-0")  # type: ignore[arg-type]
