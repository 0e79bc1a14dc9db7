"""Nightly backups of a world of our own that speaks Mastodon's API, over real HTTP.

with fedi_nights(tmp_path) as nights:
    nights.press.publish("Good morning")
    report = nights.backup()
    nights.next_night()
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio

from archiver.archive.database import DATABASE
from archiver.backup import BackupOptions, run_backup
from archiver.clock import Clock, DemoClock
from archiver.config import Config, load_config
from archiver.models import timestamp
from archiver.plugins import load_plugins
from archiver.report import RunReport, Silence
from archiver.tokens import Login, Token, TokenStore, token_store
from support.loop_time import LoopTime
from support.mastodon.app import serving
from support.mastodon.world import FediServer

_CONFIG = """
[archive]
directory = "archive"

[network]
allow = ["127.0.0.0/8", "localhost"]

[[accounts]]
name = "press"
platform = "mastodon"
handle = "{handle}"
server = "{origin}"
"""


class AccountNights:
    """One account `press` on a server, and an archive of it; `machine` is the clock of backups."""

    def __init__(self, folder: Path, handle: str, origin: str, machine: Clock) -> None:
        self.folder = folder
        self.handle = handle
        self.origin = origin
        self.machine = machine
        self.loop_time = LoopTime()
        self.plugins = load_plugins()

    def config(self) -> Config:
        """The config, as its file says."""
        path = self.folder / "archive.toml"
        path.write_text(_CONFIG.format(handle=self.handle, origin=self.origin))
        return load_config(path)

    def store(self) -> TokenStore:
        """Where its logins are kept."""
        return token_store(self.config())

    def backup(self, **asked: Any) -> RunReport:
        """Run a backup now."""
        config = self.config()

        async def run() -> RunReport:
            return await run_backup(
                config, self.plugins, BackupOptions(**asked), clock=self.machine,
                progress=Silence(), version="test",
            )  # fmt: skip

        return anyio.run(run, backend_options=self.loop_time.options)

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows of the archive."""
        connection = sqlite3.connect(f"file:{self.folder / 'archive' / DATABASE}?mode=ro", uri=True)
        try:
            return connection.execute(sql, parameters).fetchall()
        finally:
            connection.close()

    def column(self, sql: str, *parameters: object) -> list[Any]:
        """The first column of rows of the archive."""
        return [row[0] for row in self.query(sql, *parameters)]


class FediNights(AccountNights):
    """An account of a world of our own, and an archive of it."""

    def __init__(self, folder: Path, world: FediServer, clock: DemoClock) -> None:
        super().__init__(folder, f"press@{world.host}", world.origin, clock)
        self.clock = clock
        self.world = world
        self.press = world.sign_up("press", display_name="Press office")

    def log_in(self, user: str = "press") -> None:
        """Have a token of somebody in the store, as after a login."""
        given = self.world.hand_out(self.world.accounts[user])
        app = self.world.register("http://127.0.0.1/", "read")
        login = Login(
            self.world.origin,
            user=user,
            obtained_at=timestamp(self.clock.now()) or "",
            expires_at=timestamp(given.ends_at),
            is_renewable=given.refresh is not None,
            token_path="/oauth/token",
            client_id=app.client_id,
        )
        token = Token(login, given.access, given.refresh, app.client_secret)
        self.store().save("mastodon", "press", token)

    def next_night(self, days: float = 1) -> None:
        """Let a day pass."""
        self.clock.advance(days=days)


@contextmanager
def fedi_nights(folder: Path) -> Iterator[FediNights]:
    """A world that is served, and its archive."""
    clock = DemoClock()
    with serving(FediServer(clock.now)) as world:
        yield FediNights(folder, world, clock)
