"""Nightly backups of a world of our own that speaks Mastodon's API, over real HTTP.

with fedi_nights(tmp_path) as nights:
    nights.press.publish("Good morning")
    report = nights.backup()
    nights.next_night()
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archiver.clock import Clock, DemoClock
from archiver.config import Config, load_config
from archiver.models import timestamp
from archiver.report import RunReport
from archiver.tokens import Login, Token, TokenStore, token_store
from support.archive_folder import ArchiveFolder, backup_now, installed_plugins
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


class AccountNights(ArchiveFolder):
    """One account `press` on a server, and an archive of it; `machine` is the clock of backups."""

    def __init__(self, folder: Path, handle: str, origin: str, machine: Clock) -> None:
        self.folder = folder
        self.handle = handle
        self.origin = origin
        self.machine = machine
        self.loop_time = LoopTime()
        self.plugins = installed_plugins()

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
        return backup_now(
            self.config(), self.plugins, self.machine, self.loop_time.options, **asked
        )


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
