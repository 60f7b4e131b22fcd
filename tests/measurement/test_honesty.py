"""`Kept` is never said wrongly: a short run of the virtual part of the honesty benchmark, every kind of fault."""

from __future__ import annotations

import pytest
from benchmarks.honesty.aims import AIMS, AVAILABILITY, FIRST_TOKEN, Aim
from benchmarks.honesty.faults import KINDS, Kind
from benchmarks.honesty.virtual import run

HURT_BY = {FIRST_TOKEN: ("slow", "stall", "dead"), AVAILABILITY: ("dead",)}


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
