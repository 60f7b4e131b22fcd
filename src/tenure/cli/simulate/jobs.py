"""A trace as values: the jobs of a file, in order of arrival."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tenure.placement import Constraint
from tenure.resources.kinds.workload import WorkloadSpec


@dataclass(frozen=True, slots=True)
class Job:
    """`members` alike members, all or none. Quantities are one member's; `gpu_milli` is a share of one GPU.

    `duration_ms` None: it does not end. `deadline_ms`: the latest end that is of use. Times on the trace's own clock.
    A job from a manifest has its `spec`, which says all of that and more: its members may be of several sorts, so that
    `total_milli` says what they take in all; it starts not before, and by, an instant. `constraints` are what the site
    permits it.
    """

    name: str
    arrival_ms: int
    duration_ms: int | None
    members: int = 1
    gpus: int = 0
    gpu_milli: int = 1000
    cpu_milli: int = 0
    memory_bytes: int = 0
    models: tuple[str, ...] = ()
    deadline_ms: int | None = None
    must: str = ""
    prefer: str = ""
    spec: WorkloadSpec | None = None
    total_milli: int | None = None
    not_before_ms: int | None = None
    start_by_ms: int | None = None
    constraints: tuple[Constraint, ...] = ()

    @property
    def gpu_total_milli(self) -> int:
        """Thousandths of GPUs over all members."""
        return self.members * self.gpus * self.gpu_milli if self.total_milli is None else self.total_milli

    def moved(self, to_ms: int) -> Job:
        """The same job, coming at another time."""
        by = to_ms - self.arrival_ms

        def later(at_ms: int | None) -> int | None:
            return None if at_ms is None else at_ms + by

        return replace(
            self,
            arrival_ms=to_ms,
            deadline_ms=later(self.deadline_ms),
            not_before_ms=later(self.not_before_ms),
            start_by_ms=later(self.start_by_ms),
        )

    @property
    def wanted_from_ms(self) -> int:
        """From when on it waits."""
        return max(self.arrival_ms, self.not_before_ms or self.arrival_ms)

    @property
    def latest_start_ms(self) -> int | None:
        """The last start that is of use; None where any is."""
        of_use = [self.start_by_ms] if self.start_by_ms is not None else []
        if self.deadline_ms is not None:
            of_use.append(self.deadline_ms - (self.duration_ms or 0))
        return min(of_use, default=None)


@dataclass(frozen=True, slots=True)
class Trace:
    """Jobs in order of arrival. `timed` is false where the file has no times and an order must be made."""

    source: str
    form: str
    jobs: tuple[Job, ...]
    timed: bool = True
