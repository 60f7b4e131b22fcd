"""Lengths of time on the command line: 30s, 2m, 1h30m as kubectl's users write them, and bare seconds."""

import re

from tenure.cli import failures
from tenure.quantities import Duration, QuantityError

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
STEP = "write it like 90s, 2m or 1h30m"
SECONDS_MAX = 100 * 366 * 86_400
"""A hundred years; clocks and locks of the system overflow beyond 292."""
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def duration_of(option: str, text: str) -> Duration:
    """The exact duration that an option names, above zero. Raises Failure (usage)."""
    try:
        found = Duration.parse(text)
    except QuantityError as error:
        raise failures.usage(f"{option} {error.message}", f"write {option} 10m", "InvalidQuantity") from None
    if not int(found):
        raise failures.usage(f"{option} {text} is no time at all", f"write {option} 10m", "InvalidQuantity")
    return found


def seconds_of(text: str) -> float:
    """Seconds. Raises Failure (usage)."""
    written = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", written):
        seconds = float(written)
    elif not written or _PART.sub("", written):
        raise failures.usage(f"{text[:40]!r} is no length of time", STEP, "InvalidQuantity")
    else:
        seconds = float(sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(written)))
    if seconds > SECONDS_MAX:
        raise failures.usage(f"{text[:40]!r} is longer than anybody waits", STEP, "InvalidQuantity")
    return seconds
