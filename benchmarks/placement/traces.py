"""Reading fleets and task lists of openb's columns. A malformed file is an error that names file, row and column."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from tenure.placement.packing import Demand, Fleet

MIB = 1024 * 1024


class TraceError(ValueError):
    """A file that cannot be read as a fleet or a task list."""


def read_fleet(path: Path) -> Fleet:
    """Columns sn, cpu_milli, memory_mib, gpu, model. Nothing is kept of a file with any bad row."""
    machines = []
    seen: set[str] = set()
    for number, row in _rows(path, ("sn", "cpu_milli", "memory_mib", "gpu", "model")):
        if not row["sn"] or row["sn"] in seen:
            raise TraceError(f"{path.name}: row {number}: column sn: empty or repeated name {row['sn']!r}")
        seen.add(row["sn"])
        devices = _integer(path, number, row, "gpu")
        if devices and not row["model"]:
            raise TraceError(f"{path.name}: row {number}: column model: missing on a machine with devices")
        machines.append(
            (
                row["sn"],
                _integer(path, number, row, "cpu_milli"),
                _integer(path, number, row, "memory_mib") * MIB,
                devices,
                row["model"],
            )
        )
    if not machines:
        raise TraceError(f"{path.name}: no machines")
    return Fleet.of(machines)


def read_tasks(path: Path) -> list[Demand]:
    """Columns name, cpu_milli, memory_mib, num_gpu, gpu_milli and, where present, gpu_spec; sorted by name."""
    tasks: list[tuple[str, Demand]] = []
    for number, row in _rows(path, ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli")):
        count = _integer(path, number, row, "num_gpu")
        milli = _integer(path, number, row, "gpu_milli")
        try:
            demand = Demand(
                cpu_milli=_integer(path, number, row, "cpu_milli"),
                memory_bytes=_integer(path, number, row, "memory_mib") * MIB,
                device_count=count,
                device_milli=milli if count else 1000,
                models=tuple(sorted(set(filter(None, (row.get("gpu_spec") or "").split("|"))))) if count else (),
            )
        except ValueError as error:
            raise TraceError(f"{path.name}: row {number}: columns num_gpu, gpu_milli: {error}") from None
        tasks.append((row["name"], demand))
    if not any(demand.device_count for _, demand in tasks):
        raise TraceError(f"{path.name}: no task asks for a device, so arrival has no measure")
    return [demand for _, demand in sorted(tasks, key=lambda task: task[0])]


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise TraceError(f"{path.name}: row 1: missing column {', '.join(missing)}")
        for number, row in enumerate(reader, start=2):
            if None in row or any(row[column] is None for column in columns):
                raise TraceError(f"{path.name}: row {number}: {len(reader.fieldnames or ())} columns expected")
            yield number, row


def _integer(path: Path, number: int, row: dict[str, str], column: str) -> int:
    try:
        value = int(row[column])
    except ValueError:
        raise TraceError(f"{path.name}: row {number}: column {column}: not a whole number: {row[column]!r}") from None
    if value < 0:
        raise TraceError(f"{path.name}: row {number}: column {column}: negative: {value}")
    return value
