"""What Tenure says to a need, from what was measured and what is free."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tenure.controllers.answering.answer import Knowledge, answer
from tenure.controllers.answering.residency import judge_residency
from tenure.controllers.answering.trial_wish import trial_wish
from tenure.placement import Calendar, Claim, Constraint, Hold
from tenure.quantities import format_instant
from tenure.resources import ObjectMeta, Site
from tenure.resources.kinds.objectives import Residency
from tests.controllers.builders import GIB, NOW_MS, fleet, knowledge, measured, need

GOOD = [50.0] * 9  # one window chooses, eight carry 0.8 at 0.8
SLOW = [300.0] * 9
QUIET = Calendar.of([])


def said(known: Knowledge, calendar: Calendar = QUIET, cores: int = 1):
    return answer(known, fleet(cores), calendar, "group", NOW_MS)


def taken_until(ms: int) -> Calendar:
    claim = Claim(machine="m", cores=(0,), memory_bytes=GIB, memory_nodes=(0,))
    return Calendar.of([Hold("other", "other", "local", NOW_MS, NOW_MS + ms, (claim,))], margin_ms=2000)


def axes(quote) -> list[str]:
    return sorted(relaxation.axis for relaxation in quote.relaxed)


def test_what_the_evidence_carries_is_offered_in_full() -> None:
    found = said(knowledge(need(), [measured(GOOD)]))
    assert found.answer.kind == "Offers"
    promise = found.answer.quotes[0].promises.statistical[0]
    assert (str(promise.bound), str(promise.carried)) == ("100ms", "50ms")
    assert promise.evidence.grade == "measured-here"
    assert found.planned[0].plan.claims[0].cores == (0,)


def test_an_unknown_price_is_called_unknown_and_a_declared_one_is_shared_out() -> None:
    unknown = said(knowledge(need(), [measured(GOOD)])).answer.quotes[0].price
    assert unknown.hourly is None
    assert "tenure price set m" in (unknown.unknown_because or "")
    known = said(knowledge(need(), [measured(GOOD)], cost="0.60 EUR")).answer.quotes[0].price
    assert str(known.hourly) == "0.60 EUR", "the only sellable core is the whole of it"
    assert str(known.total) == "0.10 EUR", "for ten minutes"


def test_time_spent_on_the_way_to_the_answer_moves_the_start_and_not_an_end_that_was_asked_for() -> None:
    """A need is read before it is decided on; nothing is booked in the past, and nobody is refused for our delay."""
    for term, length_ms in (({"duration": "10m"}, 600_000), ({"end": format_instant(NOW_MS + 600_000)}, 599_995)):
        found = answer(knowledge(need(term=term), [measured(GOOD)]), fleet(1), QUIET, "group", NOW_MS + 5)
        assert found.answer.kind == "Offers"
        plan = found.planned[0].plan
        assert (plan.start_ms, plan.end_ms) == (NOW_MS + 5, NOW_MS + 5 + length_ms)


def test_too_slow_a_shape_is_a_counter_offer_that_says_by_how_much() -> None:
    found = said(knowledge(need(), [measured(SLOW)]))
    assert found.answer.kind == "CounterOffers"
    relaxed = found.answer.quotes[0].relaxed[0]
    assert (relaxed.axis, relaxed.asked, relaxed.offered) == ("slower", "100ms", "300ms")
    binding = found.answer.refusal.binding
    assert binding.constraint == "objectives.timeToFirstToken.p95"
    assert "asked 100ms" in binding.message
    assert "300ms" in binding.message


def test_evidence_under_a_heavier_load_bounds_a_lighter_one_and_never_the_other_way() -> None:
    heavier = [measured(GOOD, rate=2)]
    assert said(knowledge(need(), heavier)).answer.kind == "Offers"
    lighter = [measured(GOOD, rate=0.5)]
    found = said(knowledge(need(), lighter))
    assert found.answer.kind == "CounterOffers"
    assert axes(found.answer.quotes[0]) == ["less"]


def test_less_and_slower_are_offered_side_by_side() -> None:
    found = said(knowledge(need(), [measured(GOOD, rate=0.5), measured(SLOW, rate=1)]))
    assert sorted(axes(quote) for quote in found.answer.quotes) == [["less"], ["slower"]]


def test_a_full_machine_offers_later_exactly_when_it_is_free() -> None:
    found = said(knowledge(need(), [measured(GOOD)]), taken_until(60_000))
    assert found.answer.kind == "CounterOffers"
    assert axes(found.answer.quotes[0]) == ["later"]
    assert int(found.answer.quotes[0].start) == NOW_MS + 62_000, "the first one's end and the margin for stopping"
    assert found.answer.refusal.binding.constraint == "cores"
    assert int(found.answer.refusal.binding.frees_at) == NOW_MS + 62_000


def test_on_a_full_machine_less_and_slower_start_later_too() -> None:
    found = said(knowledge(need(), [measured(GOOD, rate=0.5), measured(SLOW, rate=1)]), taken_until(60_000))
    assert sorted(axes(quote) for quote in found.answer.quotes) == [["later", "less"], ["later", "slower"]]


def test_policy_is_never_relaxed() -> None:
    forbidden = Constraint(id="residency: EU", imposed_by="policy", machines=frozenset(), policy=True, hint="assert it")
    found = said(knowledge(need(), [measured(GOOD), measured(SLOW, slots=2)], constraints=(forbidden,)))
    assert found.answer.kind == "Refusal"
    assert found.planned == ()
    assert found.answer.refusal.binding.constraint == "residency: EU"
    assert found.answer.refusal.binding.next_step == "assert it"


def test_too_few_windows_are_offered_at_the_confidence_that_they_carry() -> None:
    found = said(knowledge(need(), [measured([50.0] * 6)]))
    assert found.answer.kind == "CounterOffers"
    relaxed = found.answer.quotes[0].relaxed[0]
    assert (relaxed.axis, relaxed.asked, relaxed.offered) == ("confidence", "0.8", "0.67"), "1 - 0.8^5, rounded down"


def test_without_evidence_the_answer_is_the_trial_that_finds_out() -> None:
    wanted = need()
    wish = trial_wish(wanted, [m.shape for m in (measured(GOOD), measured(GOOD, slots=2))], [], None)
    assert wish is not None
    found = said(replace(knowledge(wanted, []), trial=wish))
    assert found.answer.kind == "NeedsTrial"
    assert found.trial_plan is not None
    assert len(wish.steps) == 3, "each shape at the load asked, the largest also at twice that"


def test_when_no_trial_can_be_held_what_is_known_is_the_answer() -> None:
    wanted = need()
    known = knowledge(wanted, [measured(GOOD)])
    wish = trial_wish(wanted, [measured(GOOD, slots=2).shape], [], None)
    found = said(replace(known, trial=wish), taken_until(60_000))
    assert found.answer.kind == "CounterOffers"


def test_a_need_without_a_rate_of_its_own_says_what_was_assumed() -> None:
    wanted = need(load=None, objectives={"outputTokensPerSecond": 64}, assurance=None, term={})
    assert wanted.load is not None
    assert wanted.load.arrivals_per_second == 1
    assert [line.split(":")[0] for line in wanted.assumed] == ["load", "assurance", "term"]


@given(st.lists(st.floats(1, 500), min_size=9, max_size=30), st.floats(0.5, 2))
def test_no_offer_in_full_is_ever_tighter_than_its_evidence(windows: list[float], rate: float) -> None:
    found = said(knowledge(need(), [measured(windows, rate=rate)]))
    for quote in found.answer.quotes:
        for promise in quote.promises.statistical:
            assert promise.bound >= promise.carried or promise.bound == promise.asked
            if quote.meets_in_full:
                assert promise.carried <= promise.asked


class TestResidency:
    """A location is asserted by someone; without that the answer is no."""

    def site(self, country: str | None) -> Site:
        wire = {"location": {"country": country, "assertedBy": "the landlord"}} if country else {}
        return Site.model_validate({"metadata": ObjectMeta(name="here"), "spec": wire})

    def test_nobody_has_asserted_it(self) -> None:
        verdict = judge_residency(Residency(jurisdictions=["EU"]), self.site(None))
        assert not verdict.allowed
        assert verdict.reason == "LocationUnknown"
        assert verdict.next_step.startswith("tenure site assert here")

    def test_inside_and_outside(self) -> None:
        eu = Residency(jurisdictions=["EU"])
        assert judge_residency(eu, self.site("DE")).allowed
        assert not judge_residency(eu, self.site("US")).allowed
        assert not judge_residency(eu, self.site("NO")).allowed
        assert judge_residency(Residency(jurisdictions=["EEA"]), self.site("NO")).allowed
        assert judge_residency(Residency(countries=["CH"]), self.site("CH")).allowed

    def test_who_does_not_ask_may_run_anywhere(self) -> None:
        assert judge_residency(None, self.site(None)).allowed
