"""Renegotiation: when it is asked for, on what evidence new terms rest, and what becomes of the offer."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tenure.controllers.answering.answer import answer
from tenure.controllers.answering.service import load_seen, measured_in_service
from tenure.controllers.contract.judging import NOTHING_JUDGED
from tenure.controllers.remedies.ladder import next_rung
from tenure.controllers.remedies.renegotiate import ANSWERED_MS_MAX, answer_to
from tenure.controllers.remedies.situation import Intruder, Situation
from tenure.controllers.remedies.taking import LADDER, at_the_end
from tenure.controllers.remedies.watching import most_broken
from tenure.controllers.workload import renegotiation
from tenure.controllers.workload.later import deadline_kept
from tenure.controllers.workload.lesser import QUIET_WINDOWS, by_window, episode
from tenure.controllers.workload.renegotiation import AGAIN_MS
from tenure.evidence import NotWrittenError
from tenure.placement import Calendar
from tenure.promises import Load, Reason, Verdict, Window, WindowVerdict
from tenure.quantities import Instant, VirtualClock
from tenure.resources import ObjectMeta, Offer
from tenure.resources.kinds.contract import OfferStatus
from tenure.resources.kinds.standing import Progress, RemedyStep
from tests.controllers.builders import MS, NOW_MS, fleet, knowledge, measured, need, sample
from tests.controllers.watched import Watched
from tests.ledger.builders import hold, offer

WINDOW_MS = 1000
BROKEN = Situation(missed=3, missing="timeToFirstToken.p95")
MAY_END = Situation(missed=3, missing="timeToFirstToken.p95", spent=True, may_end=True)
INTRUDER = Intruder(77, 1, "miner", (1,), 0.9)


def step(rung: str, outcome: str, finished_ms: int | None = 10**6) -> RemedyStep:
    finished = Instant(finished_ms) if outcome != "InProgress" and finished_ms is not None else None
    return RemedyStep(rung=rung, cause="c", started_at=Instant(0), finished_at=finished, outcome=outcome)


def chosen(situation: Situation, *taken: RemedyStep, now_ms: int = 10**6) -> str | None:
    found = next_rung(LADDER, situation, taken, now_ms, WINDOW_MS)
    return found[0].name if found else None


def window(place: int, verdict: Verdict, observed: float | None = 2e8, promise: str = "a") -> WindowVerdict:
    reason = {Verdict.KEPT: Reason.WITHIN_BOUND, Verdict.BREACHED: Reason.BOUND_EXCEEDED}.get(
        verdict, Reason.SENSOR_GONE
    )
    span = Window(place * WINDOW_MS, (place + 1) * WINDOW_MS)
    return WindowVerdict(promise, span, verdict, reason, observed=observed)


def replacing(phase: str) -> Offer:
    found = offer("new", "chat", hold("h", "g", [0]))
    made = ObjectMeta(name="new", namespace="default", creation_timestamp=Instant(2_000))
    return found.model_copy(update={"status": OfferStatus(phase=phase), "metadata": made})


def test_it_is_asked_for_once_enough_windows_are_broken_and_nothing_cheaper_helps() -> None:
    assert chosen(BROKEN) == "renegotiate"
    assert chosen(Situation(missed=2, missing="a")) is None
    assert chosen(Situation(missed=3, missing="a", intruders=(INTRUDER,))) == "repin"


def test_it_is_not_asked_for_while_a_cheaper_step_that_helped_just_now_rests() -> None:
    broken = Situation(missed=3, missing="a", intruders=(INTRUDER,))
    assert chosen(broken, step("repin", "Helped")) is None
    assert chosen(broken, step("repin", "DidNotHelp")) == "renegotiate"


def test_while_an_offer_waits_for_its_user_cheaper_rungs_are_taken_and_heavier_ones_are_not() -> None:
    waiting = step("renegotiate", "InProgress")
    assert chosen(Situation(missed=3, missing="a", intruders=(INTRUDER,)), waiting) == "repin"
    assert chosen(MAY_END, waiting) is None


def test_it_ends_with_credit_only_where_its_user_permits_it_and_an_offer_was_not_taken() -> None:
    refused = step("renegotiate", "DidNotHelp")
    assert chosen(MAY_END, refused) == "end-with-credit"
    assert chosen(Situation(missed=3, missing="a", spent=True), refused) is None
    assert chosen(Situation(missed=3, missing="a", may_end=True), refused) is None, "the budget is not used up"


@pytest.mark.parametrize(
    ("offers", "now_ms", "outcome"),
    [
        ([], ANSWERED_MS_MAX - 1, "InProgress"),
        ([], ANSWERED_MS_MAX, "DidNotHelp"),
        ([replacing("Held")], 10**7, "InProgress"),
        ([replacing("Accepted")], 10**7, "InProgress"),
        ([replacing("Expired")], 10**4, "DidNotHelp"),
    ],
)
def test_the_step_waits_for_the_user_and_an_offer_not_taken_did_not_help(
    offers: list[Offer], now_ms: int, outcome: str
) -> None:
    assert answer_to(step("renegotiate", "InProgress"), offers, now_ms) == outcome


async def test_no_offer_is_held_before_it_is_stated_that_one_is_sought(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full, say: the offer would be there to be taken, and nobody could show why."""
    order: list[str] = []
    full = [True]

    def stating(_plane: Any, _contract: Any, _predicate: str, key: str, _body: Any) -> None:
        if full[0]:
            raise NotWrittenError("no space left")
        order.append(key)

    async def terms(*_: Any) -> Any:
        return SimpleNamespace(known=SimpleNamespace(stands_on=()))

    async def decide(*_: Any) -> Any:
        order.append("held")
        return SimpleNamespace(offers=[], refused=None)

    async def unheard(*_: Any) -> None:
        return None

    monkeypatch.setattr(renegotiation, "state", stating)
    monkeypatch.setattr(renegotiation, "_announce", unheard)
    monkeypatch.setattr(renegotiation.lesser, "find", terms)
    plane: Any = SimpleNamespace(clock=VirtualClock(7_200_000), allocator=SimpleNamespace(decide=decide))
    nobody: Any = None
    with pytest.raises(NotWrittenError):
        await renegotiation._offer(plane, nobody, nobody, nobody, "promise")
    assert order == []
    full[0] = False
    await renegotiation._offer(plane, nobody, nobody, nobody, "promise")
    assert order == ["ChangeSought/promise/2", "held"]


@pytest.mark.parametrize(("why", "again_s"), [("promise", 5), ("deadline", 60)])
async def test_where_service_shows_too_little_yet_it_is_looked_at_again_while_the_step_waits(
    monkeypatch: pytest.MonkeyPatch, why: str, again_s: int
) -> None:
    looked: list[int] = []
    clock = VirtualClock(7_200_000)

    async def look(*_: Any) -> None:
        looked.append(clock.now_ms() // 1000 - 7_200)

    async def unheard(*_: Any) -> None:
        return None

    monkeypatch.setattr(renegotiation, "_follow_up", unheard)
    monkeypatch.setattr(renegotiation, "_offer", look)
    monkeypatch.setattr(renegotiation, "why_change", lambda _: why)
    plane: Any = SimpleNamespace(clock=clock)
    contract: Any = SimpleNamespace(
        uid="u", name="c", spec=SimpleNamespace(replaces=None, renews=None), status=SimpleNamespace()
    )
    nobody: Any = None
    looked_ms: dict[str, int] = {}
    while clock.now_ms() < 7_200_000 + 61_000:
        await renegotiation.offer_changes(plane, nobody, nobody, [contract], [], looked_ms)
        clock.advance(1_000)
    assert looked == list(range(0, 61, again_s))
    assert AGAIN_MS["promise"] * 2 < ANSWERED_MS_MAX, "more than once before its step is over"


def test_at_the_end_an_open_step_was_accepted_or_ended_with_the_contract() -> None:
    assert [s.outcome for s in at_the_end([step("renegotiate", "InProgress")], "Renegotiated", 5)] == ["Accepted"]
    assert [s.outcome for s in at_the_end([step("renegotiate", "InProgress")], "EndedByTerm", 5)] == ["Ended"]
    assert [s.outcome for s in at_the_end([step("repin", "Helped")], "Renegotiated", 5)] == ["Helped"]


def test_only_windows_with_a_figure_and_promises_that_burn_ask_for_other_terms() -> None:
    kept, broken, dark = Verdict.KEPT, Verdict.BREACHED, Verdict.UNVERIFIABLE
    seen = [window(0, broken), window(1, kept), window(2, dark), window(3, broken), window(4, broken, float("inf"))]
    assert most_broken(seen, {"a"}, measured=True) == (2, "a")
    assert most_broken(seen, {"a"}) == (3, "a"), "what answered nobody is broken all the same"
    assert most_broken(seen, set(), measured=True) == (0, "")
    assert most_broken([*seen, *(window(5 + place, kept) for place in range(8))], {"a"}, measured=True) == (0, "")


async def test_what_breaks_most_and_what_was_measured_to_break_most_are_named_apart(tmp_path: Path) -> None:
    """Answers that never came leave no figure of the latency that they broke, and one of availability."""
    service = Watched(tmp_path)
    slow = [window(place, Verdict.BREACHED, 2e8 if place < 2 else float("inf"), "latency") for place in range(4)]
    failing = [window(place, Verdict.BREACHED, 0.5, "availability") for place in range(1, 4)]
    burning: Any = SimpleNamespace(remedy_due=True, verdict=Verdict.KEPT)
    promises: Any = [(SimpleNamespace(name=name), burning) for name in ("latency", "availability")]
    standing = replace(NOTHING_JUDGED, recent=(*slow, *failing), accounts=tuple(promises))
    run: Any = SimpleNamespace(work=SimpleNamespace(process=None), healthy=True)
    found = await service.looks.situation(service.plane, service.contract, run, [], standing)
    assert (found.breaking, found.broken, found.missing, found.missed) == ("latency", 4, "availability", 3)


def test_the_evidence_is_the_trouble_alone_with_its_good_windows_and_without_those_before() -> None:
    seen = [Verdict.KEPT, Verdict.KEPT, Verdict.BREACHED, Verdict.UNVERIFIABLE, Verdict.KEPT, Verdict.BREACHED]
    found = episode([window(place, verdict) for place, verdict in enumerate(seen)])
    assert [w.start_ms // WINDOW_MS for w in found] == [2, 4, 5]


def test_trouble_that_goes_on_is_looked_at_as_far_back_as_it_goes_on_and_one_that_is_over_is_not() -> None:
    kept, broken = Verdict.KEPT, Verdict.BREACHED
    lasting = [*[kept] * 3, *[broken, kept] * 8, *[kept] * (QUIET_WINDOWS - 2)]
    found = episode([window(place, verdict) for place, verdict in enumerate(lasting)])
    assert [w.start_ms // WINDOW_MS for w in found] == list(range(3, len(lasting)))
    again = [broken, *[kept] * QUIET_WINDOWS, broken]
    assert len(episode([window(place, verdict) for place, verdict in enumerate(again)])) == 1
    over = [broken, *[kept] * QUIET_WINDOWS]
    assert episode([window(place, verdict) for place, verdict in enumerate(over)]) == []


def test_what_was_asked_less_than_declared_bounds_no_more_than_was_asked() -> None:
    declared = Load(10**6, 40, 3)  # one a second
    as_declared = [[sample(100.0)] for _ in range(20)]
    assert load_seen(as_declared, 20_000, declared) == declared
    hardly = [[sample(100.0)] for _ in range(5)]
    assert load_seen(hardly, 20_000, declared) == Load(250_000, 40, 3)


@pytest.mark.parametrize(("guarantee", "axes"), [("burstable", ["slower"]), ("guaranteed", ["slower", "isolation"])])
def test_service_that_was_slower_than_promised_bounds_a_slower_offer_for_the_same_shape(
    guarantee: str, axes: list[str]
) -> None:
    """Beside whichever neighbours there were, which is less than a guaranteed class asks for."""
    wanted = need(objectives={"timeToFirstToken": {"p95": "100ms"}}, **{"class": guarantee})
    assert wanted.load is not None
    shape = measured([50.0]).shape
    service = measured_in_service(
        [[sample(180.0), sample(180.0)] for _ in range(40)],
        shape=shape,
        declared=wanted.load,
        window_ms=2000,
        hardware_class="hw",
        runtime="llamacpp 1",
        at_ms=NOW_MS,
    )
    assert service is not None
    said = answer(knowledge(wanted, [service]), fleet(), Calendar.of([]), "g", NOW_MS)
    assert said.answer.kind == "CounterOffers"
    relaxed = said.planned[0].quote.relaxed
    assert [one.axis for one in relaxed] == axes
    assert relaxed[0].offered == "180ms"
    assert said.planned[0].quote.promises.statistical[0].bound == 180 * 10**6


def test_twin_no_window_with_a_request_is_no_evidence() -> None:
    declared = Load(10**6, 40, 3)
    shape = measured([50.0]).shape
    more = {"window_ms": 2000, "hardware_class": "hw", "runtime": "llamacpp 1", "at_ms": NOW_MS}
    assert measured_in_service([[], []], shape=shape, declared=declared, **more) is None  # type: ignore[arg-type]


def test_the_later_deadline_is_the_late_end_of_the_forecast_with_room_for_the_move() -> None:
    late = Progress(ratio=0.3, seen_at=Instant(NOW_MS), late=Instant(NOW_MS + 100_000))
    found = deadline_kept(late, NOW_MS)
    assert found is not None
    assert NOW_MS + 110_000 < found <= NOW_MS + 112_000
    assert deadline_kept(Progress(ratio=0.3, seen_at=Instant(NOW_MS)), NOW_MS) is None


class LookedAt:
    """A request that counts how often it is looked at."""

    counts = True
    looks = 0

    def __init__(self, arrival_ms: float) -> None:
        self.at_ns = int(arrival_ms * MS)

    @property
    def arrival_ns(self) -> int:
        self.looks += 1
        return self.at_ns


def test_requests_are_put_into_their_windows_in_one_pass() -> None:
    windows = [Window(place * WINDOW_MS, (place + 1) * WINDOW_MS) for place in (1, 2, 5, 6)]
    came: list[Any] = [LookedAt(ms) for ms in (999, 1000, 6500, 1999.9, 2000, 3000, 4999, 5000, 7000)]
    rejected: Any = SimpleNamespace(arrival_ns=1500 * MS, counts=False)
    found = by_window([*came, rejected], windows)
    assert [[one.at_ns / MS for one in inside] for inside in found] == [[1000, 1999.9], [2000], [5000], [6500]]
    assert {one.looks for one in came} == {1}
