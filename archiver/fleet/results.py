"""How the backups of accounts went, as the fleet's tables say, and when they are next due.

What a source answers is the result of an account, which is written with the version of the archive
that has it. Where there is no such version, since the store or the disk failed, or the process
ended, the account is *unsaved*: a job that is repeated does it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from archiver.errors import ArchiverError, StorageError
from archiver.fleet.database import UNSAVED, Lease, LeaseLost
from archiver.secrets import redact

FIRST_RETRY = timedelta(hours=1)
"""After so long, what passes by itself is tried again; then after twice as long, and so on."""
BROKEN_RETRY = timedelta(days=1)
"""How long an account is left alone that a person has to look at."""
_UNSAVED = (
    "UPDATE fleet.accounts a SET tried_at = now(), outcome = %(unsaved)s, error_code = %(code)s,"
    " message = %(message)s, next_at = now() + least(%(first)s * power(2, least(8, {before})),"
    " %(most)s), failures = {before} + 1"
    " FROM fleet.tenants t WHERE t.id = a.tenant_id AND a.name = ANY(%(names)s)"
    " AND (a.tried_at IS NULL OR a.tried_at < %(asked)s OR a.outcome = %(unsaved)s)"
).format(before="(a.failures - (coalesce(a.tried_at >= %(asked)s, false))::integer)")
"""All tries of one job are one failure. An account that the job has done is left as it is."""


@dataclass(frozen=True, slots=True)
class AccountResult:
    """How the backup of an account went, and when it is next due."""

    name: str
    outcome: str
    error_code: str | None
    message: str | None
    next_in: timedelta

    @property
    def is_good(self) -> bool:
        """Whether the account was read."""
        return self.error_code is None


def commit_version(
    connection: "psycopg.Connection[Any]", lease: Lease, version: int, manifest: str, *, size: int,
    media_size: int, sent: int, result: AccountResult | None,
) -> None:  # fmt: skip
    """Make a version of the archive the current one, and write how its account went, at once.

    `size` is of the database, `sent` of what was put of it into the store, in bytes. `result` is
    None for an account that was stopped. The same twice is done once. Raises LeaseLost where
    another worker has taken the tenant; then nothing was changed.
    """
    with connection.transaction():
        changed = connection.execute(
            "UPDATE fleet.tenants SET version = %(version)s, manifest = %(manifest)s,"
            " size = %(size)s, media_size = %(media)s, sent = sent + %(sent)s, saved_at = now()"
            " WHERE id = %(tenant)s AND fence = %(fence)s AND version = %(version)s - 1",
            {"version": version, "manifest": manifest, "size": size, "sent": sent,
             "media": media_size, "tenant": lease.tenant_id, "fence": lease.fence},
        ).rowcount  # fmt: skip
        if changed != 1:
            was_done = connection.execute(
                "SELECT 1 FROM fleet.tenants WHERE id = %s AND fence = %s AND manifest = %s",
                (lease.tenant_id, lease.fence, manifest),
            ).rowcount
            if was_done != 1:
                raise _lease_lost(lease)
        elif result is not None:
            write_result(connection, lease, result)


def write_result(
    connection: "psycopg.Connection[Any]", lease: Lease, result: AccountResult
) -> None:
    """Write how an account went. Raises LeaseLost where another worker has taken the tenant."""
    changed = connection.execute(
        "UPDATE fleet.accounts a SET tried_at = now(), outcome = %(outcome)s,"
        " error_code = %(code)s, message = %(message)s, next_at = now() + %(next_in)s,"
        " good_at = CASE WHEN %(good)s THEN now() ELSE good_at END,"
        " failures = CASE WHEN %(good)s THEN 0 ELSE failures + 1 END"
        " FROM fleet.tenants t WHERE t.id = a.tenant_id AND t.fence = %(fence)s"
        " AND t.id = %(tenant)s AND a.name = %(name)s",
        {"outcome": result.outcome, "code": result.error_code, "message": result.message,
         "next_in": result.next_in, "good": result.is_good, "tenant": lease.tenant_id,
         "fence": lease.fence, "name": result.name},
    ).rowcount  # fmt: skip
    if changed != 1:
        raise _lease_lost(lease)


def _lease_lost(lease: Lease) -> LeaseLost:
    return LeaseLost(
        f"Another worker has taken {lease.tenant}",
        kept="Its archive is as the other worker put it back",
        hint="Nothing has to be done: the account is backed up again when it is due",
    )


def note_unsaved(
    connection: "psycopg.Connection[Any]", lease: Lease, accounts: Sequence[str],
    asked_at: datetime, error: ArchiverError,
) -> None:  # fmt: skip
    """Write why a job that was asked for then saved none of those accounts that it had not done.

    Nothing is written where another worker has taken the tenant.
    """
    is_passing = isinstance(error, StorageError)
    values = _unsaved_values(accounts, asked_at, error.code, redact(str(error)))
    connection.execute(
        _UNSAVED + " AND t.id = %(tenant)s AND t.fence = %(fence)s",
        values | {"tenant": lease.tenant_id, "fence": lease.fence,
                  "first": FIRST_RETRY if is_passing else BROKEN_RETRY},
    )  # fmt: skip


def note_failed_job(
    connection: "psycopg.Connection[Any]", tenant: str, accounts: Sequence[str],
    asked_at: datetime, why: str,
) -> None:  # fmt: skip
    """Write that the process of a job ended before it could say how these accounts went."""
    connection.execute(
        _UNSAVED + " AND t.name = %(tenant)s",
        _unsaved_values(accounts, asked_at, "job", redact(why)) | {"tenant": tenant},
    )


def _unsaved_values(
    accounts: Sequence[str], asked_at: datetime, code: str, message: str
) -> dict[str, Any]:
    return {
        "unsaved": UNSAVED, "code": code, "message": message, "first": FIRST_RETRY,
        "most": BROKEN_RETRY, "names": list(accounts), "asked": asked_at,
    }  # fmt: skip
