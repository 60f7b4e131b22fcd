"""Holds that come and go, and a time that is asked about after each: the versions of a calendar one after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hypothesis import strategies as st
from tests.placement.builders import hold

from tenure.placement import Calendar

Coming = tuple[str, int, int, int, int, str]
History = list[tuple[Coming | int, int, int]]

holds = st.builds(
    lambda on, start, length, core, milli, group: (on, start, length, core, milli, group),
    st.sampled_from(["m1", "m2"]),
    st.integers(0, 6),
    st.integers(1, 6),
    st.integers(0, 3),
    st.integers(0, 500),
    st.sampled_from(["", "", "g1", "g2"]),
)
"""Machine, start, length, core, thousandths of a device, group."""

steps = st.lists(st.tuples(st.one_of(holds, st.integers(0, 9)), st.integers(0, 8), st.integers(1, 4)), max_size=20)
"""A hold that comes, or the place of one that goes; then the time asked about: its start and length."""


def told(history: History, margin_ms: int) -> Iterator[tuple[Calendar, int, int]]:
    """The calendar after each step, and from when until when is asked about."""
    calendar = Calendar(margin_ms=margin_ms)
    for number, (change, start_ms, length_ms) in enumerate(history):
        if isinstance(change, tuple):
            on, start, length, core, milli, group = change
            came = hold(f"h{number}", on=on, start=start, end=start + length, cores=(core,), devices={"gpu0": milli})
            calendar = calendar.with_holds(replace(came, group=group))
        elif calendar.holds:
            calendar = calendar.without(sorted(calendar.holds)[change % len(calendar.holds)])
        yield calendar, start_ms, start_ms + length_ms
