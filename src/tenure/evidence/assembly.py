"""What one write of the log will hold: statements numbered and signed, each once, with the inputs that are new."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tenure.evidence.canonical import Json, canonical_bytes
from tenure.evidence.dsse import Envelope
from tenure.evidence.errors import StatementError
from tenure.evidence.frames import INPUT_BYTES_MAX, InputRecord, Record, StatementRecord
from tenure.evidence.keys import SigningKey
from tenure.evidence.reader import LogReader
from tenure.evidence.statements import Statement, Subject, sign_statement


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement to be, and the values that it stands on by name. The log gives it its sequence number."""

    statement: Statement
    inputs: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A statement is durable: its place in the log, its number among its source's, and the signed envelope.

    `repeated` when the same statement, by its id, was there before.
    """

    index: int
    sequence: int
    envelope: Envelope
    repeated: bool = False


class Assembly:
    """Statements on their way into the log, in order."""

    def __init__(self, log: LogReader, *, key: SigningKey) -> None:
        self._log = log
        self._key = key
        self.records: list[Record] = []
        self.body_bytes = 0
        self._statements: dict[str, tuple[Statement, Receipt]] = {}
        self._counts: dict[str, int] = {}
        self._inputs: set[bytes] = set()
        self._canonical: dict[int, tuple[Json, bytes, bytes]] = {}
        """By identity: the verdicts on one window share their input, which is then brought into form only once."""

    def copy(self) -> "Assembly":
        """Another that goes on from here, to be thrown away when one of several statements turns out to be wrong."""
        other = Assembly(self._log, key=self._key)
        other.records, other.body_bytes = list(self.records), self.body_bytes
        other._statements, other._counts = dict(self._statements), dict(self._counts)
        other._inputs, other._canonical = set(self._inputs), self._canonical
        return other

    def add(self, draft: Draft) -> Receipt:
        """Number and sign a draft; or give the receipt that its id has. Changes nothing when it raises."""
        inputs = {name: self._input(name, value) for name, value in draft.inputs.items()}
        named = tuple(Subject(name, sha256.hex()) for name, (_, sha256) in inputs.items())
        statement = replace(draft.statement, inputs=(*draft.statement.inputs, *named), sequence=0)
        if statement.id in self._statements:
            before, receipt = self._statements[statement.id]
            return _once(before, statement, replace(receipt, repeated=True))
        place = self._log.find(statement.id)
        if place is not None:
            before = self._log.statement(place)
            envelope = json.loads(self._log.envelope(place))
            return _once(before, statement, Receipt(place, before.sequence, envelope, repeated=True))
        sequence = self._counts.get(statement.source, self._log.count(statement.source))
        numbered = replace(statement, sequence=sequence)
        envelope = sign_statement(numbered, key=self._key)
        fresh = {sha256: data for data, sha256 in inputs.values() if not self._is_stored(sha256)}
        new = [InputRecord.of(data, sha256) for sha256, data in fresh.items()]
        new_bytes = canonical_bytes(envelope)
        receipt = Receipt(self._log.size + len(self._statements), sequence, envelope)
        for record in new:
            self._inputs.add(record.sha256)
            self.records.append(record)
        self.records.append(StatementRecord(statement.id, statement.source, sequence, new_bytes))
        self.body_bytes += len(new_bytes) + sum(len(record.deflated) for record in new) + 2048
        self._statements[statement.id] = (numbered, receipt)
        self._counts[statement.source] = sequence + 1
        return receipt

    def _input(self, name: str, value: Json) -> tuple[bytes, bytes]:
        """The canonical form of an input, and its SHA-256."""
        if id(value) not in self._canonical:
            data = canonical_bytes(value)
            if len(data) > INPUT_BYTES_MAX:
                raise StatementError(
                    f"{len(data)} bytes of one input; at most {INPUT_BYTES_MAX} are kept",
                    path=f"inputs.{name}",
                    next_step="state a sketch of it, or split the window",
                )
            self._canonical[id(value)] = (value, data, hashlib.sha256(data).digest())
        return self._canonical[id(value)][1:]

    def _is_stored(self, sha256: bytes) -> bool:
        return sha256 in self._inputs or self._log.has_input(sha256.hex())


def _once(before: Statement, now: Statement, receipt: Receipt) -> Receipt:
    """The receipt, if both say the same. When they were said may differ: a retry comes later."""
    if replace(before, sequence=0, at_ms=0).to_wire() != replace(now, sequence=0, at_ms=0).to_wire():
        raise StatementError(
            f"statement {now.id!r} was made before, and said something else",
            code="StatementIdTaken",
            path="$.predicate.id",
            next_step="a new statement needs an id of its own",
        )
    return receipt
