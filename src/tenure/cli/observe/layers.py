"""From a contract to its layers, each with who sees it and the age of what they last said. Reads this machine."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tenure.engines import EngineFailure, LocalEngine, RunState
from tenure.measurement import JournalReading, read_facts, read_journal
from tenure.resources import Contract, Machine

MARKS_MS = 3_000
"""Tap and prober say that they are there once a second at the least."""
JUDGED_MS = 5_000
"""How long after its end a window is judged, at the latest."""
BACK_NS = 60 * 10**9

State = Literal["seen", "hole", "unobservable"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: who sees it, what was seen, its age in ms (None: read just now), how old it may be (None: any age)."""

    name: str
    source: str
    seen: str
    age_ms: int | None = None
    age_ms_max: int | None = None
    state: State = "seen"


def layers_of(home: Path, contract: Contract, machine: Machine | None) -> list[Layer]:
    """Every layer of one contract on this machine, from what draws power to what was promised."""
    run = contract.spec.hold.id
    engine = LocalEngine(home)
    try:
        state: RunState | None = engine.state(run)
    except EngineFailure:
        state = None
    below = (
        [_power(machine), _hardware(machine)]
        if machine is not None
        else [_hole("hardware", "probe", f"machine {contract.spec.machine} is not registered any more")]
    )
    found = [*below, _limits(engine, run), _cores(state), _process(state)]
    if contract.spec.promises.views:
        found += _views(home / "runs" / run, contract)
    if contract.spec.promises.statistical:
        found.append(_judged(contract))
    return found


def _hole(name: str, source: str, why: str) -> Layer:
    return Layer(name, source, why, state="hole")


def _power(machine: Machine) -> Layer:
    virtual = machine.status.virtual if machine.status else None
    if virtual:
        return Layer("power", "none", f"a virtual machine ({virtual}) does not see its power", state="unobservable")
    if machine.spec.rated_power is None:
        return Layer("power", "none", "no sensor is read and nobody declared a rating", state="unobservable")
    return Layer("power", "declared", f"rated at {machine.spec.rated_power}, not measured", state="unobservable")


def _hardware(machine: Machine) -> Layer:
    cores = machine.status.cores if machine.status else None
    if cores is None:
        return _hole("hardware", "probe", "nobody has scanned this machine")
    at = machine.status.last_seen if machine.status else None
    age_ms = None if at is None else max(0, time.time_ns() // 1_000_000 - int(at))
    return Layer("hardware", "probe of sysfs", f"{cores} cores, scanned when Tenure started", age_ms)


def _limits(engine: LocalEngine, run: str) -> Layer:
    try:
        read = engine.read_back(run)
    except EngineFailure as error:
        return _hole("limits", "kernel", error.message)
    return Layer("limits", "kernel, read back", f"pinned to {', '.join(map(str, sorted(read.cpus_allowed)))}")


def _cores(state: RunState | None) -> Layer:
    process = state.work.process if state is not None else None
    facts = read_facts(process.pid, time.monotonic_ns()) if process is not None else None
    if facts is None:
        return _hole("cores", "/proc", "no process of it runs")
    waited = "unknown" if facts.waited_ns is None else f"{facts.waited_ns / 1e9:.1f} s"
    return Layer("cores", "/proc", f"{facts.cpu_ns / 1e9:.1f} s of CPU, waited {waited}, {len(facts.threads)} threads")


def _process(state: RunState | None) -> Layer:
    if state is None or state.final:
        return _hole("process", "supervisor", "the engine knows no run of it")
    return Layer("process", "supervisor", f"{state.phase}, {state.work.restarts} restarts, healthy: {state.healthy}")


def _views(folder: Path, contract: Contract) -> Iterator[Layer]:
    """The independent views that its terms name; one that is silent is a hole."""
    since_ns = time.time_ns() - BACK_NS
    tap, prober = (_read(folder / name, since_ns) for name in ("journal", "prober"))
    for view in contract.spec.promises.views:
        match view:
            case "tap":
                text = f"{len(tap.samples['user'])} requests in the last minute" if tap else ""
                yield _heard("application", "tap, each request", tap.newest_ns if tap else None, text)
            case "prober":
                text = f"{len(prober.samples.get('probe', []))} probes in the last minute" if prober else ""
                yield _heard("from outside", "prober", prober.newest_ns if prober else None, text)
            case "metrics":
                last = prober.scrapes[-1] if prober and prober.scrapes else None
                text = f"{last.output_tokens:.0f} tokens so far" if last and last.output_tokens is not None else ""
                yield _heard("server", "its own counters", last.at_ns if last else None, text)


def _read(folder: Path, since_ns: int) -> JournalReading | None:
    return read_journal(folder, since_ns=since_ns) if folder.is_dir() else None


def _heard(name: str, source: str, at_ns: int | None, seen: str) -> Layer:
    if at_ns is None:
        return _hole(name, source, "it has said nothing")
    age_ms = max(0, (time.time_ns() - at_ns) // 1_000_000)
    return _aged(Layer(name, source, seen, age_ms, MARKS_MS))


def _aged(layer: Layer) -> Layer:
    """The layer, a hole where what was seen is older than it may be."""
    assert layer.age_ms is not None
    assert layer.age_ms_max is not None
    if layer.age_ms <= layer.age_ms_max:
        return layer
    return Layer(layer.name, layer.source, layer.seen, layer.age_ms, layer.age_ms_max, "hole")


def _judged(contract: Contract) -> Layer:
    windows = contract.status.windows if contract.status else []
    if not windows:
        return _hole("promise", "judge", "no window was judged yet")
    newest = windows[-1]
    age_ms = max(0, time.time_ns() // 1_000_000 - int(newest.end))
    most = int(newest.end) - int(newest.start) + JUDGED_MS
    return _aged(Layer("promise", "judge, from the views", f"{newest.verdict}: {newest.reason}", age_ms, most))
