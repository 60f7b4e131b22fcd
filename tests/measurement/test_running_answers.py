"""What marks tell of an answer that still runs is never more than its end will say."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tenure.measurement.journal_samples import GAPS_KNOWN_MAX, note_progress, unended_sample
from tenure.promises import Outcome


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
