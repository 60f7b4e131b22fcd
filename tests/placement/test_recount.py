"""The recount judges claims by itself: budgets too, and claims on what is not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.placement.builders import hold, machine

import tenure.placement.audit
from tenure.placement import Budget, Fleet, PowerFacts, overbookings


def test_it_takes_nothing_from_what_it_judges() -> None:
    text = Path(tenure.placement.audit.__file__).read_text()
    own = {line.split()[1] for line in text.splitlines() if line.startswith("from tenure.")}
    assert own == {"tenure.placement.fleet", "tenure.placement.holds", "tenure.placement.values"}


def test_a_device_that_is_not_there_is_overbooked_and_draws_nothing() -> None:
    box = machine("m1", gpus=1)
    powered = replace(box, devices=tuple(replace(d, power=PowerFacts(700)) for d in box.devices))
    fleet = Fleet.of([powered], budgets=(Budget("power", "site", "here", 1000),))
    (found,) = overbookings(fleet, [hold(devices={"gpu9": 1000}), hold("other", devices={"gpu0": 1000})])
    assert (found.where, found.axis, found.capacity) == ("m1", "device:gpu9", 0)


def test_shares_of_a_device_draw_in_proportion_rounded_up() -> None:
    box = machine("m1", gpus=1)
    powered = replace(box, devices=tuple(replace(d, power=PowerFacts(700, capped_mw=301)) for d in box.devices))
    halves = [hold(name, devices={"gpu0": 500}) for name in ("a", "b")]
    for rating, drawn in (("rated", 700), ("capped", 302), ("measured", 302)):
        budget = Budget("power", "site", "here", drawn, rating=rating)  # type: ignore[arg-type]
        assert overbookings(Fleet.of([powered], budgets=(budget,)), halves) == ()
        tight = replace(budget, limit=drawn - 1)
        assert [one.used for one in overbookings(Fleet.of([powered], budgets=(tight,)), halves)] == [drawn]
