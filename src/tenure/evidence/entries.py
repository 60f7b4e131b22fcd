"""The statements of a bundle, each with its place, its leaf hash, and what is wrong with it.

A statement whose signature fails is still read where it can be, so that what was changed in it can be named.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tenure.evidence.bundle_file import BundleFile, Line
from tenure.evidence.canonical import parse_exactly
from tenure.evidence.dsse import peek_payload
from tenure.evidence.errors import BundleError, EvidenceError
from tenure.evidence.keys import PublicKey
from tenure.evidence.merkle import leaf_hash
from tenure.evidence.statements import Statement, verify_envelope

_VALUE = re.compile(rb'\{"envelope":(\{.*\}),"index":(0|[1-9][0-9]{0,15})\}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement of a bundle. `statement` is None when it cannot even be read; `failures` is empty when it holds."""

    number: int
    index: int
    leaf: bytes
    statement: Statement | None
    failures: tuple[EvidenceError, ...] = ()

    @property
    def id(self) -> str | None:
        """The statement's id, as far as it can be read."""
        return self.statement.id if self.statement else None

    @property
    def where(self) -> str:
        """The entry in words."""
        known = f" ({self.statement.id})" if self.statement else ""
        return f"statement {self.index}{known}"


def read_entries(bundle: BundleFile, keys: Iterable[PublicKey]) -> list[Entry]:
    """The entries of a bundle in its order. Raises BundleError for a line that is none."""
    trusted = tuple(keys)
    return [_entry(line, trusted) for line in bundle.lines["statement"]]


def _entry(line: Line, keys: Sequence[PublicKey]) -> Entry:
    found = _VALUE.fullmatch(line.value)
    if found is None:
        raise BundleError("an envelope and an index are expected", path=f"line {line.number}")
    raw, index = found[1], int(found[2])
    leaf = leaf_hash(raw)
    try:
        envelope = parse_exactly(raw)
    except EvidenceError as error:
        return Entry(line.number, index, leaf, None, (error,))
    try:
        return Entry(line.number, index, leaf, verify_envelope(envelope, keys=keys))
    except EvidenceError as error:
        try:
            unsigned = Statement.from_wire(parse_exactly(peek_payload(envelope)))
        except EvidenceError:
            unsigned = None
        return Entry(line.number, index, leaf, unsigned, (error,))
