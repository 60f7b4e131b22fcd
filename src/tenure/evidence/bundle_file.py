"""Reading a bundle's lines, byte for byte, without believing any of them."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tenure.evidence.bundles import SECTIONS
from tenure.evidence.canonical import Json, parse_exactly
from tenure.evidence.errors import BundleError, StatementError

ORDER = (*SECTIONS, "seal")
ONCE = ("bundle", "keys", "checkpoint", "seal")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number in the file from 1, its section, and the bytes of its value."""

    number: int
    section: str
    value: bytes


@dataclass(slots=True)
class BundleFile:
    """The lines of a bundle by section."""

    raw: list[bytes]
    lines: dict[str, list[Line]] = field(default_factory=dict)

    def only(self, section: str) -> Json:
        """The value of a section that has one line. Raises BundleError naming the line."""
        (line,) = self.lines[section]
        return parse(line)


def parse_bundle(data: bytes) -> BundleFile:
    """The lines in a file's bytes. Raises BundleError when they are not a bundle's, in a bundle's order."""
    *whole, rest = data.split(b"\n")
    raw = [text + b"\n" for text in whole] + ([rest] if rest else [])
    found = BundleFile(raw, {section: [] for section in ORDER})
    last = 0
    for line in _lines(raw):
        place = ORDER.index(line.section)
        if place < last:
            raise BundleError(f"{line.section} comes too late here", path=f"line {line.number}")
        last = place
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


def _lines(raw: list[bytes]) -> Iterator[Line]:
    for number, text in enumerate(raw, start=1):
        for section in ORDER:
            prefix = b'{"%b":' % section.encode()
            if text.startswith(prefix) and text.endswith(b"}\n"):
                yield Line(number, section, text[len(prefix) : -2])
                break
        else:
            raise BundleError(
                "this is no line that a bundle has",
                path=f"line {number}",
                next_step="the file is damaged or no bundle: ask for it again",
            )
