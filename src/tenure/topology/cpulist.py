"""Sets of CPU or node numbers in the two notations of Linux: lists ("0-3,8") and hexadecimal masks ("f,00000000")."""

from __future__ import annotations

from collections.abc import Iterable

NUMBER_MAX = 1 << 20
"""Far above any kernel's CPU count; bounds what a hostile file can make us allocate."""


def parse_cpu_list(text: str) -> tuple[int, ...]:
    """Numbers of a Linux list such as ``0-3,8`` (also with a stride, ``0-7:1/2``), ascending; empty text is no number.

    Raises ValueError for anything else.
    """
    numbers: set[int] = set()
    for part in text.replace("\n", ",").replace("\0", "").split(","):
        part = part.strip()
        if part:
            numbers.update(_range(part))
    return tuple(sorted(numbers))


def _range(part: str) -> Iterable[int]:
    span, _, grouping = part.partition(":")
    first_text, dash, last_text = span.partition("-")
    first = int(first_text)
    last = int(last_text) if dash else first
    if not 0 <= first <= last <= NUMBER_MAX:
        raise ValueError(f"not a range of CPU numbers: {part!r}")
    if not grouping:
        return range(first, last + 1)
    used_text, slash, size_text = grouping.partition("/")
    used, size = int(used_text), int(size_text) if slash else 0
    if not 0 < used <= size:
        raise ValueError(f"not a grouped range of CPU numbers: {part!r}")
    return (number for number in range(first, last + 1) if (number - first) % size < used)


def parse_cpu_mask(text: str) -> tuple[int, ...]:
    """Numbers of a hexadecimal mask, most significant word first, words parted by commas.

    Kernels write words of 32 bits without prefix; hwloc writes ``0x000000ff,0xffffffff``, leaves empty words empty
    and begins with ``0xf...f`` for "all from here on", which is refused. Raises ValueError.
    """
    words = text.strip().split(",")
    if "0xf...f" in words:
        raise ValueError("an infinite set has no list of numbers")
    if len(words) * 32 > NUMBER_MAX:
        raise ValueError("mask is too wide")
    value = 0
    for word in words:
        bits = int(word, 16) if word.strip() else 0
        if bits >> 32:  # some kernels and files write wider words only when there is a single one
            if len(words) > 1:
                raise ValueError(f"word of a mask is wider than 32 bits: {word!r}")
            value = bits
            continue
        value = (value << 32) | bits
    return _bits(value)


def _bits(value: int) -> tuple[int, ...]:
    digits = bin(value)[:1:-1]
    return tuple(at for at, digit in enumerate(digits) if digit == "1")


def format_cpu_list(numbers: Iterable[int]) -> str:
    """``0-3,8`` for any numbers; the empty text for none."""
    parts: list[str] = []
    ordered = sorted(set(numbers))
    start = 0
    for at in range(1, len(ordered) + 1):
        if at == len(ordered) or ordered[at] != ordered[at - 1] + 1:
            first, last = ordered[start], ordered[at - 1]
            parts.append(str(first) if first == last else f"{first}-{last}")
            start = at
    return ",".join(parts)
