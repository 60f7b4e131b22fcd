"""What a reader makes of a journal: the requests in it, the damage found, and the checkpoint that pins it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tenure.measurement.scrape import Scrape
from tenure.promises import RequestSample


class DamageKind(StrEnum):
    """What is wrong with a span of the journal."""

    GAP = "gap"
    """Records are missing between two that are there."""
    ALTERED = "altered"
    """A record does not carry the chain of those before it."""
    TRUNCATED = "truncated"
    """The head, or a checkpoint the caller holds, knows records that are not there."""
    SILENT = "silent"
    """The tap was not there: no mark for longer than its pace allows."""
    REFUSED = "refused"
    """The tap turned connections away unread, having too many."""
    ASLEEP = "asleep"
    """The machine was suspended."""
    CLOCK_JUMPED = "clockJumped"
    """The wall clock was set."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A span (Unix ns, both ends included) in which the journal cannot be relied upon, and why."""

    kind: DamageKind
    from_ns: int
    to_ns: int
    detail: str

    def touches(self, from_ns: int, to_ns: int) -> bool:
        """Whether it overlaps a span."""
        return self.from_ns <= to_ns and from_ns <= self.to_ns


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Sequence and chain of a record: pins everything before it. Keep one elsewhere to detect a cut journal."""

    sequence: int
    chain: str
    at_ns: int = 0
    """Newest sign of life by then, Unix ns."""


@dataclass(slots=True)
class JournalReading:
    """All that a journal says."""

    samples: dict[str, list[RequestSample]] = field(default_factory=lambda: {"user": [], "prober": []})
    """By role, in order of arrival. A prober's own journal holds them under `probe`."""
    skipped_ns: list[int] = field(default_factory=list)
    """Instants at which a prober held back because no slot was free."""
    pending_ns: list[int] = field(default_factory=list)
    """Arrivals of a prober's probes that have no outcome yet."""
    lost_ns: list[tuple[int, int]] = field(default_factory=list)
    """Arrivals of probes whose prober ended before they did, each with its last sign of life."""
    arriving_ns: list[int] = field(default_factory=list)
    """Arrivals of requests whose bodies were not complete at the newest mark: more of their windows is to come."""
    scrapes: list[Scrape] = field(default_factory=list)
    """What a prober read of the workload's own metrics."""
    witnessed: list[Checkpoint] = field(default_factory=list)
    """Heads of another journal that this one's process noted: a prober notes its tap's."""
    damages: list[Damage] = field(default_factory=list)
    newest: Checkpoint | None = None
    disowned: Damage | None = None
    """The damage (one of `damages`) that says: this is not the journal that the caller, or a witness, saw before."""
    oldest_ns: int | None = None
    """Instant of the oldest record that retention left."""
    newest_ns: int | None = None
    lived_ns: list[tuple[int, int]] = field(default_factory=list)
    """Spans of the wall clock that the journal's process lived through, by its marks, in the order in which it did."""
    torn_bytes: int = 0
    since_ns: int = 0
    """Requests that had ended earlier were left out."""

    def of(self, role: str, from_ns: int, to_ns: int) -> list[RequestSample]:
        """Samples of a role that arrived in a span (its end excluded)."""
        return [sample for sample in self.samples.get(role, []) if from_ns <= sample.arrival_ns < to_ns]
