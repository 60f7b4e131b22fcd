"""`Kept` is never said wrongly: a short run of the virtual part of the honesty benchmark, every kind of fault."""

from __future__ import annotations

import pytest
from benchmarks.honesty.aims import AIMS, AVAILABILITY, FIRST_TOKEN, Aim
from benchmarks.honesty.faults import KINDS, Kind
from benchmarks.honesty.row import Row, unprobed_windows_max
from benchmarks.honesty.shown import dishonest, meanings, table
from benchmarks.honesty.virtual import run

HURT_BY = {FIRST_TOKEN: ("slow", "stall", "left", "dead"), AVAILABILITY: ("dead",)}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("aim", AIMS, ids=lambda aim: aim.promise.name)
def test_no_false_kept(kind: Kind, aim: Aim) -> None:
    row = run(kind, windows=30, seed=7, aim=aim)
    assert row.windows >= 30
    assert row.false_kept == 0
    assert row.false_breached == 0
    if kind.service in HURT_BY[aim]:
        assert row.truly_bad > 0, "the fault must really have hurt, or the row says nothing"
        assert max(row.detected_after_windows) <= 1


@pytest.mark.parametrize("aim", AIMS, ids=lambda aim: aim.promise.name)
def test_a_lie_is_believed_no_longer_than_until_its_first_probe(aim: Aim) -> None:
    lying = next(kind for kind in KINDS if kind.sensor == "tap-lying")
    row = run(lying, windows=120, seed=1, aim=aim)
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
