"""Reading a bundle's lines, byte for byte, without believing any of them.

A line whose frame is damaged is still given, as one of the section that it most likely belongs to, so that the rest is
checked and what was damaged is named.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tenure.evidence.bundles import SECTIONS
from tenure.evidence.canonical import Json, parse_exactly
from tenure.evidence.errors import BundleError, StatementError

ORDER = (*SECTIONS, "seal")
ONCE = ("bundle", "keys", "checkpoint", "seal")
DAMAGED_BYTES_MAX = 2
"""Bytes of a line's beginning that may be damaged before it is not told by them any more."""
_PREFIX = {section: b'{"%b":' % section.encode() for section in ORDER}
_JOINED = re.compile(rb'\{"(?:statement|seal)":')


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number in the file from 1, its section, its bytes and those of its value, what is wrong with its
    frame. Lines that a damaged line end has joined have one number."""

    number: int
    section: str
    text: bytes
    value: bytes
    wrong: str = ""


@dataclass(slots=True)
class BundleFile:
    """The lines of a bundle by section."""

    lines: dict[str, list[Line]] = field(default_factory=dict)

    def only(self, section: str) -> Json:
        """The value of a section that has one line. Raises BundleError naming the line."""
        (line,) = self.lines[section]
        return parse(line)


def parse_bundle(data: bytes) -> BundleFile:
    """The lines in a file's bytes. Raises BundleError when what every bundle has once is not there, or twice."""
    *whole, rest = data.split(b"\n")
    texts = [text + b"\n" for text in whole] + ([rest] if rest else [])
    found = BundleFile({section: [] for section in ORDER})
    for line in _lines((number, part) for number, text in enumerate(texts, start=1) for part in _parted(text)):
        found.lines[line.section].append(line)
    for section in ONCE:
        if len(found.lines[section]) != 1:
            raise BundleError(
                f"{len(found.lines[section])} lines of {section}, where one is expected",
                path=section,
                next_step="the file is cut off, joined from several, or no bundle: ask for it again",
            )
    return found


def parse(line: Line) -> Json:
    """A line's value. Raises BundleError naming the line."""
    try:
        return parse_exactly(line.value)
    except StatementError as error:
        raise BundleError(f"{line.section}: {error.message}", path=f"line {line.number}") from None


def members(value: Json, names: set[str], where: str) -> dict[str, Any]:
    """`value` as an object with exactly these members. Raises BundleError."""
    if not isinstance(value, dict) or set(value) != names:
        raise BundleError(f"an object with {', '.join(sorted(names))} is expected", path=where)
    return value


def hashes(value: Json, where: str) -> list[bytes]:
    """A list of base64 texts of 32 bytes each. Raises BundleError."""
    try:
        found = [base64.b64decode(text, validate=True) for text in value]
    except (TypeError, ValueError, binascii.Error):
        raise BundleError("a list of base64 hashes is expected", path=where) from None
    if any(len(item) != 32 for item in found):
        raise BundleError("a hash has 32 bytes", path=where)
    return found


def _parted(text: bytes) -> Iterator[bytes]:
    """A statement's line, and what a damaged line end has joined to it: nothing in its envelope looks like a frame."""
    at = 0
    if text.startswith(_PREFIX["statement"]):
        for found in _JOINED.finditer(text, 1):
            yield text[at : found.start()]
            at = found.start()
            if found[0] == _PREFIX["seal"]:
                break
    yield text[at:]


def _lines(parts: Iterable[tuple[int, bytes]]) -> Iterator[Line]:
    last = ORDER[0]
    for number, text in parts:
        section = next((section for section in ORDER if text.startswith(_PREFIX[section])), "")
        if not section or not text.endswith(b"}\n"):
            section = section or _likeliest(text, after=last)
            wrong = "this is no line that a bundle has: the file is damaged, or is none"
        else:
            late = ORDER.index(section) < ORDER.index(last)
            wrong = f"{section} comes too late here" if late else ""
        yield Line(number, section, text, text[len(_PREFIX[section]) : -2], wrong)
        last = max(last, section, key=ORDER.index)


def _likeliest(text: bytes, *, after: str) -> str:
    """The section whose frame is nearest to how a damaged line begins; that of the line before where none is near."""

    def off(section: str) -> int:
        prefix = _PREFIX[section]
        return len(prefix) - sum(a == b for a, b in zip(text, prefix, strict=False))

    nearest = min(ORDER, key=off)
    return nearest if off(nearest) <= DAMAGED_BYTES_MAX else after
