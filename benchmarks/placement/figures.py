"""Figures of one run, printed side by side: ours, each peer, the limit."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Figures:
    """One seed's rows: a name and its numbers. ``notes`` is what has no row of its own."""

    benchmark: str
    seed: int
    rows: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, **numbers: float) -> None:
        self.rows[name] = numbers


def ints(text: str) -> list[int]:
    """``42-51`` or ``42,43,50-52`` as a list of whole numbers; for argparse, which shows what is wrong with it."""
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"{part!r} is no whole number and no range of them; write 42-51 or 42,43")
        if dash and int(last) < int(first):
            raise argparse.ArgumentTypeError(f"{part} counts backwards; write {last}-{first}")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def json_of(figures: Any) -> str:
    """As JSON, which knows no NaN: a figure that there is none of, such as a mean over nothing, is null."""

    def known(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: known(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [known(one) for one in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps(known(figures), indent=1, allow_nan=False)


def as_json(runs: list[Figures]) -> list[dict[str, Any]]:
    return [{"benchmark": run.benchmark, "seed": run.seed, "rows": run.rows, **run.notes} for run in runs]


def show(runs: list[Figures], output: str) -> None:
    """Print all runs, as JSON or as one table with the means over the seeds."""
    if output == "json":
        print(json_of(as_json(runs)))
        return
    names = list(dict.fromkeys(name for one in runs for name in one.rows))
    columns = list(dict.fromkeys(column for one in runs for row in one.rows.values() for column in row))
    wide = max(len(name) for name in names) + 2
    print(f"{runs[0].benchmark}: mean over seeds {', '.join(str(one.seed) for one in runs)}")
    print(" " * wide + "".join(f"{column:>16}" for column in columns))
    for name in names:
        cells = []
        for column in columns:
            values = [one.rows[name][column] for one in runs if column in one.rows.get(name, {})]
            cells.append(f"{sum(values) / len(values):16.2f}" if values else f"{'-':>16}")
        print(f"{name:<{wide}}" + "".join(cells))
    for key, value in runs[0].notes.items():
        print(f"{key}: {value}")
