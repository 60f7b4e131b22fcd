"""What counter-offers may hold: a quarter of what is otherwise free, all needs together; a lone member always."""

from dataclasses import replace

from tenure.controllers.answering.answer import Planned
from tenure.controllers.answering.promised import simulated_hard
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.machine.simulated import as_observed
from tenure.controllers.workload.restraint import unheld
from tenure.ledger import View
from tenure.ledger.convert import from_placed
from tenure.ledger.records import Record
from tenure.placement import Calendar, Demand, DeviceRequest, Fleet, Plan, Role, plan
from tenure.quantities import Instant
from tenure.resources.kinds.allocation import Price, Promises, Watts
from tenure.resources.kinds.answer import Quote
from tests.cli.simulation.builders import a_fleet


def fleet() -> Fleet:
    """Thirty-two GPUs on four machines of eight cores."""
    given = a_fleet()
    return fleet_of(given.site, as_observed(given, 0), given.profiles)


def planned(
    on: Fleet, members: int, *, gpus: int = 1, in_full: bool = False, calendar: Calendar | None = None
) -> Planned:
    wanted = Demand("d", (Role(count=members, devices=(DeviceRequest("gpu", gpus),)),), group="mine", duration_ms=1000)
    found = plan(on, calendar or Calendar(), wanted, now_ms=0)
    assert isinstance(found, Plan)
    start, end = Instant(found.start_ms), Instant(found.end_ms)
    promises = Promises(hard=simulated_hard(found))
    quote = Quote(meets_in_full=in_full, promises=promises, start=start, end=end, price=Price(), watts=Watts())
    return Planned(quote, found)


def record(one: Planned, name: str, *, group: str = "", counter: bool = True) -> Record:
    hold = from_placed(replace(one.plan.hold(name), group=group))
    return Record("Offer", "default", name, name, "Held", hold, "w", 0, 10**9, counter)


def view(*records: Record) -> View:
    return View("simulated", 1, {one.uid: one for one in records})


def test_a_gang_of_a_quarter_is_held_and_one_more_member_is_not() -> None:
    on = fleet()
    assert unheld([planned(on, 8), planned(on, 9)], view(), on, "mine").keys() == {1}


def test_why_not_says_how_much_it_would_hold_and_of_what() -> None:
    (why,) = unheld([planned(fleet(), 32)], view(), fleet(), "mine").values()
    assert "it would hold 32 gpus" in why
    assert "the 32 that are otherwise free" in why
    assert "offered it in full" in why


def test_what_was_asked_for_is_held_whatever_it_takes() -> None:
    on = fleet()
    assert unheld([planned(on, 32, in_full=True)], view(), on, "mine") == {}


def test_a_lone_member_is_held_whatever_part_of_the_fleet_it_is() -> None:
    on = fleet()
    assert unheld([planned(on, 1, gpus=8)], view(), on, "mine") == {}


def test_counter_offers_of_other_needs_count_and_alternatives_of_one_need_count_once() -> None:
    on = fleet()
    one = planned(on, 4)
    alternatives = [record(one, "a", group="other"), record(one, "b", group="other")]
    assert unheld([planned(on, 4)], view(*alternatives), on, "mine") == {}
    assert unheld([planned(on, 5)], view(*alternatives), on, "mine").keys() == {0}
    assert unheld([planned(on, 8)], view(record(one, "a", group="mine")), on, "mine") == {}, "its own make room"


def test_what_others_hold_in_full_is_not_free() -> None:
    on = fleet()
    taken = record(planned(on, 16), "a", counter=False)
    assert unheld([planned(on, 4)], view(taken), on, "mine") == {}
    assert unheld([planned(on, 5)], view(taken), on, "mine").keys() == {0}
