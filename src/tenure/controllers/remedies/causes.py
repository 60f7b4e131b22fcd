"""Why a window was broken, as far as the kernel knows: what took time from the work in it, with the figures. Pure.

Counters of the kernel run on, so a window lies between two looks at them. Looks are kept a sixteenth of a window apart
and for four windows, which bounds what they take.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tenure.measurement.kernel import Cause, KernelFacts, causes
from tenure.promises import Window
from tenure.quantities import Bytes, format_instant

LOOKS_A_WINDOW = 16
LOOKS_KEPT = 4 * LOOKS_A_WINDOW
OTHERS_SHOWN = 3
OTHER_SHARE_LEAST = 0.05
"""Below a twentieth of a CPU somebody else's process is no likely cause."""


@dataclass(frozen=True, slots=True)
class KernelLook:
    """What the kernel counted of the work up to an instant (Unix ms), and who else used its CPUs since the look before:
    seconds of CPU by pid and name."""

    at_ms: int
    facts: KernelFacts
    cpus: tuple[int, ...]
    others: Mapping[tuple[int, str], float]


@dataclass(slots=True)
class KernelLooks:
    """The looks at one run that are kept, the oldest first."""

    kept: list[KernelLook] = field(default_factory=list)

    def add(self, look: KernelLook, window_ms: int) -> None:
        """Keep it. A look that came soon after another takes its place, and what was seen in between is added up."""
        apart_ms = window_ms // LOOKS_A_WINDOW
        if len(self.kept) > 1 and self.kept[-1].at_ms - self.kept[-2].at_ms < apart_ms:
            others = Counter(self.kept.pop().others)
            others.update(look.others)
            look = KernelLook(look.at_ms, look.facts, look.cpus, others)
        self.kept.append(look)
        del self.kept[:-LOOKS_KEPT]

    def cause_of(self, window: Window) -> dict[str, Any] | None:
        """The likeliest cause of what went wrong in a window, as it is stated; None where nobody looked then."""
        before = [look for look in self.kept if look.at_ms <= window.start_ms]
        within = [look for look in self.kept if window.start_ms < look.at_ms <= window.end_ms]
        after = [look for look in self.kept if look.at_ms > window.end_ms]
        looks = [*before[-1:], *within, *after[:1]]
        if len(looks) < 2:
            return None
        return _stated(looks)


def _stated(looks: Sequence[KernelLook]) -> dict[str, Any]:
    first, last = looks[0], looks[-1]
    before, after = first.facts, last.facts
    span_ns = max(1, after.monotonic_ns - before.monotonic_ns)
    others: Counter[tuple[int, str]] = Counter()
    for look in looks[1:]:
        others.update(look.others)
    ran = [
        {"pid": pid, "name": name, "cpuShare": round(seconds * 1e9 / span_ns, 4)}
        for (pid, name), seconds in others.most_common(OTHERS_SHOWN)
        if seconds * 1e9 / span_ns >= OTHER_SHARE_LEAST
    ]
    found = causes(before, after, last.cpus)
    same = before.processes[:1] == after.processes[:1]
    return {
        "from": format_instant(first.at_ms),
        "to": format_instant(last.at_ms),
        "likeliest": found[0].code if found else ("Intruder" if ran else "NotSeen"),
        "said": _said(found, ran, after),
        "causes": [{"code": one.code, "share": round(one.share, 4), "detail": one.detail} for one in found],
        "ran": ran,
        "cpuSeconds": _seconds(before.cpu_ns, after.cpu_ns) if same else None,
        "waitedSeconds": _seconds(before.waited_ns, after.waited_ns) if same else None,
        "throttledSeconds": _seconds(before.throttled_ns, after.throttled_ns) if same else None,
        "stolenSeconds": _seconds(before.stolen_ns, after.stolen_ns),
        "majorFaults": max(0, after.major_faults - before.major_faults) if same else None,
        "residentBytes": after.resident_bytes,
    }


def _seconds(before: int | None, after: int | None) -> float | None:
    return None if before is None or after is None else round(max(0, after - before) / 1e9, 6)


def _said(found: Sequence[Cause], ran: Sequence[Mapping[str, Any]], after: KernelFacts) -> str:
    parts = [found[0].detail] if found else []
    if found and found[0].code == "MajorFaults":
        parts.append(f"{Bytes(after.resident_bytes)} of its memory were resident")
    if ran and (not found or found[0].code in ("WaitedForCpu", "Stray")):
        parts.append(f"{ran[0]['name']} ({ran[0]['pid']}) used {ran[0]['cpuShare']:.0%} of a CPU of its own")
    return "; ".join(parts) or "the kernel counts nothing that took time from it"
