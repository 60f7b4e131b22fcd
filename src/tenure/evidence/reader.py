"""The log as a reader sees it: entries, inputs, roots and proofs. Opening reads all of it once, and changes nothing."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tenure.evidence.canonical import Json, parse_exactly
from tenure.evidence.checkpoints import Checkpoint, sign_checkpoint, verify_checkpoint
from tenure.evidence.errors import EvidenceError, LogDamagedError, UnknownStatementError
from tenure.evidence.frames import FILE_HEAD, Batch, InputRecord, StatementRecord, Torn, read_batches, read_record
from tenure.evidence.index import DigestIndex, SourceIndex, Stored
from tenure.evidence.keyring import KeyRing
from tenure.evidence.keys import PublicKey
from tenure.evidence.merkle import Hash, consistency_path, cover, inclusion_path
from tenure.evidence.retirement import Retirements
from tenure.evidence.statements import Statement, verify_envelope
from tenure.evidence.tree import Tree

LOG_FILE = "log"
CHECKPOINT_FILE = "checkpoint"


class LogReader:
    """Everything that was durably stated, in order, up to the moment of opening.

    In memory: O(log n) hashes of the tree, and some 40 bytes a statement to find it by number, id and source.
    """

    def __init__(self, folder: Path, *, keys: KeyRing) -> None:
        """Use `open`."""
        self._path = folder / LOG_FILE
        self._checkpoint_path = folder / CHECKPOINT_FILE
        self._keys = keys
        self._now: Stored | None = None
        # The hashes can be made again from the log, so their file has no name and goes with the process.
        self._tree = Tree(tempfile.TemporaryFile(dir=folder if _writable(folder) else None))  # noqa: SIM115
        self._ids = DigestIndex()
        self._sources = SourceIndex()
        self._end = len(FILE_HEAD)
        self._torn: Torn | None = None

    @classmethod
    def open(cls, folder: Path, *, keys: KeyRing) -> "LogReader":
        """The log in `folder`, for reading, also while another process writes it.

        Raises LogDamagedError with the offset of the first damage, UnknownStatementError when there is no log.
        """
        reader = cls(folder, keys=keys)
        try:
            reader._now = Stored(reader._path.open("rb"))
        except FileNotFoundError:
            raise UnknownStatementError(
                "there is no evidence log here",
                path=str(folder),
                next_step="start Tenure once with `tenure up`, or name its home with --home",
            ) from None
        reader._read()
        return reader

    @property
    def origin(self) -> str:
        """The log's name in its checkpoints: it follows from the first key."""
        return f"tenure.dev/log/{self._keys.history[0].key.id[:16]}"

    @property
    def size(self) -> int:
        """How many statements."""
        return self._tree.size

    @property
    def root(self) -> Hash:
        """The root over all of them."""
        return self._tree.root

    def root_at(self, size: int) -> Hash:
        """The root when there were `size` statements."""
        return self._tree.root_at(size)

    def checkpoint(self, sources: Iterable[str] = ()) -> str:
        """A signed checkpoint of the log as it is now, which also says how much each of `sources` has stated."""
        heads = {source: self._sources.count(source) for source in sources}
        return sign_checkpoint(Checkpoint(self.origin, self.size, self.root, heads), key=self._keys.signing)

    def envelope(self, index: int) -> bytes:
        """The entry at `index`: an envelope in canonical JSON, byte for byte as it was hashed."""
        return self._record(index).envelope

    def statement(self, index: int) -> Statement:
        """The statement at `index`, its signature checked."""
        return verify_envelope(parse_exactly(self.envelope(index)), keys=self._keys.public_keys)

    def find(self, statement_id: str) -> int | None:
        """Where the statement with this id is."""
        for index in self._ids.find(_id_digest(statement_id)):
            if self._record(index).id == statement_id:
                return index
        return None

    def sources(self) -> list[str]:
        """Every source that has stated anything."""
        return self._sources.sources()

    def places(self, source: str) -> list[int]:
        """Where the source's statements are, in order; the k-th has sequence number k."""
        return self._sources.places(source)

    def newest_first(self, source: str) -> Iterator[tuple[int, str]]:
        """Place and id of each of the source's statements, the newest first; signatures are not checked for that."""
        for place in reversed(self._sources.places(source)):
            yield place, self._record(place).id

    def count(self, source: str) -> int:
        """How many statements the source has made."""
        return self._sources.count(source)

    def input(self, sha256: str) -> Json:
        """The input with this digest (hex). Raises UnknownStatementError."""
        return json.loads(self.input_bytes(sha256))

    def has_input(self, sha256: str) -> bool:
        """Whether an input with this digest is stored."""
        return self._input_record(sha256) is not None

    def input_bytes(self, sha256: str) -> bytes:
        """The canonical form of the input with this digest."""
        found = self._input_record(sha256)
        if found is None:
            raise UnknownStatementError(f"no input {sha256} in the log", path=str(self._path))
        offset, record = found
        try:
            return record.inflate()
        except ValueError as error:
            raise LogDamagedError(str(error), path=str(self._path), offset=offset) from None

    def inclusion_proof(self, index: int, size: int | None = None) -> list[Hash]:
        """Proof that the entry at `index` is in the tree of `size` leaves (all of them, unless told)."""
        return inclusion_path(index, self._size(size), self._tree.subtree)

    def consistency_proof(self, old: int, size: int | None = None) -> list[Hash]:
        """Proof that the log of `old` statements is the beginning of that of `size`."""
        return consistency_path(old, self._size(size), self._tree.subtree)

    def cover(self, places: Sequence[int], size: int | None = None) -> list[Hash]:
        """One proof for many entries; see `merkle.cover`."""
        return cover(places, self._size(size), self._tree.subtree)

    def verify(self, *, keys: Iterable[PublicKey]) -> Iterator[Statement]:
        """Every statement, its signature and its place checked anew; raises LogDamagedError at the first that fails."""
        trusted, retirements = tuple(keys), Retirements()
        gone: list[tuple[int, Statement]] = []  # who stands on what is not here: a retirement may follow
        for index in range(self.size):
            record = self._record(index)
            try:
                statement = verify_envelope(parse_exactly(record.envelope), keys=trusted)
                retirements.note(statement)
                for subject in statement.inputs:
                    if self.has_input(subject.sha256):
                        self.input_bytes(subject.sha256)
                    else:
                        gone.append((index, statement))
            except EvidenceError as error:
                raise self._damaged(index, f"statement {index}: {error}") from None
            if (statement.id, statement.source, statement.sequence) != (record.id, record.source, record.sequence):
                raise self._damaged(index, f"statement {index} is filed under another name or number")
            yield statement
        for index, statement in gone:
            if not retirements.covers(statement):
                raise self._damaged(index, f"statement {index}: what it stands on is not in the log")

    def close(self) -> None:
        """Let go of the files."""
        if self._now is not None:
            self._now.file.close()

    def _read(self) -> None:
        """Read all of the log, which must go on from the checkpoint beside it.

        Else its end was cut off, or it was written anew. The checkpoint is read first, since a writer that is at work
        may store a later one meanwhile.
        """
        stored = self._stored_checkpoint()
        for batch in read_batches(self._stored.file, path=str(self._path)):
            if isinstance(batch, Torn):
                self._torn = batch
            else:
                self._take(batch)
        if stored is None:
            if self.size and not self._checkpoint_path.exists():
                path = str(self._checkpoint_path)
                raise LogDamagedError("the checkpoint that belongs to the log is gone", path=path, offset=0)
            return
        if stored.size > self.size:
            raise LogDamagedError(
                f"the log ends after {self.size} statements; its checkpoint has {stored.size}",
                path=str(self._path),
                offset=self._end,
            )
        if stored.origin != self.origin or stored.root != self.root_at(stored.size):
            for _ in self.verify(keys=self._keys.public_keys):
                pass  # names the statement, where a signature tells which
            raise LogDamagedError("this is not the log that the checkpoint is of", path=str(self._path), offset=0)

    def _stored_checkpoint(self) -> Checkpoint | None:
        try:
            return verify_checkpoint(self._checkpoint_path.read_text(), keys=self._keys.public_keys)
        except FileNotFoundError:
            return None
        except (EvidenceError, UnicodeDecodeError) as error:
            path = str(self._checkpoint_path)
            raise LogDamagedError(f"the checkpoint does not hold ({error})", path=path, offset=0) from None

    def _take(self, batch: Batch) -> None:
        if batch.first_index != self.size:
            raise LogDamagedError(
                f"statement {self.size} should follow, not {batch.first_index}",
                path=str(self._path),
                offset=batch.begin,
            )
        stored = self._stored
        for offset, record in batch.records:
            if isinstance(record, InputRecord):
                stored.inputs.add(record.sha256, offset)
                continue
            if record.sequence != self._sources.count(record.source):
                raise LogDamagedError(
                    f"{record.source} goes on with number {record.sequence}, not {self._sources.count(record.source)}",
                    path=str(self._path),
                    offset=offset,
                )
            self._ids.add(_id_digest(record.id), self.size)
            self._sources.add(record.source, self.size)
            stored.offsets.append(offset)
            self._tree.append(record.envelope)
        self._end = batch.end

    @property
    def _stored(self) -> Stored:
        """Taken once for each look: file and offsets belong together."""
        if self._now is None:
            raise AssertionError("opened before it is used")
        return self._now

    def _record(self, index: int) -> StatementRecord:
        if not 0 <= index < self.size:
            raise UnknownStatementError(f"no statement {index}; the log has {self.size}", path=str(self._path))
        stored = self._stored
        record = read_record(stored.file.fileno(), stored.offsets[index], path=str(self._path))
        if not isinstance(record, StatementRecord):
            raise self._damaged(index, "no statement lies here")
        return record

    def _input_record(self, sha256: str) -> tuple[int, InputRecord] | None:
        wanted, stored = bytes.fromhex(sha256), self._stored
        for offset in stored.inputs.find(wanted):
            record = read_record(stored.file.fileno(), offset, path=str(self._path))
            if isinstance(record, InputRecord) and record.sha256 == wanted:
                return offset, record
        return None

    def _size(self, size: int | None) -> int:
        return self.size if size is None else size

    def _damaged(self, index: int, message: str) -> LogDamagedError:
        return LogDamagedError(message, path=str(self._path), offset=self._stored.offsets[index])


def _id_digest(statement_id: str) -> bytes:
    return hashlib.sha256(statement_id.encode()).digest()


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)
