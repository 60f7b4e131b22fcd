"""How the cost of a question to the calendar grows with the holds that stand in it, beside a walk over all of them.

    python -m benchmarks.placement.calendar --holds 1000,10000,100000 [--fleet FILE] -o json

Holds lie one after another on few machines, so that few meet any one time however many there are: what grows is what a
question must not look at. Each question is asked at random times; a figure is the mean of one, in microseconds, and
"growth" is how many times the figure at the first number of holds it is. "walk" is the peer: the same answer (which is
checked) by looking at every hold.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

from benchmarks.placement.figures import Figures, ints, show
from benchmarks.placement.traces import TraceError, read_fleet
from tenure.placement import Budget, Calendar, Claim, Core, Draw, Fleet, FleetMachine, Hold, budgets_left
from tenure.placement.calendar import Use, peak_use

MACHINES, LENGTH_MS = 16, 100
ASKED = 200
SIDE_BY_SIDE = 4
"""Holds on one machine at a time, where it has as many cores."""


def fleet_of(cores: Mapping[str, int]) -> Fleet:
    """Machines of so many cores, and a licence for each hold that stands at one time."""
    machines = [FleetMachine(name, "here", tuple(Core(core) for core in range(count))) for name, count in cores.items()]
    licences = sum(min(count, SIDE_BY_SIDE) for count in cores.values())
    return Fleet.of(machines, budgets=(Budget("licence", "site", "here", licences),))


FLEET = fleet_of({f"m{n}": 8 for n in range(MACHINES)})


def calendar_of(holds: int, fleet: Fleet = FLEET) -> Calendar:
    """So many holds, of one core and one licence each, in rows."""
    rows = [(m.name, core) for core in range(SIDE_BY_SIDE) for m in fleet.machines if core < len(m.cores)]
    made = []
    for number in range(holds):
        (machine, core), turn = rows[number % len(rows)], number // len(rows)
        claim = Claim(machine, (core,), draws=(Draw("licence", 1),))
        made.append(Hold(f"h{number}", "", "here", turn * LENGTH_MS, (turn + 1) * LENGTH_MS, (claim,)))
    return Calendar.of(made)


def walked(fleet: Fleet, calendar: Calendar, start_ms: int, end_ms: int) -> int:
    """What is left of the licence, by a walk over all holds."""
    uses = [
        Use(hold.alternative_of, hold.start_ms, hold.end_ms, {"licence": 1})
        for hold in calendar.holds.values()
        if hold.start_ms < end_ms and hold.end_ms > start_ms
    ]
    return fleet.budgets[0].limit - peak_use(uses, start_ms, end_ms).get("licence", 0)


def asked(holds: int, seed: int, fleet: Fleet = FLEET) -> dict[str, float]:
    """Microseconds a question."""
    draw = random.Random(seed)
    calendar = calendar_of(holds, fleet)
    last = max(1, max(hold.start_ms for hold in calendar.holds.values()))
    budgets_left(fleet, calendar, 0, 1)
    times = [draw.randrange(last) for _ in range(ASKED)]
    figures: dict[str, float] = {}

    def timed(name: str, question: object, at: list[int]) -> None:
        assert callable(question)
        began = perf_counter()
        for start_ms in at:
            question(start_ms)
        figures[name] = 1e6 * (perf_counter() - began) / len(at)

    timed("machine", lambda at: calendar.free_over(fleet.machines[at % len(fleet.machines)], at, at + LENGTH_MS), times)
    timed("budget", lambda at: budgets_left(fleet, calendar, at, at + LENGTH_MS), times)
    timed("last start", lambda _: calendar.last_start_ms(), times)
    more = Hold(
        "more", "", "here", last // 2, last // 2 + 5, (Claim(fleet.machines[0].name, draws=(Draw("licence", 1),)),)
    )
    timed("hold more", lambda at: budgets_left(fleet, calendar.with_holds(more), at, at + 1), times[:20])
    few = times[:5]
    timed("walk", lambda at: walked(fleet, calendar, at, at + LENGTH_MS), few)
    for at in few:
        assert (
            walked(fleet, calendar, at, at + LENGTH_MS)
            == budgets_left(fleet, calendar, at, at + LENGTH_MS)["licence:here"]
        )
    return figures


def machines_of(path: Path) -> dict[str, int]:
    """Whole cores of each machine in a file; exit status 2 with file, row and column where it is malformed."""
    try:
        found = read_fleet(path)
    except (OSError, TraceError) as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    return {name: max(1, int(milli) // 1000) for name, milli in zip(found.names, found.cpu_milli, strict=True)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--holds", type=ints, default=[1_000, 10_000, 100_000])
    parser.add_argument(
        "--fleet", type=Path, help=f"machines of this file of a fleet's columns, not {MACHINES} small ones"
    )
    parser.add_argument("--seeds", type=ints, default=[42])
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    options = parser.parse_args()
    fleet = FLEET if options.fleet is None else fleet_of(machines_of(options.fleet))
    runs = []
    for seed in options.seeds:
        figures = Figures("calendar", seed)
        rows = {holds: asked(holds, seed, fleet) for holds in options.holds}
        for holds, row in rows.items():
            figures.add(f"{holds} holds, us", **row)
        least = rows[options.holds[0]]
        for holds, row in rows.items():
            figures.add(f"{holds} holds, growth", **{name: row[name] / least[name] for name in row})
        runs.append(figures)
    show(runs, options.output)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
