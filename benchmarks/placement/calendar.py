"""How the cost of a question to the calendar grows with the holds that stand in it, beside a walk over all of them.

    python -m benchmarks.placement.calendar --holds 1000,10000,100000 -o json

Holds lie one after another on few machines, so that few meet any one time however many there are: what grows is what a
question must not look at. Each question is asked at random times; a figure is the mean of one, in microseconds, and
"growth" is how many times the figure at the first number of holds it is. "walk" is the peer: the same answer (which is
checked) by looking at every hold.
"""

from __future__ import annotations

import argparse
import random
from time import perf_counter

from benchmarks.placement.figures import Figures, ints, show
from tenure.placement import Budget, Calendar, Claim, Core, Draw, Fleet, FleetMachine, Hold, budgets_left
from tenure.placement.calendar import Use, peak_use

MACHINES, LENGTH_MS = 16, 100
ASKED = 200
FLEET = Fleet.of(
    [FleetMachine(f"m{n}", "here", tuple(Core(core) for core in range(8))) for n in range(MACHINES)],
    budgets=(Budget("licence", "site", "here", 4 * MACHINES),),
)


def calendar_of(holds: int) -> Calendar:
    """So many holds, of one core and one licence each, in rows."""
    rows = 4 * MACHINES
    made = []
    for number in range(holds):
        place, turn = number % rows, number // rows
        claim = Claim(f"m{place % MACHINES}", (place // MACHINES,), draws=(Draw("licence", 1),))
        made.append(Hold(f"h{number}", "", "here", turn * LENGTH_MS, (turn + 1) * LENGTH_MS, (claim,)))
    return Calendar.of(made)


def walked(calendar: Calendar, start_ms: int, end_ms: int) -> int:
    """What is left of the licence, by a walk over all holds."""
    uses = [
        Use(hold.alternative_of, hold.start_ms, hold.end_ms, {"licence": 1})
        for hold in calendar.holds.values()
        if hold.start_ms < end_ms and hold.end_ms > start_ms
    ]
    return 4 * MACHINES - peak_use(uses, start_ms, end_ms).get("licence", 0)


def asked(holds: int, seed: int) -> dict[str, float]:
    """Microseconds a question."""
    draw = random.Random(seed)
    calendar = calendar_of(holds)
    last = max(1, max(hold.start_ms for hold in calendar.holds.values()))
    budgets_left(FLEET, calendar, 0, 1)
    times = [draw.randrange(last) for _ in range(ASKED)]
    figures: dict[str, float] = {}

    def timed(name: str, question: object, at: list[int]) -> None:
        assert callable(question)
        began = perf_counter()
        for start_ms in at:
            question(start_ms)
        figures[name] = 1e6 * (perf_counter() - began) / len(at)

    timed("machine", lambda at: calendar.free_over(FLEET.machines[at % MACHINES], at, at + LENGTH_MS), times)
    timed("budget", lambda at: budgets_left(FLEET, calendar, at, at + LENGTH_MS), times)
    timed("last start", lambda _: calendar.last_start_ms(), times)
    more = Hold("more", "", "here", last // 2, last // 2 + 5, (Claim("m0", draws=(Draw("licence", 1),)),))
    timed("hold more", lambda at: budgets_left(FLEET, calendar.with_holds(more), at, at + 1), times[:20])
    few = times[:5]
    timed("walk", lambda at: walked(calendar, at, at + LENGTH_MS), few)
    for at in few:
        assert walked(calendar, at, at + LENGTH_MS) == budgets_left(FLEET, calendar, at, at + LENGTH_MS)["licence:here"]
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--holds", type=ints, default=[1_000, 10_000, 100_000])
    parser.add_argument("--seeds", type=ints, default=[42])
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    options = parser.parse_args()
    runs = []
    for seed in options.seeds:
        figures = Figures("calendar", seed)
        rows = {holds: asked(holds, seed) for holds in options.holds}
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
