"""A fleet on this machine: PostgreSQL, tenants, and the demo's world as their source.

Server and world are started once; each test has a database of its own.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from archiver.clock import DemoClock
from archiver.errors import UsageError
from archiver.fleet.database import FleetAccount, add_accounts, connected
from archiver.fleet.demo import write_demo
from archiver.fleet.jobs import FleetQueue, open_queue
from archiver.fleet.postgres import EmbeddedPostgres, embedded_postgres
from archiver.fleet.tenant_backup import TenantJob
from archiver.plugins import load_plugins
from archiver.webserver import listen_on_loopback, origin_of, running


@dataclass(frozen=True)
class FleetBench:
    """A fleet in a folder, with a database of its own. `accounts` are those of the world."""

    folder: Path
    address: str
    accounts: list[FleetAccount]
    file: Path

    def add(self, tenant: str, number: int = 1) -> list[FleetAccount]:
        """Add a tenant with so many of the accounts."""
        with connected(self.address) as connection:
            add_accounts(connection, tenant, None, self.accounts[:number])
        return self.accounts[:number]

    def job(self, tenant: str, *accounts: FleetAccount, asked_at: str | None = None) -> TenantJob:
        """A job of these accounts, asked for now."""
        at = asked_at or datetime.now(UTC).isoformat()
        names = tuple(account.name for account in accounts)
        return TenantJob(str(self.file), tenant, names, at, True, "a test", os.getpid())

    def rows(self) -> dict[str, Any]:
        """The tenants by name, with how many accounts are good and fail, and the reasons."""
        with connected(self.address) as connection:
            rows = connection.execute(
                "SELECT t.*, count(a.id) AS accounts, count(a.good_at) AS good,"
                " count(a.error_code) AS failing, array_agg(a.error_code) AS reasons"
                " FROM fleet.tenants t LEFT JOIN fleet.accounts a ON a.tenant_id = t.id"
                " GROUP BY t.id"
            )
            return {row.name: row for row in rows}

    def account_rows(self) -> dict[str, Any]:
        """The accounts by name."""
        with connected(self.address) as connection:
            rows = connection.execute("SELECT * FROM fleet.accounts")
            return {row.name: row for row in rows}

    def queue(self) -> FleetQueue:
        """The queue of the fleet."""
        return open_queue(self.file)

    def at(self, folder: Path, store: str, endpoint: str) -> Path:
        """The `fleet.toml` of a machine whose archives are in that folder, and in a bucket."""
        folder.mkdir()
        text = self.file.read_text("utf-8").replace('directory = "."', f'directory = "{folder}"')
        text += f'store = "{store}"\nstore_endpoint = "{endpoint}"\n'
        text += 'store_key = "env:STORE_KEY"\nstore_secret = "env:STORE_KEY"\n'
        other = self.folder / f"{folder.name}.toml"
        other.touch(mode=0o600)
        other.write_text(text, "utf-8")
        return other


@dataclass(frozen=True)
class FleetGround:
    """What all fleets of a process share: a server, and TOML that says where the world is."""

    server: EmbeddedPostgres
    source: str
    numbers: Iterator[int]

    def new_database(self) -> str:
        """The address of a new database that has the tables of a fleet."""
        name = f"fleet_{next(self.numbers)}"
        with connected(self.server.address) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE fleet")
        return self.address_of(name)

    def address_of(self, name: str) -> str:
        """The address of a database of the server."""
        return self.server.address.replace("/postgres?", f"/{name}?")


@contextmanager
def fleet_ground(folder: Path) -> Iterator[FleetGround]:
    """The server and the world; a skip that says why where no PostgreSQL runs."""
    world = load_plugins(environ={}).demo().begin(DemoClock(datetime.now(UTC), running=True).now)
    sockets = listen_on_loopback()
    with ExitStack() as stack:
        stack.enter_context(running(world.app, sockets, quiet=True))
        try:
            server = stack.enter_context(embedded_postgres())
        except UsageError as error:
            pytest.skip(f"no PostgreSQL can be run here: {error}")
        world.begin_day(1)
        source = world.serve_at([origin_of(sock) for sock in sockets])
        ground = FleetGround(server, source, count(1))
        with connected(server.address) as connection:
            connection.execute("CREATE DATABASE fleet")
        _, file = _write(folder / "template", source)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ARCHIVER_FLEET_DEMO", ground.address_of("fleet"))
            asyncio.run(_prepare(open_queue(file)))
        yield ground


def new_fleet(ground: FleetGround, folder: Path, monkeypatch: pytest.MonkeyPatch) -> FleetBench:
    """A fleet without tenants."""
    address = ground.new_database()
    monkeypatch.setenv("ARCHIVER_FLEET_DEMO", address)
    accounts, file = _write(folder / "fleet", ground.source)
    return FleetBench(folder / "fleet", address, accounts, file)


def _write(folder: Path, source: str) -> tuple[list[FleetAccount], Path]:
    return write_demo(folder, source), folder / "fleet.toml"


async def _prepare(queue: FleetQueue) -> None:
    async with queue.app.open_async():
        await queue.prepare()
