"""The fleet's tables in PostgreSQL: tenants, their accounts, and who may write which archive.

`fence` of a tenant grows with each lease. Only the holder of the newest lease can make a version of
the archive the current one: a worker that was paused, and wakes up when another one has taken its
tenant, is refused. `limits` has what all workers share of the limits of sources. Jobs are in the
tables of Procrastinate, beside these.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.rows import namedtuple_row

from archiver.errors import StorageError, UsageError

TABLES = """
CREATE SCHEMA IF NOT EXISTS fleet;
CREATE TABLE IF NOT EXISTS fleet.tenants (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL UNIQUE,
  settings text,
  paused_at timestamptz,
  fence bigint NOT NULL DEFAULT 0,
  holder text,
  leased_at timestamptz,
  version bigint NOT NULL DEFAULT 0,
  manifest text,
  size bigint NOT NULL DEFAULT 0,
  sent bigint NOT NULL DEFAULT 0,
  saved_at timestamptz
);
CREATE TABLE IF NOT EXISTS fleet.accounts (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id bigint NOT NULL REFERENCES fleet.tenants ON DELETE CASCADE,
  name text NOT NULL,
  platform text NOT NULL,
  source text,
  options jsonb NOT NULL DEFAULT '{}',
  next_at timestamptz NOT NULL DEFAULT now(),
  tried_at timestamptz,
  good_at timestamptz,
  failures integer NOT NULL DEFAULT 0,
  outcome text,
  error_code text,
  message text,
  UNIQUE (tenant_id, name)
);
CREATE TABLE IF NOT EXISTS fleet.limits (
  key text PRIMARY KEY,
  most integer,
  seconds double precision NOT NULL DEFAULT 0,
  tokens double precision,
  asked bigint NOT NULL DEFAULT 0,
  refused bigint NOT NULL DEFAULT 0,
  at timestamptz NOT NULL DEFAULT now(),
  paused_until timestamptz
);
CREATE TABLE IF NOT EXISTS fleet.alerts (
  cause text PRIMARY KEY,
  state text NOT NULL,
  text text NOT NULL
);
ALTER TABLE fleet.tenants ADD COLUMN IF NOT EXISTS media_size bigint NOT NULL DEFAULT 0;
ALTER TABLE fleet.tenants ADD COLUMN IF NOT EXISTS deleting_since timestamptz;
ALTER TABLE fleet.accounts ADD COLUMN IF NOT EXISTS added_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE fleet.tenants ADD COLUMN IF NOT EXISTS profile text;
CREATE UNIQUE INDEX IF NOT EXISTS tenants_profile ON fleet.tenants (profile);
CREATE INDEX IF NOT EXISTS accounts_due ON fleet.accounts (next_at);
"""


_Answer = TypeVar("_Answer")
WAITS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 60.0, 60.0)
"""Seconds between tries to reach a database that does not answer."""
STANDSTILL_SECONDS = 5
"""A transaction in which nothing happens for so long is undone: its worker is paused or gone."""
_CONNECT_SECONDS = 10
HELD = 1718379877
"""The first key of the advisory lock that a command has of a tenant, whose id is the second."""
_NO_TABLES = (
    psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn,
    psycopg.errors.InvalidSchemaName,
)  # fmt: skip
UNSAVED = "unsaved"
"""The outcome of an account whose backup could not be put back: nothing of it counts."""


class FleetDatabaseDown(StorageError):
    """The fleet's database does not answer."""

    default_code = "fleet_database_down"


class LeaseLost(StorageError):
    """Another worker has taken the tenant: what this one did since is not put back."""

    default_code = "lease_lost"


@dataclass(frozen=True, slots=True)
class FleetAccount:
    """An account of a tenant. `options` are its platform's, secrets among them by reference.

    `failures` is how often in a row it could not be read.
    """

    name: str
    platform: str
    source: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    tried_at: datetime | None = None
    failures: int = 0
    outcome: str | None = None

    def is_done_since(self, moment: datetime) -> bool:
        """Whether it was backed up since then, whatever its source answered."""
        is_saved = self.outcome != UNSAVED
        return is_saved and self.tried_at is not None and self.tried_at >= moment


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a tenant's archive, and what is the current version of that.

    `settings` is the file that the tenant names in place of the shared one.
    """

    tenant_id: int
    tenant: str
    fence: int
    version: int
    manifest: str | None
    settings: str | None


@dataclass(frozen=True, slots=True)
class DueTenant:
    """Accounts of a tenant that are due. `is_new`: none of them was ever read."""

    tenant: str
    accounts: tuple[str, ...]
    is_new: bool


def connect(address: str) -> "psycopg.Connection[Any]":
    """A connection whose transactions PostgreSQL ends where they stand still.

    Else a worker that is paused in the midst of one would keep a tenant, or a limit that all share,
    from all others. Raises psycopg.Error.
    """
    connection = psycopg.connect(
        address, autocommit=True, row_factory=namedtuple_row, connect_timeout=_CONNECT_SECONDS
    )
    connection.execute(f"SET idle_in_transaction_session_timeout = '{STANDSTILL_SECONDS}s'")
    return connection


@contextmanager
def connected(address: str) -> Iterator["psycopg.Connection[Any]"]:
    """A connection, in which each statement commits by itself.

    Raises FleetDatabaseDown; and UsageError where a statement misses a table or a column.
    """
    try:
        connection = connect(address)
    except psycopg.Error as error:
        raise _database_error(error) from None  # its message may quote the address
    try:
        yield connection
    except (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout) as error:
        raise _database_error(error) from error
    except _NO_TABLES:
        raise UsageError(
            "The tables of this fleet are of an earlier version, or missing",
            kept="Nothing was changed",
            hint="archiver fleet init",
        ) from None
    finally:
        connection.close()


def check_tables(address: str) -> None:
    """Look whether all tables are there. Raises UsageError, FleetDatabaseDown."""
    with connected(address) as connection:
        connection.execute(
            "SELECT profile, cause FROM fleet.tenants, fleet.alerts, fleet.accounts, fleet.limits,"
            " procrastinate_jobs LIMIT 0"
        )


def patiently(address: str, do: Callable[["psycopg.Connection[Any]"], _Answer]) -> _Answer:
    """Do something with a connection; again and again where the database is away for minutes.

    So it must be the same twice. Raises FleetDatabaseDown, and what `do` raises.
    """
    for wait in WAITS:
        try:
            with connected(address) as connection:
                return do(connection)
        except FleetDatabaseDown:
            time.sleep(wait)
    with connected(address) as connection:
        return do(connection)


def _database_error(error: psycopg.Error) -> FleetDatabaseDown:
    return FleetDatabaseDown(
        "The fleet's database does not answer",
        why=type(error).__name__,
        kept="Archives and jobs are as they were",
        hint="Check that PostgreSQL runs, and the address in fleet.toml",
    )


def add_accounts(
    connection: "psycopg.Connection[Any]", tenant: str, settings: str | None,
    accounts: Iterable[FleetAccount],
) -> int:  # fmt: skip
    """Add a tenant and its accounts, or change those that are there; how many are new."""
    with connection.transaction():
        row = connection.execute(
            "INSERT INTO fleet.tenants (name, settings) VALUES (%s, %s) ON CONFLICT (name)"
            " DO UPDATE SET settings = EXCLUDED.settings RETURNING id",
            (tenant, settings),
        ).fetchone()
        assert row is not None  # noqa: S101 — it was just written
        new = 0
        for account in accounts:
            found = connection.execute(
                "INSERT INTO fleet.accounts (tenant_id, name, platform, source, options)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (tenant_id, name) DO UPDATE SET"
                " platform = EXCLUDED.platform, source = EXCLUDED.source,"
                " options = EXCLUDED.options RETURNING xmax = 0 AS is_new",
                (row.id, account.name, account.platform, account.source,
                 json.dumps(dict(account.options))),
            ).fetchone()  # fmt: skip
            new += bool(found and found.is_new)
    return new


def accounts_of(connection: "psycopg.Connection[Any]", tenant: str) -> list[FleetAccount]:
    """The accounts of a tenant, in the order in which they were added."""
    rows = connection.execute(
        "SELECT a.* FROM fleet.accounts a JOIN fleet.tenants t ON t.id = a.tenant_id"
        " WHERE t.name = %s ORDER BY a.id",
        (tenant,),
    )
    return [
        FleetAccount(
            row.name, row.platform, row.source, row.options, row.tried_at, row.failures, row.outcome
        )
        for row in rows
    ]


def take_due(
    connection: "psycopg.Connection[Any]", tenants: Sequence[str] = (), *, now: bool = False
) -> list[DueTenant]:
    """The accounts that are due, by tenant, or with `now` all; of these tenants, or of all.

    They are not due again for an hour: long enough for a job that waits or is retried. Those that
    were never read come apart, so that they do not keep the others waiting. Raises UsageError.
    """
    for name in tenants:
        if connection.execute("SELECT 1 FROM fleet.tenants WHERE name = %s", (name,)).rowcount < 1:
            raise unknown_tenant(name)
    rows = connection.execute(
        "UPDATE fleet.accounts a SET next_at = now() + interval '1 hour' FROM fleet.tenants t"
        " WHERE t.id = a.tenant_id AND t.paused_at IS NULL AND (%(now)s OR a.next_at <= now())"
        " AND (%(all)s OR t.name = ANY(%(names)s))"
        " RETURNING t.name AS tenant, a.name, a.id, a.good_at IS NULL AS is_new",
        {"now": now, "all": not tenants, "names": list(tenants)},
    ).fetchall()
    found: dict[tuple[str, bool], list[str]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        found.setdefault((row.tenant, row.is_new), []).append(row.name)
    return [
        DueTenant(tenant, tuple(names), is_new) for (tenant, is_new), names in sorted(found.items())
    ]


def take_lease(connection: "psycopg.Connection[Any]", tenant: str, holder: str) -> Lease | None:
    """The newest lease of a tenant; None where it is paused, a command has it, or it is gone.

    Whoever held the one before cannot put anything back from now on.
    """
    return grant_lease(
        connection, tenant, holder,
        "AND paused_at IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE d.datname = current_database() AND l.locktype = 'advisory'"
        " AND l.classid::bigint = %(held)s AND l.objid::bigint = fleet.tenants.id)",
    )  # fmt: skip


def grant_lease(
    connection: "psycopg.Connection[Any]", tenant: str, holder: str, condition: LiteralString = ""
) -> Lease | None:
    """A new lease of a tenant, if a condition in SQL is met; else None.

    None too where there is no such tenant, or it is being deleted.
    """
    row = connection.execute(
        "UPDATE fleet.tenants SET fence = fence + 1, holder = %(holder)s, leased_at = now()"
        f" WHERE name = %(tenant)s AND deleting_since IS NULL {condition}"
        " RETURNING id, fence, version, manifest, settings",
        {"holder": holder, "tenant": tenant, "held": HELD},
    ).fetchone()
    if row is None:
        return None
    return Lease(row.id, tenant, row.fence, row.version, row.manifest, row.settings)


def ask_again(connection: "psycopg.Connection[Any]", tenant: str, accounts: Sequence[str]) -> None:
    """Have these accounts be due now."""
    connection.execute(
        "UPDATE fleet.accounts a SET next_at = now() FROM fleet.tenants t"
        " WHERE t.id = a.tenant_id AND t.name = %s AND a.name = ANY(%s)",
        (tenant, list(accounts)),
    )


def release(connection: "psycopg.Connection[Any]", lease: Lease) -> None:
    """Say that nobody writes the tenant's archive, unless another worker has taken it."""
    connection.execute(
        "UPDATE fleet.tenants SET holder = NULL WHERE id = %s AND fence = %s",
        (lease.tenant_id, lease.fence),
    )


def set_paused(
    connection: "psycopg.Connection[Any]", tenants: Sequence[str], *, paused: bool
) -> int:
    """Pause tenants, or let them go on; how many there are of these names."""
    return connection.execute(
        "UPDATE fleet.tenants SET paused_at = CASE WHEN %s THEN coalesce(paused_at, now()) END"
        " WHERE name = ANY(%s)",
        (paused, list(tenants)),
    ).rowcount


def manifest_of(connection: "psycopg.Connection[Any]", tenant: str) -> str | None:
    """The current version of a tenant's archive; None: there is none yet. Raises UsageError."""
    row = connection.execute(
        "SELECT manifest FROM fleet.tenants WHERE name = %s", (tenant,)
    ).fetchone()
    if row is None:
        raise unknown_tenant(tenant)
    manifest: str | None = row.manifest
    return manifest


def begin_deletion(
    connection: "psycopg.Connection[Any]", tenant: str, *, for_good: bool = False
) -> tuple[str | None, bool]:
    """Look whether a tenant can be deleted; `for_good`: from now on, nobody puts anything back.

    Returns its current version, and whether its deletion was begun before. Raises UsageError, also
    while a job of it runs.
    """
    with connection.transaction():
        row = connection.execute(
            "SELECT id, manifest, deleting_since FROM fleet.tenants WHERE name = %s FOR UPDATE",
            (tenant,),
        ).fetchone()
        if row is None:
            raise unknown_tenant(tenant)
        refuse_busy(connection, tenant, "Nothing was deleted")
        if for_good:
            connection.execute(
                "UPDATE fleet.tenants SET fence = fence + 1, deleting_since = now(),"
                " paused_at = coalesce(paused_at, now()) WHERE id = %s",
                (row.id,),
            )
    return row.manifest, row.deleting_since is not None


def refuse_busy(connection: "psycopg.Connection[Any]", tenant: str, kept: str) -> None:
    """Raise UsageError while a job of a tenant runs."""
    busy = connection.execute(
        "SELECT 1 FROM procrastinate_jobs WHERE lock = %s AND status = 'doing'", (tenant,)
    ).rowcount
    if busy:
        raise UsageError(
            f"{tenant} is being backed up",
            kept=kept,
            hint=f"archiver fleet pause {tenant}, and wait until the job has ended",
        )


def end_deletion(connection: "psycopg.Connection[Any]", tenant: str) -> None:
    """Forget a tenant whose deletion was begun, with its accounts and the jobs that wait."""
    with connection.transaction():
        connection.execute(
            "DELETE FROM procrastinate_jobs WHERE lock = %s AND status = 'todo'", (tenant,)
        )
        connection.execute(
            "DELETE FROM fleet.tenants WHERE name = %s AND deleting_since IS NOT NULL", (tenant,)
        )


def unknown_tenant(tenant: str) -> UsageError:
    """The error of a name that no tenant has."""
    return UsageError(f'There is no tenant "{tenant}" in this fleet')


def no_archive_yet(tenant: str) -> UsageError:
    """The error of a tenant that was never put into the store."""
    return UsageError(f"{tenant} has no archive yet", hint="It was never backed up")
