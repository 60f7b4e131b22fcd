"""The engine protocol. Its comments are the contract; `tests/engines/contract.py` checks every engine against them.

An engine is where work runs. It is asked by controllers that may die at any moment and be asked again by their
successors, so every call can be repeated: the answer to a repeated call is the present state, never a second effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from tenure.engines.runspec import RunSpec
from tenure.engines.runstate import LogLine, Observation, ReadBack, RunState


@runtime_checkable
class Engine(Protocol):
    """Where work runs. All calls are synchronous and bounded in time; none needs a server to be alive."""

    def observe(self) -> Observation:
        """What this engine can enforce, tried rather than assumed. Leaves nothing behind.

        Raises EngineUnreachable where the engine does not answer.
        """
        ...

    def start(self, spec: RunSpec) -> RunState:
        """Make `spec` run, exactly once. Returns when its command was started (not: when it is healthy).

        - No run of this id: it is claimed durably, then started, inside its confinement from its first instruction.
        - A run of this id with an equal spec: it is adopted, whatever point an earlier starter died at. A live one is
          left alone; one whose supervisor died gets a new supervisor and keeps its processes; one lost to a reboot
          is started anew; an ended one stays ended.
        - A run of this id with another spec: RunConflict.
        Raises InvalidRunSpec, RunConflict, RunNotRecorded (nothing was started), StartFailed (nothing is left running),
        RunUnreadable, AbilityMissing, EngineUnreachable.
        """
        ...

    def resume(self, run_id: str) -> RunState:
        """Make a run that is known here run again, from nothing but its own record: whoever resumes it need not know
        any more what it was started with. Otherwise as `start` with an equal spec.

        Raises RunNotFound (also where it was claimed and nothing says what it was to run), RunUnreadable, StartFailed,
        EngineUnreachable.
        """
        ...

    def state(self, run_id: str) -> RunState:
        """The run as it is now: its recorded state checked against the kernel. Changes nothing.

        A supervisor that is gone is reported (UNSUPERVISED where processes are left, else LOST with its reason: a
        reboot, or the supervisor's death), never papered over. So is a damaged record (UNREADABLE, with the processes
        that the kernel has). Raises RunNotFound, EngineUnreachable.
        """
        ...

    def runs(self) -> Sequence[RunState]:
        """Everything that really runs or is remembered here, found from the kernel and the engine's own records, not
        from anybody's intent. Processes whose record is gone are listed too, as UNSUPERVISED. For the recount."""
        ...

    def adopt(self) -> Sequence[RunState]:
        """Give every run that lost its supervisor on this boot a new one, without restarting its command, and clean
        up what belongs to ended runs; a damaged record is written anew where a supervisor still knows it. Returns the
        runs that were changed. Called when controllers start, and safe at
        any time. Runs lost to a reboot are left for their controller to resume (`start`) or end (`stop`)."""
        ...

    def stop(self, run_id: str, grace_ms: int | None = None) -> RunState:
        """End the run: SIGTERM, `grace_ms` later SIGKILL to all of its tree, then remove its confinement.

        Returns the final state once every process is gone. Stopping an ended run returns its state. A stop that cannot
        be made durable is not begun, and the run goes on as before.
        Raises RunNotFound; RunNotRecorded; StopFailed where processes are still there afterwards.
        """
        ...

    def logs(
        self, run_id: str, *, follow: bool = False, tail: int | None = None, command: str = "work"
    ) -> Iterator[LogLine]:
        """Lines of one command, oldest first, across rotated files; at most the last `tail`. With `follow`, goes on
        until the run is final. Raises RunNotFound."""
        ...

    def read_back(self, run_id: str) -> ReadBack:
        """What the kernel (or the cluster's own records) says the run has got. Never what was asked for.

        Raises RunNotFound; EngineUnreachable where nothing can be read.
        """
        ...

    def forget(self, run_id: str) -> None:
        """Remove the record of a final run. Raises RunNotFound; RunConflict while it is not final."""
        ...


# Optional abilities. An engine that has one implements its protocol; callers ask with isinstance.


@runtime_checkable
class MovesRuns(Protocol):
    """Can change which CPUs and memory nodes a live run is held to, without restarting it."""

    def move_to(self, run_id: str, cpus: Sequence[int], memory_nodes: Sequence[int] | None = None) -> RunState:
        """Pin every thread of the run, and every one it makes later, to `cpus`; None leaves its memory where it is
        allowed now, other nodes have its pages moved there where the system can. Takes effect before it returns and
        outlives restarts. Moving to where it should already be re-pins threads that strayed."""
        ...


@runtime_checkable
class ClearsCpus(Protocol):
    """Can keep processes that have no claim to a run's CPUs away from them for as long as it runs."""

    def clear_cpus(
        self, run_id: str, processes: Sequence[tuple[int, int]], elsewhere: Sequence[int]
    ) -> tuple[int, ...]:
        """Take the run's CPUs from each process (pid and start time in clock ticks); one that could use no other goes
        to `elsewhere`. Returns the pids that were moved: not those that are gone, belong to somebody else, or are the
        system's first process. What was taken is given back when the run ends or leaves those CPUs, whoever died
        meanwhile."""
        ...


@runtime_checkable
class SetsLimits(Protocol):
    """Can set a live run's memory limit and CPU quota."""

    def set_limits(
        self, run_id: str, *, memory_bytes: int | None = None, cpu_quota_milli: int | None = None
    ) -> RunState:
        """Set both limits; None means no limit. Raises AbilityMissing where the system grants none."""
        ...


@runtime_checkable
class RestartsRuns(Protocol):
    """Can restart the work of a live run in place, keeping its allocation, ports and sidecars."""

    def restart(self, run_id: str, grace_ms: int | None = None) -> RunState:
        """End the work's process tree and start its command anew at once. Not counted against the restart bound."""
        ...


@runtime_checkable
class MovesEnds(Protocol):
    """Can move the end that a run keeps by itself."""

    def set_end(self, run_id: str, end_ms: int | None) -> RunState:
        """From now on the run ends by itself at `end_ms`, Unix milliseconds. Durable before it returns."""
        ...


@runtime_checkable
class CapsPower(Protocol):
    """Can hold a run's devices under a power limit."""

    def cap_power(self, run_id: str, power_milliwatts: int | None) -> RunState:
        """Cap the power of the run's devices; None lifts the cap."""
        ...


@runtime_checkable
class ShapesNetwork(Protocol):
    """Can hold a run's network traffic under a rate."""

    def shape_network(self, run_id: str, bytes_per_second: int | None) -> RunState:
        """Cap what the run sends; None lifts the cap."""
        ...
