"""Exports of Bluesky accounts: one CAR file, the repository of the account, without its files.

An export is not signed for whoever reads it later: the keys of the account are not in it. Every
block is checked against its CID, and only what the tree of the commit names is read: a CAR file may
hold older blocks, of posts that were removed. Tools add the files of an account in a folder, each
named by its CID.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from archiver import (
    Account,
    ExportedPost,
    Identity,
    Package,
    PackageError,
    Post,
    Recognition,
    timestamp,
)
from archiver_bluesky.baddata import BadData
from archiver_bluesky.blobs import parse_blob
from archiver_bluesky.car import CarFile
from archiver_bluesky.cid import Cid, parse_cid
from archiver_bluesky.did import is_did
from archiver_bluesky.mst import entries_of, walk
from archiver_bluesky.post import read_post
from archiver_bluesky.records import GATES, POST, PROFILE, REPOST, describe, make_record
from archiver_bluesky.repository import Commit, parse_commit
from archiver_bluesky.tid import time_of

_HEAD = 100  # bytes that show a CAR file
_MOST_WITHOUT_ENDING = 20  # files of which the head is looked at, whatever they are called
_MOST_IN_MEMORY = 1 << 30  # bytes; blocks are read in no order, which a zip does not allow
_PROFILE_KEY = f"{PROFILE}/self"


class BlueskyExport:
    """An `archiver.ExportReader`; see there."""

    name = "bluesky"
    title = "a repository of Bluesky (CAR)"
    content_version = 1

    def recognize(self, package: Package) -> Recognition | None:
        """What it is, by the commit that is the root of its CAR file."""
        names = _car_files(package)
        if not names:
            return None
        if len(names) > 1:
            raise _refusal(
                f"It contains {len(names)} CAR files: {', '.join(names[:5])}",
                "Import each of them by a command of its own",
            )
        with _open(package, names[0]) as file:
            repository = _ExportedRepository.read(file, names[0])
            profile = repository.profile()
        did = repository.commit.did
        missing = () if repository.is_whole else (f"blocks of {names[0]}",)
        return Recognition(
            Identity(
                "bluesky",
                did,
                title=_text(profile.get("displayName")),
                url=f"https://bsky.app/profile/{did}",
                description=_text(profile.get("description")),
            ),
            layout="CAR file",
            exported_at=timestamp(time_of(rev)) if (rev := repository.commit.rev) else None,
            missing=missing,
            not_read=("likes, follows, blocks and lists: no posts",),
        )

    def records(self, package: Package, recognition: Recognition) -> Iterator[ExportedPost]:  # noqa: ARG002 — contract
        """All posts and reposts of the commit."""
        files = _files_by_cid(package)
        for name in _car_files(package):
            with _open(package, name) as file:
                repository = _ExportedRepository.read(file, name)
                for said in repository.posts():
                    named = {cid: files[cid] for cid in _cids_in(said) if cid in files}
                    yield ExportedPost(make_record(said | {"files": named} if named else said))

    def read(self, record: Mapping[str, Any], account: Account) -> Post:  # noqa: ARG002 — contract
        """A post or repost. Raises RecordError."""
        return read_post(record)


def _car_files(package: Package) -> list[str]:
    """The CAR files of a package: by their heads, and their names where there are many files."""
    few = len(package.names) <= _MOST_WITHOUT_ENDING
    names = package.names if few else package.find("*.car")
    return [name for name in names if _is_car(package, name)]


def _is_car(package: Package, name: str) -> bool:
    with package.open(name) as file:
        head = file.read(_HEAD)
    return b"\x65roots" in head and b"\x67version" in head  # text of 5 and of 7 letters in CBOR


def _open(package: Package, name: str) -> BinaryIO:
    """A CAR file, as a file in which any block can be read at once. Raises PackageError."""
    file = package.open(name)
    if file.seekable():
        return file
    with file:
        if package.size(name) > _MOST_IN_MEMORY:
            raise _refusal(f"{name} is too large to be read within its zip", "Unpack it first")
        return io.BytesIO(file.read())


def _refusal(why: str, hint: str, code: str = "package") -> PackageError:
    return PackageError(
        "The repository of a Bluesky account cannot be imported",
        why=why,
        kept="Nothing was imported",
        hint=hint,
        code=code,
    )


@dataclass(frozen=True)
class _ExportedRepository:
    """The commit of a CAR file, and what its tree names."""

    car: CarFile
    commit: Commit
    entries: Mapping[str, Cid]
    is_whole: bool

    @classmethod
    def read(cls, file: BinaryIO, name: str) -> "_ExportedRepository":
        """Read and check all blocks. Raises PackageError."""
        try:
            car = CarFile(file)
            commit = parse_commit(car.root, car.block(car.root) or b"")
            if not is_did(commit.did):
                raise BadData("The commit is of no account")
            entries, is_whole = _entries(car, commit)
        except BadData as error:
            raise _refusal(f"{name}: {error}", "Download it again", "damaged") from error
        return cls(car, commit, entries, is_whole)

    def posts(self) -> Iterator[dict[str, Any]]:
        """The posts and reposts as the archive keeps records, with the gates of each."""
        for key in self.entries:
            collection, _, rkey = key.partition("/")
            if collection not in {POST, REPOST}:
                continue
            said = self._describe(key)
            for gates, name in GATES.items() if collection == POST else ():
                if f"{gates}/{rkey}" in self.entries:
                    said[name] = self._describe(f"{gates}/{rkey}")
            yield said

    def profile(self) -> dict[str, Any]:
        """What the account says of itself."""
        if _PROFILE_KEY not in self.entries:
            return {}
        value = self._describe(_PROFILE_KEY).get("value")
        return value if isinstance(value, dict) else {}

    def _describe(self, key: str) -> dict[str, Any]:
        cid = self.entries[key]
        return describe(self.commit.did, key, cid, self.car.block(cid) or b"")


def _entries(car: CarFile, commit: Commit) -> tuple[dict[str, Cid], bool]:
    """The records of a tree that are there, and whether they are all. Raises BadData."""
    try:
        named = {entry.key: entry.cid for entry in walk(commit.data, car.block)}
        is_whole = True
    except BadData as error:
        if error.code != "incomplete":
            raise
        named, is_whole = dict(entries_of(commit.data, car.block, set())), False
    there = {key: cid for key, cid in named.items() if car.has(cid)}
    return there, is_whole and len(there) == len(named)


def _files_by_cid(package: Package) -> dict[str, str]:
    """The files of a package that are named by their CIDs, whatever their endings."""
    found = {}
    for name in package.names:
        stem = name.rpartition("/")[2].partition(".")[0]
        if _is_cid(stem):
            found[stem] = name
    return found


def _is_cid(text: str) -> bool:
    try:
        return not parse_cid(text).is_block
    except BadData:
        return False


def _cids_in(value: object) -> Iterator[str]:
    """The CIDs of all blobs in a record."""
    if isinstance(value, dict):
        if blob := parse_blob(value):
            yield str(blob.cid)
        for item in value.values():
            yield from _cids_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _cids_in(item)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
