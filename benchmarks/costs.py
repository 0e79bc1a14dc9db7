"""What an archive costs in disk and time: `python -m benchmarks.costs [POSTS PER ACCOUNT]`.

The demo's world is backed up over loopback: a first time, then unchanged, then with new numbers for
every post. The figures are printed into docs/costs.md.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import anyio

from archiver.archive.database import DATABASE
from archiver.backup.options import BackupOptions
from archiver.backup.run import run_backup
from archiver.clock import SystemClock
from archiver.config import load_config
from archiver.human import size_text
from archiver.plugins import load_plugins
from archiver.report import NoProgress, RunReport
from archiver.webserver import listen_on_loopback, origin_of, running
from archiver_ayrshare.demo.app import application
from archiver_ayrshare.demo.world import World
from benchmarks.environment import ROOT
from docs.figures import put_figures

PAGE = ROOT / "docs" / "costs.md"
PLATFORMS = ("facebook", "instagram", "threads", "youtube")
CONFIG = """
[archive]
directory = "archive-{keep}"
keep_responses = "{keep}"

[ayrshare]
api_key = "file:key"
base_url = "{origin}/api"

[network]
allow = ["127.0.0.0/8"]
"""


def main(posts: int) -> None:
    lines = [
        f"{posts * len(PLATFORMS):,} posts on {len(PLATFORMS)} platforms:",
        "",
        "| what | time | archive.db grows by | for each post |",
        "|---|---|---|---|",
    ]
    for keep in ("changed", "none"):
        lines += measured(posts, keep)
    text = "\n".join(lines)
    print(text)
    put_figures(PAGE, "costs", text)


def measured(posts: int, keep: str) -> list[str]:
    """The rows for one value of `keep_responses`."""
    world = World(lambda: datetime.now(UTC))
    for platform in PLATFORMS:
        world.account(platform).populate(posts)
    total = posts * len(PLATFORMS)
    sockets = listen_on_loopback()
    rows = []
    with (
        tempfile.TemporaryDirectory() as name,
        running(application(world), sockets, quiet=True),
    ):
        folder = Path(name)
        world.origins = [origin_of(sock) for sock in sockets]
        config = write_config(folder, world, keep)
        held = 0
        for what, has_more_likes in (
            ("first backup", False),
            ("night without news", False),
            ("night with new numbers for every post", True),
        ):
            if has_more_likes:
                more_likes(world)
            for account in PLATFORMS:
                world.account(account).forget_answers()
            seconds, report = backed_up(config)
            size = (folder / f"archive-{keep}" / DATABASE).stat().st_size
            grown, held = size - held, size
            rows.append(
                f'| {what}, `keep_responses = "{keep}"` | {seconds:.1f} s | {size_text(grown)} | '
                f"{grown / total:,.0f} bytes |"
            )
            assert report.exit_code == 0, report
    return rows


def more_likes(world: World) -> None:
    for platform in PLATFORMS:
        for post in world.account(platform).posts():
            post.count(likes=3, views=40)


def write_config(folder: Path, world: World, keep: str) -> Path:
    key = folder / "key"
    key.write_text(world.api_key)
    key.chmod(0o600)
    path = folder / "archive.toml"
    accounts = "".join(f'\n[[accounts]]\nname = "{p}"\nplatform = "{p}"\n' for p in PLATFORMS)
    path.write_text(CONFIG.format(keep=keep, origin=world.origins[0]) + accounts)
    return path


def backed_up(path: Path) -> tuple[float, RunReport]:
    config, plugins = load_config(path), load_plugins(environ={})

    async def run() -> RunReport:
        return await run_backup(
            config, plugins, BackupOptions(now=True, full=True), clock=SystemClock(),
            progress=NoProgress(), version="costs",
        )  # fmt: skip

    begin = time.monotonic()
    report = anyio.run(run)
    return time.monotonic() - begin, report


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
