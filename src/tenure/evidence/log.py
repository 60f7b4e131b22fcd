"""The log as its one writer sees it: append, and be told only once it is durable.

Callers in several threads share an fsync: whoever gets the lock writes what all have queued.
"""

import contextlib
import fcntl
import os
import shutil
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tenure.evidence.assembly import Assembly, Draft, Receipt
from tenure.evidence.canonical import Json
from tenure.evidence.compaction import records, rests_on, rewriting, sync_folder
from tenure.evidence.durable import replace_file
from tenure.evidence.errors import LogDamagedError, LogInUseError, NotWrittenError, StatementError
from tenure.evidence.frames import BODY_BYTES_MAX, FILE_HEAD, Batch, Record, encode_batch
from tenure.evidence.index import Stored
from tenure.evidence.keyring import KeyRecord, KeyRing
from tenure.evidence.keys import SigningKey
from tenure.evidence.reader import LogReader
from tenure.evidence.retirement import RETIREMENT, add_to_plan, carry_out, digests_to_go, read_plan, take_from_plan
from tenure.evidence.statements import Statement, Subject
from tenure.quantities import Clock, format_instant

LOCK_FILE = "lock"
KEYS_SOURCE, KEY_ROTATION = "keys", "key-rotation"
CHECKPOINT_EVERY_NS = 10_000_000_000
"""How much of the log's end could at most be cut off unseen by anyone who holds no checkpoint."""
BATCH_RECORDS_MAX = 1024
ROOM_LEFT_BYTES = 16 << 20
"""What writing the log anew leaves free for everybody else on the disk."""


@dataclass(slots=True)
class _Ticket:
    drafts: Sequence[Draft]
    done: bool = False
    receipts: list[Receipt] = field(default_factory=list)
    error: BaseException | None = None


class EvidenceLog(LogReader):
    """The log, open for writing by this process alone. Appends may come from any thread."""

    def __init__(self, folder: Path, *, keys: KeyRing) -> None:
        """Use `open_for_writing`."""
        super().__init__(folder, keys=keys)
        self._folder = folder
        self._clock: Clock
        self._queue: deque[_Ticket] = deque()
        self._queue_lock = threading.Lock()
        self._write_lock = threading.RLock()
        self._lock = -1
        self._broken: str | None = None
        self._checkpointed_ns = 0
        self._compacted_ns = 0
        self._planned: dict[str, int] = {}
        self.recovered_bytes = 0
        """How many bytes of a batch that was being written at a crash were dropped when opening."""
        self.retired_bytes = 0
        """How many bytes of samples whose retention is over were given up when opening."""

    @classmethod
    def open_for_writing(cls, folder: Path, *, keys: KeyRing, clock: Clock) -> "EvidenceLog":
        """The log in `folder`, made when there is none; a torn end is cut off, any other damage is refused.

        Raises LogInUseError, LogDamagedError, NotWrittenError.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = cls(folder, keys=keys)
        log._clock = clock
        log._lock = _take_lock(folder / LOCK_FILE)
        try:
            _make_when_absent(log._path, log._checkpoint_path)
            log._compacted_ns = clock.monotonic_ns()
            log.retired_bytes = _carry_out(folder, log._path)
            log._now = Stored(log._path.open("r+b"))
            log._read()
            log._drop_torn_end()
            log._finish_rotation()
            log._store_checkpoint()
        except BaseException:
            log._release()
            raise
        return log

    def append(self, statement: Statement, inputs: Mapping[str, Json] | None = None) -> Receipt:
        """State something, durably. Returns only after the fsync.

        A statement whose id is there already is not stated twice: its first receipt is given again, unless it says
        something else now (StatementError, StatementIdTaken). Raises NotWrittenError when it could not be made
        durable: then the action that it records must not happen.
        """
        return self.append_all([Draft(statement, inputs or {})])[0]

    def append_all(self, drafts: Sequence[Draft]) -> list[Receipt]:
        """State several things in one write: all of them, or none."""
        ticket = _Ticket(drafts)
        with self._queue_lock:
            self._queue.append(ticket)
        while not ticket.done:
            with self._write_lock:
                if not ticket.done:
                    self._commit_queue()
        if ticket.error is not None:
            raise ticket.error
        return ticket.receipts

    def issue_checkpoint(self, source: str, *, purpose: str, subjects: Sequence[Subject], at_ms: int) -> str:
        """A checkpoint for someone to keep, and a statement that it was given, so that bundles can prove it later.

        From then on the log can only go on from it, with all that `source` had stated by then. Asked again for the
        same `purpose`, it gives the same checkpoint. Raises NotWrittenError.
        """
        statement_id = f"{source}/checkpoint/{purpose}"
        with self._write_lock:
            place = self.find(statement_id)
            if place is not None:
                return str(self.statement(place).body["checkpoint"])
            note = self.checkpoint([source])
            self.append(
                Statement(
                    predicate="checkpoint",
                    id=statement_id,
                    source=source,
                    sequence=0,
                    at_ms=at_ms,
                    subjects=tuple(subjects),
                    body={"checkpoint": note},
                )
            )
        return note

    def retire(self, source: str, *, subjects: Sequence[Subject], before_ms: int, at_ms: int) -> None:
        """State that what the source's windows before an instant stand on is given up. It goes when the log is next
        written anew: at a start, or within a day.

        Stated again it is planned again, unless this process planned it: a crash or a full disk may have come between
        the statement and the plan. Raises NotWrittenError.
        """
        before = format_instant(before_ms)
        with self._write_lock:
            self.append(
                Statement(
                    predicate=RETIREMENT,
                    id=f"{source}/{RETIREMENT}/{before}",
                    source=source,
                    sequence=0,
                    at_ms=at_ms,
                    subjects=tuple(subjects),
                    body={"before": before},
                )
            )
            if before_ms <= self._planned.get(source, -1):
                return
            try:
                add_to_plan(self._folder, source, before_ms)
            except OSError as error:
                raise _not_written(str(error.strerror), self._folder) from None
            self._planned[source] = before_ms

    def compact(self, *, every_ns: int = 0) -> int:
        """Write the log anew without what was given up, while it is in use; returns how many bytes that saved.

        Does nothing when that was done within `every_ns`, or when nothing is given up. Statements, proofs and readers
        that are at work are not touched. Raises OSError, LogDamagedError; the log is then as it was.
        """
        with self._write_lock:
            now_ns, plan, end = self._clock.monotonic_ns(), read_plan(self._folder), self._end
            if not plan or self._lock < 0 or self._broken is not None or now_ns - self._compacted_ns < every_ns:
                return 0
            self._compacted_ns = now_ns  # also when it fails: a disk that is too full is not filled again and again
            if shutil.disk_usage(self._folder).free < end + ROOM_LEFT_BYTES:
                return 0
        goes, saved = digests_to_go(records(self._path, len(FILE_HEAD), end), plan), 0
        if goes:
            with rewriting(self._path) as fresh:
                fresh.copy(len(FILE_HEAD), end, goes)
                with self._write_lock:
                    if self._lock < 0 or self._broken is not None:
                        return 0  # closed meanwhile: the file may have another writer by now
                    if rests_on(records(self._path, end, self._end), goes):
                        return 0  # stated meanwhile, on the very samples that were to go: next time
                    fresh.copy(end, self._end, frozenset())
                    fresh.take_place()
                    saved, self._end, self._now = self._end - fresh.end, fresh.end, fresh.stored
                    try:
                        sync_folder(self._path)
                    except OSError as error:
                        self._broken = f"{error.strerror}, when the log was written anew"
                        raise
        with self._write_lock:
            if self._lock >= 0:
                take_from_plan(self._folder, plan)
        return saved

    def rotate_key(self, *, to: SigningKey | None = None, at: Path | None = None) -> KeyRecord:
        """State that a new key signs from now on, signed by the old one, and then let it. The owner of a key that is
        brought (`to`) keeps it in the file `at`.

        After a crash between the two the next opening does what was stated. Raises NotWrittenError, SigningKeyError;
        where the statement is not there then, the old key goes on.
        """
        with self._write_lock:
            old, new = self._keys.signing, self._keys.prepare(to=to, at=at)
            at_ms = self._clock.now_ms()
            try:
                self.append(
                    Statement(
                        predicate=KEY_ROTATION,
                        id=f"{KEYS_SOURCE}/{new.id}",
                        source=KEYS_SOURCE,
                        sequence=0,
                        at_ms=at_ms,
                        subjects=(Subject(f"keys/{new.id}", new.id),),
                        body={"from": old.id, "to": new.id, "publicKey": new.public.pem},
                    )
                )
            except (NotWrittenError, StatementError):
                if self._broken is None:  # else, as after any other error, the next opening may find the statement
                    self._keys.forget(new)
                raise
            return self._keys.follow(new.id, at_ms=at_ms)

    def _finish_rotation(self) -> None:
        """Let the key sign that was stated to, where a crash came between."""
        places = self.places(KEYS_SOURCE)
        said = self.statement(places[-1]) if places else None
        if said is not None and said.body["to"] not in {key.id for key in self._keys.public_keys}:
            self._keys.follow(str(said.body["to"]), at_ms=said.at_ms)

    def checkpoint(self, sources: Iterable[str] = ()) -> str:
        """A signed checkpoint of all that is durable now."""
        with self._write_lock:
            return super().checkpoint(sources)

    def close(self) -> None:
        """Store a checkpoint and let the next writer in."""
        with self._write_lock:
            if self._lock < 0:
                return
            try:
                if self._broken is None:
                    self._store_checkpoint()
            finally:
                self._release()

    def _commit_queue(self) -> None:
        """Write what is queued, up to a bound, in one batch; every ticket taken is done afterwards."""
        assembly, accepted = Assembly(self, key=self._keys.signing), list[_Ticket]()
        while (ticket := self._next_ticket(assembly)) is not None:
            try:
                if self._broken is not None:
                    raise _not_written(self._broken, self._path)
                attempt = assembly.copy() if len(ticket.drafts) > 1 else assembly
                ticket.receipts = [attempt.add(draft) for draft in ticket.drafts]
                assembly = attempt
                accepted.append(ticket)
            except BaseException as error:
                ticket.error, ticket.done = error, True
        failure: BaseException | None = None
        try:
            if assembly.records:
                self._write(assembly.records)
        except BaseException as error:
            failure = error
        for ticket in accepted:
            ticket.error, ticket.done = failure, True

    def _next_ticket(self, assembly: Assembly) -> _Ticket | None:
        with self._queue_lock:
            full = len(assembly.records) >= BATCH_RECORDS_MAX or assembly.body_bytes >= BODY_BYTES_MAX // 2
            return self._queue.popleft() if self._queue and not full else None

    def _descriptor(self) -> int:
        return self._stored.file.fileno()

    def _write(self, records: list[Record]) -> None:
        data, offsets = encode_batch(records, first_index=self.size)
        if len(data) > BODY_BYTES_MAX:
            raise StatementError(f"{len(data)} bytes in one write; at most {BODY_BYTES_MAX}", path="inputs")
        try:
            _write_all(self._descriptor(), data, self._end)
            os.fdatasync(self._descriptor())
        except OSError as error:
            self._undo(error)
            raise _not_written(str(error.strerror), self._path) from None
        located = tuple((self._end + offset, record) for offset, record in zip(offsets, records, strict=True))
        try:
            self._take(Batch(self._end, self._end + len(data), self.size, located))
        except Exception as failure:
            # It is durable, and what is kept of it in memory is not whole: the next opening reads it from the file.
            self._broken = f"{failure}, after the statements were written"
            raise _not_written(self._broken, self._path) from failure
        if self._clock.monotonic_ns() - self._checkpointed_ns >= CHECKPOINT_EVERY_NS:
            with contextlib.suppress(NotWrittenError):  # the statements are safe; the next append tries again
                self._store_checkpoint()

    def _undo(self, error: OSError) -> None:
        """Take back a write that failed, so that the next one finds the file as it was.

        After a failed fsync the kernel may have dropped pages that it calls clean, so the file is cut to what was
        durable before; where not even that succeeds, nothing more is written until the log is opened anew.
        """
        try:
            os.ftruncate(self._descriptor(), self._end)
            os.fsync(self._descriptor())
        except OSError as second:
            self._broken = f"{error.strerror}, and then {second.strerror} when taking the write back"

    def _drop_torn_end(self) -> None:
        if self._torn is None:
            return
        self.recovered_bytes = self._torn.end - self._torn.begin
        try:
            os.ftruncate(self._descriptor(), self._torn.begin)
            if self._torn.begin == 0:
                _write_all(self._descriptor(), FILE_HEAD, 0)
            os.fsync(self._descriptor())
        except OSError as error:
            raise _not_written(str(error.strerror), self._path) from None

    def _store_checkpoint(self) -> None:
        try:
            replace_file(self._checkpoint_path, self.checkpoint().encode(), mode=0o644)
        except OSError as error:
            raise _not_written(str(error.strerror), self._checkpoint_path) from None
        self._checkpointed_ns = self._clock.monotonic_ns()

    def _release(self) -> None:
        if self._now is not None:
            self._now.file.close()
        os.close(self._lock)
        self._lock = -1


def _take_lock(path: Path) -> int:
    """An exclusive lock that goes with the process, however it ends."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _not_written(str(error.strerror), path) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise LogInUseError(
            "another process writes this evidence log",
            path=str(path),
            next_step="one `tenure up` a home; see `tenure status`",
        ) from None
    return descriptor


def _carry_out(folder: Path, log: Path) -> int:
    try:
        return carry_out(folder, log)
    except OSError:
        return 0  # no room to write it anew: it is tried again at the next start


def _make_when_absent(log: Path, checkpoint: Path) -> None:
    if log.exists():
        return
    if checkpoint.exists():
        raise LogDamagedError("the log is gone; its checkpoint is still here", path=str(log), offset=0)
    try:
        replace_file(log, FILE_HEAD, mode=0o600)
    except OSError as error:
        raise _not_written(str(error.strerror), log) from None


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _not_written(why: str, path: Path) -> NotWrittenError:
    return NotWrittenError(
        f"evidence cannot be made durable ({why}), so what it records is not done",
        path=str(path),
        next_step="free space or repair the disk; what was stated before is kept and readable",
    )
