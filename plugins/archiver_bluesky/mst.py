"""The Merkle search tree (MST) of an account's records.

See https://atproto.com/specs/repository#mst-structure.

There is one tree for a set of records. So a walk from the root that finds every node in the one
form it can have shows that the records are those that were signed: none is left out or added.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from archiver_bluesky.baddata import BadData
from archiver_bluesky.cid import Cid
from archiver_bluesky.dag_cbor import decode

Blocks = Callable[[Cid], bytes | None]
"""Returns the block of a CID, with its hash checked, or None."""

_MAX_KEY_SIZE = 1024
_KEY = re.compile(rb"[a-zA-Z0-9.-]{1,317}/[a-zA-Z0-9_~.:-]{1,512}")
_NODE_FIELDS = {"l", "e"}
_ENTRY_FIELDS = {"p", "k", "v", "t"}


class TreeEntry(NamedTuple):
    """One record of a tree: its key `collection/rkey`, its CID, and the nodes that lead to it.

    `path` are CIDs from the root's to that of the node that holds the entry.
    """

    key: str
    cid: Cid
    path: tuple[Cid, ...]


@dataclass(frozen=True)
class Node:
    """One node: its entries in order of their keys, and the subtrees around them.

    `subtrees` has one place more than `keys`; None stands for no subtree.
    """

    keys: tuple[bytes, ...]
    values: tuple[Cid, ...]
    subtrees: tuple[Cid | None, ...]

    @cached_property
    def layer(self) -> int | None:
        """The layer of this node by its keys; None for a node without keys."""
        layers = {layer_of(key) for key in self.keys}
        if len(layers) > 1:
            raise BadData("A node of the tree has keys of several layers")
        return layers.pop() if layers else None


def layer_of(key: bytes) -> int:
    """The layer of a key: half the zero bits that the SHA-256 of it begins with."""
    number = int.from_bytes(hashlib.sha256(key).digest(), "big")
    return (256 - number.bit_length()) // 2


def parse_node(block: bytes) -> Node:
    """A node from its block. Raises BadData."""
    value = decode(block)
    if not isinstance(value, dict) or value.keys() != _NODE_FIELDS:
        raise BadData("A node of the tree has missing or unknown fields")
    if not isinstance(value["e"], list):
        raise BadData("A node of the tree has no list of entries")
    keys: list[bytes] = []
    values: list[Cid] = []
    subtrees = [_link(value["l"])]
    for entry in value["e"]:
        key, record, subtree = _entry(entry, keys[-1] if keys else b"")
        keys.append(key)
        values.append(record)
        subtrees.append(subtree)
    return Node(tuple(keys), tuple(values), tuple(subtrees))


def _entry(entry: Any, last: bytes) -> tuple[bytes, Cid, Cid | None]:
    if not isinstance(entry, dict) or entry.keys() != _ENTRY_FIELDS:
        raise BadData("An entry of the tree has missing or unknown fields")
    shared, rest, record = entry["p"], entry["k"], entry["v"]
    if type(shared) is not int or not isinstance(rest, bytes) or not isinstance(record, Cid):
        raise BadData("An entry of the tree has fields of a wrong type")
    if not 0 <= shared <= len(last):
        raise BadData("An entry of the tree has a prefix longer than the key before it")
    key = last[:shared] + rest
    if len(key) > _MAX_KEY_SIZE or not _KEY.fullmatch(key):
        raise BadData("A key of the tree is not of the form collection/key")
    if last and key <= last:
        raise BadData("The keys of the tree are not in order")
    if shared < len(last) and shared < len(key) and last[shared] == key[shared]:
        raise BadData("An entry of the tree is not in its shortest form")
    return key, record, _link(entry["t"])


def _link(value: Any) -> Cid | None:
    if value is None or (isinstance(value, Cid) and value.is_block):
        return value
    raise BadData("A subtree of the tree is not a link")


def walk(root: Cid, blocks: Blocks) -> Iterator[TreeEntry]:
    """All records of a tree in order of their keys; each node is checked to be canonical.

    Raises BadData, with the code `incomplete` where a node is missing.
    """
    last = b""
    for key, value, path in _walk(root, blocks, None, ()):
        if key <= last:
            raise BadData("The keys of the tree are not in order")
        last = key
        yield TreeEntry(key.decode("ascii"), value, path)


def _walk(
    cid: Cid, blocks: Blocks, layer: int | None, above: tuple[Cid, ...]
) -> Iterator[tuple[bytes, Cid, tuple[Cid, ...]]]:
    """The records below a node, which must be in `layer`; None at the root: any layer.

    The depth is bounded: a layer is at most 128, and every step goes down by one.
    """
    if (block := blocks(cid)) is None:
        raise BadData(f"A node of the tree is missing: {cid}", "incomplete")
    node = parse_node(block)
    layer = _layer_in(node, layer, is_root=not above)
    path = (*above, cid)
    for place, subtree in enumerate(node.subtrees):
        if place:
            yield node.keys[place - 1], node.values[place - 1], path
        if subtree is not None:
            if layer == 0:
                raise BadData("The tree continues below its lowest layer")
            yield from _walk(subtree, blocks, layer - 1, path)


def _layer_in(node: Node, expected: int | None, *, is_root: bool) -> int:
    """The layer of a node. Raises BadData where its keys belong to another layer."""
    if node.layer is None:
        is_empty_tree = is_root and node.subtrees == (None,)
        is_bridge = expected is not None and node.subtrees != (None,)
        if not is_empty_tree and not is_bridge:
            raise BadData("The tree has an empty node")
        return expected or 0
    if expected not in {None, node.layer}:
        raise BadData("The tree has a key in a wrong layer")
    return node.layer


def entries_of(root: Cid, blocks: Blocks, visited: set[Cid]) -> Iterator[tuple[str, Cid]]:
    """The records of a tree as far as its nodes are available, without `visited` nodes.

    What is found this way is in the tree; what is not found may be there all the same. Raises
    BadData for a node that is none.
    """
    waiting = [root]
    while waiting:
        cid = waiting.pop()
        if cid in visited or (block := blocks(cid)) is None:
            continue
        visited.add(cid)
        node = parse_node(block)
        for key, value in zip(node.keys, node.values, strict=True):
            yield key.decode("ascii"), value
        waiting += [subtree for subtree in node.subtrees if subtree is not None]
