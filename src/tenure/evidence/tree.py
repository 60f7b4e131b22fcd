"""A growing Merkle tree: O(log n) hashes in memory, all of them in a file that can always be made again."""

import os
from typing import BinaryIO

from tenure.evidence.merkle import EMPTY_ROOT, Hash, leaf_hash, node_hash, split

HASH_BYTES = 32


class Tree:
    """The tree over the log's entries.

    `file` holds each hash once it is final, in the order in which hashes become final: a leaf, then every parent that
    it completes. This is the order of golang.org/x/mod/sumdb/tlog's stored hashes; appends are sequential, and any
    perfect subtree is one read. The file is derived from the log and is never trusted across a restart.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = 0
        self._frontier: list[Hash] = []
        """Roots of the perfect subtrees that make up the tree, largest first."""

    @property
    def size(self) -> int:
        """How many leaves."""
        return self._size

    @property
    def root(self) -> Hash:
        """The root over all leaves."""
        if not self._frontier:
            return EMPTY_ROOT
        root = self._frontier[-1]
        for left in reversed(self._frontier[:-1]):
            root = node_hash(left, root)
        return root

    def append(self, entry: bytes) -> Hash:
        """Add an entry; its leaf hash."""
        leaf = found = leaf_hash(entry)
        final = [leaf]
        level = self._size
        while level & 1:
            found = node_hash(self._frontier.pop(), found)
            final.append(found)
            level >>= 1
        self._frontier.append(found)
        os.pwrite(self._file.fileno(), b"".join(final), stored_position(0, self._size) * HASH_BYTES)
        self._size += 1
        return leaf

    def subtree(self, begin: int, end: int) -> Hash:
        """The hash of leaves begin..end-1, for ranges that the tree's own split produces."""
        width = end - begin
        if width & (width - 1) == 0 and begin % width == 0:
            level = width.bit_length() - 1
            return os.pread(self._file.fileno(), HASH_BYTES, stored_position(level, begin >> level) * HASH_BYTES)
        middle = begin + split(width)
        return node_hash(self.subtree(begin, middle), self.subtree(middle, end))

    def root_at(self, size: int) -> Hash:
        """The root when the tree had `size` leaves."""
        if not 0 <= size <= self._size:
            raise ValueError(f"the tree never had {size} leaves; it has {self._size}")
        return self.subtree(0, size) if size else EMPTY_ROOT


def stored_position(level: int, number: int) -> int:
    """Where the hash of the `number`-th perfect subtree of 2^level leaves is stored, counted in hashes.

    It becomes final with its last leaf, `level` places after it; before that leaf, every earlier leaf, pair, four and
    so on has been stored.
    """
    remaining = ((number + 1) << level) - 1
    before = 0
    while remaining:
        before += remaining
        remaining >>= 1
    return before + level
