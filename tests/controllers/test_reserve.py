"""The reserve: held back where availability is asked of the class `guaranteed`, priced, visible, and in the way of none
but others."""

from dataclasses import replace
from typing import Any

import pytest

from tenure.controllers.answering.answer import Answered, answer
from tenure.controllers.answering.measured import Measured
from tenure.controllers.answering.quotes import Asker, offer_of
from tenure.controllers.contract.checking import recompute
from tenure.controllers.contract.judge import Kind, judge_commissioning, objective_of
from tenure.controllers.contract.stating import EVIDENCE_INPUT, verdict_body
from tenure.controllers.contract.terms import promises_of
from tenure.evidence import Statement
from tenure.ledger.convert import from_placed, to_placed
from tenure.ledger.records import record_of_offer
from tenure.ledger.recount import Capacity, RunFact, recount
from tenure.placement import Calendar, Core, Fleet, FleetMachine, MemoryNode
from tenure.promises import AvailabilityObjective, Outcome, RequestSample, Window, WindowEvidence, judge
from tenure.resources import Offer
from tenure.resources.kinds.answer import Quote
from tenure.resources.kinds.contract import OfferStatus
from tenure.resources.kinds.site import LedgerStatus
from tests.controllers.builders import GIB, NOW_MS, fleet, knowledge, measured, need

QUIET = Calendar.of([])
SHARE = 0.9
ENOUGH = [50.0] * 26  # one chooses, 25 are all answered: 0.9 with confidence 0.8 takes 16
OBJECTIVES = {"timeToFirstToken": {"p95": "100ms"}, "availability": SHARE}


def said(cores: int = 2, found: list[Measured] | None = None, calendar: Calendar = QUIET, **changes: Any) -> Answered:
    known = knowledge(need(**({"objectives": OBJECTIVES} | changes)), found or [measured(ENOUGH)], cost="0.60 EUR")
    return answer(known, fleet(cores), calendar, "group", NOW_MS)


def hard(quote: Quote) -> dict[str, str]:
    return {promise.what: promise.value for promise in quote.promises.hard}


def offer(found: Answered) -> Offer:
    asker = Asker("Workload", "w", "default", "group", 1, "need")
    made = offer_of(asker, found.planned[0].quote, found.planned[0].plan, 0, NOW_MS + 60_000, "1")
    named = made.metadata.model_copy(update={"uid": "u"})
    return made.model_copy(update={"metadata": named, "status": OfferStatus(phase="Held")})


def test_without_an_availability_nothing_is_held_back() -> None:
    found = said(objectives={"timeToFirstToken": {"p95": "100ms"}})
    assert found.answer.kind == "Offers"
    assert [claim.role for claim in found.planned[0].plan.claims] == ["member"]
    assert found.answer.quotes[0].price.reserve_hourly is None


def test_with_one_as_many_cores_are_held_back_named_and_priced() -> None:
    found = said()
    quote = found.answer.quotes[0]
    assert found.answer.kind == "Offers"
    assert (quote.cores, quote.reserve_cores) == (2, 1)
    assert hard(quote)["cores"] == "1 whole, dedicated: 0"
    assert hard(quote)["reserve"] == "1 whole: 1 on m, the same machine; nobody else may have it"
    assert (str(quote.price.hourly), str(quote.price.reserve_hourly)) == ("1.20 EUR", "0.60 EUR")
    assert int(quote.memory) == GIB, "another core of the same machine needs no memory of its own"


def test_the_hold_says_what_is_held_back_and_comes_back_the_same() -> None:
    hold = offer(said()).spec.hold
    assert [(claim.cores, claim.purpose) for claim in hold.claims] == [([0], None), ([1], "reserve")]
    assert (len(hold.in_use), len(hold.reserve)) == (1, 1)
    assert from_placed(to_placed(hold)) == hold
    assert "purpose" not in hold.claims[0].to_json(), "terms that were signed before reserves read as they were"


def test_nobody_else_gets_it() -> None:
    taken = Calendar.of([to_placed(offer(said()).spec.hold.model_copy(update={"group": "first"}))])
    other = said(objectives={"timeToFirstToken": {"p95": "100ms"}}, calendar=taken)
    assert other.answer.kind == "CounterOffers"
    assert other.answer.quotes[0].relaxed[0].axis == "later"


def test_the_recount_counts_it_and_lets_the_run_use_it() -> None:
    record = record_of_offer(offer(said()))
    both = [Capacity("m", frozenset({0, 1}), 8 * GIB)]
    wide = [RunFact(record.hold.id, frozenset({0, 1}), None, alive=True)]
    assert recount(LedgerStatus(), [record], both, wide, NOW_MS) == []
    sold_twice = recount(LedgerStatus(), [record], [Capacity("m", frozenset({0}), 8 * GIB)], None, NOW_MS)
    assert [finding.code for finding in sold_twice] == ["CoreNotSellable"]


def test_where_all_but_the_reserve_fits_the_reserve_is_what_binds_and_the_lesser_class_is_offered() -> None:
    found = said(cores=1)
    assert found.answer.kind == "CounterOffers"
    assert found.answer.refusal is not None
    binding = found.answer.refusal.binding
    assert (binding.constraint, binding.imposed_by) == ("reserve", "class guaranteed")
    assert (binding.needed, binding.available, binding.capacity) == (1, 0, 1)
    assert "class: burstable" in (binding.next_step or "")
    assert binding.message == "reserve: 1 core needed beside the work, 0 available, 1 in all"
    assert found.answer.refusal.conflicting == ["reserve"]
    assert [step.removed for step in found.answer.refusal.funnel[:3]] == [0, 0, 0], "one shape is one shape"
    (quote,) = found.answer.quotes
    relaxed = [(one.axis, one.what, one.asked) for one in quote.relaxed]
    assert relaxed == [("isolation", "class", "guaranteed")]
    assert "reserve" not in hard(quote)
    assert found.planned[0].plan.claims[0].cores == (0,)


def test_where_the_work_itself_does_not_fit_the_reserve_is_not_blamed() -> None:
    one = to_placed(offer(said()).spec.hold.model_copy(update={"group": "first"}))
    found = said(cores=2, calendar=Calendar.of([one]))
    assert found.answer.refusal is not None
    assert found.answer.refusal.binding.constraint != "reserve"


def test_the_lesser_class_holds_none() -> None:
    burstable: dict[str, Any] = {"class": "burstable"}
    found = said(cores=1, **burstable)
    assert found.answer.kind == "Offers"
    assert found.answer.quotes[0].reserve_cores is None


@pytest.mark.parametrize(("names", "machines"), [(("a", "b"), 2), (("a",), 1)])
def test_on_a_fleet_it_stands_on_another_machine_with_all_that_a_member_has(
    names: tuple[str, ...], machines: int
) -> None:
    cores, memory = tuple(Core(id=i) for i in range(4)), (MemoryNode(id=0, bytes=8 * GIB),)
    built = Fleet.of([FleetMachine(name=n, site="local", cores=cores, memory=memory) for n in names])
    known = knowledge(need(objectives=OBJECTIVES), [measured(ENOUGH)])
    known = replace(known, machines=dict.fromkeys(names, known.machines["m"]))
    (work, spare) = answer(known, built, QUIET, "group", NOW_MS).planned[0].plan.claims
    assert (work.role, spare.role) == ("member", "reserve")
    assert len({work.machine, spare.machine}) == machines
    assert spare.memory_bytes == (GIB if machines == 2 else 0)


class TestAvailability:
    """It is promised as far as the windows measured carry it."""

    def test_what_the_windows_carry_is_promised_in_full(self) -> None:
        promise = said().answer.quotes[0].promises.statistical[-1]
        assert (promise.metric, str(promise.answered), str(promise.share)) == ("availability", "0.9", "0.9")
        assert str(promise.carried_answered) == "0.937", "25 windows with confidence 0.8: 0.2 ^ (1 / 25), rounded down"
        assert promise.evidence.windows == 25
        assert objective_of(promise) == AvailabilityObjective(900_000)

    def test_too_few_windows_are_offered_at_what_they_carry_and_the_refusal_says_what_would(self) -> None:
        found = said(found=[measured([50.0] * 11)])
        assert found.answer.kind == "CounterOffers"
        relaxed = found.answer.quotes[0].relaxed[0]
        assert (relaxed.axis, relaxed.asked, relaxed.offered) == ("availability", "0.9", "0.851")
        promise = found.answer.quotes[0].promises.statistical[-1]
        assert (str(promise.answered), str(promise.share)) == ("0.851", "0.851")
        assert found.answer.refusal is not None
        assert "takes 16 windows of 2s that are all answered" in found.answer.refusal.binding.message

    def test_where_next_to_nothing_is_carried_it_is_refused_by_name(self) -> None:
        found = said(found=[measured([50.0] * 3)])
        assert found.answer.kind == "Refusal"
        assert found.answer.refusal is not None
        assert "16 windows of 2s" in found.answer.refusal.binding.message

    def test_windows_that_were_not_answered_count_against_it(self) -> None:
        good = measured(ENOUGH)
        failed = replace(good.windows[1][0], outcome=Outcome.FAILED, status=502)
        windows = (*good.windows[:20], *[(failed,)] * 6)
        found = said(found=[replace(good, windows=windows)])
        assert found.answer.kind in ("CounterOffers", "Refusal")
        assert all(float(str(p.answered)) < SHARE for q in found.answer.quotes for p in q.promises.statistical[-1:])

    def test_commissioning_holds_it_against_what_was_answered_on_the_very_allocation(self) -> None:
        promises = said().answer.quotes[0].promises
        windows = [list(window) for window in measured([50.0] * 4).windows]
        good = judge_commissioning(promises, {Kind.UNDER_LOAD: windows})[-1]
        assert (good.metric, good.measured_answered, good.holds) == ("availability", 1.0, True)
        lost = [[replace(sample, outcome=Outcome.FAILED, status=502) for sample in window] for window in windows]
        bad = judge_commissioning(promises, {Kind.UNDER_LOAD: lost})[-1]
        assert (bad.windows_within, bad.holds) == (0, False)

    def test_the_signed_terms_give_the_judge_the_same_promise(self) -> None:
        promise = promises_of(said().answer.quotes[0].promises)[-1]
        assert promise.name == "availability"
        assert (promise.objective, promise.assurance.share) == (AvailabilityObjective(900_000), 0.9)

    def test_a_stranger_draws_its_verdicts_again_from_the_evidence_and_finds_a_forged_one(self) -> None:
        promises = said().answer.quotes[0].promises
        promise, window = promises_of(promises)[-1], Window(0, promises.statistical[-1].window.ms)
        lost = RequestSample(0, None, (), 10**9, 40, 0, 502, Outcome.FAILED)
        evidence = WindowEvidence(asof_ms=window.end_ms + 100, tap_asof_ms=window.end_ms, requests=(lost,))
        body = verdict_body(judge(promise, window, evidence))
        assert body["verdict"] == "Breached"
        terms = {"promises": promises.to_json()}
        for claimed, honest in ((body, True), (body | {"verdict": "Kept", "reason": "WithinBound"}, False)):
            stated = Statement("window-verdict", "c/w", "c", 0, 0, (), claimed)
            again = recompute(stated, {EVIDENCE_INPUT: evidence.as_record()}, terms)
            assert (again == claimed) is honest
