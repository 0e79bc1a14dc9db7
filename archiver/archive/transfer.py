"""Posts of another archive, added as they are there: with revisions, events and numbers.

Their rows get ids of this archive, and are of the run that adds them. What a post that is here
already lacks, `transfer_fill` adds.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archiver.archive.identity import match_posts
from archiver.archive.packages import EXPORT
from archiver.archive.row_objects import column_names
from archiver.archive.rows import Rows, insert, insert_all, insert_new, update
from archiver.archive.storage_totals import track_totals
from archiver.archive.tombstones import erased_among
from archiver.models import Alias, Attachment, Post, Record

Row = Mapping[str, Any]

OF_POSTS = (
    "post_sources", "post_aliases", "relations", "revisions", "attachments", "events", "metrics",
)  # fmt: skip
"""The tables whose rows name their post."""
OF_ATTACHMENTS = ("attachment_sources", "renditions")
OF_RENDITIONS = ("media_origins", "resolutions")

_NOT_HERE = {
    "state": "failed", "media_sha256": None, "reason_code": "not_in_package",
    "reason": "The export names this file and does not have it",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TransferredAccount:
    """An account of another archive, with the rows of other tables that are about it.

    `files` are the names in the package of the files that its pictures have, by their SHA-256.
    """

    id: int
    row: Row
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its label there."""
        return str(self.row["name"])


@dataclass(frozen=True, slots=True)
class TransferredPost:
    """A post of another archive: its row there, and those of other tables that are about it.

    `files` are the names in the package of the files that renditions have, by their SHA-256.
    """

    account: int
    row: Row
    rows: Mapping[str, Sequence[Row]]
    files: Mapping[str, str]

    @property
    def platform_id(self) -> str:
        """Its id on its platform."""
        return str(self.row["platform_id"])

    def as_post(self) -> Post:
        """What it can be known by."""
        attached = self.rows.get("attachments", ())
        return Post(
            self.platform_id,
            created_at=self.row["created_at"],
            kind=self.row["kind"],
            title=self.row["title"],
            text=self.row["text"],
            aliases=tuple(
                Alias(row["scheme"], row["value"]) for row in self.rows.get("post_aliases", ())
            ),
            attachments=tuple(Attachment(row["kind"], row["platform_id"]) for row in attached),
        )


def known_among(
    connection: sqlite3.Connection, account_id: int, posts: Sequence[TransferredPost],
    added: Collection[str],
) -> dict[str, str | None]:  # fmt: skip
    """Those posts that this archive has, by their ids there, with those that they have here.

    That is None for one that was erased here. `added` are those that were added with them: they are
    other posts there, and so they are here.
    """
    parsed = [post.as_post() for post in posts]
    platforms = {str(post.row["platform"]) for post in posts}
    erased: set[str] = set()
    for platform in platforms:
        erased |= erased_among(connection, account_id, platform, parsed)
    entries = [(Record("", None), post) for post in parsed]
    matches = match_posts(connection, account_id, "", entries)
    known: dict[str, str | None] = {
        match.post.platform_id: match.platform_id
        for match in matches
        if match.is_known and match.platform_id not in added
    }
    return known | dict.fromkeys(erased)


def account_here(connection: sqlite3.Connection, account: TransferredAccount) -> int | None:
    """The id of the account in this archive: by who it is, else by its label there."""
    row = account.row
    query = """
        SELECT id FROM accounts WHERE platform = :platform AND (platform_id = :platform_id
            OR :platform_id IS NULL AND name = :name)
    """
    wanted = {name: row[name] for name in ("platform", "platform_id", "name")}
    found = connection.execute(query, wanted).fetchone()
    return None if found is None else int(found[0])


def add_account(
    connection: sqlite3.Connection, account: TransferredAccount, taken: Collection[str]
) -> int:
    """Add an account that is not here, under its label if that is free; returns its id.

    In a transaction. `taken` are labels that are not free.
    """
    label, number = account.name, 2
    while label in taken:
        label, number = f"{account.name}-{number}", number + 1
    row = _own(connection, "accounts", account.row) | {"name": label}
    account_id = insert(connection, "accounts", **row)
    for each in account.rows.get("account_profiles", ()):
        own = _own(connection, "account_profiles", each)
        insert(connection, "account_profiles", **own, account_id=account_id)
    return account_id


def add_pictures(
    connection: sqlite3.Connection, account_id: int, account: TransferredAccount,
    media: Sequence[Row],
) -> None:  # fmt: skip
    """Add those pictures of an account that are not here; in a transaction.

    `media` are the rows of the files that are stored here now. A picture that is here without its
    file gets it. One whose file is neither here nor in the package is not added: what it looks
    like now is asked for by a backup.
    """
    rows = account.rows.get("account_pictures", ())
    hashes = {row["media_sha256"] for row in rows} - {None}
    held = {row["sha256"] for row in media} | held_files(connection, hashes)
    with track_totals(connection, held):
        for row in media:
            insert_new(connection, "media", **row)
        for row in rows:
            if row["media_sha256"] in held:
                _add_picture(connection, account_id, row)


def _add_picture(connection: sqlite3.Connection, account_id: int, row: Row) -> None:
    own = _own(connection, "account_pictures", row)
    if insert_new(connection, "account_pictures", **own, account_id=account_id):
        return
    where = "account_id = ? AND kind = ? AND media_key = ? AND state <> 'stored'"
    known = (account_id, row["kind"], row["media_key"])
    update(
        connection, "account_pictures", where, known, state="stored", reason_code=None,
        reason=None, setting=None, media_sha256=row["media_sha256"], tries=0, next_try_at=None,
    )  # fmt: skip


def add_posts(
    connection: sqlite3.Connection, account_id: int, run_id: int, package_id: int,
    posts: Sequence[TransferredPost], media: Sequence[Row],
) -> None:  # fmt: skip
    """Add posts that are not here; in a transaction.

    `media` are the rows of the files that are stored here now. A file that neither they nor the
    archive have makes its renditions `failed`, so that a source is asked for it again.
    """
    held = {row["sha256"] for row in media} | held_files(
        connection, {sha for post in posts for sha in post.files}
    )
    with track_totals(connection, held):
        for row in media:
            insert_new(connection, "media", **row)
        writer = _PostRows(connection, account_id, run_id, held)
        for post in posts:
            writer.add(post)
        writer.write()
    shown = [
        {"post_id": writer.ids[post.platform_id], "package_id": package_id}
        for post in posts
        if any(row["source"] == EXPORT for row in post.rows.get("post_sources", ()))
    ]
    insert_all(connection, "package_posts", shown)


class _PostRows:
    """The rows of some posts, under new ids."""

    def __init__(
        self, connection: sqlite3.Connection, account_id: int, run_id: int, held: Collection[str]
    ) -> None:
        self.ids: dict[str, int] = {}
        self._connection = connection
        self._account_id = account_id
        self._run_id = run_id
        self._held = held
        self._rows = Rows(connection)
        self._columns: dict[str, frozenset[str]] = {}
        self._later: list[tuple[str, dict[str, Any]]] = []

    def add(self, post: TransferredPost) -> None:
        post_id = self._rows.new_id("posts")
        self.ids[post.platform_id] = post_id
        own = self._own("posts", post.row)
        self._rows.add("posts", **own, id=post_id, account_id=self._account_id)
        attachments: dict[int, int] = {0: 0}
        for row in post.rows.get("attachments", ()):
            attachments[row["id"]] = self._rows.new_id("attachments")
            own = self._own("attachments", row)
            self._rows.add("attachments", **own, id=attachments[row["id"]], post_id=post_id)
        for table in OF_POSTS:
            if table != "attachments":
                for row in post.rows.get(table, ()):
                    self._add_of_post(table, row, post_id, attachments)
        for row in post.rows.get("attachment_sources", ()):
            own = self._own("attachment_sources", row)
            to = attachments[row["attachment_id"]]
            self._rows.add("attachment_sources", **own, attachment_id=to)
        renditions: dict[int, int] = {}
        for row in post.rows.get("renditions", ()):
            renditions[row["id"]] = self._rows.new_id("renditions")
            own = {**self._own("renditions", row), **self._without_file(row)}
            self._rows.add(
                "renditions", **own, id=renditions[row["id"]], account_id=self._account_id,
                attachment_id=attachments[row["attachment_id"]],
            )  # fmt: skip
        self._add_of_renditions(post, renditions)

    def write(self) -> None:
        self._rows.write()
        for table, row in self._later:
            insert(self._connection, table, **row)

    def _add_of_post(
        self, table: str, row: Row, post_id: int, attachments: Mapping[int, int]
    ) -> None:
        own = self._own(table, row) | {"post_id": post_id}
        if "run_id" in self._columns[table]:
            own["run_id"] = self._run_id
        if "attachment_id" in self._columns[table]:
            of = row["attachment_id"]
            own["attachment_id"] = None if of is None else attachments[of]
        if "response_id" in self._columns[table]:
            own["response_id"] = None  # the answers stay where they were received
        self._rows.add(table, **own)

    def _add_of_renditions(self, post: TransferredPost, renditions: Mapping[int, int]) -> None:
        for table in OF_RENDITIONS:
            for row in post.rows.get(table, ()):
                if row.get("media_sha256", "") and row["media_sha256"] not in self._held:
                    continue
                own = self._own(table, row) | {"rendition_id": renditions[row["rendition_id"]]}
                if "run_id" in self._columns[table]:
                    own["run_id"] = self._run_id
                if own.get("playlist_sha256") not in {None, *self._held}:
                    own["playlist_sha256"] = None
                self._later.append((table, own))

    def _without_file(self, row: Row) -> Row:
        """What is different of a rendition whose file is not here."""
        sha256 = row["media_sha256"]
        if sha256 is None or sha256 in self._held:
            return {}
        return _NOT_HERE if row["state"] == "stored" else {"media_sha256": None}

    def _own(self, table: str, row: Row) -> dict[str, Any]:
        if table not in self._columns:
            self._columns[table] = _columns(self._connection, table)
        return _without_keys(row, self._columns[table])


def held_files(connection: sqlite3.Connection, hashes: Iterable[str]) -> set[str]:
    """Which of these files are stored here already."""
    query = """
        SELECT sha256 FROM media
         WHERE lost_at IS NULL AND sha256 IN (SELECT value FROM json_each(?))
    """
    return {row[0] for row in connection.execute(query, (json.dumps(sorted(hashes)),))}


_KEYS = frozenset(
    {"id", "account_id", "post_id", "attachment_id", "rendition_id", "run_id", "row_sha256"}
)


def _columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    return frozenset(column_names(connection.execute(f"SELECT * FROM {table} LIMIT 0")))


def _without_keys(row: Row, columns: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in columns and name not in _KEYS}


def _own(connection: sqlite3.Connection, table: str, row: Row) -> dict[str, Any]:
    return _without_keys(row, _columns(connection, table))
