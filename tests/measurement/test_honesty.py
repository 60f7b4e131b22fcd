"""`Kept` is never said wrongly: a short run of the virtual part of the honesty benchmark, every kind of fault."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from _pytest.mark import ParameterSet
from benchmarks.honesty.aims import AIMS, AVAILABILITY, FIRST_TOKEN, INTER_TOKEN, Aim
from benchmarks.honesty.faults import KINDS, LYING, LYING_ABOUT_GAPS, Kind
from benchmarks.honesty.row import FALSE_BREACHED, Row, unprobed_windows_max
from benchmarks.honesty.shown import dishonest, meanings, table, wrong
from benchmarks.honesty.virtual import run

from tenure.promises import Reason, Verdict, Window, WindowVerdict

HURT_BY = {
    FIRST_TOKEN: ("slow", "stall", "left", "dead"),
    INTER_TOKEN: ("slow", "dead"),
    AVAILABILITY: ("dead",),
}


QUICK = {
    FIRST_TOKEN: {kind.name for kind in KINDS},
    INTER_TOKEN: {"interference", "server killed", "tap killed", "tap lying about gaps", "tap clock drifting"},
    AVAILABILITY: {"server killed", "tap killed", "prober cut off"},
}
"""Which kinds are judged for which aim at once; the whole table is a slow test."""


def quick(kinds: Sequence[Kind]) -> list[ParameterSet]:
    """Every kind with every aim; those that tell little that is new are slow tests."""
    return [
        pytest.param(
            kind,
            aim,
            id=f"{aim.promise.name}-{kind.name}",
            marks=() if kind.name in QUICK[aim] else (pytest.mark.slow,),
        )
        for aim in AIMS
        for kind in kinds
    ]


@pytest.mark.parametrize(("kind", "aim"), quick(KINDS))
def test_no_false_kept(kind: Kind, aim: Aim) -> None:
    row = run(kind, windows=30, seed=7, aim=aim)
    assert row.windows >= 30
    assert row.false_kept == 0
    assert row.unexplained_breached == 0, wrong([row])
    if kind.service in HURT_BY[aim]:
        assert row.truly_bad > 0, "the fault must really have hurt, or the row says nothing"
        assert row.undetected == 0
        assert max(row.detected_after_windows) <= 1


@pytest.mark.parametrize(("lying", "aim"), quick([kind for kind in KINDS if kind.sensor in (LYING, LYING_ABOUT_GAPS)]))
def test_a_lie_is_believed_no_longer_than_until_its_first_probe(lying: Kind, aim: Aim) -> None:
    row = run(lying, windows=80, seed=1, aim=aim)
    assert row.honest
    assert max(row.unprobed, default=0) <= row.unprobed_windows_max


def test_twin_a_lie_that_is_believed_longer_fails_the_benchmark() -> None:
    bound = unprobed_windows_max(0.25, 4000)
    assert bound == 8, "27.6 s without a probe are one interval in a thousand: 7 windows, and the one it began in"
    assert dishonest([Row("tap lying /4", unprobed=[1, bound], unprobed_windows_max=bound)]) == []
    found = dishonest([Row("tap lying /4", unprobed=[bound + 1], unprobed_windows_max=bound)])
    assert found == ["tap lying /4: kept wrongly up to window 9 of a lie that no probe met; the bound is 8"]


def test_what_was_kept_before_a_probe_has_its_own_column() -> None:
    row = Row("tap lying /4", windows=300, unprobed=[1, 2], unprobed_windows_max=8)
    header, line = table([row]).splitlines()
    end = header.index("unprobed") + len("unprobed")
    assert line[:end].endswith(" 2 (<= 2)")
    assert "bound: 8 windows" in meanings([row])
    assert "Nothing is remedied in this table" in meanings([row])


def breached() -> WindowVerdict:
    """A breach of the first promise, in some window."""
    window = Window(0, FIRST_TOKEN.promise.assurance.window_ms)
    name = FIRST_TOKEN.promise.name
    return WindowVerdict(name, window, Verdict.BREACHED, Reason.REQUESTS_FAILED, "1 of 3 failed", 1.0, 1.0, 3)


def test_a_breach_that_users_did_not_see_is_kept_with_what_explains_it() -> None:
    row = Row("tap killed")
    row.add(breached(), bad=False, fine=True, explained="their tap was killed", truth=[1, 2])
    assert (row.false_breached, row.unexplained_breached) == (1, 0)
    (line,) = wrong([row])
    assert line.startswith(f"{FALSE_BREACHED} tap killed: their tap was killed: ")
    assert "1 of 3 failed" in line
    assert dishonest([row]) == []


def test_twin_one_that_nothing_explains_fails_the_benchmark() -> None:
    row = Row("none")
    row.add(breached(), bad=False, fine=True, truth=[1, 2])
    assert dishonest([row]) == ["none: 1 windows were breached wrongly, nothing explains it"]
    assert wrong([row])[0].startswith(f"{FALSE_BREACHED} none: nothing explains it: ")
