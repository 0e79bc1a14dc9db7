"""The Merkle tree over the entries of the ledger, as RFC 6962 (section 2.1) has it.

Hashes are bytes, 32 of them. Leaves and inner nodes are hashed with different first bytes, so that
no node can be taken for an entry.
"""

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256().digest()
"""The root of a tree without leaves."""

HASH_SIZE = 32


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry, as a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node, of those of its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class GrowingTree:
    """A tree to which leaves are added at its right end.

    It keeps the roots of its complete subtrees only, from the largest on the left to the smallest:
    one for each 1 in the binary form of its size.
    """

    def __init__(self, size: int = 0, subtrees: Sequence[bytes] = ()) -> None:
        """A tree of `size` leaves. Raises ValueError where `subtrees` are not as many as it has."""
        if size < 0 or size.bit_count() != len(subtrees):
            raise ValueError(f"a tree of {size} leaves does not have {len(subtrees)} subtrees")
        self.size = size
        self.subtrees = list(subtrees)

    def add(self, leaf: bytes) -> None:
        """Add a leaf, given as its hash."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self.subtrees.pop(), node)
            size >>= 1
        self.subtrees.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root hash of the tree as it is now."""
        if not self.subtrees:
            return EMPTY_ROOT
        *others, node = self.subtrees
        for subtree in reversed(others):
            node = node_hash(subtree, node)
        return node
