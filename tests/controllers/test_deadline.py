"""A deadline is a promise: offered with the confidence that is known, signed, judged once, and judged again by a
stranger."""

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import ValidationError

from tenure.cli.audit.replay import replay, to_json
from tenure.controllers.answering.answer import Answered, Knowledge, answer
from tenure.controllers.answering.need import need_of
from tenure.controllers.answering.unpromised import unpromised
from tenure.controllers.contract.checking import owed, recompute
from tenure.controllers.contract.credit import credit_of
from tenure.controllers.contract.deadline import RECORDED_MS_MAX, completion_body, seen_of
from tenure.controllers.contract.progress import deadline_ms
from tenure.controllers.contract.stating import state
from tenure.controllers.workload.later import due_by
from tenure.engines import EndReason, RunState
from tenure.engines.runstate import ExitState
from tenure.evidence import ContradictionError, Statement, contract_source
from tenure.placement import Calendar
from tenure.promises import Verdict, Work, WorkSeen
from tenure.quantities import Instant, format_instant
from tenure.resources import Contract
from tests.controllers.builders import GIB, NOW_MS, fleet, machine, spec
from tests.controllers.test_credit import PRICED
from tests.controllers.test_hard import AGREES, Story, a_command
from tests.controllers.test_judging import AT_MS
from tests.controllers.watched import AGREES as READ
from tests.controllers.watched import Watched, ready

HOUR_MS = 3_600_000
BY_MS = AT_MS + 60_000
JOB = {"inference": None, "load": None, "assurance": None, "training": {}, "run": {"command": ["true"]}}


def asked(by_ms: int = NOW_MS + 60_000, simulated: bool = False, within: str | None = None, **more: Any) -> Answered:
    completion = {"by": format_instant(by_ms)} if within is None else {"within": within}
    wanted = spec(**JOB, objectives={"completion": completion}, **more)
    known = Knowledge(
        need=need_of(wanted, NOW_MS),
        capabilities=(),
        shapes_measured=0,
        trial=None,
        constraints=(),
        machines={"m": machine("0.60 EUR")},
        memory_of=lambda _: GIB,
        memory_bytes=GIB,
        simulated=simulated,
    )
    return answer(known, fleet(2), Calendar.of([]), "group", NOW_MS)


class TestOffers:
    """Nothing measures how long work takes before it has run, and no offer claims that it was."""

    def test_a_deadline_is_signed_and_its_confidence_is_said_to_be_unknown(self) -> None:
        said = asked().answer
        assert said.kind == "CounterOffers"
        (quote,) = said.quotes
        assert (quote.meets_in_full, quote.promises.complete_by) == (False, Instant(NOW_MS + 60_000))
        assert [(r.axis, r.what) for r in quote.relaxed] == [("confidence", "objectives.completion")]
        assert "nobody has measured how long it takes" in quote.relaxed[0].offered
        assert said.refusal is not None
        assert said.refusal.binding.constraint == "objectives.completion"
        assert quote.price.credit, "what comes back when it is missed is said before anyone accepts"

    def test_twin_without_a_deadline_the_same_work_is_offered_in_full(self) -> None:
        wanted = need_of(spec(**JOB, objectives=None), NOW_MS)
        assert wanted.complete_by_ms is None

    def test_a_start_behind_the_deadline_promises_none(self) -> None:
        start = format_instant(NOW_MS + 120_000)
        (quote,) = asked(term={"start": start, "duration": "10m"}).answer.quotes
        assert quote.promises.complete_by is None
        assert [r.axis for r in quote.relaxed] == ["later"]

    def test_the_answer_speaks_of_a_signed_deadline_only_where_an_offer_promises_one(self) -> None:
        late = asked(term={"start": format_instant(NOW_MS + 120_000), "duration": "10m"}).answer.refusal
        assert late is not None
        assert late.binding.constraint == "objectives.completion"
        assert "start" in late.binding.message, "that is why, and not that nobody knows how long it takes"
        assert "unknown" not in late.binding.message
        assert "is signed" not in late.binding.next_step
        assert "later deadline" in late.binding.next_step
        known = asked().answer.refusal
        assert known is not None
        assert "unknown" in known.binding.message
        assert "is signed" in known.binding.next_step

    def test_a_limit_of_money_that_is_exceeded_is_still_what_binds(self) -> None:
        refusal = asked(budget={"hourlyMax": "0.01 EUR"}).answer.refusal
        assert refusal is not None
        assert refusal.binding.constraint == "budget.hourlyMax"

    def test_where_nothing_runs_nothing_is_promised_to_be_done(self) -> None:
        (quote,) = asked(simulated=True).answer.quotes
        assert quote.promises.complete_by is None
        assert quote.promises.hard[0].what == "simulated"


class TestWithin:
    """A time instead of an instant: counted from when it is asked, and promised as the instant that comes of it."""

    def test_it_is_counted_from_now_and_every_offer_names_the_instant(self) -> None:
        said = asked(within="2h").answer
        (quote,) = said.quotes
        assert quote.promises.complete_by == Instant(NOW_MS + 2 * HOUR_MS)
        assert format_instant(NOW_MS + 2 * HOUR_MS) in quote.relaxed[0].asked
        assert any("2h counted from" in line for line in said.assumed)

    def test_where_a_later_start_is_asked_for_it_is_counted_from_there(self) -> None:
        start_ms = NOW_MS + 24 * HOUR_MS
        (quote,) = asked(within="2h", term={"start": format_instant(start_ms), "duration": "4h"}).answer.quotes
        assert quote.promises.complete_by == Instant(start_ms + 2 * HOUR_MS)

    def test_an_instant_says_the_same_and_is_not_counted_from_anything(self) -> None:
        said = asked(NOW_MS + 2 * HOUR_MS).answer
        assert said.quotes[0].promises == asked(within="2h").answer.quotes[0].promises
        assert not any("counted from" in line for line in said.assumed)

    def test_it_is_never_over_when_it_is_asked_for(self) -> None:
        assert unpromised(spec(**JOB, objectives={"completion": {"within": "1s"}}), "local", NOW_MS) == ()

    def test_what_was_signed_is_the_deadline_of_the_contract_whenever_it_is_looked_at(self) -> None:
        wire = due().to_json()
        job = {"training": {}, "run": {"command": ["true"]}}
        wire["spec"]["body"] = job | {"objectives": {"completion": {"within": "2h"}}}
        assert deadline_ms(Contract.model_validate(wire)) == BY_MS
        del wire["spec"]["promises"]["completeBy"]
        assert deadline_ms(Contract.model_validate(wire)) is None, "none is promised, and a time alone is no instant"

    @pytest.mark.parametrize(
        ("completion", "code", "says"),
        [
            ({}, "ExactlyOneOf", "names none of by and within"),
            ({"by": "2030-01-01T00:00:00Z", "within": "2h"}, "ExactlyOneOf", "names both of by and within"),
            ({"within": "0s"}, "ContradictoryObjectives", "name a time, for example 2h"),
        ],
    )
    def test_one_of_the_two_is_named_and_it_can_be_kept(self, completion: Any, code: str, says: str) -> None:
        with pytest.raises(ValidationError) as raised:
            spec(**JOB, objectives={"completion": completion})
        (error,) = raised.value.errors()
        assert error["loc"] == ("objectives", "completion")
        assert error["type"] == code
        assert says in error["msg"]


def test_a_later_deadline_can_be_offered_though_the_one_that_was_asked_for_is_over() -> None:
    wanted = spec(**JOB, objectives={"completion": {"by": format_instant(NOW_MS - 1000)}})
    assert unpromised(wanted, "local", NOW_MS), "as it was asked for it is refused"
    later = due_by(wanted, NOW_MS + 60_000)
    assert unpromised(later, "local", NOW_MS) == ()
    assert need_of(later, NOW_MS).complete_by_ms == NOW_MS + 60_000


def due(by_ms: int = BY_MS) -> Contract:
    wire = a_command().to_json()
    wire["spec"]["promises"] = {"completeBy": format_instant(by_ms)}
    return Contract.model_validate(wire)


class Deadline(Story):
    """A contract's life with a deadline: what its supervisor said, as it was stated."""

    def __init__(self, home: Any) -> None:
        super().__init__(home, due())
        self.read_back(AGREES)

    def seen(self, seen: WorkSeen) -> None:
        self.clock.advance(max(0, seen.seen_ms - self.clock.now_ms()))
        body = completion_body(BY_MS, seen)
        assert body is not None
        state(self.plane, self.contract, "completion", "deadline", body)

    def statements(self) -> list[Statement]:
        log = self.plane.log
        return [log.statement(place) for place in log.places(contract_source(self.contract.uid))]

    def terms(self) -> dict[str, Any]:
        return next(s.body["terms"] for s in self.statements() if s.predicate == "contract")

    def told(self) -> Statement:
        return next(s for s in self.statements() if s.predicate == "completion")

    def settles(self) -> None:
        state(self.plane, self.contract, "ending", "settled", {"because": "Completed", "stage": "settled"})


IN_TIME = WorkSeen(Work.COMPLETED, BY_MS + 5000, BY_MS - 1)
LATE = WorkSeen(Work.COMPLETED, BY_MS + 5000, BY_MS + 1)


@pytest.mark.parametrize(
    ("seen", "because", "verdict"),
    [
        (IN_TIME, "Completed", "Kept"),
        (LATE, "Completed", "Breached"),
        (WorkSeen(Work.RUNNING, BY_MS + 1), None, "Breached"),
        (WorkSeen(Work.FAILED, BY_MS - 9, BY_MS - 9), "WorkFailed", "Breached"),
        (WorkSeen(Work.COMPLETED, BY_MS + 9), "Completed", "Unverifiable"),
        (WorkSeen(Work.WITHDRAWN, BY_MS - 9), "EndedByUser", "Kept"),
    ],
)
def test_the_audit_says_how_the_deadline_stands(
    tmp_path: Path, seen: WorkSeen, because: str | None, verdict: str
) -> None:
    story = Deadline(tmp_path)
    story.seen(seen)
    if because is not None:
        story.end(because)
    found = replay("job", story.statements())
    assert str(found.verdict) == verdict
    assert to_json(found)["completion"]["verdict"] is not None


def test_twin_before_it_is_due_it_says_nothing_and_once_it_is_over_unjudged_it_is_unverifiable(tmp_path: Path) -> None:
    story = Deadline(tmp_path)
    early, late = (replay("job", story.statements(), now_ms) for now_ms in (BY_MS - 1, BY_MS + 1))
    assert (str(early.verdict), str(late.verdict)) == ("Kept", "Unverifiable")


@pytest.mark.parametrize("seen", [IN_TIME, LATE, WorkSeen(Work.RUNNING, BY_MS + 1)])
def test_a_stranger_computes_the_same_from_the_signed_deadline(tmp_path: Path, seen: WorkSeen) -> None:
    story = Deadline(tmp_path)
    story.seen(seen)
    told = story.told()
    expected = recompute(told, {}, story.terms())
    assert expected == told.body


def test_a_late_end_that_is_called_kept_is_found_out(tmp_path: Path) -> None:
    story = Deadline(tmp_path)
    story.seen(LATE)
    told = story.told()
    forged = replace(told, body={**told.body, "verdict": "Kept", "reason": "DeadlineKept"})
    expected = recompute(forged, {}, story.terms())
    assert expected is not None
    assert expected["verdict"] == "Breached"
    moved = replace(told, body={**told.body, "by": format_instant(BY_MS + 10_000)})
    assert (recompute(moved, {}, story.terms()) or {})["by"] == format_instant(BY_MS)
    ahead = replace(told, at_ms=BY_MS)
    with pytest.raises(ValueError, match="later than this was stated"):
        recompute(ahead, {}, story.terms())


def test_a_settled_contract_that_leaves_its_deadline_out_is_found_out(tmp_path: Path) -> None:
    story = Deadline(tmp_path)
    story.end("Completed")
    story.settles()
    with pytest.raises(ContradictionError, match="deadline"):
        owed(story.terms(), story.statements(), BY_MS + 60_000)
    told = Deadline(tmp_path / "twin")
    told.seen(IN_TIME)
    told.end("Completed")
    told.settles()
    assert owed(told.terms(), told.statements(), BY_MS + 60_000) == []


def test_a_missed_deadline_earns_the_first_step_of_the_schedule() -> None:
    found = credit_of(PRICED, [], Verdict.KEPT, [Verdict.BREACHED])
    assert found is not None
    assert (found.promise, found.percent) == ("completion", 10)
    assert "not done by its deadline" in str(found)
    assert credit_of(PRICED, [], Verdict.KEPT, [Verdict.KEPT]) is None


def run(reason: EndReason | None, ended_ms: int | None = None, *, known: bool = True) -> RunState:
    """A run that was over a while after its work had ended, at `ended_ms`, and whether anybody saw how that ended."""
    last = ExitState(ended_ms, known) if ended_ms is not None else None
    work = SimpleNamespace(last_exit=last)
    return cast(RunState, SimpleNamespace(reason=reason, ended_ms=ended_ms and ended_ms + 20_000, work=work))


@pytest.mark.parametrize(
    ("state", "because", "work"),
    [
        (run(EndReason.COMPLETED, 7), "Completed", Work.COMPLETED),
        (run(EndReason.RESTARTS_EXHAUSTED, 7), "WorkFailed", Work.FAILED),
        (run(EndReason.COMPLETED, 7), "EndedByUser", Work.COMPLETED),
        (run(EndReason.STOPPED, 7), "EndedByUser", Work.WITHDRAWN),
        (run(EndReason.STOPPED, 7), "Renegotiated", Work.WITHDRAWN),
        (run(EndReason.TERM_OVER, 7), "EndedByTerm", Work.BROKEN_OFF),
        (run(EndReason.FAILED, 7, known=False), "WorkFailed", Work.UNKNOWN),
        (run(EndReason.FAILED, 7, known=False), None, Work.UNKNOWN),
        (None, "Lost", Work.UNKNOWN),
        (None, "EndedByUser", Work.WITHDRAWN),
        (run(None), None, Work.RUNNING),
    ],
)
def test_how_the_work_stood_is_what_its_supervisor_recorded(
    state: RunState | None, because: str | None, work: Work
) -> None:
    found = seen_of(state, 9, because)
    assert (found.how, found.seen_ms) == (work, 9)
    assert found.ended_ms == (7 if work in (Work.COMPLETED, Work.FAILED) else None)


class TestWatched:
    """The control plane looks: the status follows the deadline, and says the same as the audit."""

    def watched(self, home: Path) -> Watched:
        return Watched(home, promises={"completeBy": format_instant(BY_MS)}, price=PRICED.to_json())

    def test_once_the_deadline_has_passed_the_contract_is_breached_and_credit_is_due(self, tmp_path: Path) -> None:
        service = self.watched(tmp_path)
        before = asyncio.run(service.look(READ))
        assert before.status is not None
        assert (before.status.verdict, before.status.credit) == ("Kept", None)
        service.clock.advance(BY_MS - service.clock.now_ms() + 1)
        at_once = asyncio.run(service.look(READ))
        assert at_once.status is not None
        assert at_once.status.verdict == "Kept", "it may be done, and that not be written down yet"
        service.clock.advance(RECORDED_MS_MAX)
        missed = asyncio.run(service.look(READ))
        assert missed.status is not None
        assert missed.status.verdict == "Breached"
        assert missed.status.credit is not None
        assert missed.status.credit.promise == "completion"
        assert ready(missed) == ("False", "Breached")
        log = service.plane.log
        told = [log.statement(place) for place in log.places(contract_source(service.contract.uid))]
        found = replay("job", told)
        assert (str(found.verdict), str(found.credit)) == ("Breached", str(missed.status.credit))

    def test_what_was_stated_stands_whatever_is_seen_later(self, tmp_path: Path) -> None:
        service = self.watched(tmp_path)
        service.clock.advance(BY_MS - service.clock.now_ms() + RECORDED_MS_MAX + 1)
        asyncio.run(service.look(READ))
        service.clock.jump(-30_000)
        again = asyncio.run(service.look(READ))
        assert again.status is not None
        assert again.status.verdict == "Breached"
