"""The log's file: a short head, then batches, each written by one write and made durable by one fsync.

    file   = head:32s batch*                                                                          (big-endian)
    batch  = magic:4s statements:u32 first_index:u64 body_length:u64 body_crc:u32 header_crc:u32 body
    body   = record* zeros up to a multiple of 32 bytes
    record = 0x01 id_length:u16 source_length:u16 sequence:u64 length:u32 id source envelope     a statement, a leaf
           | 0x02 sha256:32s length:u32 deflated                                                  an input, no leaf

A header lies within one sector and vouches for its own length, so that a batch which was being written when the power
went (short, or with sectors that read as zeros) differs from one that was damaged later: the first is dropped, as
nobody was told that it is kept; the second is refused. The checksums (CRC-32) find accidents; against intent there are
the signatures.
"""

import hashlib
import itertools
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tenure.evidence.errors import LogDamagedError

ALIGNMENT = 32
FILE_HEAD = b"TENURE-EVIDENCE\x01".ljust(ALIGNMENT, b"\n")
MAGIC = b"TEB1"
HEADER = struct.Struct(">4sIQQII")
STATEMENT = struct.Struct(">BHHQI")
INPUT = struct.Struct(">B32sI")
SECTOR_BYTES = 512
BODY_BYTES_MAX = 64 * 2**20
INPUT_BYTES_MAX = 16 * 2**20
"""Of one input, in canonical form."""


@dataclass(frozen=True, slots=True)
class StatementRecord:
    """A statement as stored: what it is found by, and its envelope in canonical JSON."""

    id: str
    source: str
    sequence: int
    envelope: bytes

    def encode(self) -> bytes:
        """The record's bytes."""
        name, source = self.id.encode(), self.source.encode()
        head = STATEMENT.pack(1, len(name), len(source), self.sequence, len(self.envelope))
        return head + name + source + self.envelope


@dataclass(frozen=True, slots=True)
class InputRecord:
    """What statements stand on: canonical JSON, stored deflated, found by its SHA-256."""

    sha256: bytes
    deflated: bytes

    @staticmethod
    def of(canonical: bytes, sha256: bytes) -> "InputRecord":
        """The record of a value in canonical form, whose SHA-256 is known."""
        return InputRecord(sha256, zlib.compress(canonical, 1))

    def encode(self) -> bytes:
        """The record's bytes."""
        return INPUT.pack(2, self.sha256, len(self.deflated)) + self.deflated

    def inflate(self) -> bytes:
        """The canonical form. Raises ValueError when it is not what the digest says."""
        inflater = zlib.decompressobj()
        try:
            data = inflater.decompress(self.deflated, INPUT_BYTES_MAX)
        except zlib.error as error:
            raise ValueError(str(error)) from None
        if not inflater.eof or inflater.unused_data or hashlib.sha256(data).digest() != self.sha256:
            raise ValueError("an input is not what its digest says")
        return data


Record = StatementRecord | InputRecord


@dataclass(frozen=True, slots=True)
class Batch:
    """Where a batch lies in the file, and its records with the offset of each."""

    begin: int
    end: int
    first_index: int
    records: tuple[tuple[int, Record], ...]


@dataclass(frozen=True, slots=True)
class Torn:
    """A batch at the end of the file that was still being written: it begins here, and nobody relies on it."""

    begin: int
    end: int


def encode_batch(records: list[Record], *, first_index: int) -> tuple[bytes, list[int]]:
    """The batch's bytes, and each record's offset in them."""
    encoded = [record.encode() for record in records]
    offsets, position = [], HEADER.size
    for data in encoded:
        offsets.append(position)
        position += len(data)
    body = b"".join(encoded)
    body += bytes(-len(body) % ALIGNMENT)
    statements = sum(isinstance(record, StatementRecord) for record in records)
    head = HEADER.pack(MAGIC, statements, first_index, len(body), zlib.crc32(body), 0)[:-4]
    return head + struct.pack(">I", zlib.crc32(head)) + body, offsets


def read_batches(file: BinaryIO, *, path: str, begin: int = 0) -> Iterator[Batch | Torn]:
    """Every batch of the file, or those from where one begins; a torn one can only be the last.

    Raises LogDamagedError at the first damage.
    """
    file.seek(0)
    head = file.read(len(FILE_HEAD))
    if len(head) < len(FILE_HEAD) and head == FILE_HEAD[: len(head)]:
        yield Torn(0, len(head))
        return
    if head != FILE_HEAD:
        raise LogDamagedError("this is no evidence log, or its head is damaged", path=path, offset=0)
    begin = max(begin, len(FILE_HEAD))
    file.seek(begin)
    while header := file.read(HEADER.size):
        batch = _read_batch(file, header, begin, path)
        yield batch
        if isinstance(batch, Torn):
            return
        begin = batch.end


def read_record(descriptor: int, offset: int, *, path: str) -> Record:
    """The record at `offset`. Its checksum was seen when the log was opened; signatures and digests tell the rest."""
    head = os.pread(descriptor, max(STATEMENT.size, INPUT.size), offset)
    try:
        if head[:1] == b"\1":
            size = STATEMENT.size + sum(STATEMENT.unpack_from(head)[i] for i in (1, 2, 4))
        else:
            size = INPUT.size + INPUT.unpack_from(head)[2]
        ((_, record),) = _records(os.pread(descriptor, min(size, BODY_BYTES_MAX), offset), offset)
    except (ValueError, struct.error):
        raise LogDamagedError("no whole record lies here", path=path, offset=offset) from None
    return record


def _read_batch(file: BinaryIO, header: bytes, begin: int, path: str) -> Batch | Torn:
    if len(header) < HEADER.size or header.count(0) == len(header):
        rest = header + file.read()
        if not _holds_a_batch(rest):
            return Torn(begin, begin + len(rest))
        raise LogDamagedError("a batch's header is gone, and others follow it", path=path, offset=begin)
    magic, statements, first_index, length, body_crc, header_crc = HEADER.unpack(header)
    if magic != MAGIC or zlib.crc32(header[:-4]) != header_crc or length > BODY_BYTES_MAX:
        raise LogDamagedError("a batch's header is not what was written", path=path, offset=begin)
    body = file.read(length)
    end = begin + HEADER.size + len(body)
    if len(body) < length:
        return Torn(begin, end)
    if zlib.crc32(body) != body_crc:
        if not file.read(1) and _has_unwritten_sector(body, begin + HEADER.size):
            return Torn(begin, end)
        raise LogDamagedError("a batch is not what was written", path=path, offset=begin + HEADER.size)
    try:
        records = tuple(_records(body, begin + HEADER.size))
    except (ValueError, struct.error):
        raise LogDamagedError("a batch holds no whole records", path=path, offset=begin + HEADER.size) from None
    if statements != sum(isinstance(record, StatementRecord) for _, record in records):
        raise LogDamagedError("a batch counts its statements wrongly", path=path, offset=begin)
    return Batch(begin, end, first_index, records)


def _holds_a_batch(tail: bytes) -> bool:
    """Whether a whole header begins anywhere in `tail`: then what is before it was not being written last."""
    for at in range(0, len(tail) - HEADER.size + 1, ALIGNMENT):
        header = tail[at : at + HEADER.size]
        if header[:4] == MAGIC and zlib.crc32(header[:-4]) == HEADER.unpack(header)[-1]:
            return True
    return False


def _has_unwritten_sector(body: bytes, begin: int) -> bool:
    """Whether a sector of the file, or the body's part of it, reads as zeros; nothing that we write does."""
    cuts = [0, *range(-begin % SECTOR_BYTES, len(body), SECTOR_BYTES), len(body)]
    return any(body.count(0, low, high) == high - low > 0 for low, high in itertools.pairwise(cuts))


def _records(body: bytes, begin: int) -> Iterator[tuple[int, Record]]:
    position = 0
    while position < len(body):
        offset = begin + position
        if body[position] == 0:
            if any(body[position:]) or len(body) - position >= ALIGNMENT:
                raise ValueError("padding")
            return
        if body[position] == 1:
            _, name, source, sequence, length = STATEMENT.unpack_from(body, position)
            ends = [position := position + STATEMENT.size, position + name, position + name + source]
            position = ends[2] + length
            if position > len(body):
                raise ValueError("short")
            name_text, source_text = body[ends[0] : ends[1]].decode(), body[ends[1] : ends[2]].decode()
            yield offset, StatementRecord(name_text, source_text, sequence, body[ends[2] : position])
        elif body[position] == 2:
            _, sha256, length = INPUT.unpack_from(body, position)
            data = body[position + INPUT.size : position + INPUT.size + length]
            position += INPUT.size + length
            if position > len(body):
                raise ValueError("short")
            yield offset, InputRecord(sha256, data)
        else:
            raise ValueError("no such record")
