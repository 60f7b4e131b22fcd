"""What nobody can beat: a linear programme that knows all arrivals.

It pools the machines of equal hardware, lets tasks be divided between pools, and keeps what no packing can escape: the
sizes of shares on one device (by patterns, priced in as needed), CPU and memory of the pool, how many wide tasks a
machine holds, which models a task may use. Two limits come of it: the published kind, which leaves CPU-only tasks out and
may refuse what it likes, and a fairer one for a policy that never refuses: CPU-only tasks are served, every task up to
the moment the fleet is full is served, and only then may one be left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from tenure.placement.packing import ClassTable, Fleet, FloatColumn, IntColumn

LEVELS = 100
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Pool:
    """All machines of equal hardware, together."""

    model: int
    devices: int
    machines: int
    width: int
    cpu_milli: int
    memory_bytes: int


def pools_of(fleet: Fleet) -> list[Pool]:
    columns = np.stack([fleet.model, fleet.devices, fleet.cpu_milli, fleet.memory_bytes], axis=1)
    kinds, counts = np.unique(columns, axis=0, return_counts=True)
    return [
        Pool(int(model), int(width * count), int(count), int(width), int(cpu * count), int(memory * count))
        for (model, width, cpu, memory), count in zip(kinds, counts, strict=True)
    ]


class Limit:
    """The programme for one fleet and class table; patterns found for one seed serve the next."""

    def __init__(self, fleet: Fleet, classes: ClassTable) -> None:
        self._classes = classes
        self._pools = pools_of(fleet)
        count = len(classes)
        level = -(-classes.share_milli[:count] * LEVELS // 1000)
        self._sizes = np.unique(level[level > 0])
        self._size_of = np.where(level > 0, np.searchsorted(self._sizes, level), -1)
        self._patterns: set[tuple[int, tuple[int, ...]]] = set()
        for pool, facts in enumerate(self._pools):
            if facts.devices:
                for place, size in enumerate(self._sizes.tolist()):
                    pattern = [0] * len(self._sizes)
                    pattern[place] = LEVELS // size
                    self._patterns.add((pool, tuple(pattern)))

    def placed(self, most: IntColumn, least: IntColumn, cpu_only: bool) -> float | None:
        """Most device milli of at most `most` and at least `least` tasks a class; None where `least` cannot be."""
        solver, share_rows = self._programme(most, least, cpu_only)
        while True:
            solver.run()
            if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                raise RuntimeError("the limit's programme did not solve")
            solution = solver.getSolution()
            if not self._price(solver, share_rows, np.array(solution.row_dual)):
                break
        value = float(solver.getInfo().objective_function_value)
        short = float(sum(solution.col_value[column] for column in self._short))
        return None if short > 1e-4 else value

    def _programme(
        self, most: IntColumn, least: IntColumn, cpu_only: bool
    ) -> tuple[highspy.Highs, dict[int, list[int]]]:
        classes, pools = self._classes, self._pools
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        inf = highspy.kHighsInf
        rows: list[tuple[float, float]] = []

        def row(low: float, high: float) -> int:
            rows.append((low, high))
            return len(rows) - 1

        considered = [
            index
            for index in range(len(classes))
            if most[index] and (cpu_only or classes.device_milli[index])
        ]
        class_row = {index: row(float(least[index]), float(most[index])) for index in considered}
        pool_rows = []
        share_rows: dict[int, list[int]] = {}
        for pool, facts in enumerate(pools):
            widths = [n for n in range(2, facts.width + 1)]
            pool_rows.append(
                (
                    row(-inf, facts.devices),
                    row(-inf, facts.cpu_milli / 1000),
                    row(-inf, facts.memory_bytes / 2**30),
                    {n: row(-inf, facts.machines * (facts.width // n)) for n in widths},
                )
            )
            share_rows[pool] = [row(0, inf) for _ in self._sizes] if facts.devices else []
        solver.addRows(
            len(rows),
            np.array([low for low, _ in rows]),
            np.array([high for _, high in rows]),
            0,
            np.zeros(len(rows), dtype=np.int32),
            np.zeros(0, dtype=np.int32),
            np.zeros(0),
        )
        solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
        for index in considered:
            whole = int(classes.whole_count[index])
            for pool, facts in enumerate(pools):
                if not classes.allows[index, facts.model] or whole > facts.width:
                    continue
                if classes.share_milli[index] and not facts.devices:
                    continue
                device_row, cpu_row, memory_row, wide_rows = pool_rows[pool]
                entries = [(class_row[index], 1.0), (cpu_row, classes.cpu_milli[index] / 1000)]
                entries.append((memory_row, classes.memory_bytes[index] / 2**30))
                if whole:
                    entries.append((device_row, float(whole)))
                if whole > 1:
                    entries.append((wide_rows[whole], 1.0))
                if self._size_of[index] >= 0:
                    entries.append((share_rows[pool][self._size_of[index]], -1.0))
                _add(solver, float(classes.device_milli[index]), entries)
        self._short = []
        for index in considered:
            if least[index]:
                self._short.append(solver.getNumCol())
                _add(solver, -1e5, [(class_row[index], 1.0)])
        self._device_row = [rows_of[0] for rows_of in pool_rows]
        for pool, pattern in sorted(self._patterns):
            self._add_pattern(solver, share_rows, pool, pattern)
        return solver, share_rows

    def _add_pattern(
        self, solver: highspy.Highs, share_rows: dict[int, list[int]], pool: int, pattern: tuple[int, ...]
    ) -> None:
        entries = [(self._device_row[pool], 1.0)]
        entries += [(share_rows[pool][place], float(times)) for place, times in enumerate(pattern) if times]
        _add(solver, 0.0, entries)

    def _price(self, solver: highspy.Highs, share_rows: dict[int, list[int]], dual: FloatColumn) -> bool:
        """Add each pool's best pattern where it pays; False where none does."""
        found = False
        for pool, rows in share_rows.items():
            if not rows:
                continue
            worth = np.maximum(0.0, -dual[rows])
            pattern, value = best_pattern(self._sizes, worth)
            pays = value > abs(dual[self._device_row[pool]]) + TOLERANCE * 1000
            if pays and (pool, pattern) not in self._patterns:
                self._patterns.add((pool, pattern))
                self._add_pattern(solver, share_rows, pool, pattern)
                found = True
        return found


def best_pattern(sizes: IntColumn, worth: FloatColumn) -> tuple[tuple[int, ...], float]:
    """Fill one device of 100 levels with sizes so that their worth is greatest (unbounded knapsack)."""
    best = np.zeros(LEVELS + 1)
    pick = np.full(LEVELS + 1, -1)
    for level in range(1, LEVELS + 1):
        count = int(np.searchsorted(sizes, level, side="right"))
        best[level] = best[level - 1]
        if count:
            values = worth[:count] + best[level - sizes[:count]]
            top = int(values.argmax())
            if values[top] > best[level] + 1e-12:
                best[level], pick[level] = values[top], top
    pattern = [0] * len(sizes)
    level = LEVELS
    while level > 0:
        if pick[level] < 0:
            level -= 1
        else:
            pattern[pick[level]] += 1
            level -= int(sizes[pick[level]])
    return tuple(pattern), float(best[LEVELS])


def _add(solver: highspy.Highs, cost: float, entries: list[tuple[int, float]]) -> None:
    solver.addCol(
        cost,
        0.0,
        highspy.kHighsInf,
        len(entries),
        np.array([row for row, _ in entries], dtype=np.int32),
        np.array([value for _, value in entries], dtype=float),
    )
