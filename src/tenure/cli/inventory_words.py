"""The small words of the inventory's picture: sizes, speeds, sets of cores, and what each colour means."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from rich.text import Text

from tenure.topology import Fact, PciLink, Unknown, format_cpu_list

TITLE, MEMORY, CORES, GPU, NETWORK, STORAGE = "bold", "cyan", "green", "bold magenta", "blue", "yellow"
QUIET, UNSURE, WRONG, GOOD, KEPT = "dim", "italic dim", "bold red", "green", "yellow"

GLYPHS_MAX = 32
"""More cores than this in one group are told as numbers; squares would only fill the line."""

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def size(size_bytes: Fact[int]) -> str:
    """``23.5 GiB``; three figures at most; ``size unknown``."""
    if isinstance(size_bytes, Unknown):
        return "size unknown"
    value, unit = float(size_bytes), 0
    while value >= 1024 and unit < len(_BINARY) - 1:
        value, unit = value / 1024, unit + 1
    text = f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"
    return f"{text.removesuffix('.0')} {_BINARY[unit]}"


def rate_bits(bits_per_s: Fact[int]) -> str:
    """``100 Gb/s``; ``speed unknown``."""
    if isinstance(bits_per_s, Unknown):
        return "speed unknown"
    return f"{bits_per_s / 1e9:g} Gb/s" if bits_per_s >= 1_000_000_000 else f"{bits_per_s / 1e6:g} Mb/s"


def rate_bytes(bytes_per_s: int) -> str:
    """``25 GB/s``."""
    return f"{bytes_per_s / 1e9:.3g} GB/s"


def watts(power_mw: int) -> str:
    """``700 W``."""
    return f"{power_mw / 1000:g} W"


def count(number: int, noun: str) -> str:
    """``1 core``, ``2 cores``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}{'es' if noun.endswith('ch') else 's'}"


def core_names(cores: Iterable[int]) -> str:
    """``core 3``, ``cores 0-15``, and ``cores 0-60 step 4`` where SMT siblings or sockets take the numbers between."""
    members = sorted(cores)
    if len(members) == 1:
        return f"core {members[0]}"
    steps = {after - before for before, after in itertools.pairwise(members)}
    step = min(steps)
    if len(members) >= 4 and len(steps) == 1 and step > 1:
        return f"cores {members[0]}-{members[-1]} step {step}"
    return f"cores {format_cpu_list(members)}"


def core_squares(cores: Iterable[int], kept: frozenset[int], allowed: frozenset[int] | None) -> Text:
    """A square a core: full to be sold, empty where the system keeps it, a dot where this process may not run."""
    squares = Text()
    members = sorted(cores)
    if len(members) > GLYPHS_MAX:
        return squares
    for core in members:
        if allowed is not None and core not in allowed:
            squares.append("·", QUIET)
        elif core in kept:
            squares.append("□", KEPT)
        else:
            squares.append("■", CORES)
    return squares


def short_address(address: str) -> str:
    """An address as `lspci` shows it: without its domain where that is 0."""
    return address.removeprefix("0000:")


def link_words(link: Fact[PciLink]) -> Text:
    """``x16 @ 32 GT/s``, and what is less than that now. Empty where nothing is known of the link."""
    if isinstance(link, Unknown):
        return Text()
    text = Text()
    width, speed = link.width_max, link.speed_max_mt_s
    if isinstance(width, Unknown) and isinstance(speed, Unknown):
        if not isinstance(link.bytes_per_s, Unknown):
            text.append(f"PCIe {rate_bytes(link.bytes_per_s)}")
        return text
    parts = [] if isinstance(width, Unknown) else [f"x{width}"]
    if not isinstance(speed, Unknown):
        parts.append(f"{speed / 1000:g} GT/s")
    text.append(" @ ".join(parts))
    if link.is_narrowed:
        text.append(f", running x{link.width}: degraded", WRONG)
    if link.is_slowed and not isinstance(link.speed_mt_s, Unknown):
        text.append(f", now {link.speed_mt_s / 1000:g} GT/s", QUIET)
    return text


def spaced(*parts: Text | str | tuple[str, str]) -> Text:
    """Parts that have something in them, two spaces between."""
    line = Text()
    for part in parts:
        piece = Text(part) if isinstance(part, str) else Text(*part) if isinstance(part, tuple) else part
        if piece.plain:
            line.append_text(Text("  ") if line.plain else Text())
            line.append_text(piece)
    return line
