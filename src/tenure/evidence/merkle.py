"""Merkle trees as in Certificate Transparency: hashes, proofs, and their checks. Pure.

RFC 6962, section 2.1 defines the tree; the checks follow RFC 9162, sections 2.1.3.2 and 2.1.4.2. A tree of n leaves
splits at the largest power of two below n. Functions that need hashes of a stored tree take `subtree(begin, end)`, the
hash of leaves begin..end-1, which they call only for ranges that the split produces.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence

Hash = bytes
"""32 bytes, SHA-256."""

Subtree = Callable[[int, int], Hash]

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> Hash:
    """The hash of one entry."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    """The hash of two subtrees. Its prefix differs from a leaf's, so that no node can pass for an entry."""
    return hashlib.sha256(b"\1" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two below `size` (which is at least 2)."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[Hash]:
    """The audit path of leaf `index` in the tree of `size` leaves, from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path, begin, end = [], 0, size
    while end - begin > 1:
        middle = begin + split(end - begin)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(begin, middle))
            begin = middle
    return path[::-1]


def root_from_inclusion(index: int, size: int, leaf: Hash, path: Sequence[Hash]) -> Hash | None:
    """The root that an audit path leads to, or None when the path has not the length that index and size require."""
    if not 0 <= index < size:
        return None
    position, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if position & 1 or position == last:
            found = node_hash(sibling, found)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        position >>= 1
        last >>= 1
    return found if last == 0 else None


def consistency_path(old: int, new: int, subtree: Subtree) -> list[Hash]:
    """Proof that the tree of `old` leaves is the beginning of the tree of `new` leaves (RFC 6962, 2.1.2)."""
    if not 0 < old <= new:
        raise ValueError(f"no proof from a tree of {old} to one of {new}")
    path, begin, end, whole = [], 0, new, True
    while old != end:
        middle = begin + split(end - begin)
        if old <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(begin, middle))
            begin, whole = middle, False
    if not whole:
        path.append(subtree(begin, end))
    return path[::-1]


def is_consistent(old: int, new: int, old_root: Hash, new_root: Hash, path: Sequence[Hash]) -> bool:
    """Whether `path` proves that the tree (old, old_root) is the beginning of the tree (new, new_root)."""
    if old == new:
        return not path and old_root == new_root
    if not 0 < old < new or not path:
        return False
    rest = list(path)
    if old & (old - 1) == 0:
        rest.insert(0, old_root)
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    was = now = rest[0]
    for sibling in rest[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            was, now = node_hash(sibling, was), node_hash(sibling, now)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            now = node_hash(now, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and was == old_root and now == new_root


def cover(shown: Sequence[int], size: int, subtree: Subtree) -> list[Hash]:
    """One proof for many leaves: the hashes of the largest subtrees with none of the ascending leaves `shown`.

    With the shown leaves they give the root, in one pass and with no hash twice: fewer bytes than a path for each.
    """
    found: list[Hash] = []

    def visit(begin: int, end: int, low: int, high: int) -> None:
        if low == high:
            found.append(subtree(begin, end))
        elif end - begin > 1:
            middle = begin + split(end - begin)
            cut = bisect_left(shown, middle, low, high)
            visit(begin, middle, low, cut)
            visit(middle, end, cut, high)

    if size:
        visit(0, size, 0, len(shown))
    return found


def root_from_cover(leaves: Mapping[int, Hash], size: int, hashes: Sequence[Hash]) -> Hash | None:
    """The root that shown leaves and their cover lead to; None when there are too few or too many hashes."""
    shown, rest = sorted(leaves), iter(hashes)
    if size == 0:
        return EMPTY_ROOT if not shown and not hashes else None
    if shown and not 0 <= shown[0] <= shown[-1] < size:
        return None
    try:
        root = _fold(0, size, shown, 0, len(shown), leaves, rest)
    except StopIteration:
        return None
    return root if next(rest, None) is None else None


def _fold(
    begin: int, end: int, shown: Sequence[int], low: int, high: int, leaves: Mapping[int, Hash], rest: Iterator[Hash]
) -> Hash:
    if low == high:
        return next(rest)
    if end - begin == 1:
        return leaves[begin]
    middle = begin + split(end - begin)
    cut = bisect_left(shown, middle, low, high)
    left = _fold(begin, middle, shown, low, cut, leaves, rest)
    return node_hash(left, _fold(middle, end, shown, cut, high, leaves, rest))
