"""Merkle search trees and signed commits, made for tests, written apart from the reader's code."""

import hashlib
from collections.abc import Mapping
from typing import Any

from archiver_bluesky.cid import Cid, cid_of_block
from archiver_bluesky.dag_cbor import encode
from support.bluesky.signing import SigningKey

Blocks = dict[Cid, bytes]


def add_block(blocks: Blocks, value: Any) -> Cid:
    """Put a value among the blocks."""
    block = encode(value)
    cid = cid_of_block(block)
    blocks[cid] = block
    return cid


def build_tree(entries: Mapping[str, Cid], blocks: Blocks) -> Cid:
    """The root of the tree that names these records; its nodes are put among the blocks."""
    keys = sorted(key.encode() for key in entries)
    values = {key.encode(): cid for key, cid in entries.items()}
    highest = max((zeros(key) for key in keys), default=0)
    root = _node(keys, values, highest, blocks)
    return root or add_block(blocks, {"l": None, "e": []})


def zeros(key: bytes) -> int:
    """The pairs of zero bits that the hash of a key begins with."""
    bits = "".join(f"{byte:08b}" for byte in hashlib.sha256(key).digest())
    return (len(bits) - len(bits.lstrip("0"))) // 2


def _node(keys: list[bytes], values: Mapping[bytes, Cid], layer: int, blocks: Blocks) -> Cid | None:
    if not keys:
        return None
    places = [place for place, key in enumerate(keys) if zeros(key) == layer]
    entries: list[dict[str, Any]] = []
    last = b""
    for place, following in zip(places, [*places, len(keys)][1:], strict=True):
        key = keys[place]
        shared = next(
            (i for i, (a, b) in enumerate(zip(last, key, strict=False)) if a != b),
            min(len(last), len(key)),
        )
        between = _node(keys[place + 1 : following], values, layer - 1, blocks)
        entries.append({"p": shared, "k": key[shared:], "v": values[key], "t": between})
        last = key
    before = keys[: places[0]] if places else keys
    left = _node(before, values, layer - 1, blocks)
    return add_block(blocks, {"l": left, "e": entries})


def add_commit(blocks: Blocks, key: SigningKey, **fields: Any) -> Cid:
    """A commit with its signature, of fields `did`, `data` and `rev`, and whatever else is said."""
    commit = {"version": 3, "prev": None, **fields}
    return add_block(blocks, {"sig": key.sign(encode(commit)), **commit})
