"""What marks tell of an answer that still runs is never more than its end will say."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tenure.measurement.gathering import cut_by_end
from tenure.measurement.journal_samples import GAPS_KNOWN_MAX, note_progress, unended_sample
from tenure.promises import Outcome, RequestSample


def marked(gaps_ns: list[int], looks: list[int]) -> tuple[int, ...]:
    """The gaps that are known after marks behind so many tokens."""
    came_ns = [5, *accumulate(gaps_ns, initial=5)][1:]
    record: dict[str, Any] = {"arrivalNs": 0, "firstNs": 5, "progressNs": 5}
    for tokens in looks:
        note_progress(record, tokens, came_ns[tokens - 1] if tokens else None)
    return unended_sample(record, Outcome.UNFINISHED, came_ns[-1]).gaps_at_least_ns


@given(st.lists(st.integers(0, 1000), max_size=20), st.data())
def test_each_value_has_a_gap_of_its_own_that_is_no_shorter(gaps_ns: list[int], data: st.DataObject) -> None:
    looks = sorted(data.draw(st.lists(st.integers(0, 1 + len(gaps_ns)), max_size=8)))
    known = marked(gaps_ns, looks)
    assert all(at_least <= gap for at_least, gap in zip(known, sorted(gaps_ns, reverse=True), strict=False))
    assert len(known) <= len(gaps_ns)


def test_marks_behind_every_token_tell_every_gap() -> None:
    assert marked([30, 10, 20], [0, 1, 2, 2, 3, 4]) == (30, 20, 10)


def test_of_an_endless_answer_the_longest_are_kept() -> None:
    gaps_ns = [*range(1, GAPS_KNOWN_MAX + 100)]
    known = marked(gaps_ns, [*range(1, len(gaps_ns) + 2)])
    assert (len(known), known[0]) == (GAPS_KNOWN_MAX, GAPS_KNOWN_MAX + 99)


def test_what_came_late_before_the_end_of_the_contract_is_known_though_the_end_cut_its_answer() -> None:
    whole = RequestSample(0, 10, (500, 900, 20), 2000, None, 4, 200, Outcome.FAILED)
    cut = cut_by_end(whole, 1420)
    assert (cut.outcome, cut.gaps_ns, cut.gaps_at_least_ns) == (Outcome.UNFINISHED, (), (900, 500))
    assert cut_by_end(whole, 2001) is whole, "it broke before the end: that was no cut"


def test_a_record_that_goes_on_for_ever_stays_short() -> None:
    record: dict[str, Any] = {}
    for place in range(5 * GAPS_KNOWN_MAX):
        note_progress(record, place + 1, place * (place + 1))
    assert len(record["gapsAtLeastNs"]) <= 2 * GAPS_KNOWN_MAX
    assert max(record["gapsAtLeastNs"]) == 2 * (5 * GAPS_KNOWN_MAX - 1), "the longest are kept"
