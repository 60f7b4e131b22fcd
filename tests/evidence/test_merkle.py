"""The tree is that of RFC 6962, recomputed here from its definition, by code that shares nothing with ours."""

import hashlib
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.evidence import merkle
from tenure.evidence.tree import Tree

# The RFC's own definitions, word for word: MTH, PATH and SUBPROOF of section 2.1.


def the_root(entries):
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = largest_power_below(len(entries))
    return hashlib.sha256(b"\x01" + the_root(entries[:k]) + the_root(entries[k:])).digest()


def the_path(m, entries):
    if len(entries) == 1:
        return []
    k = largest_power_below(len(entries))
    if m < k:
        return [*the_path(m, entries[:k]), the_root(entries[k:])]
    return [*the_path(m - k, entries[k:]), the_root(entries[:k])]


def the_proof(m, entries, whole=True):
    if m == len(entries):
        return [] if whole else [the_root(entries)]
    k = largest_power_below(len(entries))
    if m <= k:
        return [*the_proof(m, entries[:k], whole), the_root(entries[k:])]
    return [*the_proof(m - k, entries[k:], False), the_root(entries[:k])]


def largest_power_below(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def some_entries(count):
    return [f"entry {number}".encode() for number in range(count)]


def a_tree(entries):
    tree = Tree(tempfile.TemporaryFile())  # noqa: SIM115
    for entry in entries:
        tree.append(entry)
    return tree


sizes = st.integers(1, 70)


@given(st.lists(st.binary(max_size=8), max_size=40))
def test_the_root_is_the_one_that_the_rfc_defines(entries):
    tree = a_tree(entries)
    assert tree.root == the_root(entries)
    for size in range(len(entries) + 1):
        assert tree.root_at(size) == the_root(entries[:size])


def test_the_roots_published_with_certificate_transparency():
    """From certificate-transparency's merkle tree tests: eight inputs and their roots."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
    tree = a_tree([])
    for entry, root in zip(inputs, roots, strict=True):
        tree.append(bytes.fromhex(entry))
        assert tree.root.hex() == root


@given(sizes, st.data())
def test_a_path_proves_its_leaf_and_no_other(size, data):
    entries, index = some_entries(size), data.draw(st.integers(0, size - 1))
    tree = a_tree(entries)
    path = merkle.inclusion_path(index, size, tree.subtree)
    assert path == the_path(index, entries)
    leaf = merkle.leaf_hash(entries[index])
    assert merkle.root_from_inclusion(index, size, leaf, path) == tree.root
    for other in range(size):
        if other != index:
            assert merkle.root_from_inclusion(other, size, leaf, path) != tree.root


@settings(max_examples=60)
@given(sizes, st.data())
def test_a_proof_shows_that_the_old_log_is_the_beginning_of_the_new(size, data):
    entries, old = some_entries(size), data.draw(st.integers(1, size))
    tree = a_tree(entries)
    path = merkle.consistency_path(old, size, tree.subtree)
    assert path == the_proof(old, entries)
    assert merkle.is_consistent(old, size, the_root(entries[:old]), tree.root, path)
    forged = the_root([*entries[: old - 1], b"another"])
    assert not merkle.is_consistent(old, size, forged, tree.root, path)
    if path:
        assert not merkle.is_consistent(old, size, the_root(entries[:old]), tree.root, path[:-1])
        assert not merkle.is_consistent(old, size, the_root(entries[:old]), tree.root, [*path, path[0]])


@given(sizes, st.data())
def test_a_cover_gives_the_root_with_its_leaves_and_only_with_them(size, data):
    entries = some_entries(size)
    shown = sorted(data.draw(st.sets(st.integers(0, size - 1))))
    tree = a_tree(entries)
    hashes = merkle.cover(shown, size, tree.subtree)
    leaves = {index: merkle.leaf_hash(entries[index]) for index in shown}
    assert merkle.root_from_cover(leaves, size, hashes) == tree.root
    assert merkle.root_from_cover(leaves, size, [*hashes, bytes(32)]) is None
    if hashes:
        assert merkle.root_from_cover(leaves, size, hashes[:-1]) is None
    for index in shown:
        fewer = {other: leaf for other, leaf in leaves.items() if other != index}
        assert merkle.root_from_cover(fewer, size, hashes) != tree.root


def test_what_is_outside_the_tree_has_no_proof():
    tree = a_tree(some_entries(5))
    for call in (
        lambda: merkle.inclusion_path(5, 5, tree.subtree),
        lambda: merkle.consistency_path(6, 5, tree.subtree),
        lambda: tree.root_at(6),
    ):
        with pytest.raises(ValueError):
            call()
