"""A tenant that is taken from the workers for a command of a person, such as an erasure.

While it is held, no worker gets a lease of it: what is deleted from its store meanwhile can be
nothing that a worker has just put there. PostgreSQL itself lets it go where the command is killed,
or its machine is gone.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from archiver.errors import UsageError
from archiver.fleet.database import (
    HELD,
    Lease,
    LeaseLost,
    connected,
    grant_lease,
    no_archive_yet,
    refuse_busy,
    release,
    unknown_tenant,
)

_KEEPALIVES = {"idle": "30s", "interval": "10s", "count": "3"}


class HeldTenant:
    """The lease of a tenant that no worker gets, as long as the connection lasts."""

    def __init__(self, connection: psycopg.Connection[Any], lease: Lease) -> None:
        self.lease = lease
        self._connection = connection

    def check(self) -> None:
        """Raise LeaseLost, or psycopg.OperationalError, where it is not held any more."""
        still = self._connection.execute(
            "SELECT 1 FROM fleet.tenants WHERE id = %s AND fence = %s",
            (self.lease.tenant_id, self.lease.fence),
        ).rowcount
        if still != 1:
            raise LeaseLost(
                f"{self.lease.tenant} is not held by this command any more",
                kept="Its archive is as it was put back last",
                hint="Run this again",
            )


@contextmanager
def held_tenant(address: str, tenant: str, holder: str) -> Iterator[HeldTenant]:
    """Hold a tenant, whether it is paused or not. `address` is of the fleet's database.

    Raises UsageError where it is not in the fleet, has no archive, or is at work; and
    FleetDatabaseDown.
    """
    with connected(address) as connection, _let_go_at_once(connection):
        lease = _hold(connection, tenant, holder)
        try:
            yield HeldTenant(connection, lease)
        finally:
            with suppress(psycopg.OperationalError):  # then it is not held any more
                release(connection, lease)


@contextmanager
def _let_go_at_once(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Give back the lock in the end: PostgreSQL does it by itself some time after it is closed."""
    try:
        yield
    finally:
        with suppress(psycopg.OperationalError):
            connection.execute("SELECT pg_advisory_unlock_all()")


def _hold(connection: psycopg.Connection[Any], tenant: str, holder: str) -> Lease:
    for name, value in _KEEPALIVES.items():
        connection.execute(f"SET tcp_keepalives_{name} = '{value}'")
    row = connection.execute(
        "SELECT id, deleting_since, manifest, pg_try_advisory_lock(%s, id::integer) AS is_held"
        " FROM fleet.tenants WHERE name = %s",
        (HELD, tenant),
    ).fetchone()
    if row is None:
        raise unknown_tenant(tenant)
    if not row.is_held:
        raise UsageError(
            f"Another command has {tenant}",
            kept="Nothing was changed",
            hint="Wait until it has ended",
        )
    if row.deleting_since is not None:
        raise UsageError(f"{tenant} is being deleted", hint=f"archiver fleet delete {tenant}")
    if row.manifest is None:
        raise no_archive_yet(tenant)
    with connection.transaction():
        refuse_busy(connection, tenant, "Nothing was changed")
        lease = grant_lease(connection, tenant, holder)
        if lease is None or lease.tenant_id != row.id:  # deleted meanwhile, or made anew
            raise unknown_tenant(tenant)
    return lease
