"""What understanding a machine has to say beside its facts: what was not to be had, and where sources disagree."""

from __future__ import annotations

from dataclasses import dataclass, field

from tenure.topology import Conflict, Unknown, Unread


@dataclass(slots=True)
class Findings:
    """A reporter that the readers of facts write to. Said once, however many devices lack the same thing."""

    unread: list[Unread] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)

    def missing(self, what: str, source: str, reason: str | Unknown) -> Unknown:
        """Notes that a fact is not to be had, and gives the Unknown that stands in its place."""
        why = reason.reason if isinstance(reason, Unknown) else reason
        entry = Unread(what, source, why)
        if entry not in self.unread:
            self.unread.append(entry)
        return Unknown(why)

    def disagree(self, what: str, *, believed: str, doubted: str, because: str) -> None:
        self.conflicts.append(Conflict(what, believed, doubted, because))
