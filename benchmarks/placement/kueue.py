"""Kueue's own performance tests replayed under a virtual clock, first of all 15,000 gangs on 640 nodes (TAS).

    python -m benchmarks.placement.kueue --config kueue-perf/tas --seeds 42 -o json

Virtual seconds until the last gang is done, against the physical floor; wall seconds of all decisions. Kueue's own
figure beside it was measured by its project on its CI hardware, API server included; its tree walks run here, too.
"""

from __future__ import annotations

import argparse
import heapq
import random
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import yaml

from benchmarks.peers.kueue import WALKS, walk
from benchmarks.placement.concluding import concluded, keep_option
from benchmarks.placement.figures import Figures, as_json, ints, show
from benchmarks.placement.published import KUEUE, are
from benchmarks.placement.traces import TraceError
from tenure.placement.gangs import FreeCounts, GangChoice, LevelTree, Need, choose


@dataclass(frozen=True, slots=True)
class Gang:
    """``members`` of ``milli_cpu`` each for ``run_ms``; ``level`` is the one that it names."""

    arrive_ms: int
    priority: int
    members: int
    milli_cpu: int
    run_ms: int
    level: str
    required: bool
    class_name: str
    cohort: int
    queue: int

    @property
    def total_milli(self) -> int:
        return self.members * self.milli_cpu


@dataclass(frozen=True, slots=True)
class Scenario:
    gangs: list[Gang]
    nodes: int
    racks: int
    node_milli: int
    cohorts: int
    cohort_milli: int
    queue_milli: int
    published_s: float | None

    def counts(self) -> FreeCounts:
        per_rack = self.nodes // self.racks
        tree = LevelTree.of(
            [
                ("node", [f"n{n:05d}" for n in range(self.nodes)]),
                ("rack", [f"r{n // per_rack:04d}" for n in range(self.nodes)]),
                ("block", ["b0" for _ in range(self.nodes)]),
            ]
        )
        return FreeCounts(tree, np.full((self.nodes, 1), self.node_milli, dtype=np.int64))

    def floor_seconds(self) -> float:
        """Work of the fullest cohort over its quota."""
        work = [0] * self.cohorts
        for gang in self.gangs:
            work[gang.cohort] += gang.total_milli * gang.run_ms
        return max(work) / self.cohort_milli / 1000


def read_scenario(folder: Path) -> Scenario:
    """From Kueue's generator.yaml, and its published mean from the comment in rangespec.yaml, if that is there."""
    path = folder / "generator.yaml"
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise TraceError(f"{path.name}: no YAML: {' '.join(str(error).split())}") from None
    try:
        gangs: list[Gang] = []
        cohort = queue = quota = limit = 0
        levels = {level["name"]: level for level in config["topology"]["levels"]} if "topology" in config else {}
        short = {level["nodeLabel"]: name for name, level in levels.items()}
        for cohorts in config["cohorts"]:
            for _ in range(_whole(cohorts, "count")):
                quota = 0
                for queues in cohorts["queuesSets"]:
                    own = _milli(queues, "nominalQuota")
                    limit = own + _milli(queues, "borrowingLimit")
                    quota += _whole(queues, "count") * own
                    for _ in range(_whole(queues, "count")):
                        for load in queues["workloadsSets"]:
                            gangs += _gangs(load, short, cohort, queue)
                        queue += 1
                cohort += 1
        if not gangs:
            raise TraceError(f"{path.name}: no workloads")
        if not levels:
            return Scenario(gangs, 1, 1, cohort * quota, cohort, quota, limit, _published(folder))
        racks = _whole(levels["block"], "count") * _whole(levels["rack"], "count")
        nodes, cpu = racks * _whole(levels["node"], "count"), _milli(levels["node"]["capacity"], "cpu")
        return Scenario(gangs, nodes, racks, cpu, cohort, quota, limit, _published(folder))
    except KeyError as error:
        raise TraceError(f"{path.name}: no key {error}") from None
    except BadValueError as error:
        raise TraceError(f"{path.name}: {error}") from None
    except (TypeError, IndexError):
        raise TraceError(f"{path.name}: a list or a mapping is something else; the keys are those of Kueue") from None


def _published(folder: Path) -> float | None:
    path = folder / "rangespec.yaml"
    found = re.search(r"maxWallMs:.*#\s*(\d+)", path.read_text(encoding="utf-8")) if path.exists() else None
    return int(found.group(1)) / 1000 if found else None


class BadValueError(Exception):
    """A key and why its value cannot be used; told with the file's name."""


def _whole(of: dict[str, Any], key: str, otherwise: int | None = None, *, least: int = 1) -> int:
    value = of[key] if otherwise is None else of.get(key, otherwise)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise BadValueError(f"{key}: {value!r} is no whole number of at least {least}")
    return value


def _milli(of: dict[str, Any], key: str) -> int:
    """Kubernetes' CPU quantities: whole cores or thousandths."""
    text = str(of[key])
    digits = text.removesuffix("m")
    if not (digits.isascii() and digits.isdigit()):
        raise BadValueError(f"{key}: {of[key]!r} is no number of cores, such as 4 or 500m")
    return int(digits) * (1 if text.endswith("m") else 1000)


def _gangs(load: dict[str, Any], short: dict[str, str], cohort: int, queue: int) -> list[Gang]:
    one = load["workloads"][0]
    interval_ms = _whole(load, "creationIntervalMs", least=0)
    return [
        Gang(
            number * interval_ms,
            _whole(one, "priority", least=-(2**31)),
            _whole(one, "podCount", 1),
            _milli(one, "request"),
            _whole(one, "runtimeMs"),
            short[one["tasLevel"]] if "tasLevel" in one else "node",
            one.get("tasConstraint") == "required",
            one["className"],
            cohort,
            queue,
        )
        for number in range(_whole(load, "count"))
    ]


Place = Callable[[FreeCounts, Need, Gang], GangChoice | None]


def ours(counts: FreeCounts, need: Need, gang: Gang) -> GangChoice | None:
    return choose(counts, need, gang.members, widest=gang.level if gang.required else None)


def replay(scenario: Scenario, place: Place, seed: int) -> dict[str, float]:
    """Admit by priority, then arrival; a cohort's quota is a budget; what does not fit waits and holds up nobody."""
    shuffled = list(scenario.gangs)
    random.Random(seed).shuffle(shuffled)
    shuffled.sort(key=lambda gang: gang.arrive_ms)
    counts = scenario.counts()
    left = [scenario.cohort_milli] * scenario.cohorts
    own = [scenario.queue_milli] * (1 + max(gang.queue for gang in shuffled))
    waiting: list[dict[tuple[int, int], deque[Gang]]] = [{} for _ in range(scenario.cohorts)]
    ends: list[tuple[int, int, Gang, GangChoice]] = []
    waits: list[int] = []
    tight = decisions = next_gang = now = 0
    spent = 0.0
    while next_gang < len(shuffled) or ends:
        now = min(ends[0][0] if ends else 2**60, shuffled[next_gang].arrive_ms if next_gang < len(shuffled) else 2**60)
        touched = set()
        while next_gang < len(shuffled) and shuffled[next_gang].arrive_ms <= now:
            gang = shuffled[next_gang]
            next_gang += 1
            waiting[gang.cohort].setdefault((-gang.priority, -gang.total_milli), deque()).append(gang)
            touched.add(gang.cohort)
        while ends and ends[0][0] <= now:
            _, _, gang, held = heapq.heappop(ends)
            counts.give((gang.milli_cpu,), held.rows, held.members)
            left[gang.cohort] += gang.total_milli
            own[gang.queue] += gang.total_milli
            touched.add(gang.cohort)
        for cohort in sorted(touched):
            for key in sorted(waiting[cohort]):
                queue = waiting[cohort][key]
                for _ in range(len(queue)):
                    if not queue or queue[0].total_milli > left[cohort]:
                        break
                    gang = queue[0]
                    if gang.total_milli > own[gang.queue]:
                        queue.rotate(-1)
                        continue
                    began = perf_counter()
                    choice = place(counts, (gang.milli_cpu,), gang)
                    if choice is not None:
                        counts.take((gang.milli_cpu,), choice.rows, choice.members)
                    spent += perf_counter() - began
                    if choice is None:
                        break
                    decisions += 1
                    queue.popleft()
                    left[cohort] -= gang.total_milli
                    own[gang.queue] -= gang.total_milli
                    waits.append(now - gang.arrive_ms)
                    tight += len(choice.rows) == 1
                    heapq.heappush(ends, (now + gang.run_ms, decisions, gang, choice))
    return {
        "virtual_s": now / 1000,
        "admitted": len(waits),
        "mean_wait_s": sum(waits) / len(waits) / 1000,
        "one_node_pct": 100 * tight / len(waits),
        "decide_wall_s": spent,
        "decisions_per_s": decisions / spent,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    words = "folder with Kueue's generator.yaml: its fleet and its gangs"
    parser.add_argument("--config", "--tasks", dest="config", type=Path, required=True, help=words)
    parser.add_argument("--seeds", type=ints, default=[42], help="order of gangs that arrive in the same instant")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    keep_option(parser)
    options = parser.parse_args()
    scenario = read_scenario(options.config)
    runs = []
    for seed in options.seeds:
        figures = Figures(f"kueue {options.config.name}", seed)
        figures.add("ours", **replay(scenario, ours, seed))
        for how in WALKS:

            def place(counts: FreeCounts, need: Need, gang: Gang, how: str = how) -> GangChoice | None:
                return walk(counts, need, gang.members, gang.level, required=gang.required, how=how)

            figures.add(f"kueue walk, {how}", **replay(scenario, place, seed))
        figures.add("physical floor", virtual_s=scenario.floor_seconds())
        if scenario.published_s is not None:
            figures.add("kueue as published (CI, wall)", virtual_s=scenario.published_s)
        runs.append(figures)
    show(runs, options.output)
    judged = are([options.config / "generator.yaml"], KUEUE)
    return concluded("kueue", as_json(runs), published=judged, output=options.output, keep=options.keep)


if __name__ == "__main__":
    raise SystemExit(main())
