"""An account's records in one signed commit (https://atproto.com/specs/repository)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from archiver_bluesky.baddata import BadData
from archiver_bluesky.car import CarFile, write_car
from archiver_bluesky.cid import Cid
from archiver_bluesky.dag_cbor import decode, encode
from archiver_bluesky.mst import Blocks, TreeEntry, parse_node, walk
from archiver_bluesky.plc import KeyPeriod
from archiver_bluesky.tid import is_tid, time_of

_VERSIONS = {2, 3}  # 2 until 2023: of exports from then
_LAYERS_AT_ONCE = 3
_CLOCK_TOLERANCE = timedelta(minutes=5)


class Commit(NamedTuple):
    """The signed root of an account's records: `data` is that of the tree, `rev` a TID."""

    cid: Cid
    did: str
    data: Cid
    rev: str
    signature: bytes
    signed: bytes
    """The bytes that the signature is of: the commit without it."""


def parse_commit(cid: Cid, block: bytes) -> Commit:
    """Parse a commit from its block, which must match the CID. Raises BadData."""
    value = decode(block)
    if not isinstance(value, dict) or value.get("version") not in _VERSIONS:
        raise BadData("The root is not a commit of a known version")
    did, data, rev = value.get("did"), value.get("data"), value.get("rev")
    signature = value.pop("sig", None)
    if not isinstance(did, str) or not isinstance(data, Cid) or not isinstance(signature, bytes):
        raise BadData("The commit has missing or invalid fields")
    if not is_tid(rev) and not (rev is None and value["version"] == 2):
        raise BadData("The commit's rev is not a TID")
    return Commit(cid, did, data, rev or "", signature, encode(value))


def signing_key(commit: Commit, keys: Sequence[KeyPeriod]) -> KeyPeriod:
    """The key that signed a commit.

    A key that was replaced counts for commits of before that, by their `rev`. Raises BadData with
    the code `signature`.
    """
    for period in keys:
        if period.key.verifies(commit.signed, commit.signature):
            if period.until is not None and _is_after(commit.rev, period.until):
                raise BadData(
                    f"The commit {commit.rev} is signed by a key that had been replaced at "
                    f"{period.until}",
                    "signature",
                )
            return period
    raise BadData(
        f"The signature of the commit {commit.rev} matches no key that {commit.did} has or had",
        "signature",
    )


def _is_after(rev: str, moment: str) -> bool:
    return bool(rev) and time_of(rev) > datetime.fromisoformat(moment) + _CLOCK_TOLERANCE


class Repository:
    """The records of an account that are in the tree of a commit, each block checked.

    `collections` says which collections to keep in mind; the tree is walked as a whole.
    """

    def __init__(
        self, car: CarFile, did: str, keys: Sequence[KeyPeriod], collections: Callable[[str], bool]
    ) -> None:
        """Check everything. Raises BadData."""
        block = car.block(car.root)
        if block is None:
            raise BadData("The CAR file does not have its root block", "incomplete")
        self.commit = parse_commit(car.root, block)
        if self.commit.did != did:
            raise BadData(f"The commit is of another account, {self.commit.did}", "identity")
        self.key = signing_key(self.commit, keys)
        self._car = car
        self.size = 0
        self.entries: dict[str, list[TreeEntry]] = {}
        for entry in walk(self.commit.data, car.block):
            self.size += 1
            collection = entry.key.partition("/")[0]
            if collections(collection):
                self.entries.setdefault(collection, []).append(entry)
            if not car.has(entry.cid):
                raise BadData(f"The answer lacks a record of the tree: {entry.key}", "incomplete")

    def block(self, entry: TreeEntry) -> bytes:
        """The block of a record. Raises BadData where the file has changed."""
        block = self._car.block(entry.cid)
        if block is None or not entry.cid.matches(block):
            raise BadData(f"A block does not have the hash in its CID {entry.cid}", "hash")
        return block

    def proofs(self) -> "Proofs":
        """The tree nodes that prove the records of this repository."""
        entries = (entry for found in self.entries.values() for entry in found)
        return Proofs(self.commit, self._car.block, _pieces(self.commit, self._car.block, entries))


@dataclass
class Proofs:
    """The nodes of a tree that prove its records, in pieces of a few layers each.

    An edit changes one piece of each layer, so that what is kept of every night is small. A piece
    is a CAR file, named by its uppermost node; the first one has the commit as well.
    """

    _commit: Commit
    _blocks: Blocks
    _pieces: Mapping[Cid, Mapping[Cid, None]]
    _given: set[Cid] = field(default_factory=set)

    def new_for(self, entries: Iterable[TreeEntry]) -> Iterator[tuple[Cid, bytes]]:
        """The name and bytes of the pieces that these records need, each returned once."""
        if self._commit.data not in self._given:
            yield from self._give(self._commit.data)
        for entry in entries:
            for cid in entry.path:
                if cid in self._pieces and cid not in self._given:
                    yield from self._give(cid)

    def _give(self, top: Cid) -> Iterator[tuple[Cid, bytes]]:
        self._given.add(top)
        nodes: list[Cid] = list(self._pieces.get(top, {top: None}))
        if top == self._commit.data:
            top = self._commit.cid
            nodes = [top, *nodes]
        held = [(cid, block) for cid in nodes if (block := self._blocks(cid)) is not None]
        yield top, write_car(top, held)


def _pieces(
    commit: Commit, blocks: Blocks, entries: Iterable[TreeEntry]
) -> dict[Cid, dict[Cid, None]]:
    """The nodes of each piece by its uppermost node, all in the order of the tree."""
    root = blocks(commit.data)
    highest = (parse_node(root).layer if root is not None else None) or 0
    pieces: dict[Cid, dict[Cid, None]] = {}
    for entry in entries:
        top = entry.path[0]
        for depth, cid in enumerate(entry.path):
            layer = highest - depth  # each step in the tree is one layer
            if layer // _LAYERS_AT_ONCE != (layer + 1) // _LAYERS_AT_ONCE:
                top = cid
            pieces.setdefault(top, {})[cid] = None
    return pieces
