"""The simulated engine: a run is a record. Nothing is executed, nothing is measured, and every word says so.

It keeps the protocol of `base`, so that a fleet which exists only in a file is planned, held, contracted and ended
through the same controllers as a real one. Records are files, one a run, and survive whoever wrote them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from tenure.engines.failures import RunConflict, RunNotFound, RunUnreadable
from tenure.engines.local.folder import RecordDamaged, read_json
from tenure.engines.local.translate import unknown_run
from tenure.engines.runspec import MAIN, RunSpec
from tenure.engines.runstate import (
    Ability,
    CommandState,
    Confinement,
    EndReason,
    LogLine,
    Observation,
    Phase,
    ReadBack,
    Reading,
    RunState,
)

FOLDER = "simulated"
MECHANISM = "simulated"
NOTHING_RUNS = "simulated: a record, nothing runs"
ARGV = ("simulated",)


class SimulatedEngine:
    """Runs of one simulated fleet, remembered in a folder of `home`."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def observe(self) -> Observation:
        """Nothing can be enforced where nothing runs."""
        why = "the fleet is simulated; nothing runs that could be held to it"
        names = ("cpuset", "memoryLimit", "powerCap", "networkRate")
        return Observation(
            engine="simulated",
            version="1",
            reachable=True,
            at_ms=_now_ms(),
            mechanism=MECHANISM,
            abilities=tuple(Ability(name, False, MECHANISM, why) for name in names),
            runs=len(self._ids()),
        )

    def start(self, spec: RunSpec) -> RunState:
        """Record the run, once; an equal spec adopts the record. Raises RunConflict for another spec of this id."""
        said = {"namespace": spec.namespace, "name": spec.name, "argv": list(spec.argv), "endMs": spec.end_ms}
        claimed = self._claim(spec.run_id, {"spec": said, "startedMs": _now_ms()})
        if not claimed and self._record(spec.run_id)["spec"] != said:
            raise RunConflict(f"run {spec.run_id} is recorded with another spec", field="run_id")
        return self.state(spec.run_id)

    def resume(self, run_id: str) -> RunState:
        """The record as it is: it cannot be lost. Raises RunNotFound, RunUnreadable."""
        self._record(run_id)
        return self.state(run_id)

    def state(self, run_id: str) -> RunState:
        """The record as it is now; a run whose end has passed has ended by itself, and a damaged record is said to be
        unreadable. Raises RunNotFound."""
        try:
            record = self._record(run_id)
        except RunUnreadable as failure:
            return unknown_run(run_id, (), str(failure), Phase.UNREADABLE)
        spec, started_ms = record["spec"], int(record["startedMs"])
        ended_ms, reason = record.get("endedMs"), EndReason.STOPPED
        if ended_ms is None and spec["endMs"] is not None and _now_ms() >= spec["endMs"]:
            ended_ms, reason = spec["endMs"], EndReason.TERM_OVER
        ended = ended_ms is not None
        return RunState(
            run_id=run_id,
            namespace=spec["namespace"],
            name=spec["name"],
            phase=Phase.ENDED if ended else Phase.RUNNING,
            reason=reason if ended else None,
            message=NOTHING_RUNS,
            work=CommandState(MAIN, None, 0, started_ms, None),
            sidecars=(),
            supervisor=None,
            ports={},
            healthy=None,
            healthy_since_ms=None,
            first_healthy_ms=None,
            claimed_ms=started_ms,
            ended_ms=ended_ms,
            end_ms=spec["endMs"],
            cpus=(),
            memory_bytes=None,
            confinement=Confinement(MECHANISM, (), (NOTHING_RUNS,)),
        )

    def runs(self) -> Sequence[RunState]:
        """Every record."""
        return [self.state(run_id) for run_id in self._ids()]

    def adopt(self) -> Sequence[RunState]:
        """A record has no supervisor to lose."""
        return []

    def stop(self, run_id: str, grace_ms: int | None = None) -> RunState:  # noqa: ARG002 - nothing needs a grace
        """Record the end; a damaged record, of which nothing can be said, becomes an empty one. Raises RunNotFound."""
        try:
            record = self._record(run_id)
        except RunUnreadable:
            record = {"spec": {"namespace": "", "name": "", "argv": [], "endMs": None}, "startedMs": _now_ms()}
        if not self.state(run_id).final:
            self._write(run_id, {**record, "endedMs": _now_ms()})
        return self.state(run_id)

    def logs(
        self,
        run_id: str,
        *,
        follow: bool = False,  # noqa: ARG002 - there is one line, and it is written
        tail: int | None = None,  # noqa: ARG002
        command: str = MAIN,  # noqa: ARG002
    ) -> Iterator[LogLine]:
        """One line that says why there are no others. Raises RunNotFound."""
        started_ms = int(self._record(run_id)["startedMs"])
        return iter([LogLine(started_ms, "stdout", NOTHING_RUNS)])

    def read_back(self, run_id: str) -> ReadBack:
        """Nothing can be read where nothing runs; each reading says so. Raises RunNotFound."""
        self._record(run_id)
        nothing = Reading(None, MECHANISM, NOTHING_RUNS)
        return ReadBack(
            run_id=run_id,
            at_ms=_now_ms(),
            mechanism=MECHANISM,
            threads=(),
            membership={},
            group_cpus=nothing,
            group_memory_nodes=nothing,
            memory_limit_bytes=nothing,
            memory_usage_bytes=nothing,
            quota_milli=nothing,
            resident_bytes=nothing,
        )

    def forget(self, run_id: str) -> None:
        """Remove the record of a final run. Raises RunNotFound, RunConflict."""
        if not self.state(run_id).final:
            raise RunConflict(f"run {run_id} has not ended", field="run_id", next_step="stop it first")
        self._path(run_id).unlink(missing_ok=True)

    def _path(self, run_id: str) -> Path:
        return self._folder / f"{quote(run_id, safe='')}.json"

    def _ids(self) -> list[str]:
        return sorted(unquote(path.stem) for path in self._folder.glob("*.json"))

    def _record(self, run_id: str) -> dict[str, Any]:
        try:
            record = read_json(str(self._path(run_id)))
        except RecordDamaged as error:
            raise RunUnreadable(str(error), field=error.path) from None
        if record is None:
            raise RunNotFound(f"no run {run_id} is recorded", field="run_id")
        return record

    def _claim(self, run_id: str, record: dict[str, Any]) -> bool:
        """Whoever makes the file has the run; it is whole from the first."""
        with self._beside(run_id, record) as written:
            try:
                os.link(written, self._path(run_id))
            except FileExistsError:
                return False
        return True

    def _write(self, run_id: str, record: dict[str, Any]) -> None:
        with self._beside(run_id, record) as written:
            written.replace(self._path(run_id))

    @contextmanager
    def _beside(self, run_id: str, record: dict[str, Any]) -> Iterator[Path]:
        beside = self._path(run_id).with_suffix(f".{os.getpid()}.{time.monotonic_ns()}.tmp")
        try:
            beside.write_text(json.dumps(record))
            yield beside
        finally:
            beside.unlink(missing_ok=True)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
