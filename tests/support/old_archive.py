"""An archive as the first version of the schema had it, made by the program of that time.

`tests/data/m001.tar.gz` has its rows as SQL and its files. It was made by the commit d2c3902, with
`live` below and that commit's own `backup`, `verify` and `repair`; no later program can make it.
"""

import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archiver.archive.database import APPLICATION_ID, DATABASE, KNOWN_STEPS
from archiver.archive.schema import migrations
from archiver_ayrshare.demo.specs import photo, video

PLATFORMS = ("instagram", "twitter", "tiktok", "bluesky")
PACKED = Path(__file__).parent.parent / "data" / "m001.tar.gz"


def live(world: Any, backup: Callable[..., object], repair: Callable[[], object]) -> None:
    """Some nights in which everything happens that leaves a row of its own kind."""
    instagram, twitter = world.account("instagram"), world.account("twitter")
    for platform in PLATFORMS:
        world.account(platform).populate(2, stories=platform == "instagram")
    reel = instagram.publish("A reel with a song", kind="reel", media=[video()])
    typo = instagram.publish("Oepn on Monday", media=[photo(alt="A door")])
    regret = twitter.publish("A regret", media=[photo()])
    back = twitter.publish("Here and there")
    lost = twitter.publish("A picture that the platform lost", media=[photo()])
    twitter.publish("A film", media=[video()])
    reel.withhold()
    lost.lose_media()
    world.settings["media"] = 'thumbnails = false\nmax_size = "12KB"'
    backup(limit=2)
    world.tick()
    backup()
    world.next_night()
    typo.edit(text="Open on Monday")
    regret.remove()
    back.remove()
    world.tick()
    backup(full=True)
    world.next_night()
    reel.release()
    back.restore()
    backup(full=True)
    world.next_night()
    backup(full=True)
    repair()
    world.next_night()
    backup(now=True)


def unpack(folder: Path) -> Path:
    """The archive in a folder, as it was then; returns the folder of the archive."""
    folder.mkdir(mode=0o700)
    with tarfile.open(PACKED) as packed:
        packed.extractall(folder, filter="data")
    rows = folder / "rows.sql"
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size = 8192")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA journal_mode = WAL")
        migrations.apply(Database(connection), stop_before=KNOWN_STEPS - {"m001_archive"})
        for table in ("about", "holdings", "tallies"):
            connection.execute(f"DELETE FROM {table}")
        connection.executescript(rows.read_text("utf-8"))
    rows.unlink()
    return folder


def apply_steps_before(connection: sqlite3.Connection, *steps: str) -> None:
    """Bring an archive to where an earlier version had it: up to the first of these steps."""
    connection.execute("PRAGMA foreign_keys = OFF")
    migrations.apply(Database(connection), stop_before=set(steps))
    connection.commit()
