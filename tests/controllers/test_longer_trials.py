"""`tenure trial --for` buys confidence: more windows are measured, and they carry more, or pass over the slowest."""

import itertools
from typing import Any

import pytest

from tenure.controllers.answering.answer import answer
from tenure.controllers.answering.capability import capabilities, choosing_windows
from tenure.controllers.answering.measured import Measured, RunShape
from tenure.controllers.answering.need import Need
from tenure.controllers.answering.trial_wish import TrialWish, trial_wish
from tenure.placement import Calendar
from tenure.quantities import Duration
from tests.controllers.builders import NOW_MS, fleet, knowledge, measured, need

SHAPE = RunShape(1, 1)
LENGTHS = ("1m", "2m", "5m", "10m", "30m")
ASSURANCE: dict[str, Any] = {"window": "2s", "share": 0.9, "confidence": 0.99}
"""More than the windows of a short trial carry."""


def wished(wanted: Need, length: str | None, before: list[Measured] | None = None) -> TrialWish:
    """The trial of one shape that its user wishes for; None: what an answer needs."""
    wish = trial_wish(wanted, [SHAPE], before or [], Duration.parse(length).ms if length else None)
    assert wish is not None
    return wish


def found_by(wish: TrialWish, slow_every: int = 20) -> Measured:
    """What such a trial measures of a server that is slow in one window of so many, the first of them included."""
    figures = [
        90.0 if number % slow_every == 0 else 50.0 for number in range(wish.windows - choosing_windows(wish.windows))
    ]
    return measured([50.0, *figures], window_ms=wish.window_ms)


def carried(wanted: Need, found: Measured) -> tuple[float, float]:
    """The confidence that the evidence carries, and its bound in ms."""
    assert wanted.load is not None
    (capability,) = capabilities([found], wanted.objectives, wanted.load, wanted.assurance)
    (kept,) = capability.carried
    return kept.assurance.confidence, kept.bound.value / 10**6


def test_the_longer_the_wish_the_more_windows_are_measured() -> None:
    wanted = need(assurance=ASSURANCE)
    windows = [wished(wanted, length).windows for length in LENGTHS]
    assert all(fewer < more for fewer, more in itertools.pairwise(windows))
    for length, wish in ((length, wished(wanted, length)) for length in LENGTHS):
        measured_ms = len(wish.steps) * wish.windows * wish.window_ms
        assert Duration.parse(length).ms - len(wish.steps) * wish.window_ms < measured_ms <= Duration.parse(length).ms


def test_a_wish_is_measured_whatever_is_known_already() -> None:
    wanted = need(assurance=ASSURANCE)
    known = [measured([50.0] * 100), measured([50.0] * 100, rate=2)]
    assert trial_wish(wanted, [SHAPE], known, None) is None
    assert wished(wanted, "10m", known).windows > 100


def test_more_windows_carry_more_confidence_up_to_what_was_asked() -> None:
    wanted = need(assurance=ASSURANCE)
    confidences = [carried(wanted, found_by(wished(wanted, length)))[0] for length in LENGTHS]
    assert confidences == sorted(confidences)
    assert confidences[0] < ASSURANCE["confidence"] == confidences[-1]


def test_at_the_confidence_asked_more_windows_pass_over_the_slowest_and_the_bound_is_tighter() -> None:
    wanted = need(assurance=ASSURANCE)
    enough = [carried(wanted, found_by(wished(wanted, length))) for length in ("5m", "30m")]
    assert [confidence for confidence, _ in enough] == [0.99, 0.99]
    assert [bound for _, bound in enough] == [90.0, 50.0]


@pytest.mark.parametrize(("length", "kind"), [(None, "CounterOffers"), ("10m", "Offers")])
def test_a_need_that_is_answered_with_less_confidence_is_met_in_full_after_ten_minutes(
    length: str | None, kind: str
) -> None:
    """None: after the trial that Tenure makes by itself."""
    wanted = need(assurance=ASSURANCE)
    known = knowledge(wanted, [found_by(wished(wanted, length))])
    answered = answer(known, fleet(1), Calendar.of([]), "group", NOW_MS).answer
    assert answered.kind == kind
    relaxed = [(relaxation.axis, relaxation.offered) for relaxation in answered.quotes[0].relaxed]
    assert relaxed == ([("confidence", "0.94")] if length is None else [])
