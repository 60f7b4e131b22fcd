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
_INDEX = re.compile(rb'"index":(0|[1-9][0-9]{0,15})[^0-9]?\Z')


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement of a bundle. `statement` is None when it cannot even be read; `failures` is empty when it holds.

    `index`: its place in the log, None where its line does not tell; `after`: the place of the one before it.
    """

    number: int
    index: int | None
    leaf: bytes
    statement: Statement | None
    failures: tuple[EvidenceError, ...] = ()
    after: int = -1

    @property
    def id(self) -> str | None:
        """The statement's id, as far as it can be read."""
        return self.statement.id if self.statement else None

    @property
    def where(self) -> str:
        """The entry in words."""
        if self.index is None:
            return f"statement after {self.after}, line {self.number}"
        known = f" ({self.statement.id})" if self.statement else ""
        return f"statement {self.index}{known}"


def read_entries(bundle: BundleFile, keys: Iterable[PublicKey]) -> list[Entry]:
    """The entries of a bundle in its order, also those whose line is damaged."""
    trusted, entries, last = tuple(keys), list[Entry](), -1
    for line in bundle.lines["statement"]:
        entries.append(_entry(line, trusted, last))
        index = entries[-1].index
        last = last if index is None else index
    return entries


def _entry(line: Line, keys: Sequence[PublicKey], after: int) -> Entry:
    wrong = (BundleError(line.wrong, path="line"),) if line.wrong else ()
    found = _VALUE.fullmatch(line.value)
    if found is None:
        wrong = wrong or (BundleError("an envelope and an index are expected", path="line"),)
        told = _INDEX.search(line.value)
        return Entry(line.number, int(told[1]) if told else None, leaf_hash(line.value), None, wrong, after)
    raw, index = found[1], int(found[2])
    statement, failures = _read(raw, keys)
    return Entry(line.number, index, leaf_hash(raw), statement, (*wrong, *failures), after)


def _read(raw: bytes, keys: Sequence[PublicKey]) -> tuple[Statement | None, tuple[EvidenceError, ...]]:
    """The statement in an envelope's bytes, as far as it can be read, and what is wrong with it."""
    try:
        envelope = parse_exactly(raw)
    except EvidenceError as error:
        return None, (error,)
    try:
        return verify_envelope(envelope, keys=keys), ()
    except EvidenceError as error:
        try:
            return Statement.from_wire(parse_exactly(peek_payload(envelope))), (error,)
        except EvidenceError:
            return None, (error,)
