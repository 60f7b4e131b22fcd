"""What an engine reports: the state of runs, and what the kernel says about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """Where a run is in its life. ENDED and LOST are final: nothing of the run is left. UNREADABLE is a run whose own
    record is damaged: it may well go on, and can be ended."""

    STARTING = "Starting"
    RUNNING = "Running"
    BACKING_OFF = "BackingOff"
    STOPPING = "Stopping"
    ENDED = "Ended"
    UNSUPERVISED = "Unsupervised"
    LOST = "Lost"
    UNREADABLE = "Unreadable"


class EndReason(StrEnum):
    """Why a run ended, or was lost."""

    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    TERM_OVER = "TermOver"
    RESTARTS_EXHAUSTED = "RestartsExhausted"
    START_FAILED = "StartFailed"
    REBOOT = "Reboot"
    SUPERVISOR_DIED = "SupervisorDied"
    NEVER_STARTED = "NeverStarted"
    RECORD_DAMAGED = "RecordDamaged"
    """It was ended without its record: nobody knows whether its work had ended by itself before, nor how."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process that cannot be confused with a later one of the same number: boot, pid, start time in clock ticks
    since boot (field 22 of /proc/PID/stat, see proc(5))."""

    pid: int
    start_ticks: int
    boot_id: str


@dataclass(frozen=True, slots=True)
class ExitState:
    """How a command ended. `code` and `signal` are None where `known` is False (nobody was there to reap it)."""

    at_ms: int
    known: bool
    code: int | None = None
    signal: int | None = None
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class CommandState:
    """One command of a run: the work itself or a sidecar."""

    name: str
    process: ProcessId | None
    restarts: int
    started_ms: int | None
    last_exit: ExitState | None
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Confinement:
    """Which mechanism holds the run to its allocation, where, and what this system does not grant, in words."""

    mechanism: str
    groups: tuple[str, ...]
    not_enforced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunState:
    """A run as it is. `healthy` is None where no health check is declared or the work is not up yet.

    `clock_step_ms` is how far the wall clock was seen to jump against the elapsed time since the run was first
    started; beyond a minute the run's end follows the elapsed time.
    """

    run_id: str
    namespace: str
    name: str
    phase: Phase
    reason: EndReason | None
    message: str
    work: CommandState
    sidecars: tuple[CommandState, ...]
    supervisor: ProcessId | None
    ports: Mapping[str, int]
    healthy: bool | None
    healthy_since_ms: int | None
    first_healthy_ms: int | None
    claimed_ms: int | None
    ended_ms: int | None
    end_ms: int | None
    cpus: tuple[int, ...]
    memory_bytes: int | None
    confinement: Confinement | None
    takeovers: int = 0
    reboots: int = 0
    clock_step_ms: int = 0
    processes: tuple[ProcessId, ...] = ()

    @property
    def final(self) -> bool:
        """Whether nothing of the run is left and nothing will come back by itself."""
        return self.phase in (Phase.ENDED, Phase.LOST)


@dataclass(frozen=True, slots=True)
class Reading:
    """One fact and the file it was read from. `value` is None where it could not be read; `why` says why."""

    value: int | tuple[int, ...] | str | None
    source: str
    why: str = ""

    @property
    def granted(self) -> bool:
        """Whether this system keeps such a fact at all: one that it keeps and that could not be read has a source."""
        return self.value is not None or bool(self.source)


@dataclass(frozen=True, slots=True)
class ThreadReading:
    """One thread as the kernel schedules it: CPUs it may use and memory nodes it may allocate from."""

    pid: int
    thread_id: int
    command: str
    cpus_allowed: Reading
    memory_nodes_allowed: Reading
    last_cpu: Reading


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the kernel itself says of a run's work (sidecars apart); nothing here comes from what was asked for."""

    run_id: str
    at_ms: int
    mechanism: str
    threads: tuple[ThreadReading, ...]
    membership: Mapping[int, tuple[Reading, ...]]
    group_cpus: Reading
    group_memory_nodes: Reading
    memory_limit_bytes: Reading
    memory_usage_bytes: Reading
    quota_milli: Reading
    resident_bytes: Reading
    facts: Mapping[str, Reading] = field(default_factory=dict)

    @property
    def cpus_allowed(self) -> frozenset[int]:
        """Every CPU that any thread of the work may run on."""
        return frozenset(
            cpu
            for thread in self.threads
            if isinstance(thread.cpus_allowed.value, tuple)
            for cpu in thread.cpus_allowed.value
        )

    @property
    def memory_nodes_allowed(self) -> frozenset[int]:
        """Every memory node that any thread of the work may allocate from."""
        return frozenset(
            node
            for thread in self.threads
            if isinstance(thread.memory_nodes_allowed.value, tuple)
            for node in thread.memory_nodes_allowed.value
        )


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line a command wrote: Unix milliseconds, `stdout` or `stderr`, text (invalid UTF-8 replaced)."""

    at_ms: int
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class Ability:
    """Something that can, or cannot, be enforced here: how it is enforced, or why it is not."""

    name: str
    granted: bool
    mechanism: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What an engine says about itself."""

    engine: str
    version: str
    reachable: bool
    at_ms: int
    mechanism: str
    abilities: tuple[Ability, ...]
    runs: int
