"""Small random fleets, calendars and demands with all kinds of constraints mixed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from tenure.placement import (
    Budget,
    Calendar,
    Constraint,
    Core,
    Demand,
    Device,
    DeviceRequest,
    Draw,
    Fleet,
    FleetMachine,
    Level,
    MemoryNode,
    Plan,
    PowerFacts,
    Role,
    Spread,
    Start,
    plan,
)
from tenure.placement.fleet import Rating

END = 6
LIMITS = st.integers(0, 6)


@st.composite
def powers(draw: st.DrawFn) -> PowerFacts:
    """What is known of a part's watts: often nothing, often not all of it."""
    figure = st.sampled_from([None, None, 1, 2])
    return PowerFacts(draw(figure), draw(figure), draw(figure))


@st.composite
def machines(draw: st.DrawFn, name: str) -> FleetMachine:
    nodes = draw(st.integers(1, 2))
    caches = draw(st.lists(st.integers(0, 1), min_size=1, max_size=4))
    known = draw(st.sampled_from([True, True, True, False]))
    cores = tuple(
        Core(n, n % nodes, cache * nodes + n % nodes if known else -1 - n % nodes) for n, cache in enumerate(caches)
    )
    devices = tuple(
        Device(
            f"g{n}",
            draw(st.sampled_from(["gpu", "gpu", "nic"])),
            model=draw(st.sampled_from(["a", "b"])),
            numa_node=draw(st.sampled_from([None, *range(nodes)])),
            pcie_switch=draw(st.sampled_from([None, "s0", "s1"])),
            healthy=draw(st.sampled_from([True, True, True, False])),
            power=draw(powers()),
        )
        for n in range(draw(st.integers(0, 3)))
    )
    return FleetMachine(
        name,
        draw(st.sampled_from(["x", "x", "x", "y"])),
        cores,
        tuple(MemoryNode(n, draw(st.integers(0, 6)), draw(st.integers(0, 1))) for n in range(nodes)),
        devices,
        place=draw(places()),
        reserved_cores=frozenset(draw(st.sets(st.integers(0, 3), max_size=1))),
        core_power=draw(powers()),
        schedulable=draw(st.sampled_from([True, True, True, True, False])),
        hardware_class=draw(st.sampled_from(["old", "new"])),
    )


@st.composite
def places(draw: st.DrawFn) -> tuple[tuple[str, str], ...]:
    """A rack, and a rail that knows nothing of it and cuts through; some machines name none."""
    rail = draw(st.sampled_from(["l0", "l0", "l1", None]))
    rack = draw(st.sampled_from(["r0", "r0", "r1", "r1", "r1", None]))
    return tuple((level, domain) for level, domain in (("rail", rail), ("rack", rack)) if domain is not None)


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    boxes = tuple(draw(machines(f"m{n}")) for n in range(draw(st.integers(1, 3))))
    rack, rail = draw(st.sampled_from([None, 10, 20])), draw(st.sampled_from([None, 10, 20]))
    return Fleet(
        boxes,
        (Level("machine", 30), Level("rail", rail), Level("rack", rack), Level("site", 5)),
        draw(budgets()),
    )


@st.composite
def budgets(draw: st.DrawFn) -> tuple[Budget, ...]:
    """Up to three of every kind: watts and heat of a rack or site by any figure, floor, weight, a licence, an uplink.

    A rack's name is the same at both sites, so that domains do not always nest.
    """
    ratings: list[Rating] = ["rated", "capped", "measured"]
    rating = st.sampled_from(ratings)
    every = [
        Budget("power", "rack", "r0", draw(LIMITS), draw(st.integers(0, 1)), rating=draw(rating)),
        Budget("power", "site", "x", draw(LIMITS), rating=draw(rating)),
        Budget("cooling", "rack", "r0", draw(LIMITS), rating=draw(rating)),
        Budget("cooling", "rack", "r1", draw(LIMITS), draw(st.integers(0, 1)), rating=draw(rating)),
        Budget("cooling", "site", "x", draw(LIMITS), rating=draw(rating)),
        Budget("rackUnits", "rack", "r1", draw(st.integers(0, 3)), draw(st.integers(0, 2))),
        Budget("weight", "machine", "m0", draw(st.integers(0, 3))),
        Budget("licence", "site", "x", draw(st.integers(0, 3))),
        Budget("uplink", "rack", "r0", draw(st.integers(0, 3)), crossing=True),
        Budget("uplink", "rack", "r1", draw(st.integers(0, 3)), draw(st.integers(0, 1)), crossing=True),
    ]
    return tuple(draw(st.lists(st.sampled_from(every), unique=True, max_size=3)))


DRAWS = st.sampled_from(
    [
        (),
        (Draw("licence", 1),),
        (Draw("uplink", 1), Draw("power", 1)),
        (Draw("uplink", 2), Draw("licence", 1)),
        (Draw("rackUnits", 1), Draw("weight", 1)),
        (Draw("cooling", 1), Draw("uplink", 1)),
    ]
)


@st.composite
def roles(draw: st.DrawFn, name: str, most: int) -> Role:
    requests = tuple(
        DeviceRequest(
            draw(st.sampled_from(["gpu", "gpu", "nic"])),
            draw(st.integers(1, 2)),
            draw(st.sampled_from([1000, 1000, 500, 300])),
            draw(st.sampled_from([frozenset[str](), frozenset({"a"})])),
        )
        for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2])))
    )
    return Role(
        name,
        draw(st.integers(1, most)),
        cores=draw(st.integers(0, 2)),
        memory_bytes=draw(st.integers(0, 4)),
        devices=requests,
        requires=frozenset(draw(st.sets(st.sampled_from(["l3", "numa", "pcie"]), max_size=1))),
        numa_distance_max=draw(st.sampled_from([None, None, None, 10, 20])),
        draws=draw(DRAWS),
    )


@st.composite
def worth(draw: st.DrawFn) -> tuple[tuple[int, float], ...]:
    """What each size of a role is worth; more members are not always worth more."""
    sizes = draw(st.sampled_from([(1, 2), (1, 2), (2,), (1,)]))
    return tuple((size, float(draw(st.integers(0, 4)))) for size in sizes)


@st.composite
def demands(draw: st.DrawFn, name: str = "d", *, most: int = 2) -> Demand:
    earliest = draw(st.integers(0, 3))
    parts = [draw(roles("one", most))]
    if most > 1 and draw(st.integers(0, 3)) == 0:
        parts = [replace(parts[0], count=3, count_min=draw(st.integers(1, 3)))]
    if draw(st.integers(0, 3)) == 0:
        parts.append(draw(roles("two", 1)))
    if most > 1 and draw(st.integers(0, 5)) == 0:
        parts = [replace(part, count=2, count_min=None, values=draw(worth())) for part in parts]
    length = draw(st.integers(1, 3))
    until = draw(st.integers(0, 4)) == 0
    constraints = []
    if draw(st.integers(0, 3)) == 0:
        constraints.append(Constraint("residency", "law", frozenset({"m0", "m2"}), policy=True))
    if draw(st.integers(0, 3)) == 0:
        constraints.append(Constraint("hardware", "user", hardware_classes=frozenset({"new"})))
    levels = draw(st.sampled_from([(), (), ("machine",), ("rack",), ("rail",), ("rail", "rack"), ("rack", "machine")]))
    return Demand(
        name,
        tuple(parts),
        group=draw(st.sampled_from(["", "", "g0", "g1"])),
        start=Start(earliest, earliest + draw(st.sampled_from([0, 0, 2, 4]))),
        duration_ms=None if until else length,
        until_ms=earliest + length if until else None,
        required_level=levels[0] if levels else None,
        required_also=levels[1:],
        preferred_level=draw(st.sampled_from([None, None, "machine", "rail", "rack"])),
        link_bytes_per_s_min=draw(st.sampled_from([None, None, None, 3, 15, 25, 99])),
        spread=draw(st.sampled_from([None, None, None, Spread("machine", 1), Spread("rack", 1)])),
        constraints=tuple(constraints),
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[Fleet, Calendar, Demand]:
    """A fleet with a history of accepted plans on it, and one more demand."""
    fleet = draw(fleets())
    calendar = Calendar(margin_ms=draw(st.integers(0, 1)))
    for number in range(draw(st.integers(0, 4))):
        answer = plan(fleet, calendar, draw(demands(f"past{number}", most=1)), now_ms=0)
        if isinstance(answer, Plan):
            calendar = calendar.with_holds(answer.hold(f"h{number}"))
    return fleet, calendar, draw(demands())


@st.composite
def overdrawn(draw: st.DrawFn) -> tuple[Fleet, Calendar, Demand]:
    """A question whose budgets were lowered after the history: some may be overdrawn by what stands."""
    fleet, calendar, demand = draw(questions())
    lowered = tuple(replace(budget, limit=draw(st.integers(0, budget.limit))) for budget in fleet.budgets)
    return fleet.with_budgets(lowered), calendar, demand
