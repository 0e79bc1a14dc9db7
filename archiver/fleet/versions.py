"""Versions of an archive's database in an object store: each sends what changed since the last.

versions/00000012-00000034.pack    the chunks of archive.db that version 12 brought, compressed
versions/00000012-00000034.json    all chunks of that version: in which pack, where, with which hash

The second number is that of the lease. No name is given twice, and a pack is never changed, so
that whoever holds an old lease can only make what nobody asks for.

What was erased is in the packs from before. So a version that has more of the erasures than the one
before it is sent whole; once it is the current one, those that have fewer are removed.
"""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.store import LocalStore

from archiver.archive.database import DATABASE, SQLITE_SUFFIXES, archive_lock
from archiver.disks import replace_file, sync_directory
from archiver.errors import StorageError
from archiver.media.disk import sync_file
from archiver.media.object_store import bucket_errors, put_new
from archiver.retention.erasure import erasures_in

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Bucket

CHUNK = 128 << 10
"""Bytes of the database that are compared, hashed and sent as one."""
_FETCHED_AT_ONCE = 64
_MAX_WASTE = 8 << 20
_NEW = "archive.db.restored"
_PLACE = "archive.version"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of the database: where its compressed bytes are, and the hash of what they hold."""

    pack: str
    start: int
    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DatabaseVersion:
    """All of one version of a database. `packs` has the size of each pack that it needs.

    `sent` are the bytes that were sent to make it; `erasures` is how much was erased in it, as
    `erasures_in` says.
    """

    name: str
    size: int
    chunks: tuple[Chunk, ...]
    packs: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    erasures: int = 0

    @property
    def manifest(self) -> str:
        """The key of its manifest."""
        return f"versions/{self.name}.json"


class DamagedVersion(StorageError):
    """The manifest of a version in the store is not as it was put there."""


def version_name(version: int, fence: int) -> str:
    """`00000012-00000034`: names sort by version."""
    return f"{version:08d}-{fence:08d}"


def save_version(
    directory: Path, bucket: "Bucket", name: str, before: DatabaseVersion | None, *,
    is_locked: bool = False,
) -> DatabaseVersion:  # fmt: skip
    """Put the database in a folder into the bucket as a new version; nobody writes it meanwhile.

    `is_locked`: the caller has the archive's lock. Raises StorageError.
    """
    lock = nullcontext() if is_locked else archive_lock(directory, create=False)
    pack = directory / f"{_NEW}.pack"
    chunks: list[Chunk] = []
    try:
        with lock, pack.open("wb") as out:
            (directory / _NEW).unlink(missing_ok=True)  # what a killed run left may have it all
            erasures = _empty_log(directory)
            kept = before.chunks if before and _is_worth_keeping(before, erasures) else ()
            known = {chunk.sha256: chunk for chunk in kept}
            for data in _chunks_of(directory / DATABASE):
                sha256 = hashlib.sha256(data).hexdigest()
                if sha256 not in known:
                    packed = zlib.compress(data, 1)
                    known[sha256] = Chunk(name, out.tell(), len(packed), sha256)
                    out.write(packed)
                chunks.append(known[sha256])
            size = (directory / DATABASE).stat().st_size
        used = {chunk.pack for chunk in chunks}
        packs = {key: length for key, length in (before.packs if before else {}).items()
                 if key in used}  # fmt: skip
        sent = pack.stat().st_size
        if sent:
            packs[name] = sent
            with bucket_errors(f"put {name}"):
                obstore.put(bucket, f"versions/{name}.pack", pack, mode="overwrite")
            _sync(bucket, f"versions/{name}.pack")
    finally:
        pack.unlink(missing_ok=True)
    found = DatabaseVersion(name, size, tuple(chunks), packs, sent, erasures)
    _put_manifest(bucket, found)
    return found


def _is_worth_keeping(before: DatabaseVersion, erasures: int) -> bool:
    """Whether packs hold little that is not of this version, and nothing that was erased since.

    Else all of it is sent anew.
    """
    if before.erasures != erasures:
        return False
    used = sum({chunk.sha256: chunk.length for chunk in before.chunks}.values())
    return sum(before.packs.values()) <= 2 * used + _MAX_WASTE


def _empty_log(directory: Path) -> int:
    """Move all that is in the write-ahead log into the database; how much was erased in it.

    Raises StorageError.
    """
    with closing(sqlite3.connect(directory / DATABASE)) as connection:
        _, pages, moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        erasures = erasures_in(connection)
    if pages != moved:
        raise StorageError(
            f"{directory / DATABASE} is being read by another program",
            kept="The archive is whole on this machine",
            hint="It is put into the store after the next run",
        )
    return erasures


def _chunks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            yield data


def _put_manifest(bucket: "Bucket", found: DatabaseVersion) -> None:
    document = {
        "size": found.size,
        "chunk": CHUNK,
        "erasures": found.erasures,
        "packs": found.packs,
        "chunks": [[each.pack, each.start, each.length, each.sha256] for each in found.chunks],
    }
    data = zlib.compress(json.dumps(document, separators=(",", ":")).encode())
    with bucket_errors(f"put {found.manifest}"):
        # where the answer to a put was lost, obstore puts it again, and finds its own
        if not put_new(bucket, found.manifest, data) and (
            bytes(obstore.get(bucket, found.manifest).bytes()) != data
        ):
            raise StorageError(f"{found.manifest} is in the store already")
    _sync(bucket, found.manifest)


def _sync(bucket: "Bucket", path: str) -> None:
    """Where the bucket is a folder, have the file on the disk before anybody relies on it."""
    if isinstance(bucket, LocalStore) and bucket.prefix is not None:
        file = bucket.prefix / path
        sync_file(file)
        sync_directory(file.parent)


def read_version(bucket: "Bucket", manifest: str) -> DatabaseVersion:
    """A version by the key of its manifest. Raises StorageError, DamagedVersion."""
    with bucket_errors(f"read {manifest}"):
        data = bytes(obstore.get(bucket, manifest).bytes())
    try:
        document: dict[str, Any] = json.loads(zlib.decompress(data))
        return DatabaseVersion(
            manifest.removeprefix("versions/").removesuffix(".json"),
            document["size"],
            tuple(Chunk(*each) for each in document["chunks"]),
            document["packs"],
            erasures=document.get("erasures", 0),
        )
    except (zlib.error, ValueError, TypeError, KeyError) as error:
        raise DamagedVersion(
            f"{manifest} in the object store is damaged",
            kept="The database on this machine is as it was",
            hint="An earlier version may be intact",
        ) from error


def damaged_packs(
    bucket: "Bucket", version: DatabaseVersion, is_wanted: Callable[[str], bool]
) -> Iterator[tuple[str, str]]:
    """Read a version back from the store: each pack that is not as it was put there, and why.

    Only the chunks are read whose hash `is_wanted`, a few of them at a time. Raises StorageError
    where the store does not answer.
    """
    wanted: dict[str, dict[int, Chunk]] = {}
    for chunk in version.chunks:
        if is_wanted(chunk.sha256):
            wanted.setdefault(chunk.pack, {})[chunk.start] = chunk
    for pack, chunks in sorted(wanted.items()):
        key = f"versions/{pack}.pack"
        with bucket_errors(f"read {pack}"):
            try:
                size = obstore.head(bucket, key)["size"]
            except FileNotFoundError:
                yield key, "the file is not there"
                continue
        whole = [each for each in chunks.values() if each.start + each.length <= size]
        damaged = len(chunks) - len(whole) + sum(
            hashlib.sha256(data).hexdigest() != chunk.sha256
            for chunk, data in _read(bucket, pack, whole)
        )  # fmt: skip
        if damaged:
            yield key, f"{damaged:,} of {len(chunks):,} parts of the database cannot be read"


def restore_version(bucket: "Bucket", version: DatabaseVersion, directory: Path) -> int:
    """Make the database in a folder that of a version, atomically; how many bytes were fetched.

    Chunks that the folder's own database has are not fetched. Raises StorageError, also where more
    was erased in that one: it would come back.
    """
    new = directory / _NEW
    have: dict[str, int] = {}
    old = directory / DATABASE
    with archive_lock(directory, database=False):
        if old.exists():
            _refuse_lost_erasures(old, version)
            have = {
                hashlib.sha256(data).hexdigest(): number
                for number, data in enumerate(_chunks_of(old))
            }
        with new.open("wb") as out:
            new.chmod(0o600)
            fetched = _fetch(bucket, version, out, have, old)
            out.truncate(version.size)
        sync_file(new)
        mark_version(directory, None)
        for suffix in SQLITE_SUFFIXES:
            old.with_name(old.name + suffix).unlink(missing_ok=True)
        replace_file(new, old)
        sync_directory(directory)
    mark_version(directory, version.name)
    return fetched


def _refuse_lost_erasures(database: Path, version: DatabaseVersion) -> None:
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(database)) as connection:
        if erasures_in(connection) > version.erasures:
            raise StorageError(
                f"More was erased in {database} than in version {version.name} of the store",
                why="Another worker has written the archive since, without that erasure",
                kept="Both are as they were",
                hint=f"Move {database} elsewhere, run the tenant again, and then erase anew",
            )


def bring_up_to(bucket: "Bucket", manifest: str, directory: Path) -> DatabaseVersion:
    """Have the database in a folder be that of a version, which is fetched where it is not.

    Raises StorageError.
    """
    version = read_version(bucket, manifest)
    if marked_version(directory) != version.name:
        restore_version(bucket, version, directory)
    return version


def _fetch(
    bucket: "Bucket", version: DatabaseVersion, out: Any, have: dict[str, int], old: Path
) -> int:
    """Write all chunks of a version to a file. Raises StorageError for one that is damaged."""
    wanted: dict[str, list[tuple[int, Chunk]]] = {}
    for number, chunk in enumerate(version.chunks):
        if chunk.sha256 not in have:
            wanted.setdefault(chunk.pack, []).append((number, chunk))
            continue
        with old.open("rb") as file:
            file.seek(have[chunk.sha256] * CHUNK)
            _write(out, number, file.read(CHUNK), chunk)
    fetched = 0
    for pack, numbered in wanted.items():
        chunks = [chunk for _, chunk in numbered]
        for (number, _), (chunk, data) in zip(numbered, _read(bucket, pack, chunks), strict=True):
            fetched += chunk.length
            _write(out, number, data, chunk)
    return fetched


def _read(bucket: "Bucket", pack: str, chunks: list[Chunk]) -> Iterator[tuple[Chunk, bytes]]:
    """Chunks of a pack with what they hold, as it is read. Raises StorageError."""
    for first in range(0, len(chunks), _FETCHED_AT_ONCE):
        some = chunks[first : first + _FETCHED_AT_ONCE]
        with bucket_errors(f"read {pack}"):
            parts = obstore.get_ranges(
                bucket, f"versions/{pack}.pack", starts=[each.start for each in some],
                lengths=[each.length for each in some],
            )  # fmt: skip
        for chunk, part in zip(some, parts, strict=True):
            yield chunk, _unpacked(bytes(part))


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        return b""  # its hash is compared below


def _write(out: Any, number: int, data: bytes, chunk: Chunk) -> None:
    if hashlib.sha256(data).hexdigest() != chunk.sha256:
        raise StorageError(
            f"The object store gives other bytes of {chunk.pack} than were put there",
            kept="The database on this machine is as it was",
            hint="An earlier version may be intact",
        )
    out.seek(number * CHUNK)
    out.write(data)


def mark_version(directory: Path, name: str | None) -> None:
    """Note which version the folder's database began as; None: it is not known."""
    place = directory / _PLACE
    if name is None:
        place.unlink(missing_ok=True)
        return
    new = place.with_name(f"{place.name}.new")
    new.write_text(name, "utf-8")
    sync_file(new)
    replace_file(new, place)


def marked_version(directory: Path) -> str | None:
    """The version that the folder's database began as, if it is known."""
    place = directory / _PLACE
    if not (directory / DATABASE).exists() or not place.exists():
        return None
    return place.read_text("utf-8")


def remove_old_versions(bucket: "Bucket", current: DatabaseVersion, keep: int) -> None:
    """Remove all but the newest versions up to the current one, and the packs that no other needs.

    Versions in which less was erased than in the current one go too. `current` must be that on
    record, so that what is removed is needed by nobody, whoever has the lease by now. What is newer
    is not looked at: it may be another worker's. Raises StorageError.
    """
    with bucket_errors("list versions"):
        paths = sorted(each["path"] for some in obstore.list(bucket, "versions") for each in some)
    names = [Path(path).stem for path in paths if path.endswith(".json")]
    kept, needed = {current.name}, {*current.packs, current.name}
    for name in [name for name in names if name <= current.name][-keep:]:
        try:
            found = current if name == current.name else read_version(
                bucket, f"versions/{name}.json"
            )  # fmt: skip
        except DamagedVersion:  # nobody can have it back
            continue
        if found.erasures >= current.erasures:
            kept.add(name)
            needed |= found.packs.keys()
    old = [path for path in paths if Path(path).stem < current.name
           and Path(path).stem not in (kept if path.endswith(".json") else needed)]  # fmt: skip
    if old:
        with bucket_errors("remove old versions"):
            obstore.delete(bucket, old)
    _remove_unfinished(bucket, current)


def _remove_unfinished(bucket: "Bucket", current: DatabaseVersion) -> None:
    """Where the bucket is a folder, remove what is left of killed uploads of older versions.

    `LocalStore` writes a file as `name#1` first, and does not list it.
    """
    if isinstance(bucket, LocalStore) and bucket.prefix is not None:
        for path in (bucket.prefix / "versions").glob("*#*"):
            if path.name < current.name:
                path.unlink(missing_ok=True)
