"""Lengths of time on the command line: 30s, 2m, 1h30m as kubectl's users write them, and bare seconds."""

import re

from tenure.cli import failures
from tenure.quantities import Duration, QuantityError

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def duration_of(option: str, text: str) -> Duration:
    """The exact duration that an option names. Raises Failure (usage)."""
    try:
        return Duration.parse(text)
    except QuantityError as error:
        raise failures.usage(f"{option} {error}", f"write {option} 10m", "InvalidQuantity") from None


def seconds_of(text: str) -> float:
    """Seconds. Raises Failure (usage)."""
    written = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", written):
        return float(written)
    if not written or _PART.sub("", written):
        raise failures.usage(f"{text!r} is no length of time", "write it like 90s, 2m or 1h30m", "InvalidQuantity")
    return float(sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(written)))
