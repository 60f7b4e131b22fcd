"""The same question has the same answer byte for byte, in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json, random
from dataclasses import replace
from tenure.placement import *
from tests.placement.builders import demand, machine
draw = random.Random(11)
places = (("rack", "r0"), ("rack", "r1"))
fleet = Fleet.of([machine(f"m{n}", nodes=2, caches=2, cores=4, gpus=4, place=(places[n % 2],)) for n in range(6)],
    levels=(Level("rack"),), budgets=(Budget("licence", "rack", "r0", 9), Budget("licence", "site", "here", 14)))
calendar, said = Calendar(margin_ms=5), []
apart = SpreadOut("rack", frozenset({"h1", "h4", "g"}))
scores = (Fragmentation(), 1.0), (Locality(), 0.1), (apart, lambda taken: taken)
for number in range(60):
    role = {"requires": frozenset(draw.sample(["l3", "numa", "pcie"], draw.randint(0, 2))),
            "draws": (Draw("licence", draw.randint(0, 2)),)}
    wanted = replace(demand(f"d{number}", count=draw.randint(1, 3), cores=draw.randint(0, 6), gpus=draw.randint(0, 3),
        gib=draw.randint(0, 9), duration_ms=draw.randint(5, 90), role=role), group=draw.choice(["", "g"]),
        start=Start(number, number + draw.choice([0, 40])), required_level=draw.choice([None, "rack"]))
    answer = plan(fleet, calendar, wanted, now_ms=number, seed=3, choice=Choice(scores) if number % 2 else None)
    said.append(answer.to_json())
    if isinstance(answer, Plan):
        calendar = calendar.with_holds(answer.hold(f"h{number}"))
    else:
        said += [o.to_json() for o in relaxations(fleet, calendar, wanted, [], now_ms=number, seed=3)]
said.append(capacity(fleet, calendar, "here", at_ms=30).to_json())
print(json.dumps(said))
"""


def test_a_history_is_replayed_to_the_byte_whatever_the_hash_seed() -> None:
    root = Path(__file__).resolve().parents[2]
    said = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            capture_output=True,
            check=True,
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
        ).stdout
        for seed in ("1", "2")
    ]
    assert len(said[0]) > 10_000
    assert said[0] == said[1]
