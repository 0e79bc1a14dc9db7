"""Posts from the database of another archive: of a whole one, or of what `sqlite` exports write."""

import json
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from archiver.archive.facts import APPLICATION_ID, DATABASE, KNOWN_STEPS, ROW_HASHED
from archiver.archive.hashed_rows import declared_key
from archiver.archive.migrate import applied_steps, migrate
from archiver.archive.opening import IMMUTABLE, connect
from archiver.archive.row_objects import mappings
from archiver.archive.transfer import (
    OF_ATTACHMENTS,
    OF_POSTS,
    OF_RENDITIONS,
    TransferredAccount,
    TransferredPost,
)
from archiver.canonical import row_sha256
from archiver.errors import PackageError, StorageError
from archiver.imports.package import OpenPackage

_MAGIC = b"SQLite format 3\x00"
_APPLICATION_ID_AT = 68  # in the header of a database
_HEADER = 100  # bytes
_BATCH = 200  # posts read together
_PROOFS = f"proofs/{DATABASE}"  # rows that prove an export of another form; it has no files beside
_OF_ACCOUNTS = ("account_profiles", "account_pictures")
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"


def database_in(package: OpenPackage) -> str | None:
    """The name of an archive's database in a package; None where there is none."""
    for name in package.find(DATABASE):
        if f"/{name}".endswith(f"/{_PROOFS}"):
            continue
        with package.open(name) as file:
            head = file.read(_HEADER)
        number = head[_APPLICATION_ID_AT : _APPLICATION_ID_AT + 4]
        if head.startswith(_MAGIC) and int.from_bytes(number, "big") == APPLICATION_ID:
            return name
    return None


class ExportedRows:
    """The posts of a database; see `TransferContent`. Every row is checked against its own hash."""

    title = "an archive, or a part of one (archiver export sqlite)"

    def __init__(self, package: OpenPackage, name: str, connection: sqlite3.Connection) -> None:
        self._package = package
        self._name = name
        self._folder = name[: -len(DATABASE)]
        self._connection = connection

    @classmethod
    @contextmanager
    def open(
        cls, package: OpenPackage, name: str, scratch: Path | None
    ) -> Iterator["ExportedRows"]:
        """Those of the database of that name, from a copy in `scratch`. Raises PackageError."""
        with TemporaryDirectory(prefix="archiver-", dir=scratch) as folder:
            for end in ("", "-wal"):  # of a whole archive: what a run has not moved into it yet
                if f"{name}{end}" in package:
                    with package.open(f"{name}{end}") as file, (
                        Path(folder) / f"{DATABASE}{end}"
                    ).open("wb") as copy:  # fmt: skip
                        shutil.copyfileobj(file, copy)
            path = Path(folder) / DATABASE
            has_log = f"{name}-wal" in package
            with closing(connect(path, "mode=rw" if has_log else IMMUTABLE)) as connection:
                connection.execute("PRAGMA trusted_schema = OFF")
                found = cls(package, name, connection)
                if found._steps() == KNOWN_STEPS:
                    yield found
                    return
                found._refuse_newer()
                found._check_every_row()  # an upgrade computes the hashes of some rows anew
            with closing(connect(path)) as connection:
                found = cls(package, name, connection)
                found._upgrade(Path(folder))
                connection.execute("PRAGMA trusted_schema = OFF")
                yield found

    def accounts(self) -> Sequence[TransferredAccount]:
        """The accounts that have posts."""
        query = "id IN (SELECT account_id FROM posts) ORDER BY id"
        return [self._account(row) for row in self._rows("accounts", query)]

    def _account(self, row: dict[str, Any]) -> TransferredAccount:
        rows = {
            table: list(self._rows(table, "account_id = ? ORDER BY id", row["id"]))
            for table in _OF_ACCOUNTS
        }
        named = {each["media_sha256"] for each in rows["account_pictures"]} - {None}
        return TransferredAccount(row["id"], row, rows, self._paths(named))

    def posts(self) -> Iterator[TransferredPost]:
        """The posts, by account."""
        for account in self.accounts():
            last = 0
            query = "account_id = ? AND id > ? ORDER BY id LIMIT ?"
            while posts := list(self._rows("posts", query, account.id, last, _BATCH)):
                yield from self._batch(account.id, posts)
                last = posts[-1]["id"]

    def _batch(self, account: int, posts: Sequence[dict[str, Any]]) -> Iterator[TransferredPost]:
        of_post: dict[int, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        owners = {post["id"]: post["id"] for post in posts}
        self._collect(of_post, OF_POSTS, "post_id", owners)
        attachments = _owned_by(of_post, "attachments")
        self._collect(of_post, OF_ATTACHMENTS, "attachment_id", attachments)
        self._collect(of_post, OF_RENDITIONS, "rendition_id", _owned_by(of_post, "renditions"))
        paths = self._paths(
            row[key]
            for rows in of_post.values()
            for table in ("renditions", "media_origins")
            for row in rows[table]
            for key in ("media_sha256", "playlist_sha256")
            if row.get(key)
        )
        for post in posts:
            rows = of_post[post["id"]]
            named = {row.get("media_sha256") for row in rows["renditions"]}
            named |= {row[key] for row in rows["media_origins"]
                      for key in ("media_sha256", "playlist_sha256")}  # fmt: skip
            files = {sha256: paths[sha256] for sha256 in named if sha256 in paths}
            yield TransferredPost(account, post, rows, files)

    def _collect(
        self, of_post: dict[int, dict[str, list[dict[str, Any]]]], tables: Sequence[str],
        column: str, owners: dict[int, int],
    ) -> None:  # fmt: skip
        """Add the rows of tables to their posts; `owners` are the posts of what `column` names."""
        for table in tables:
            order = ", ".join(declared_key(table))
            query = f"{column} IN (SELECT value FROM json_each(?)) ORDER BY {order}"
            for row in self._rows(table, query, json.dumps(list(owners))):
                of_post[owners[row[column]]][table].append(row)

    def _paths(self, hashes: Iterable[str]) -> dict[str, str]:
        """The names in the package of the files that are there of these, by their hashes."""
        named = set(hashes)
        query = "lost_at IS NULL AND sha256 IN (SELECT value FROM json_each(?))"
        found = self._rows("media", query, json.dumps(sorted(named)))
        return {row["sha256"]: f"{self._folder}{row['path']}" for row in found}

    def _rows(self, table: str, condition: str, *parameters: object) -> Iterator[dict[str, Any]]:
        """The rows of a table. Raises PackageError for one that does not match its hash."""
        query = f"SELECT * FROM {table} WHERE {condition}"
        try:
            for row in mappings(self._connection.execute(query, parameters)):
                if row["row_sha256"] != row_sha256(table, row):
                    raise self._refusal(f"A row of {table} does not match its hash", "damaged")
                yield row
        except sqlite3.DatabaseError as error:
            raise self._refusal(f"SQLite says: {error}", "damaged") from error

    def _steps(self) -> frozenset[str]:
        try:
            return applied_steps(self._connection)
        except sqlite3.DatabaseError as error:
            raise self._refusal(f"SQLite says: {error}", "damaged") from error

    def _refuse_newer(self) -> None:
        if newer := sorted(self._steps() - KNOWN_STEPS):
            raise PackageError(
                f"{self._name} was written by a newer version of archiver",
                why=f"Its tables have what this version does not know: {', '.join(newer)}",
                kept="Nothing was imported",
                hint="Upgrade archiver to that version, or a newer one",
                code="other_version",
            )

    def _check_every_row(self) -> None:
        """Check the rows of every table that has hashes. Raises PackageError."""
        tables = {name for (name,) in self._connection.execute(_TABLES)}
        for table in sorted(tables.intersection(ROW_HASHED)):
            for _ in self._rows(table, "TRUE"):
                pass

    def _upgrade(self, folder: Path) -> None:
        """Bring the copy, which an earlier version wrote, up to this version."""
        try:
            migrate(self._connection, folder, lambda _: None, any_trigger=False)
        except (StorageError, sqlite3.DatabaseError) as error:
            why = f"It was written by an earlier version, and cannot be brought up to date: {error}"
            raise self._refusal(why, "damaged") from error

    def _refusal(self, why: str, code: str) -> PackageError:
        return PackageError(
            f"{self._name} cannot be imported", why=why, kept="Nothing was imported",
            hint="Check it by archiver verify, and write the export again from its archive",
            code=code,
        )  # fmt: skip


def _owned_by(of_post: dict[int, dict[str, list[dict[str, Any]]]], table: str) -> dict[int, int]:
    """The post of each row of a table, by the row's id."""
    return {row["id"]: post for post, rows in of_post.items() for row in rows[table]}
