"""What a GGUF file says of itself, read from its header alone.

Source: the GGUF specification, ggml-org/ggml docs/gguf.md (version 3; version 2 reads alike).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_COUNT_MAX = 1 << 24  # no header has more entries or longer arrays; a torn file must not make us read for ever


class NotGgufError(ValueError):
    """The file is no GGUF that we read. The message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class GgufFacts:
    """Sizes that decide memory: file size in bytes; layers; widths in elements; trained context in tokens."""

    architecture: str
    size_bytes: int
    layers: int
    embedding: int
    heads: int
    kv_heads: int
    key_length: int
    value_length: int
    feed_forward: int
    vocabulary: int
    context_length_max: int

    @property
    def kv_bytes_per_token(self) -> int:
        """Keys and values of one token over all layers, 16-bit floats."""
        return self.layers * self.kv_heads * (self.key_length + self.value_length) * 2


def read_gguf(path: Path | str) -> GgufFacts:
    """Facts of a file, read once for as long as it is the same file. Raises NotGgufError, OSError."""
    return _read(Path(path), _Identity.of(path))


@dataclass(frozen=True, slots=True)
class _Identity:
    """What changes when a file is replaced or written to."""

    device: int
    inode: int
    size_bytes: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path | str) -> _Identity:
        found = os.stat(path)
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=64)
def _read(path: Path, _: _Identity) -> GgufFacts:
    # A header lists a vocabulary of a hundred thousand words: a tenth of a second, for which no question waits twice.
    with path.open("rb") as file:
        try:
            keys = _header(file)
        except (struct.error, UnicodeDecodeError) as error:
            raise NotGgufError(f"{path.name} ends inside its header, or is torn: {error}") from None
    return _facts(path, keys)


def _header(file: BinaryIO) -> dict[str, object]:
    if file.read(4) != b"GGUF":
        raise NotGgufError("the file does not begin with GGUF")
    (version,) = struct.unpack("<I", file.read(4))
    if version not in (2, 3):
        raise NotGgufError(f"GGUF version {version} is not read here (2 and 3 are)")
    _, count = struct.unpack("<QQ", file.read(16))
    if count > _COUNT_MAX:
        raise NotGgufError(f"a header of {count} entries cannot be right")
    keys: dict[str, object] = {}
    for _ in range(count):
        name = _string(file)
        (kind,) = struct.unpack("<I", file.read(4))
        keys[name] = _value(file, kind)
    return keys


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > _COUNT_MAX:
        raise NotGgufError(f"a text of {length} bytes cannot be right")
    return file.read(length).decode()


def _value(file: BinaryIO, kind: int) -> object:
    if kind in _SCALARS:
        return struct.unpack(_SCALARS[kind], file.read(struct.calcsize(_SCALARS[kind])))[0]
    if kind == _STRING:
        return _string(file)
    if kind != _ARRAY:
        raise NotGgufError(f"value type {kind} is unknown")
    element, length = struct.unpack("<IQ", file.read(12))
    if length > _COUNT_MAX:
        raise NotGgufError(f"an array of {length} cannot be right")
    if element in _SCALARS:
        file.seek(struct.calcsize(_SCALARS[element]) * length, 1)
    else:
        for _ in range(length):
            _value(file, element)
    return length  # only the length of an array is of use here


def _facts(path: Path, keys: dict[str, object]) -> GgufFacts:
    architecture = str(keys.get("general.architecture", ""))

    def number(name: str, default: int | None = None) -> int:
        value = keys.get(f"{architecture}.{name}", default)
        if not isinstance(value, int) or value <= 0:
            raise NotGgufError(f"{path.name} does not say {architecture}.{name}")
        return value

    embedding, heads = number("embedding_length"), number("attention.head_count")
    return GgufFacts(
        architecture=architecture,
        size_bytes=path.stat().st_size,
        layers=number("block_count"),
        embedding=embedding,
        heads=heads,
        kv_heads=number("attention.head_count_kv", heads),
        key_length=number("attention.key_length", embedding // heads),
        value_length=number("attention.value_length", embedding // heads),
        feed_forward=number("feed_forward_length"),
        vocabulary=_vocabulary(keys, architecture),
        context_length_max=number("context_length"),
    )


def _vocabulary(keys: dict[str, object], architecture: str) -> int:
    for name in (f"{architecture}.vocab_size", "tokenizer.ggml.tokens"):
        value = keys.get(name)
        if isinstance(value, int) and value > 0:
            return value
    raise NotGgufError("the file names no vocabulary")
