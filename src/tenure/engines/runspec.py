"""What an engine is asked to run: one frozen value, complete, so that any engine (or the same one after a crash) can
start it without asking anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Literal

from tenure.engines.failures import InvalidRunSpec

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,118}[a-z0-9])?")
MAIN = "work"


class RestartPolicy(StrEnum):
    """When a command that ended is started again."""

    ALWAYS = "always"
    ON_FAILURE = "on-failure"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart policy. The wait doubles from `backoff_ms` to `backoff_ms_max`; a command that stayed up for
    `settled_ms` starts counting anew; after `restarts_max` restarts in a row the run ends (RestartsExhausted).
    """

    policy: RestartPolicy = RestartPolicy.ON_FAILURE
    backoff_ms: int = 500
    backoff_ms_max: int = 30_000
    restarts_max: int = 10
    settled_ms: int = 60_000


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How health is seen: an HTTP GET on loopback that answers 2xx, or (path None) an accepted TCP connection.

    Asked every `starting_interval_ms` until it succeeds once, then every `interval_ms`; `failures_max` failures in a
    row turn a healthy command unhealthy. The engine reports; whoever remedies decides.
    """

    port: str
    path: str | None = None
    interval_ms: int = 5_000
    starting_interval_ms: int = 100
    timeout_ms: int = 2_000
    failures_max: int = 3


@dataclass(frozen=True, slots=True)
class LogLimits:
    """Bounds of each command's log: `files_max` files (the newest included) of at most `file_bytes_max` each."""

    file_bytes_max: int = 8 * 1024 * 1024
    files_max: int = 3


@dataclass(frozen=True, slots=True)
class File:
    """A file placed in the working directory before the first start."""

    content: bytes
    mode: int = 0o600


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A further command beside the work, run on the system's CPUs and outside the work's memory limit (the tap)."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    restart: Restart = Restart(policy=RestartPolicy.ALWAYS, restarts_max=1_000_000)


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run: a supervised process tree on named CPUs.

    `argv`, the values of `env` and `files` of text may hold `{port.NAME}`, `{work_dir}` and `{run_dir}`, filled in at
    the first start. `ports` maps a name to a TCP port on loopback; 0 asks for a free one, which then stays the run's.
    The command's environment is `env` and nothing else, apart from PATH, HOME and LANG where absent and the
    TENURE_RUN* marks: a server's secrets never leak into a workload.
    `cpus` are logical CPUs (every SMT sibling of each held core); empty means unpinned. `system_cpus` carry the
    supervisor and the sidecars. `end_ms` is Unix milliseconds; None means no end of its own.
    """

    run_id: str
    namespace: str
    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)
    working_dir: str | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    cpus: tuple[int, ...] = ()
    system_cpus: tuple[int, ...] = ()
    memory_nodes: tuple[int, ...] = ()
    memory_bytes: int | None = None
    cpu_quota_milli: int | None = None
    processes_max: int = 4096
    restart: Restart = Restart()
    end_ms: int | None = None
    stop_grace_ms: int = 10_000
    sidecars: tuple[Sidecar, ...] = ()
    log_limits: LogLimits = LogLimits()
    health: HealthCheck | None = None
    enforcement: Literal["best", "affinity"] = "best"

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise problem


def _problems(spec: RunSpec) -> list[InvalidRunSpec]:
    found: list[InvalidRunSpec] = []

    def check(holds: bool, field_path: str, message: str) -> None:
        if not holds:
            found.append(InvalidRunSpec(message, field=field_path))

    check(bool(_NAME.fullmatch(spec.run_id)), "run_id", f"{spec.run_id!r} is no name a folder can carry")
    check(bool(spec.argv) and all(spec.argv[:1]), "argv", "name the program to start")
    names = [MAIN, *(sidecar.name for sidecar in spec.sidecars)]
    check(len(set(names)) == len(names), "sidecars", "two commands of one run share a name")
    for index, sidecar in enumerate(spec.sidecars):
        check(bool(_NAME.fullmatch(sidecar.name)), f"sidecars[{index}].name", f"{sidecar.name!r} is no name")
        check(bool(sidecar.argv), f"sidecars[{index}].argv", "name the program to start")
    for path in spec.files:
        pure = PurePosixPath(path)
        inside = not pure.is_absolute() and ".." not in pure.parts and bool(pure.parts)
        check(inside, f"files[{path}]", "a file is placed inside the working directory; give a path relative to it")
    for name, port in spec.ports.items():
        check(0 <= port < 65536, f"ports.{name}", f"{port} is no TCP port")
    check(all(cpu >= 0 for cpu in spec.cpus), "cpus", "logical CPUs are numbered from 0")
    check(spec.memory_bytes is None or spec.memory_bytes > 0, "memory_bytes", "a memory limit is above 0")
    check(spec.cpu_quota_milli is None or spec.cpu_quota_milli >= 10, "cpu_quota_milli", "a quota is at least 10 milli")
    check(spec.health is None or spec.health.port in spec.ports, "health.port", "health names a port of the run")
    return found
