"""Samples whose time is over. Statements stay for good, with their signatures and their place in the tree; what a
window's verdict stands on may be given up once the contract's retention is over, and that is stated before it is done.

The log's file is written anew without them at the next start, before anything else uses it, and once a day while it is
in use (see `compaction`).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path

from tenure.evidence.canonical import parse_exactly
from tenure.evidence.dsse import peek_payload
from tenure.evidence.durable import replace_file
from tenure.evidence.errors import EvidenceError
from tenure.evidence.frames import (
    FILE_HEAD,
    Batch,
    InputRecord,
    Record,
    StatementRecord,
    Torn,
    encode_batch,
    read_batches,
)
from tenure.evidence.statements import Statement
from tenure.quantities import parse_instant

PLAN_FILE = "retire.json"
RETIREMENT = "retirement"


class Retirements:
    """Before which instant each source has given up what its windows stand on, as far as it was stated."""

    def __init__(self, statements: Iterable[Statement] = ()) -> None:
        self._before_ms: dict[str, int] = {}
        for statement in statements:
            self.note(statement)

    def note(self, statement: Statement) -> None:
        """Take a statement; other sorts say nothing here."""
        if statement.predicate == RETIREMENT:
            before_ms = parse_instant(str(statement.body["before"]))
            self._before_ms[statement.source] = max(before_ms, self._before_ms.get(statement.source, 0))

    def covers(self, statement: Statement) -> bool:
        """Whether what this verdict stands on may be gone."""
        before_ms = self._before_ms.get(statement.source)
        return before_ms is not None and is_over(statement, before_ms)


def is_over(statement: Statement, before_ms: int) -> bool:
    """Whether it judges a window that ended by then."""
    if statement.predicate != "window-verdict":
        return False
    try:
        return parse_instant(str(statement.body["end"])) <= before_ms
    except ValueError:
        return False


def read_plan(folder: Path) -> dict[str, int]:
    """What is to be given up at the next start: sources with the instant (Unix ms) before which their windows ended."""
    try:
        plan = json.loads((folder / PLAN_FILE).read_bytes())
        return {str(source): int(before_ms) for source, before_ms in plan.items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return {}  # nothing is given up for want of a plan


def add_to_plan(folder: Path, source: str, before_ms: int) -> None:
    """Note it for when the log is written anew. Raises OSError."""
    plan = read_plan(folder)
    _write_plan(folder, {**plan, source: max(before_ms, plan.get(source, 0))})


def take_from_plan(folder: Path, done: Mapping[str, int]) -> None:
    """Strike out what was carried out; what was noted meanwhile stays. Raises OSError."""
    left = {source: ms for source, ms in read_plan(folder).items() if ms > done.get(source, -1)}
    if left:
        _write_plan(folder, left)
    else:
        (folder / PLAN_FILE).unlink(missing_ok=True)


def _write_plan(folder: Path, plan: Mapping[str, int]) -> None:
    replace_file(folder / PLAN_FILE, json.dumps(plan, sort_keys=True).encode(), mode=0o600)


def carry_out(folder: Path, log: Path) -> int:
    """Write the log anew without what the plan gives up; returns how many bytes that saved.

    A crash leaves the old file or the new one; the plan goes last, and carrying it out again changes nothing.
    Raises OSError, LogDamagedError.
    """
    plan = read_plan(folder)
    if not plan:
        return 0
    before = log.stat().st_size
    goes = digests_to_go(_records(log), plan)
    if goes:
        replace_file(log, _without(log, goes), mode=0o600)
    take_from_plan(folder, plan)
    return before - log.stat().st_size


def digests_to_go(records: Iterable[Record], plan: Mapping[str, int]) -> set[bytes]:
    """Digests of what is still in the file, and on which nothing stands but windows that are over."""
    goes: set[bytes] = set()
    stays: set[bytes] = set()
    here: set[bytes] = set()
    for record in records:
        if isinstance(record, InputRecord):
            here.add(record.sha256)
        elif (statement := unsigned(record)) is not None:
            over = is_over(statement, plan.get(statement.source, 0))
            (goes if over else stays).update(bytes.fromhex(subject.sha256) for subject in statement.inputs)
    return (goes - stays) & here


def unsigned(record: StatementRecord) -> Statement | None:
    """What a record states, its signature not looked at; None when it cannot be read: whoever reads it is told."""
    try:
        return Statement.from_wire(parse_exactly(peek_payload(parse_exactly(record.envelope))))
    except EvidenceError:
        return None


def _records(log: Path) -> Iterator[Record]:
    with log.open("rb") as file:
        for batch in read_batches(file, path=str(log)):
            if not isinstance(batch, Torn):
                yield from (record for _, record in batch.records)


def _without(log: Path, goes: set[bytes]) -> Iterator[bytes]:
    """The file's parts. A batch that was still being written is left out, as it is by whoever opens the log."""
    yield FILE_HEAD
    with log.open("rb") as file:
        for batch in read_batches(file, path=str(log)):
            if isinstance(batch, Torn):
                return
            yield encode_batch(staying(batch, goes), first_index=batch.first_index)[0]


def staying(batch: Batch, goes: Set[bytes]) -> list[Record]:
    """A batch's records but for the inputs that go."""
    return [r for _, r in batch.records if not (isinstance(r, InputRecord) and r.sha256 in goes)]
