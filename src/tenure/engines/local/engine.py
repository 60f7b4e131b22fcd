"""The local engine: the protocol of `engines/base.py` over run folders, their supervisors and the kernel."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tenure.engines.failures import (
    AbilityMissing,
    EngineFailure,
    EngineUnreachable,
    InvalidRunSpec,
    RunConflict,
    RunNotFound,
    RunNotRecorded,
    StartFailed,
    StopFailed,
)
from tenure.engines.local import clearing, control, examine, procfs, readback
from tenure.engines.local.folder import RunFolder, read_json, write_json, write_json_once
from tenure.engines.local.launch import granted_to_supervisors, launch
from tenure.engines.local.lines import read_lines
from tenure.engines.local.observe import abilities, unreachable
from tenure.engines.local.translate import spec_record
from tenure.engines.runspec import MAIN, RunSpec
from tenure.engines.runstate import EndReason, LogLine, Observation, Phase, ReadBack, RunState

KILL_MARGIN_S = 20.0
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
        known = read_json(folder.spec)
        if known is None:
            self._check(spec)
            folder.make()
            known = wanted if write_json_once(folder.spec, wanted) else read_json(folder.spec)
        # A record by another version of Tenure may lack fields, or have more: what both know decides.
        changed = sorted(name for name in wanted if known is not None and known.get(name, wanted[name]) != wanted[name])
        if changed:
            raise RunConflict(f"run {spec.run_id} exists and differs", field=", ".join(changed))
        state = self._settled(folder)
        for _ in range(LAUNCHES_MAX):  # a supervisor found in its start may have died in it
            if state.phase not in (Phase.UNSUPERVISED, Phase.LOST):
                break
            launch(folder)
            state = self._settled(folder)
        if state.phase is Phase.ENDED and state.reason is EndReason.START_FAILED:
            raise StartFailed(state.message)
        if state.phase in (Phase.UNSUPERVISED, Phase.LOST):
            raise EngineUnreachable(f"run {spec.run_id} got no supervisor; see {folder.logs}/supervisor.log")
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
            elif run.phase is Phase.ENDED and run.run_id in traces and examine.clean(self.group, run.run_id):
                changed.append(run)
        return changed

    def stop(self, run_id: str, grace_ms: int | None = None) -> RunState:
        """See Engine.stop."""
        folder = self._known(run_id)
        state = examine.examine(folder, self.group)
        if state.phase is Phase.ENDED:
            return state
        if state.phase in (Phase.LOST, Phase.UNSUPERVISED):
            return self._end_without_supervisor(folder, state, grace_ms)
        supervisor = state.supervisor
        assert supervisor is not None, "a run that is neither lost nor ended has a supervisor"
        gone = _pidfd(supervisor.pid)
        try:
            self._ask(folder, {"op": "stop", "grace_ms": grace_ms})
        except EngineUnreachable:
            if gone is not None:  # gone meanwhile, or hanging: then the next one does it
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(gone, signal.SIGKILL)
        spec = read_json(folder.spec)
        assert spec is not None
        grace = spec["stop_grace_ms"] if grace_ms is None else grace_ms
        if gone is not None:
            _wait_readable(gone, grace / 1000 + KILL_MARGIN_S)
        state = examine.examine(folder, self.group)
        if state.phase in (Phase.LOST, Phase.UNSUPERVISED):
            return self._end_without_supervisor(folder, state, grace_ms)
        if not state.final or state.processes:
            raise StopFailed(f"run {run_id}: {state.message or 'its processes are still there'}")
        return state

    def _end_without_supervisor(self, folder: RunFolder, state: RunState, grace_ms: int | None) -> RunState:
        """A run whose supervisor is gone: a new one ends it; of one that lost its processes too, the record is
        closed."""
        if state.phase is Phase.UNSUPERVISED and read_json(folder.spec) is not None:
            launch(folder)
            return self.stop(folder.run_id, grace_ms)
        examine.clean(self.group, folder.run_id)
        record = read_json(folder.state)
        if record is not None:
            clearing.give_back(record.get("cleared", []), procfs.boot_id())
            reason = EndReason.STOPPED if state.reason is None else state.reason
            record.update(
                phase="Ended", reason=str(reason), message=state.message, ended_ms=time.time_ns() // 10**6, cleared=[]
            )
            write_json(folder.state, record)
        return examine.examine(folder, self.group)

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
        state = read_json(folder.state)
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
        try:
            answer = control.ask(folder, request)
        except OSError as error:
            raise EngineUnreachable(f"the supervisor of run {folder.run_id} does not answer: {error}") from error
        if not answer["ok"]:
            kinds: tuple[type[EngineFailure], ...] = (RunConflict, AbilityMissing, RunNotRecorded)
            kind = next((kind for kind in kinds if kind.code == answer["code"]), EngineFailure)
            raise kind(answer["message"], field=answer.get("field") or folder.path)
        return answer

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


def _pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _wait_readable(descriptor: int, timeout_s: float) -> None:
    """Wait for a process to end, and close its descriptor."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    try:
        waiting.poll(timeout_s * 1000)
    finally:
        os.close(descriptor)
