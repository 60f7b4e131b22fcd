"""What nobody can beat: a linear programme that knows all arrivals.

It pools the machines of equal hardware, lets tasks be divided between pools, and keeps what no packing can escape: the
sizes of shares on one device (by patterns, priced in as needed), CPU and memory of the pool, how many wide tasks a
machine holds, which models a task may use. Two limits come of it: the published kind, which leaves CPU-only tasks out
and may refuse what it likes, and a fairer one for a policy that never refuses: CPU-only tasks are served, every task up
to the moment the fleet is full is served, and only then may one be left out. With costs in place of values it gives the
fewest watts.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from benchmarks.placement.fluid import banner_to_stderr
from tenure.placement.packing import ClassTable, Fleet, FleetState, FloatColumn, IntColumn, Watts

LEVELS = 100
TOLERANCE = 1e-3
"""Of a device milli or a watt."""

SHORT = 1e5
"""Cost of a mandatory task left out, above any value."""


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


@dataclass(frozen=True, slots=True)
class Aim:
    """What a programme maximises: value of tasks placed less cost of devices in use and of CPU, and who must be placed.

    device_value: by class, for each task placed. device_cost: by pool, for each device in use. cpu_cost: by CPU.
    """

    device_value: FloatColumn
    device_cost: FloatColumn
    cpu_cost: float


class Limit:
    """The programme for one fleet and class table; patterns found for one seed serve the next."""

    def __init__(self, fleet: Fleet, classes: ClassTable) -> None:
        self._classes = classes
        self._fleet = fleet
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

    def placed_pct(self, most: IntColumn) -> float:
        """Most of the devices, in percent, if any task may be refused: `most` tasks a class, CPU-only ones left out."""
        most = np.where(self._classes.device_milli[: len(most)] > 0, most, 0)
        value = self._solve(self._packing(), most, np.zeros_like(most))
        assert value is not None
        return 100 * value / self._fleet.device_milli

    def unrefused_pct(self, order: IntColumn) -> float:
        """The same where every task, CPU-only ones too, is served in order of arrival until the fleet is full.

        The longest prefix that can be served whole must be; what comes after may be left out. A policy that never
        refuses cannot plan better, though one that loses room early could by luck hold more at the end.
        """
        count = len(self._classes)
        most = np.bincount(order, minlength=count)
        served, failed, value = 0, len(order) + 1, None
        while failed - served > max(1, len(order) // 400):
            middle = (served + failed) // 2
            tried = self._solve(self._packing(), most, np.bincount(order[:middle], minlength=count))
            if tried is None:
                failed = middle
            else:
                served, value = middle, tried
        if value is None:
            value = self._solve(self._packing(), most, np.zeros_like(most))
        assert value is not None
        return 100 * value / self._fleet.device_milli

    def least_watts(self, placed: IntColumn, watts: Watts) -> float | None:
        """Fewest watts that can serve all of `placed` (tasks a class); None where they cannot all be served."""
        swing = watts.device_busy - watts.device_idle
        aim = Aim(
            device_value=np.zeros(len(self._classes)),
            device_cost=np.array([swing[pool.model] for pool in self._pools]),
            cpu_cost=(watts.package_busy - watts.package_idle) / (watts.package_cpu_milli / 1000),
        )
        value = self._solve(aim, placed, placed)
        idle = watts.fleet(FleetState(self._fleet))
        return None if value is None else idle - value

    def _packing(self) -> Aim:
        value = self._classes.device_milli[: len(self._classes)].astype(float)
        return Aim(device_value=value, device_cost=np.zeros(len(self._pools)), cpu_cost=0.0)

    def _solve(self, aim: Aim, most: IntColumn, least: IntColumn) -> float | None:
        """Best value of at most `most` and at least `least` tasks a class; None where `least` cannot be."""
        programme = _Programme(self._classes, self._pools, self._sizes, self._size_of, aim)
        programme.state(most, least)
        for pool, pattern in sorted(self._patterns):
            programme.add_pattern(pool, pattern)
        while found := [new for new in programme.solve() if new not in self._patterns]:
            for pool, pattern in found:
                self._patterns.add((pool, pattern))
                programme.add_pattern(pool, pattern)
        return programme.value()


class _Programme:
    """One linear programme, columns for (class, pool) and for (pool, pattern)."""

    def __init__(self, classes: ClassTable, pools: list[Pool], sizes: IntColumn, size_of: IntColumn, aim: Aim) -> None:
        self._classes, self._pools, self._sizes, self._size_of, self._aim = classes, pools, sizes, size_of, aim
        with banner_to_stderr():
            self._solver = highspy.Highs()
        self._solver.setOptionValue("output_flag", False)
        self._solver.setOptionValue("threads", 1)
        self._rows: list[tuple[float, float]] = []
        self._short: list[int] = []

    def _row(self, low: float, high: float) -> int:
        self._rows.append((low, high))
        return len(self._rows) - 1

    def state(self, most: IntColumn, least: IntColumn) -> None:
        inf = highspy.kHighsInf
        considered = np.flatnonzero(most).tolist()
        self._class_row = {index: self._row(float(least[index]), float(most[index])) for index in considered}
        self._device_row = [self._row(-inf, pool.devices) for pool in self._pools]
        self._cpu_row = [self._row(-inf, pool.cpu_milli / 1000) for pool in self._pools]
        self._memory_row = [self._row(-inf, pool.memory_bytes / 2**30) for pool in self._pools]
        self._wide_row = [
            {wide: self._row(-inf, pool.machines * (pool.width // wide)) for wide in range(2, pool.width + 1)}
            for pool in self._pools
        ]
        self._share_row = [[self._row(0, inf) for _ in self._sizes] if pool.devices else [] for pool in self._pools]
        self._solver.addRows(
            len(self._rows),
            np.array([low for low, _ in self._rows]),
            np.array([high for _, high in self._rows]),
            0,
            np.zeros(len(self._rows), dtype=np.int32),
            np.zeros(0, dtype=np.int32),
            np.zeros(0),
        )
        self._solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
        for index in considered:
            for pool in range(len(self._pools)):
                self._add_class(index, pool)
            if least[index]:
                self._short.append(self._solver.getNumCol())
                self._add(-SHORT, [(self._class_row[index], 1.0)])

    def _add_class(self, index: int, pool: int) -> None:
        classes, facts, aim = self._classes, self._pools[pool], self._aim
        whole, cpu = int(classes.whole_count[index]), float(classes.cpu_milli[index]) / 1000
        if not classes.allows[index, facts.model] or whole > facts.width:
            return
        if classes.share_milli[index] and not facts.devices:
            return
        entries = [
            (self._class_row[index], 1.0),
            (self._cpu_row[pool], cpu),
            (self._memory_row[pool], classes.memory_bytes[index] / 2**30),
        ]
        if whole:
            entries.append((self._device_row[pool], float(whole)))
        if whole > 1:
            entries.append((self._wide_row[pool][whole], 1.0))
        if self._size_of[index] >= 0:
            entries.append((self._share_row[pool][self._size_of[index]], -1.0))
        cost = whole * float(aim.device_cost[pool]) + cpu * aim.cpu_cost
        self._add(float(aim.device_value[index]) - cost, entries)

    def add_pattern(self, pool: int, pattern: tuple[int, ...]) -> None:
        entries = [(self._device_row[pool], 1.0)]
        entries += [(self._share_row[pool][place], float(times)) for place, times in enumerate(pattern) if times]
        self._add(-float(self._aim.device_cost[pool]), entries)

    def _add(self, value: float, entries: list[tuple[int, float]]) -> None:
        self._solver.addCol(
            value,
            0.0,
            highspy.kHighsInf,
            len(entries),
            np.array([row for row, _ in entries], dtype=np.int32),
            np.array([coefficient for _, coefficient in entries], dtype=float),
        )

    def solve(self) -> list[tuple[int, tuple[int, ...]]]:
        """Solve; the patterns whose reduced cost pays."""
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError("the limit's programme did not solve")
        dual = np.array(self._solver.getSolution().row_dual)
        paying = []
        for pool, rows in enumerate(self._share_row):
            if not rows:
                continue
            pattern, worth = best_pattern(self._sizes, np.maximum(0.0, -dual[rows]))
            if worth - float(self._aim.device_cost[pool]) - dual[self._device_row[pool]] > TOLERANCE:
                paying.append((pool, pattern))
        return paying

    def value(self) -> float | None:
        solution = self._solver.getSolution().col_value
        short = sum(solution[column] for column in self._short)
        return None if short > 1e-4 else float(self._solver.getInfo().objective_function_value)


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


if __name__ == "__main__":
    print(f"{__doc__}\nNo command of its own, but a part of these: python -m benchmarks.placement.pack --help")
