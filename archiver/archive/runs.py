"""The rows of runs, of what each brought per account, and of the accounts themselves."""

import json
import sqlite3
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from archiver.archive.account_pictures import queue_pictures
from archiver.archive.attribution import attribution
from archiver.archive.hashed_rows import clean_text
from archiver.archive.ledger import note_happened
from archiver.archive.merging import rank_of
from archiver.archive.row_objects import mappings
from archiver.archive.rows import insert, insert_new, update, update_row
from archiver.archive.tombstones import is_erased_account
from archiver.archive.transactions import transaction
from archiver.canonical import media_key, row_sha256
from archiver.errors import AWAY, AccessRefused, DuplicateAccount, StorageError
from archiver.models import Account, Identity, Record, Response

IS_BACKUP = "json_extract(runs.asked, '$.import') IS NULL"
"""Condition: a run is a backup, and not an import of official exports."""

_OF_RUN = "run_id = ? AND name = ? AND source = ?"
KEEP_RESPONSES = ("all", "changed", "none")


@dataclass(slots=True)
class Counts:
    """What a run, or one account in it, fetched and changed."""

    got: int = 0
    new: int = 0
    edited: int = 0
    removed: int = 0
    stored: int = 0
    omitted: int = 0
    failed: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        own, others = self.columns(), other.columns()
        return Counts(**{name: own[name] + others[name] for name in own})

    def columns(self) -> dict[str, int]:
        """By the names that the tables use."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


class LastScan(Struct, frozen=True):
    """The state of an account after earlier runs through one source.

    `version` is the source's name for the state that was read. `away` is the error code of an
    account that was suspended, moved or deactivated in its last scan. `message` is what the last
    complete one said to people.
    """

    fresh_until: str | None = None
    last_full_at: str | None = None
    has_posts: bool = False
    view: str | None = None
    version: str | None = None
    away: str | None = None
    message: str | None = None


def begin_run(
    connection: sqlite3.Connection, at: str, version: str, asked: dict[str, Any],
    actor: str | None = None,
) -> int:  # fmt: skip
    """Open a run; returns its id. Runs that were killed are closed as interrupted.

    `actor` is the one of the config, if it names one.
    """
    with transaction(connection):
        earlier = newest_start(connection)
        if earlier is not None and at < earlier:
            note_happened(connection, "clock_gone_back")
        for table in ("runs", "run_accounts"):
            update(connection, table, "outcome = 'running'", (), outcome="interrupted")
        return insert(
            connection, "runs", started_at=at, outcome="running", version=version,
            asked=json.dumps(asked, sort_keys=True), bytes=0, **Counts().columns(),
            **attribution(connection, actor),
        )  # fmt: skip


def newest_start(connection: sqlite3.Connection) -> str | None:
    """When the newest run began, by this machine's clock at that time."""
    row = connection.execute("SELECT started_at FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    return row[0] if row else None


def has_posts(connection: sqlite3.Connection) -> bool:
    """Whether the archive has any post."""
    return connection.execute("SELECT max(id) FROM posts").fetchone()[0] is not None


def end_run(
    connection: sqlite3.Connection, run_id: int, at: str, *, outcome: str, exit_code: int,
    accounts: Mapping[tuple[str, str], Counts], received: int,
) -> None:  # fmt: skip
    """Close a run.

    `accounts` has what it brought, by the account's label and source: files come after the last
    page.
    """
    counts = sum(accounts.values(), Counts())
    with transaction(connection):
        for (name, source), own in accounts.items():
            if own.stored or own.omitted or own.failed:
                update(
                    connection, "run_accounts", _OF_RUN, (run_id, name, source),
                    stored=own.stored, omitted=own.omitted, failed=own.failed,
                )  # fmt: skip
        update_row(
            connection, "runs", run_id, finished_at=at, outcome=outcome, exit_code=exit_code,
            bytes=received, **counts.columns(),
        )  # fmt: skip


def begin_account(
    connection: sqlite3.Connection, run_id: int, name: str, source: str, at: str
) -> None:
    """Add the row of an account and source in a run that begins with it."""
    with transaction(connection):
        insert(
            connection, "run_accounts", run_id=run_id, name=name, source=source, started_at=at,
            outcome="running", full=0, complete=0, unmapped=0, **Counts().columns(),
        )  # fmt: skip


def end_account(
    connection: sqlite3.Connection, run_id: int, name: str, source: str, values: Mapping[str, Any]
) -> None:
    """Save the result of an account in a run; `values` by the names of the columns."""
    with transaction(connection):
        update(connection, "run_accounts", _OF_RUN, (run_id, name, source), **values)


def claim_account(
    connection: sqlite3.Connection, account: Account, identity: Identity | None, at: str,
    other_labels: Collection[str] = (), ranks: Mapping[str, str] = MappingProxyType({}),
) -> int:  # fmt: skip
    """Add or update the row of an account; returns its id.

    (platform, platform_id) is who an account is, the name only a label: a new label is taken
    over, another identity under a known label is refused. `other_labels` are in use for other
    accounts of the config: a row that has one of them is not taken over. `ranks` are those of the
    sources, by which the names of an account are chosen where two sources differ.
    Raises AccessRefused with code `identity`, DuplicateAccount, StorageError with code `damaged`.
    """
    with transaction(connection):
        by_name = connection.execute(
            "SELECT id, platform, platform_id, handle FROM accounts WHERE name = ?",
            (account.name,),
        ).fetchone()
        by_identity = None
        if identity is not None:
            by_identity = connection.execute(
                "SELECT id, name FROM accounts WHERE platform = ? AND platform_id IN (?, ?)",
                (account.platform, identity.platform_id, _provisional_id(identity.handle)),
            ).fetchone()
        if by_name is not None:
            _refuse_damaged(connection, account, by_name[0])
            _check_identity(account, identity, *by_name[1:])
        if by_identity and by_identity[1] in other_labels:
            raise _duplicate(account, by_identity[1])
        if by_identity and by_name is not None and by_identity[0] != by_name[0]:
            raise _refused(account, f"This is the account that the archive has as {by_identity[1]}")
        row = by_name or by_identity
        if row is None:
            account_id = insert(
                connection, "accounts", name=account.name, platform=account.platform,
                first_seen_at=at,
            )  # fmt: skip
        else:
            account_id = row[0]
        if identity is not None and _is_erased(connection, account_id, identity):
            identity = None
        _update_identity(connection, account_id, account, identity, at, ranks)
    return account_id


def _is_erased(connection: sqlite3.Connection, account_id: int, identity: Identity) -> bool:
    """Whether the profile of an account was erased, and no post of it has come since."""
    if not is_erased_account(connection, identity.platform, identity.platform_id):
        return False
    query = "SELECT 1 FROM posts WHERE account_id = ? LIMIT 1"
    return connection.execute(query, (account_id,)).fetchone() is None


def _provisional_id(handle: str | None) -> str | None:
    """The id that stands for a handle until the platform's id is known."""
    return f"@{handle}".lower() if handle else None


def _is_provisional(platform_id: str) -> bool:
    return platform_id.startswith("@")


def _refuse_damaged(connection: sqlite3.Connection, account: Account, account_id: int) -> None:
    """Raise StorageError where the row of an account is damaged, and its identity uncertain."""
    cursor = connection.execute("SELECT * FROM accounts WHERE id = ?", (account_id,))
    (row,) = mappings(cursor)
    if row_sha256("accounts", row) != row["row_sha256"]:
        raise StorageError(
            f"The row of {account.name} in the database is damaged",
            kept="Nothing was deleted",
            hint="Run archiver verify --repair",
            code="damaged",
        )


def _check_identity(
    account: Account, identity: Identity | None, platform: str, platform_id: str | None,
    handle: str | None,
) -> None:  # fmt: skip
    if platform != account.platform:
        raise _refused(account, f"The archive has a {platform} account under this name")
    if identity is None or platform_id in {None, identity.platform_id}:
        return
    is_by_handle = _is_provisional(platform_id) or _is_provisional(identity.platform_id)
    if is_by_handle and _provisional_id(identity.handle) in {None, _provisional_id(handle)}:
        return
    who = f"{identity.handle}, " if identity.handle else ""
    raise _refused(
        account, f"The source now answers with another account, {who}id {identity.platform_id}"
    )


def _refused(account: Account, why: str) -> AccessRefused:
    return AccessRefused(
        f"{account.name} is not the {account.platform} account that it was",
        why=why,
        kept="Nothing was added to it; what was archived before stays as it is",
        hint="If this is meant, give the account a new name in archive.toml; "
        "if not, check which account the key, handle or user name of its entry leads to",
        code="identity",
    )


def _duplicate(account: Account, other: str) -> DuplicateAccount:
    return DuplicateAccount(
        f"{account.name} is the same {account.platform} account as {other}",
        why="Both entries of archive.toml lead to one account; it is backed up once",
        kept=f"The account is in the archive as {other}; nothing was renamed",
        hint=f"Remove one of the two entries, or correct the key, handle or user name of "
        f"{account.name}",
    )


_NAMES = ("handle", "title", "url")
_PROFILE = (*_NAMES, "description", "avatar", "banner")


def _update_identity(
    connection: sqlite3.Connection, account_id: int, account: Account, identity: Identity | None,
    at: str, ranks: Mapping[str, str],
) -> None:  # fmt: skip
    """Update the row of an account; its earlier names stay in `account_profiles`."""
    existing = connection.execute(
        "SELECT name, platform_id, handle, title, url FROM accounts WHERE id = ?", (account_id,)
    ).fetchone()
    wanted = {"name": account.name}
    if identity is not None:
        if existing[1] is None or not _is_provisional(identity.platform_id):
            wanted["platform_id"] = identity.platform_id
        wanted |= _names_from_source(connection, account_id, account, identity, existing[2:], ranks)
        _save_profile(connection, account_id, account.source, identity, at)
        queue_pictures(connection, account_id, account.source, identity, at)
    columns = ("name", "platform_id", *_NAMES)
    now = dict(zip(columns, existing, strict=True)) | wanted
    if tuple(now.values()) != existing:
        update_row(connection, "accounts", account_id, **now)


def _names_from_source(
    connection: sqlite3.Connection, account_id: int, account: Account, identity: Identity,
    existing: Sequence[str | None], ranks: Mapping[str, str],
) -> dict[str, str]:  # fmt: skip
    """The names to save from a source; from one of lower rank only those that are missing."""
    query = "SELECT DISTINCT source FROM account_profiles WHERE account_id = ? AND source <> ?"
    others = connection.execute(query, (account_id, account.source)).fetchall()
    own = rank_of(account.source, ranks)
    has_precedence = all(rank_of(source, ranks) <= own for (source,) in others if source)
    given = {name: getattr(identity, name) for name in _NAMES}
    return {
        name: value
        for (name, value), before in zip(given.items(), existing, strict=True)
        if value and (has_precedence or before is None)
    }


def _save_profile(
    connection: sqlite3.Connection, account_id: int, source: str, identity: Identity, at: str
) -> None:
    """Add a profile of an account, where it differs from the last one of this source."""
    query = f"""
        SELECT {", ".join(_PROFILE)} FROM account_profiles
         WHERE account_id = ? AND source IN (?, '') ORDER BY id DESC LIMIT 1
    """
    existing = connection.execute(query, (account_id, source)).fetchone() or (None,) * len(_PROFILE)
    pictures = (identity.avatar, identity.banner)
    given = (
        identity.handle, identity.title, identity.url, identity.description,
        *(media_key(picture) if picture else None for picture in pictures),
    )  # fmt: skip
    said = tuple(new or old for new, old in zip(given, existing, strict=True))
    if said != existing:
        insert(
            connection, "account_profiles", account_id=account_id, source=source, seen_at=at,
            **dict(zip(_PROFILE, said, strict=True)),
        )  # fmt: skip


def account_id_of(connection: sqlite3.Connection, account: Account) -> int | None:
    """The row of an account that the archive has under this label."""
    row = connection.execute(
        "SELECT id FROM accounts WHERE name = ? AND platform = ?", (account.name, account.platform)
    ).fetchone()
    return row[0] if row else None


def platform_id_of(connection: sqlite3.Connection, account: Account) -> str | None:
    """The platform's id of an account that the archive has under this label, if it is known."""
    row = connection.execute(
        "SELECT platform_id FROM accounts WHERE name = ? AND platform = ?",
        (account.name, account.platform),
    ).fetchone()
    return row[0] if row else None


def last_scan(connection: sqlite3.Connection, account_id: int, source: str) -> LastScan:
    """What earlier runs through a source know of an account."""

    def newest(columns: str, condition: str) -> tuple[Any, ...]:
        query = f"""
            SELECT {columns} FROM run_accounts
             WHERE account_id = ? AND source = ? AND {condition} ORDER BY run_id DESC LIMIT 1
        """
        empty = (None,) * (columns.count(",") + 1)
        found: tuple[Any, ...] = connection.execute(query, (account_id, source)).fetchone() or empty
        return found

    has_posts = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM posts JOIN post_sources ON post_id = posts.id AND source = ? "
        "WHERE account_id = ? AND post_sources.removed_at IS NULL AND kind <> 'story')",
        (source, account_id),
    ).fetchone()
    view, version = newest("view, source_version", "complete")
    (error,) = newest("error_code", "outcome <> 'running'")
    return LastScan(
        fresh_until=newest("fresh_until", "outcome = 'done'")[0],
        last_full_at=newest("started_at", "full AND complete")[0],
        has_posts=bool(has_posts[0]),
        view=view,
        version=version,
        away=error if error in AWAY else None,
        message=newest("message", "complete")[0],
    )


def unmapped_paths(connection: sqlite3.Connection, account_id: int) -> set[str]:
    """The unmapped fields of an account's records that earlier runs have reported."""
    query = """
        SELECT DISTINCT value FROM run_accounts, json_each(unmapped_paths)
         WHERE account_id = ? AND unmapped_paths IS NOT NULL
    """
    return {row[0] for row in connection.execute(query, (account_id,))}


def new_response_id(connection: sqlite3.Connection) -> int:
    """The id of the next response, before it is known whether that is kept."""
    row = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM responses").fetchone()
    response_id: int = row[0]
    return response_id


def keep_response(
    connection: sqlite3.Connection, response_id: int, run_id: int, account_id: int,
    response: Response,
) -> None:  # fmt: skip
    """Keep an answer as it was received."""
    insert(
        connection, "responses", id=response_id, run_id=run_id, account_id=account_id,
        source=response.source, url=response.url, status=response.status,
        received_at=response.received_at,
        headers=json.dumps(dict(response.headers), sort_keys=True),
        body_sha256=sha256(response.body).hexdigest(), body=zlib.compress(response.body),
    )  # fmt: skip


def keep_evidence(
    connection: sqlite3.Connection, run_id: int, account_id: int, response: Response
) -> None:
    """Keep an answer as evidence, unless the newest one of its address is the same."""
    query = """
        SELECT body_sha256 FROM responses WHERE account_id = ? AND source = ? AND url = ?
         ORDER BY id DESC LIMIT 1
    """
    found = connection.execute(query, (account_id, response.source, response.url)).fetchone()
    if found is None or found[0] != sha256(response.body).hexdigest():
        keep_response(connection, new_response_id(connection), run_id, account_id, response)


def quarantine(
    connection: sqlite3.Connection, run_id: int, account_id: int, record: Record, reason: str
) -> bool:
    """Keep a record that could not be parsed; returns whether it is a new one."""
    raw = clean_text(record.raw)
    return insert_new(
        connection, "quarantine", run_id=run_id, account_id=account_id, reason=reason,
        raw_sha256=sha256(raw.encode()).hexdigest(), raw=raw,
    )  # fmt: skip
