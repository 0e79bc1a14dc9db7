"""Nightly backups of a world over real HTTP, in seconds: what many tests are made of.

with nights(tmp_path, "instagram") as world:
    world.account("instagram").publish("Good morning")
    report = world.backup()
    world.next_night()
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from archiver.clock import Clock, DemoClock
from archiver.config import Config, load_config
from archiver.plugins import Plugins
from archiver.report import RunReport
from archiver_ayrshare.accounts import PLATFORMS
from archiver_ayrshare.demo.accounts import WorldAccount
from archiver_ayrshare.demo.networks.base import JsonObject, View
from archiver_ayrshare.demo.posts import WorldPost
from archiver_ayrshare.demo.world import World
from support.archive_folder import ArchiveFolder, backup_now, installed_plugins
from support.loop_time import LoopTime
from support.served_world import serve

__all__ = ["PLATFORMS", "Nights", "nights", "rewrite"]

_CONFIG = """
[archive]
directory = "archive"
{archive}

[ayrshare]
api_key = "file:api-key"
base_url = "{base_url}"
{ayrshare}

[media]
{media}

[network]
allow = ["127.0.0.0/8"]
{network}
"""


class Nights(ArchiveFolder, World):
    """A world with an archive of it. Its accounts are named after their platforms.

    `settings` are lines of the config, by table; `given_key` is a wrong key to ask with;
    `machine` is the clock that backups go by, the world's own unless a test sets another;
    `loop_time` is what their time limits go by.
    """

    def __init__(self, folder: Path, platforms: Sequence[str], **options: Any) -> None:
        self.clock = DemoClock()
        self.machine: Clock = self.clock
        self.loop_time = LoopTime()
        super().__init__(self.clock.now, **options)
        self.folder = folder
        self.platforms = platforms
        self.base_url = ""
        self.plugins: Plugins = installed_plugins()
        self.settings = {
            "archive": "",
            "ayrshare": 'x_api_key = "file:x-key"\nx_api_secret = "file:x-secret"',
            "media": "",
            "network": "",
        }
        self.given_key: str | None = None
        self.extra = "".join(
            f'\n[[accounts]]\nname = "{platform}"\nplatform = "{platform}"\n'
            for platform in platforms
        )

    def config(self) -> Config:
        """The config, as its file says now."""
        secrets = {
            "api-key": self.given_key or self.api_key,
            "x-key": self.x_api_key,
            "x-secret": self.x_api_secret,
        }
        for name, secret in secrets.items():
            path = self.folder / name
            path.write_text(secret)
            path.chmod(0o600)
        path = self.folder / "archive.toml"
        path.write_text(_CONFIG.format(base_url=self.base_url, **self.settings) + self.extra)
        return load_config(path)

    def backup(self, **asked: Any) -> RunReport:
        """Run a backup now."""
        return backup_now(
            self.config(), self.plugins, self.machine, self.loop_time.options, **asked
        )

    def next_night(self, days: float = 1) -> None:
        """Let a day pass; hosts and signatures of all addresses rotate."""
        self.clock.advance(days=days)
        self.rotate()


@contextmanager
def nights(folder: Path, *platforms: str, **options: Any) -> Iterator[Nights]:
    """A world that is served, with these platforms (all ten by default) in its config."""
    world = Nights(folder, platforms or PLATFORMS, **options)
    with serve(world) as server:
        world.base_url = server.base_url
        yield world


def rewrite(account: WorldAccount, change: Callable[[WorldPost, JsonObject], None]) -> None:
    """Have every record of an account changed on its way out, as no platform should write it."""
    write = account.network.record

    def record(post: WorldPost, view: View) -> JsonObject:
        written = write(post, view)
        change(post, written)
        return written

    account.network = replace(account.network, record=record)
