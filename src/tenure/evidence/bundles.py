"""A bundle: all that a stranger needs to check one contract, in one file, made from the log.

Lines of canonical JSON, in this order, each ending in a newline:

    {"bundle": {format, created, log, subject, sources: [{name, count}]}}    what this is, and of which log
    {"keys": [...]}                                                          the history of public keys
    {"checkpoint": {note, cover}}                                            the log's checkpoint, one proof for all
    {"earlier": {note, proof}}                                               checkpoints given before, each proved
    {"input": {sha256, value}}                                               what statements stand on
    {"statement": {envelope, index}}                                         the statements, in the log's order
    {"seal": envelope}                                                       digests of all the above, signed

Plain lines rather than an archive: every byte counts, none is padding or metadata that a flipped bit could hide in, and
`grep` reads it.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.evidence.canonical import canonical_bytes
from tenure.evidence.checkpoints import verify_checkpoint
from tenure.evidence.dsse import seal
from tenure.evidence.durable import replace_file
from tenure.evidence.errors import BundleError, UnknownStatementError
from tenure.evidence.keyring import KeyRing
from tenure.evidence.reader import LogReader
from tenure.evidence.statements import Statement
from tenure.quantities import format_instant

FORMAT = "https://tenure.dev/evidence/bundle/v1"
SEAL_TYPE = "application/vnd.tenure.bundle-seal+json"
SECTIONS = ("bundle", "keys", "checkpoint", "earlier", "input", "statement")


@dataclass(frozen=True, slots=True)
class BundleSummary:
    """What was exported."""

    path: Path
    subject: str
    statements: int
    inputs: int
    bytes: int
    checkpoint: str


def export_bundle(
    log: LogReader,
    path: Path,
    *,
    sources: Sequence[str],
    keys: KeyRing,
    at_ms: int,
    earlier: Iterable[str] = (),
) -> BundleSummary:
    """Write the bundle of all that `sources` have stated to `path`, in one step.

    `earlier`: checkpoints (signed notes) beyond those that the log says it gave, to be proved as well.
    Raises UnknownStatementError for a source without statements, BundleError when the file cannot be written.
    """
    for source in sources:
        if not log.count(source):
            raise UnknownStatementError(f"nothing was stated by {source}", path="sources")
    note = log.checkpoint(sources)
    size = verify_checkpoint(note, keys=keys.public_keys).size
    places = sorted(place for source in sources for place in log.places(source) if place < size)
    statements = [log.statement(place) for place in places]
    digests = sorted({subject.sha256 for statement in statements for subject in statement.inputs})
    digests = [sha256 for sha256 in digests if log.has_input(sha256)]  # what is not here was given up, or is missed
    head = {
        "format": FORMAT,
        "created": format_instant(at_ms),
        "log": log.origin,
        "subject": statements[0].subjects[0].name,
        "sources": [{"name": source, "count": log.count(source)} for source in sources],
    }
    given = [*_given(statements), *earlier]
    lines = [
        _line("bundle", canonical_bytes(head)),
        _line("keys", canonical_bytes([record.to_wire() for record in keys.history])),
        _line("checkpoint", canonical_bytes({"note": note, "cover": _texts(log.cover(places, size))})),
        *(_line("earlier", canonical_bytes(value)) for value in _proved(given, log, keys, size)),
        *(
            _line("input", b'{"sha256":"%b","value":%b}' % (sha256.encode(), log.input_bytes(sha256)))
            for sha256 in digests
        ),
        *(_line("statement", b'{"envelope":%b,"index":%d}' % (log.envelope(place), place)) for place in places),
    ]
    envelope = seal(
        canonical_bytes(seal_of((_section_of(line), line) for line in lines)), key=keys.signing, payload_type=SEAL_TYPE
    )
    data = b"".join([*lines, _line("seal", canonical_bytes(envelope))])
    try:
        replace_file(path, data, mode=0o644)
    except OSError as error:
        step = "name a file in a folder that is there and that this user may write to: --to FILE"
        raise BundleError(f"cannot be written ({error.strerror})", path=str(path), next_step=step) from error
    return BundleSummary(path, head["subject"], len(places), len(digests), len(data), note)  # type: ignore[arg-type]


def contract_sources(log: LogReader, *, namespace: str, name: str) -> list[str]:
    """The sources whose statements are about this contract, latest last: a name can be used again after an end."""
    wanted = f"contracts/{namespace}/{name}"
    return [
        source
        for source in log.sources()
        if any(subject.name == wanted for subject in log.statement(log.places(source)[0]).subjects)
    ]


def seal_of(lines: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """What a seal says of the lines before it, each with its section: for each section, how many lines and the SHA-256
    over them."""
    found = {section: (0, hashlib.sha256()) for section in SECTIONS}
    for section, line in lines:
        count, sha256 = found[section]
        sha256.update(line)
        found[section] = (count + 1, sha256)
    return {section: {"lines": count, "sha256": sha256.hexdigest()} for section, (count, sha256) in found.items()}


def _given(statements: Iterable[Statement]) -> Iterator[str]:
    for statement in statements:
        if statement.predicate == "checkpoint":
            yield str(statement.body["checkpoint"])


def _proved(notes: Iterable[str], log: LogReader, keys: KeyRing, size: int) -> Iterator[Mapping[str, Any]]:
    """Each checkpoint once, with the proof that the log goes on from it."""
    for note in dict.fromkeys(notes):
        old = verify_checkpoint(note, keys=keys.public_keys)
        if old.origin != log.origin or old.size > size:
            raise BundleError(
                f"the checkpoint of {old.origin} at {old.size} is none of this log, which has {size} statements",
                path="checkpoint",
                next_step="export from the log that gave it",
            )
        yield {"note": note, "proof": _texts(log.consistency_proof(old.size, size)) if old.size else []}


def _section_of(line: bytes) -> str:
    return line[2 : line.index(b'"', 2)].decode()


def _line(section: str, value: bytes) -> bytes:
    return b'{"%b":%b}\n' % (section.encode(), value)


def _texts(hashes: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(item).decode() for item in hashes]
