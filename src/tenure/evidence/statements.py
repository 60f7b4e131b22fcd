"""Statements: in-toto Statement v1 about named subjects, sealed in a DSSE envelope and opened again.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tenure.evidence.canonical import canonical_bytes, parse_exactly
from tenure.evidence.dsse import Envelope, open_envelope, seal
from tenure.evidence.errors import EvidenceError, SignatureError, StatementError
from tenure.evidence.keys import PublicKey, SigningKey
from tenure.evidence.predicates import BY_NAME, BY_URI, STATEMENT_TYPE, Predicate
from tenure.quantities import format_instant, parse_instant


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement is about, or stands on: a name and the SHA-256 of its canonical form."""

    name: str
    sha256: str

    def to_wire(self) -> dict[str, Any]:
        """An in-toto ResourceDescriptor."""
        return {"name": self.name, "digest": {"sha256": self.sha256}}


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that one source says once. `at_ms` is Unix milliseconds; `body` is plain JSON."""

    predicate: str
    id: str
    source: str
    sequence: int
    at_ms: int
    subjects: tuple[Subject, ...]
    body: Mapping[str, Any]
    inputs: tuple[Subject, ...] = field(default=())

    def to_wire(self) -> dict[str, Any]:
        """The in-toto Statement. Raises StatementError, naming the field, when it cannot be one."""
        predicate = _checked(self)
        return {
            "_type": STATEMENT_TYPE,
            "subject": [subject.to_wire() for subject in self.subjects],
            "predicateType": predicate.uri,
            "predicate": {
                "id": self.id,
                "source": self.source,
                "sequence": self.sequence,
                "at": format_instant(self.at_ms),
                "inputs": [subject.to_wire() for subject in self.inputs],
                "body": dict(self.body),
            },
        }

    @staticmethod
    def from_wire(value: object) -> "Statement":
        """The statement in `value`. Raises StatementError with the path of what is wrong."""
        top = _object(value, "$", {"_type", "subject", "predicateType", "predicate"})
        if top["_type"] != STATEMENT_TYPE:
            raise StatementError(f"{top['_type']!r} is not {STATEMENT_TYPE}", path="$._type")
        kind = BY_URI.get(str(top["predicateType"]))
        if kind is None:
            raise StatementError(f"unknown predicate type {top['predicateType']!r}", path="$.predicateType")
        inner = _object(top["predicate"], "$.predicate", {"id", "source", "sequence", "at", "inputs", "body"})
        try:
            at_ms = parse_instant(str(inner["at"]))
        except ValueError as error:
            raise StatementError(str(error), path="$.predicate.at") from None
        if not isinstance(inner["body"], dict):
            raise StatementError("an object is expected", path="$.predicate.body")
        statement = Statement(
            predicate=kind.name,
            id=inner["id"],
            source=inner["source"],
            sequence=inner["sequence"],
            at_ms=at_ms,
            subjects=_subjects(top["subject"], "$.subject"),
            body=inner["body"],
            inputs=_subjects(inner["inputs"], "$.predicate.inputs"),
        )
        _checked(statement)
        return statement


def sign_statement(statement: Statement, *, key: SigningKey) -> Envelope:
    """The DSSE envelope of the statement's canonical form. Raises StatementError."""
    return seal(canonical_bytes(statement.to_wire()), key=key)


def verify_envelope(envelope: object, *, keys: Iterable[PublicKey]) -> Statement:
    """The statement in `envelope`, once signature, canonical form and every field are seen to be right.

    Raises SignatureError or StatementError; `path` names the field.
    """
    payload = open_envelope(envelope, keys=keys)
    try:
        return Statement.from_wire(parse_exactly(payload))
    except SignatureError:
        raise
    except EvidenceError as error:
        raise StatementError(error.message, path=f"$.payload{error.path[1:]}") from None


def _checked(statement: Statement) -> Predicate:
    predicate = BY_NAME.get(statement.predicate)
    if predicate is None:
        raise StatementError(f"no such sort of statement: {statement.predicate!r}", path="$.predicateType")
    for name in ("id", "source"):
        value = getattr(statement, name)
        if not isinstance(value, str) or not 0 < len(value.encode("utf-8", "replace")) <= 500:
            raise StatementError("a text of 1 to 500 bytes is expected", path=f"$.predicate.{name}")
    sequence = statement.sequence
    if not isinstance(sequence, int) or isinstance(sequence, bool) or sequence < 0:
        raise StatementError("a whole number from 0 up is expected", path="$.predicate.sequence")
    if not statement.subjects:
        raise StatementError("a statement is about something", path="$.subject")
    for name in predicate.required:
        if name not in statement.body:
            raise StatementError(f"a {predicate.name} statement needs it", path=f"$.predicate.body.{name}")
    return predicate


def _object(value: object, path: str, names: set[str]) -> dict[str, Any]:
    """`value` with at least these members. Others are signed like everything else and bind nothing: a later Tenure may
    say more, and in-toto has consumers ignore what they do not know."""
    if not isinstance(value, dict):
        raise StatementError("an object is expected", path=path)
    for name in sorted(names - set(value)):
        raise StatementError("missing", path=f"{path}.{name}")
    return value


def _subjects(value: object, path: str) -> tuple[Subject, ...]:
    if not isinstance(value, list):
        raise StatementError("a list is expected", path=path)
    found = []
    for position, item in enumerate(value):
        here = f"{path}[{position}]"
        entry = _object(item, here, {"name", "digest"})
        sha256 = _object(entry["digest"], f"{here}.digest", {"sha256"})["sha256"]
        if not isinstance(sha256, str) or len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise StatementError("a SHA-256 in lower-case hexadecimal is expected", path=f"{here}.digest.sha256")
        if not isinstance(entry["name"], str):
            raise StatementError("a text is expected", path=f"{here}.name")
        found.append(Subject(entry["name"], sha256))
    return tuple(found)
