"""Runs every policy on every list and seed, with progress on the error stream, over one or more processes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.peers import BestFit, Cached, Combined, Fgd, Pwr, Random
from benchmarks.placement.concluding import keep_option
from benchmarks.placement.figures import ints
from benchmarks.placement.protocol import Arrivals, Curves, PolicyMaker, arrivals, replay
from benchmarks.placement.published import OPENB_FLEET, OPENB_SEEDS, are
from benchmarks.placement.traces import TraceError, read_fleet, read_tasks
from tenure.placement.packing import ClassTable, FleetState, FloatColumn, IntColumn, Packer, Watts, Weights


class Ours:
    """Tenure's packer. It is told of demands as they arrive and never sees the list's own counts."""

    def __init__(self, state: FleetState, classes: ClassTable, watts: Watts, weights: Weights | None = None) -> None:
        self._demands = classes.demands
        self.packer = Packer(state, watts=watts, weights=weights)

    def choose(self, index: int) -> tuple[int, tuple[int, ...]] | None:
        demand = self._demands[index]
        self.packer.arrived(demand)
        placement = self.packer.choose(demand)
        return None if placement is None else (placement.machine, placement.slots)

    def touched(self, machine: int) -> None:
        self.packer.touched(machine)


def makers(watts: Watts) -> dict[str, PolicyMaker]:
    """Policies by name. Published peers know the list's class frequencies, as their papers have it."""
    return {
        "ours": lambda state, classes, _counts, _seed: Ours(state, classes, watts),
        "fgd": lambda state, classes, counts, _seed: Cached(Fgd(state, classes, counts), state, classes),
        "bestfit": lambda state, classes, _counts, _seed: Cached(BestFit(state, classes), state, classes),
        "random": lambda state, classes, _counts, seed: Random(state, classes, seed),
        "pwr": lambda state, classes, _counts, _seed: Cached(Pwr(state, classes, watts), state, classes),
        "pwr100+fgd900": lambda state, classes, counts, _seed: Combined(
            Pwr(state, classes, watts), Fgd(state, classes, counts), 0.1, state, classes
        ),
    }


def weighted(watts: Watts, weight: float) -> PolicyMaker:
    """Ours with the weight of a watt replaced until the fleet is nearly full, for drawing the trade-off."""
    weights = Weights(watt=weight / 3, watt_filled=weight, watt_late=min(weight, Weights().watt_late))
    return lambda state, classes, _counts, _seed: Ours(state, classes, watts, weights)


@dataclass(frozen=True, slots=True)
class Cell:
    """One list, seed and policies to run; `measure` adds limits from the same arrivals."""

    fleet: Path
    tasks: Path
    seed: int
    policies: tuple[str, ...]
    extra_weights: tuple[float, ...] = ()
    measure: Callable[[Arrivals, Watts], dict[str, Any]] | None = None


def run_cell(cell: Cell) -> tuple[Cell, dict[str, Curves], dict[str, Any]]:
    fleet = read_fleet(cell.fleet)
    watts = Watts.published(fleet.models)
    inputs = arrivals(fleet, read_tasks(cell.tasks), cell.seed)
    known = makers(watts)
    curves = {name: replay(inputs, known[name], watts, cell.seed) for name in cell.policies}
    for weight in cell.extra_weights:
        curves[f"ours@{weight:g}"] = replay(inputs, weighted(watts, weight), watts, cell.seed)
    return cell, curves, cell.measure(inputs, watts) if cell.measure else {}


def run_grid(cells: list[Cell], processes: int) -> Iterator[tuple[Cell, dict[str, Curves], dict[str, Any]]]:
    """Results in the order of cells; progress on stderr."""
    start = perf_counter()
    if processes > 1:
        with ProcessPoolExecutor(processes) as pool:
            for done, result in enumerate(pool.map(run_cell, cells), start=1):
                _progress(done, len(cells), start, result[0])
                yield result
    else:
        for done, cell in enumerate(cells, start=1):
            result = run_cell(cell)
            _progress(done, len(cells), start, cell)
            yield result
    print(file=sys.stderr)


def _progress(done: int, total: int, start: float, cell: Cell) -> None:
    spent = perf_counter() - start
    left = spent / done * (total - done)
    line = f"\r{done}/{total}  {cell.tasks.stem}  seed {cell.seed}  {spent:.0f} s, about {left:.0f} s left"
    print(f"{line:<79}", end="", file=sys.stderr, flush=True)


def all_published(given: argparse.Namespace, lists: dict[str, str]) -> bool:
    """Whether a run is the one that aims are stated for: openb's fleet, exactly these lists, the ten seeds."""
    fleet_and_lists = are([given.fleet], OPENB_FLEET) and are(given.tasks, lists)
    return fleet_and_lists and given.seeds == OPENB_SEEDS


def parser(description: str) -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--fleet", type=Path, required=True, help="CSV: sn, cpu_milli, memory_mib, gpu, model")
    arguments.add_argument(
        "--tasks",
        type=Path,
        action="append",
        required=True,
        help="CSV: name, cpu_milli, memory_mib, num_gpu, gpu_milli, gpu_spec (optional); may be given again",
    )
    arguments.add_argument("--seeds", type=ints, default=ints("42-51"), help="such as 42-51 or 1,2,5-7")
    arguments.add_argument("--processes", type=int, default=1)
    arguments.add_argument("-o", "--output", choices=("table", "json"), default="table")
    keep_option(arguments)
    return arguments


def checked(fleet: Path, tasks: list[Path]) -> None:
    """Read every file once before anything runs; exit status 2 with file, row and column where one is malformed."""
    try:
        read_fleet(fleet)
        for path in tasks:
            read_tasks(path)
    except (OSError, TraceError) as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


def mean_of(curves: list[FloatColumn]) -> FloatColumn:
    """Mean over seeds, level by level, of the seeds that had an event there."""
    stacked = np.stack(curves)
    seen = ~np.isnan(stacked)
    mean: FloatColumn = np.where(seen, stacked, 0).sum(axis=0) / np.maximum(1, seen.sum(axis=0))
    mean[~seen.any(axis=0)] = np.nan
    return mean


def counts_until(inputs: Arrivals, level_pct: float) -> tuple[IntColumn, IntColumn]:
    """Order of the tasks until so much of capacity is asked for, and their counts a class."""
    asked = np.cumsum(inputs.classes.device_milli[inputs.order])
    end = int(np.searchsorted(asked, inputs.fleet.device_milli * level_pct / 100))
    order = inputs.order[:end]
    return order, np.bincount(order, minlength=len(inputs.classes))


if __name__ == "__main__":
    print(f"{__doc__}\nNo command of its own, but a part of these: python -m benchmarks.placement.pack --help")
