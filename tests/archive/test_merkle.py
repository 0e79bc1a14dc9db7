"""The Merkle tree: the published test vectors of Certificate Transparency, and RFC 6962 itself."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.archive.merkle import EMPTY_ROOT, GrowingTree, leaf_hash, node_hash

LEAVES = (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)  # fmt: skip
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Leaves, and the roots of the trees of the first 0, 1, 2, … of them."""


def tree_of(entries: Sequence[bytes]) -> GrowingTree:
    tree = GrowingTree()
    for entry in entries:
        tree.add(leaf_hash(entry))
    return tree


def root_by_the_rfc(entries: Sequence[bytes]) -> bytes:
    """Section 2.1, word by word: split at the largest power of two below the size."""
    if not entries:
        return EMPTY_ROOT
    if len(entries) == 1:
        return leaf_hash(entries[0])
    split = 1 << (len(entries) - 1).bit_length() - 1
    return node_hash(root_by_the_rfc(entries[:split]), root_by_the_rfc(entries[split:]))


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_the_published_roots_are_found(size: int) -> None:
    entries = [bytes.fromhex(leaf) for leaf in LEAVES[:size]]
    assert tree_of(entries).root().hex() == ROOTS[size]


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_a_growing_tree_has_the_root_of_the_whole(entries: list[bytes]) -> None:
    assert tree_of(entries).root() == root_by_the_rfc(entries)


@given(st.lists(st.binary(max_size=4), max_size=70), st.data())
def test_a_tree_goes_on_from_the_roots_of_its_subtrees(
    entries: list[bytes], data: st.DataObject
) -> None:
    size = data.draw(st.integers(0, len(entries)))
    first = tree_of(entries[:size])
    tree = GrowingTree(first.size, first.subtrees)
    for entry in entries[size:]:
        tree.add(leaf_hash(entry))
    assert tree.root() == root_by_the_rfc(entries)


@pytest.mark.parametrize(("size", "subtrees"), [(0, [b""]), (3, [b""]), (-1, [])])
def test_a_tree_whose_subtrees_do_not_fit_its_size_is_refused(
    size: int, subtrees: list[bytes]
) -> None:
    with pytest.raises(ValueError, match="subtrees"):
        GrowingTree(size, subtrees)
