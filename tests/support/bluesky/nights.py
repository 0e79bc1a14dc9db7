"""Nightly backups of a Bluesky account over real HTTP, from a network of the tests' own.

with bluesky_nights(tmp_path) as nights:
    alice = nights.network.account("alice.example")
    nights.follow(alice)
    alice.post("Hello")
    report = nights.backup()
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archiver.clock import DemoClock
from archiver.config import load_config
from archiver.report import RunReport
from archiver.webserver import listen, origin_of, running
from support.archive_folder import ArchiveFolder, backup_now, installed_plugins
from support.bluesky.world import AtAccount, AtNetwork
from support.loop_time import LoopTime

_CONFIG = """
[archive]
directory = "archive"

[bluesky]
plc = "{plc}"
appview = "{appview}"

[network]
allow = ["127.0.0.0/8", "localhost"]

[[accounts]]
name = "me"
platform = "bluesky"
source = "bluesky"
handle = "{handle}"
"""


class Archive(ArchiveFolder):
    """An archive of one Bluesky account, and the command that fills it."""

    def __init__(self, folder: Path, clock: Any) -> None:
        self.folder = folder
        self.clock = clock
        self.plc = self.appview = self.handle = ""
        self.loop_options: dict[str, Any] = {}

    @property
    def config_file(self) -> Path:
        """The config, written as it is now."""
        path = self.folder / "archive.toml"
        path.write_text(_CONFIG.format(plc=self.plc, appview=self.appview, handle=self.handle))
        return path

    def backup(self, **asked: Any) -> RunReport:
        """Run a backup now."""
        config = load_config(self.config_file)
        return backup_now(config, installed_plugins(), self.clock, self.loop_options, **asked)


class BlueskyNights(Archive):
    """An archive, and the network that its account is on."""

    def __init__(self, folder: Path) -> None:
        clock = DemoClock()
        super().__init__(folder, clock)
        self.network = AtNetwork(clock.now)
        self.loop_options = LoopTime().options

    def follow(self, account: AtAccount, handle: str | None = None) -> None:
        """Name an account in the config, by its handle or otherwise."""
        self.handle = handle or account.handle

    def next_night(self) -> None:
        """Let a day pass, and forget what was asked before."""
        self.clock.advance(days=1)
        self.network.requests.clear()


@contextmanager
def bluesky_nights(folder: Path) -> Iterator[BlueskyNights]:
    """A network that is served, and an archive beside it."""
    nights = BlueskyNights(folder)
    sock = listen("127.0.0.1", 0)
    base_url = origin_of(sock)
    nights.network.base_url = base_url
    nights.plc, nights.appview = f"{base_url}/plc", f"{base_url}/appview"
    with running(nights.network, [sock], quiet=True):
        yield nights
