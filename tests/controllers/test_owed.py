"""A running contract owes no verdict on a window that the judge himself still leaves open, and owes it from then on."""

from typing import Any

import pytest

from tenure.controllers.contract.checking import owed
from tenure.controllers.contract.terms import promises_of
from tenure.evidence import Statement
from tenure.evidence.coverage import unjudged
from tenure.promises import Outcome, Promise, Window, WindowEvidence, judge
from tenure.quantities import format_instant
from tenure.resources.kinds.allocation import Promises
from tests.controllers.test_judging import AT_MS, WINDOW_MS, a_contract
from tests.promises.builders import request

SIGNED = Statement("contract", "c/terms", "c", 0, AT_MS, (), {})
DAY_MS = 86_400_000


def terms(bound: str = "100ms", metric: str = "interTokenLatency", tokens: int = 3) -> dict[str, Any]:
    """Of a contract that goes on for a day."""
    spec = a_contract().to_json()["spec"]
    promises = spec["promises"]
    promises["load"]["outputTokens"] = tokens
    promises["statistical"][0] |= {"metric": metric, "bound": bound}
    term = {"start": format_instant(AT_MS), "end": format_instant(AT_MS + DAY_MS)}
    return {"promises": promises, "term": term}


def promised(signed: dict[str, Any]) -> Promise:
    (found,) = promises_of(Promises.model_validate(signed["promises"]))
    return found


def owes(signed: dict[str, Any], window: Window, exported_ms: int) -> bool:
    """Whether a bundle of that instant must hold a verdict on the window."""
    return any(one.start_ms <= window.start_ms < one.end_ms for one in owed(signed, [SIGNED], exported_ms))


def is_settled(signed: dict[str, Any], window: Window, seen_ms: int) -> bool:
    """With an answer in it that goes on, token by token, and may come out either way."""
    at_ms, under_way = window.start_ms + 1000, Outcome.UNFINISHED
    answering = request(at_ms, first_ms=50, gaps_ms=(), outcome=under_way, prompt_tokens=40, output_tokens=2)
    evidence = WindowEvidence(seen_ms, seen_ms, requests=(answering,))
    return judge(promised(signed), window, evidence).settled


SLOW = {"bound": "2s", "tokens": 201}
"""So slow an answer is permitted to take 400 s, and its window waits for twice that."""
WINDOW = Window(AT_MS + 2 * WINDOW_MS, AT_MS + 3 * WINDOW_MS)


@pytest.mark.parametrize("more", [{}, SLOW], ids=["five minutes", "twice what the bound permits"])
def test_what_an_answer_under_way_keeps_open_is_not_owed_and_is_owed_soon_after(
    more: dict[str, Any],
) -> None:
    signed = terms(**more)
    open_s = [s for s in range(0, 900, 10) if not is_settled(signed, WINDOW, WINDOW.end_ms + s * 1000)]
    assert open_s[-1] >= 290, "it does wait"
    assert [s for s in open_s if owes(signed, WINDOW, WINDOW.end_ms + s * 1000)] == []
    look_s = open_s[-1] + 10 + 2 * WINDOW_MS // 1000
    assert owes(signed, WINDOW, WINDOW.end_ms + look_s * 1000), "twin: leaving it out for good is seen"


def test_a_window_left_open_among_judged_ones_is_no_gap_until_its_time_is_up() -> None:
    signed = terms()
    name = promised(signed).name
    judged = {name: [(at, at + WINDOW_MS) for at in range(AT_MS, AT_MS + 10 * WINDOW_MS, WINDOW_MS)]}
    del judged[name][2]
    assert unjudged(owed(signed, [SIGNED], AT_MS + 10 * WINDOW_MS), judged) == []
    (gap,) = unjudged(owed(signed, [SIGNED], AT_MS + 40 * WINDOW_MS), judged)[:1]
    assert (gap.start, gap.end) == (format_instant(WINDOW.start_ms), format_instant(WINDOW.end_ms))
