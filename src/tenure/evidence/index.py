"""Finding things in the log by a digest, at 16 bytes each rather than the hundred of a Python dict."""

from array import array
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

RECENT_MAX = 4096


class DigestIndex:
    """From the first 8 bytes of a digest to the numbers stored under them: recent ones in a dict, the rest sorted.

    Two digests may share 8 bytes, so `find` gives candidates, and the caller looks at each.
    """

    def __init__(self) -> None:
        self._recent: dict[int, list[int]] = {}
        self._keys = np.empty(0, dtype=np.uint64)
        self._values = np.empty(0, dtype=np.uint64)

    def add(self, digest: bytes, value: int) -> None:
        """Store `value` under `digest`."""
        self._recent.setdefault(int.from_bytes(digest[:8]), []).append(value)
        if len(self._recent) >= RECENT_MAX:
            self._merge()

    def find(self, digest: bytes) -> list[int]:
        """What is stored under `digest`, or under one that begins as it does."""
        key = int.from_bytes(digest[:8])
        begin = int(np.searchsorted(self._keys, np.uint64(key), side="left"))
        end = int(np.searchsorted(self._keys, np.uint64(key), side="right"))
        return [int(value) for value in self._values[begin:end]] + self._recent.get(key, [])

    def _merge(self) -> None:
        pairs = [(key, value) for key, values in self._recent.items() for value in values]
        keys = np.concatenate([self._keys, np.array([key for key, _ in pairs], dtype=np.uint64)])
        values = np.concatenate([self._values, np.array([value for _, value in pairs], dtype=np.uint64)])
        order = np.argsort(keys, kind="stable")
        self._keys, self._values = keys[order], values[order]
        self._recent = {}


class SourceIndex:
    """Which statements each source has made: their places in the log, in order, 8 bytes each."""

    def __init__(self) -> None:
        self._places: dict[str, array[int]] = {}

    def add(self, source: str, index: int) -> None:
        """The source's next statement is at `index`."""
        self._places.setdefault(source, array("Q")).append(index)

    def count(self, source: str) -> int:
        """How many statements the source has made: the sequence number of its next."""
        return len(self._places.get(source, ()))

    def places(self, source: str) -> list[int]:
        """Where they are."""
        return list(self._places.get(source, ()))

    def sources(self) -> list[str]:
        """Every source, in the order of their first statements."""
        return list(self._places)


@dataclass(slots=True)
class Stored:
    """A log's file, open, and where in it each statement and each input lies. Replaced as a whole when the file is
    written anew: whoever is reading goes on with the old one, which is closed when nobody has it any more."""

    file: BinaryIO
    offsets: "array[int]" = field(default_factory=lambda: array("Q"))
    inputs: DigestIndex = field(default_factory=DigestIndex)
