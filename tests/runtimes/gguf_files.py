"""Small GGUF files, written by the specification."""

import struct
from pathlib import Path

UINT32, STRING, ARRAY = 4, 8, 9


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def _entry(name: str, value: int | str | list[str]) -> bytes:
    if isinstance(value, int):
        return _text(name) + struct.pack("<II", UINT32, value)
    if isinstance(value, str):
        return _text(name) + struct.pack("<I", STRING) + _text(value)
    return _text(name) + struct.pack("<IIQ", ARRAY, STRING, len(value)) + b"".join(map(_text, value))


def a_header(**changes: int | str | list[str]) -> dict[str, int | str | list[str]]:
    """Facts of a small model."""
    facts: dict[str, int | str | list[str]] = {
        "general.architecture": "llama",
        "llama.block_count": 2,
        "llama.embedding_length": 64,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "llama.feed_forward_length": 128,
        "llama.context_length": 512,
        "tokenizer.ggml.tokens": ["a", "b", "c"],
    }
    return {**facts, **changes}


def write_gguf(
    path: Path, header: dict[str, int | str | list[str]], *, version: int = 3, magic: bytes = b"GGUF"
) -> Path:
    """A file with this header and no tensors."""
    body = b"".join(_entry(name, value) for name, value in header.items())
    path.write_bytes(magic + struct.pack("<IQQ", version, 0, len(header)) + body)
    return path
