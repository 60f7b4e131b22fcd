"""What it takes to start a piece of work, and the shapes in which it may be started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tenure.runtimes.metrics import MetricRule

BACKEND_PORT = "backend"


@dataclass(frozen=True, slots=True, order=True)
class Shape:
    """The tunable shape of a server: threads that compute (one a physical core), and requests answered at once."""

    threads: int
    slots: int

    def __str__(self) -> str:
        return f"{self.threads} thread{'s' * (self.threads > 1)} x {self.slots} slot{'s' * (self.slots > 1)}"


@dataclass(frozen=True, slots=True)
class Launch:
    """A start, ready for an engine: `{port.NAME}`, `{work_dir}` and `{run_dir}` in argv, env and files are the
    engine's to fill in. `ports` of 0 are the engine's to choose. `memory_bytes` is an upper estimate with margin, or
    None where nothing is known. `health_path` None with a health port means: a TCP connection is health enough.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[bytes, int]] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    health_port: str | None = None
    health_path: str | None = None
    protocol: str = "none"
    endpoint_port: str | None = None
    metrics_port: str | None = None
    metrics_path: str | None = None
    metrics: tuple[MetricRule, ...] = ()
    memory_bytes: int | None = None


def candidate_shapes(cores: int, slots: Sequence[int], threads_max: int) -> tuple[Shape, ...]:
    """Shapes worth a trial on `cores` free physical cores: powers of two of threads, and all the cores, with each
    number of slots; few threads first, as they leave most to others."""
    most = min(cores, threads_max)
    threads = sorted({1 << power for power in range(most.bit_length()) if 1 << power <= most} | ({most} - {0}))
    return tuple(Shape(count, slot) for count in threads for slot in sorted(set(slots)))
