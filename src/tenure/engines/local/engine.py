"""The local engine: the protocol of `engines/base.py` over run folders, their supervisors and the kernel."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tenure.engines.failures import (
    AbilityMissing,
    EngineUnreachable,
    InvalidRunSpec,
    RunConflict,
    RunNotFound,
    RunUnreadable,
    StartFailed,
)
from tenure.engines.local import asking, damaged, examine, readback, stopping
from tenure.engines.local.folder import RecordDamaged, RunFolder, read_json, write_json_once
from tenure.engines.local.launch import granted_to_supervisors, launch
from tenure.engines.local.lines import read_lines
from tenure.engines.local.observe import abilities, unreachable
from tenure.engines.local.translate import spec_record
from tenure.engines.runspec import MAIN, RunSpec
from tenure.engines.runstate import EndReason, LogLine, Observation, Phase, ReadBack, RunState

LAUNCHES_MAX = 3
NEEDS_LINUX = "the local engine runs work on Linux only: it stands on /proc, pidfds and control groups or affinity"


class LocalEngine:
    """This machine. `home` is TENURE_HOME; runs live in its folder `runs`. Several instances may work at once."""

    def __init__(self, home: Path | str) -> None:
        self.home = Path(home).absolute()
        self.runs_path = self.home / "runs"
        digest = hashlib.sha256(os.fsencode(os.path.realpath(self.home))).hexdigest()
        self.group = f"tenure-{digest[:12]}"

    def observe(self) -> Observation:
        """See Engine.observe."""
        if sys.platform != "linux":
            return unreachable(NEEDS_LINUX)
        mechanism, controllers, refused = granted_to_supervisors()
        return Observation(
            engine="local",
            version=importlib.metadata.version("tenure"),
            reachable=True,
            at_ms=time.time_ns() // 1_000_000,
            mechanism=mechanism,
            abilities=abilities(mechanism, controllers, refused),
            runs=sum(1 for run in self.runs() if not run.final),
        )

    def start(self, spec: RunSpec) -> RunState:
        """See Engine.start."""
        if sys.platform != "linux":
            raise AbilityMissing(NEEDS_LINUX)
        folder = self._folder(spec.run_id)
        wanted = spec_record(spec, self.group, folder.work)
        known = self._record(folder.spec)
        if known is None:
            self._check(spec)
            known = self._claim(folder, wanted)
        # A record by another version of Tenure may lack fields, or have more: what both know decides.
        changed = sorted(name for name in wanted if known is not None and known.get(name, wanted[name]) != wanted[name])
        if changed:
            raise RunConflict(f"run {spec.run_id} exists and differs", field=", ".join(changed))
        return self._brought_up(folder)

    def _claim(self, folder: RunFolder, wanted: dict[str, Any]) -> dict[str, Any] | None:
        try:
            folder.make()
            return wanted if write_json_once(folder.spec, wanted) else self._record(folder.spec)
        except OSError as error:
            raise asking.not_recorded(error, "make the disk of TENURE_HOME writable, then repeat") from error

    def resume(self, run_id: str) -> RunState:
        """See Engine.resume."""
        folder = self._known(run_id)
        if self._record(folder.spec) is None:
            raise RunNotFound(f"run {run_id} was claimed, and nothing says what it was to run", field="run_id")
        return self._brought_up(folder)

    def _brought_up(self, folder: RunFolder) -> RunState:
        """What its folder records, supervised: launched where nobody cares for it, left alone where somebody does."""
        state = self._settled(folder)
        for _ in range(LAUNCHES_MAX):  # a supervisor found in its start may have died in it
            if state.phase not in (Phase.UNSUPERVISED, Phase.LOST):
                break
            launch(folder)
            state = self._settled(folder)
        if state.phase is Phase.ENDED and state.reason is EndReason.START_FAILED:
            raise StartFailed(state.message)
        if state.phase is Phase.UNREADABLE:
            for path in (folder.spec, folder.state):
                self._record(path)  # one of them raises
        if state.phase in (Phase.UNSUPERVISED, Phase.LOST):
            raise EngineUnreachable(f"run {folder.run_id} got no supervisor; see {folder.logs}/supervisor.log")
        return state

    def _settled(self, folder: RunFolder, timeout_s: float = 15.0) -> RunState:
        """The run's state once its supervisor, which an earlier starter may have launched, is past the start."""
        deadline = time.monotonic() + timeout_s
        while (state := examine.examine(folder, self.group)).phase is Phase.STARTING:
            if time.monotonic() > deadline:
                raise EngineUnreachable(f"the supervisor of run {folder.run_id} hangs in its start")
            time.sleep(0.005)
        return state

    def _check(self, spec: RunSpec) -> None:
        here = os.sched_getaffinity(0) | set(range(os.cpu_count() or 1))
        missing = sorted(set(spec.cpus) - here)
        if missing:
            raise InvalidRunSpec(f"this machine has no CPU {missing}", field="cpus")
        if spec.working_dir is not None and not os.path.isdir(spec.working_dir):
            raise InvalidRunSpec(f"no folder {spec.working_dir}", field="working_dir")

    def state(self, run_id: str) -> RunState:
        """See Engine.state."""
        return examine.examine(self._known(run_id), self.group)

    def runs(self) -> Sequence[RunState]:
        """See Engine.runs."""
        folders = [RunFolder(str(path)) for path in self._folders()]
        recorded = [examine.examine(folder, self.group) for folder in folders]
        return [*recorded, *examine.strays(self.group, {run.run_id for run in recorded})]

    def adopt(self) -> Sequence[RunState]:
        """See Engine.adopt."""
        changed: list[RunState] = []
        for leftover in self.runs_path.glob(".forgotten-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        traces = examine.traces(self.group)
        for run in self.runs():
            folder = self._folder(run.run_id)
            if run.phase is Phase.UNSUPERVISED and read_json(folder.spec) is None:
                examine.clean(self.group, run.run_id)
                changed.append(run)
            elif run.phase is Phase.UNSUPERVISED or run.reason is EndReason.SUPERVISOR_DIED:
                launch(folder)
                changed.append(self.state(run.run_id))
            elif run.phase is Phase.UNREADABLE and damaged.mend(folder, self.group).phase is not Phase.UNREADABLE:
                changed.append(self.state(run.run_id))
            elif run.phase is Phase.ENDED and run.run_id in traces and examine.clean(self.group, run.run_id):
                changed.append(run)
        return changed

    def stop(self, run_id: str, grace_ms: int | None = None) -> RunState:
        """See Engine.stop."""
        return stopping.stop(self._known(run_id), self.group, grace_ms)

    def logs(
        self, run_id: str, *, follow: bool = False, tail: int | None = None, command: str = MAIN
    ) -> Iterator[LogLine]:
        """See Engine.logs."""
        folder = self._known(run_id)
        return read_lines(
            f"{folder.logs}/{command}.log",
            tail=tail,
            goes_on=lambda: follow and not examine.examine(folder, self.group).final,
        )

    def read_back(self, run_id: str) -> ReadBack:
        """See Engine.read_back."""
        folder = self._known(run_id)
        state = self._record(folder.state)
        if state is None or state["mechanism"] is None:
            raise EngineUnreachable(f"run {run_id} was claimed and never started; nothing can be read")
        return readback.read_back(folder, self.group, state)

    def forget(self, run_id: str) -> None:
        """See Engine.forget."""
        folder = self._known(run_id)
        state = examine.examine(folder, self.group)
        if not state.final or state.processes:
            raise RunConflict(f"run {run_id} is {state.phase}; stop it first")
        examine.clean(self.group, run_id)
        doomed = f"{self.runs_path}/.forgotten-{run_id}"
        os.replace(folder.path, doomed)  # at once, so that a crash leaves no half record
        shutil.rmtree(doomed)

    def move_to(self, run_id: str, cpus: Sequence[int], memory_nodes: Sequence[int] | None = None) -> RunState:
        """See MovesRuns.move_to."""
        nodes = {} if memory_nodes is None else {"memory_nodes": sorted(memory_nodes)}
        return self._tell(run_id, {"op": "move", "cpus": sorted(cpus), **nodes})

    def clear_cpus(
        self, run_id: str, processes: Sequence[tuple[int, int]], elsewhere: Sequence[int]
    ) -> tuple[int, ...]:
        """See ClearsCpus.clear_cpus."""
        named = [{"pid": pid, "start_ticks": ticks} for pid, ticks in processes]
        answer = self._told(run_id, {"op": "clear", "processes": named, "elsewhere": sorted(elsewhere)})
        return tuple(answer["moved"])

    def set_limits(
        self, run_id: str, *, memory_bytes: int | None = None, cpu_quota_milli: int | None = None
    ) -> RunState:
        """See SetsLimits.set_limits."""
        state = self.state(run_id)
        if state.confinement is not None and state.confinement.mechanism == "affinity":
            raise AbilityMissing("without control groups neither memory nor CPU time can be limited here")
        request = {"op": "limits", "memory_bytes": memory_bytes, "cpu_quota_milli": cpu_quota_milli}
        return self._tell(run_id, request)

    def restart(self, run_id: str, grace_ms: int | None = None) -> RunState:
        """See RestartsRuns.restart."""
        return self._tell(run_id, {"op": "restart", "grace_ms": grace_ms})

    def set_end(self, run_id: str, end_ms: int | None) -> RunState:
        """See MovesEnds.set_end."""
        return self._tell(run_id, {"op": "end", "end_ms": end_ms})

    def _tell(self, run_id: str, request: dict[str, Any]) -> RunState:
        self._told(run_id, request)
        return examine.examine(self._known(run_id), self.group)

    def _told(self, run_id: str, request: dict[str, Any]) -> dict[str, Any]:
        folder = self._known(run_id)
        state = examine.examine(folder, self.group)
        if state.final:
            raise RunConflict(f"run {run_id} is {state.phase}")
        if state.phase is Phase.UNSUPERVISED:
            launch(folder)
        return self._ask(folder, request)

    @staticmethod
    def _ask(folder: RunFolder, request: dict[str, Any]) -> dict[str, Any]:
        return asking.ask(folder, request)

    @staticmethod
    def _record(path: str) -> dict[str, Any] | None:
        try:
            return read_json(path)
        except RecordDamaged as error:
            raise RunUnreadable(str(error), field=error.path) from error

    def _folders(self) -> list[Path]:
        if not self.runs_path.is_dir():
            return []
        return sorted(path for path in self.runs_path.iterdir() if path.is_dir() and not path.name.startswith("."))

    def _folder(self, run_id: str) -> RunFolder:
        return RunFolder(str(self.runs_path / run_id))

    def _known(self, run_id: str) -> RunFolder:
        folder = self._folder(run_id)
        if "/" in run_id or run_id.startswith(".") or not os.path.isdir(folder.path):
            raise RunNotFound(f"no run {run_id!r} is known here", field="run_id")
        return folder
