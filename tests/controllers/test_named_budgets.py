"""Licences and other budgets of any name: declared by a site, drawn by members, refused by their name."""

import re
from dataclasses import replace

import pytest
from pydantic import ValidationError

from tenure.cli.recount_facts import limits_of
from tenure.controllers.answering.explicit import wanted_of, with_wanted
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.machine.simulated import as_observed
from tenure.discovery.fleets import FleetFile
from tenure.ledger.convert import from_placed, to_placed
from tenure.placement import Calendar, Demand, Fleet, Plan, Refusal, Role, capacity, fewer_members, plan
from tenure.resources import Site
from tenure.resources.kinds.site import DomainBudget, NamedBudget, SiteSpec
from tenure.resources.kinds.workload import WorkloadSpec
from tests.cli.simulation.builders import a_fleet

SOLVER = "licence:solver"


def declared(spec: SiteSpec) -> FleetFile:
    """Four machines of eight GPUs, two in a rack, at a site that declares this."""
    given = a_fleet()
    return replace(given, site=Site(metadata=given.site.metadata, spec=spec))


def fleet(spec: SiteSpec, *, every_budget: bool = False) -> Fleet:
    made = declared(spec)
    return fleet_of(made.site, as_observed(made, 0), made.profiles, every_budget=every_budget)


def seats(limit: int) -> SiteSpec:
    return SiteSpec(named=[NamedBudget(name=SOLVER, limit=limit, unit="seats")])


def demand(on: Fleet, members: int, each: int = 2) -> Demand:
    draws = [{"budget": SOLVER, "amount": each}]
    spec = WorkloadSpec.model_validate(
        {"training": {}, "run": {"command": ["x"]}, "resources": {"members": members, "cores": 1, "draws": draws}}
    )
    return with_wanted(Demand("d", (Role(cores=1),), duration_ms=1000), wanted_of(spec), on)


def test_members_draw_together_and_the_licence_is_what_is_named() -> None:
    on = fleet(seats(5))
    assert isinstance(plan(on, Calendar(), demand(on, 2), now_ms=0), Plan)
    refused = plan(on, Calendar(), demand(on, 3), now_ms=0)
    assert isinstance(refused, Refusal)
    binding = refused.binding
    assert (binding.constraint, binding.needed, binding.capacity, binding.unit) == (SOLVER, 6, 5, "seats")
    smaller = fewer_members(on, Calendar(), demand(on, 3), now_ms=0)
    assert smaller is not None
    assert smaller.demand.roles[0].count == 2


def test_what_is_held_counts_until_it_ends() -> None:
    on = fleet(seats(5))
    held = plan(on, Calendar(), demand(on, 2), now_ms=0)
    assert isinstance(held, Plan)
    calendar = Calendar.of([held.hold("h")])
    assert isinstance(plan(on, calendar, demand(on, 1), now_ms=500), Refusal)
    assert isinstance(plan(on, calendar, demand(on, 1), now_ms=1000), Plan)


def test_a_licence_that_nobody_declared_is_refused_by_its_name() -> None:
    on = fleet(SiteSpec())
    refused = plan(on, Calendar(), demand(on, 1), now_ms=0)
    assert isinstance(refused, Refusal)
    assert refused.binding.constraint == SOLVER
    assert "Site.spec.named" in refused.binding.hint


def test_a_rack_may_have_its_own_and_only_machines_under_it_count() -> None:
    on = fleet(SiteSpec(budgets=[DomainBudget(level="rack", domain="r-1", named=[NamedBudget(name=SOLVER, limit=2)])]))
    found = plan(on, Calendar(), demand(on, 1), now_ms=0)
    assert isinstance(found, Plan)
    assert found.claims[0].machine in ("m-2", "m-3")
    refused = plan(on, Calendar(), demand(on, 2), now_ms=0)
    assert isinstance(refused, Refusal)
    assert refused.binding.constraint == f"{SOLVER}:r-1"


def test_capacity_says_that_the_licence_binds() -> None:
    on = fleet(seats(5), every_budget=True)
    member = Role(draws=demand(on, 1).roles[0].draws)
    report = capacity(on, Calendar(), "simulated", at_ms=0, member=member)
    assert report.binding is not None
    assert (report.members, report.binding.kind, report.binding.limit) == (2, SOLVER, 5)
    # Two members of two seats each leave one seat.
    assert (report.one_more, report.each) == (1, 2)


def test_a_hold_says_what_it_draws_and_the_recount_adds_it_up() -> None:
    on = fleet(seats(5))
    found = plan(on, Calendar(), demand(on, 2), now_ms=0)
    assert isinstance(found, Plan)
    wire = from_placed(found.hold("h"))
    assert [draw.amount for claim in wire.claims for draw in claim.draws] == [2, 2]
    assert to_placed(wire).claims == tuple(replace(claim, role="") for claim in found.claims)
    made = declared(seats(5))
    (limit,) = limits_of(made.site, as_observed(made, 0), {p.name: p for p in made.profiles})
    assert (limit.id, limit.name, limit.limit) == (SOLVER, SOLVER, 5)


@pytest.mark.parametrize("name", ["", "Licence:x", "licence:", "licence x", "licence:a:b"])
def test_a_name_is_a_word_and_perhaps_a_second(name: str) -> None:
    with pytest.raises(ValidationError):
        NamedBudget(name=name, limit=1)


@pytest.mark.parametrize(
    "name", ["power", "power:rack-7", "cooling", "rackUnits", "network", "localDisk", "devices:gpu"]
)
def test_what_is_declared_otherwise_is_no_name_of_a_budget(name: str) -> None:
    """Two limits of one name are taken for one, and the lower holds for both."""
    with pytest.raises(ValidationError, match="give this budget another name"):
        NamedBudget(name=name, limit=5)
    schema = NamedBudget.model_json_schema()["properties"]["name"]
    assert re.search(schema["not"]["pattern"], name)
    assert not re.search(schema["not"]["pattern"], "powerline")
    assert NamedBudget(name="powerline", limit=5).limit == 5
