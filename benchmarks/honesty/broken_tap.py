"""A tap that lies, or whose clock runs away: the shipped tap's own program, with what it reads and writes bent here.

python -m benchmarks.honesty.broken_tap lying|lying-gaps|drifting CONFIG.json
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tenure.measurement import tap
from tenure.measurement.journal import JournalWriter

LIE = 4
DRIFT = 5
"""A fifth of a second every second, as in the virtual part."""


def lie() -> None:
    """Every duration that is journalled is a quarter of what it was."""
    _journal(quartered)


def lie_about_gaps() -> None:
    """First tokens are told truly; what comes behind them is a quarter of what it was."""
    _journal(hastened)


def _journal(bend: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    append = JournalWriter.append

    def bent(writer: JournalWriter, kind: str, fields: Mapping[str, Any]) -> int:
        return append(writer, kind, bend(fields))

    setattr(JournalWriter, "append", bent)  # noqa: B010 - what a type checker would rightly refuse


def quartered(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A record with its durations divided."""
    found = dict(fields)
    for name in ("afterNs", "firstNs", "endNs"):
        if found.get(name) is not None:
            found[name] //= LIE
    if found.get("gapsNs"):
        found["gapsNs"] = [gap // LIE for gap in found["gapsNs"]]
    return found


def hastened(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A record with its gaps divided, and its end as early as they say."""
    found = dict(fields)
    first_ns = found.get("firstNs")
    if first_ns is None or not found.get("gapsNs"):
        return found
    found["gapsNs"] = [gap // LIE for gap in found["gapsNs"]]
    found["endNs"] = first_ns + (found["endNs"] - first_ns) // LIE
    return found


def drift() -> None:
    """The wall clock of this process runs away from now on."""
    true, began_ns = time.time_ns, time.time_ns()

    def bent() -> int:
        return true() + (true() - began_ns) // DRIFT

    time.time_ns = bent


def main(words: list[str]) -> int:
    """Bend it, and be the tap."""
    {"lying": lie, "lying-gaps": lie_about_gaps, "drifting": drift}[words[0]]()
    return tap.main(words[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
