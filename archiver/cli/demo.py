"""`archiver demo`: backups of sample accounts on this machine, without a key or a network."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.browse import INSTALL_DATASETTE
from archiver.cli.shell import Shell, pass_shell, program, subcommand
from archiver.cli.text import safe, styled, wrap
from archiver.errors import UsageError

if TYPE_CHECKING:
    from archiver.apis import DemoWorld
    from archiver.clock import Clock
    from archiver.config import Config
    from archiver.plugins import Plugins
    from archiver.report import RunReport

MARK = "# made by archiver demo; it is replaced when the demo runs again"

_CONFIG = """{mark}
# The source was a small world on this machine. It is gone, its archive stays.

[archive]
directory = "archive"

[network]
allow = ["127.0.0.0/8"]
{source}"""


@subcommand(
    "demo",
    short_help="Back up a few sample accounts, to see how it works.",
    example="archiver demo\narchiver demo /tmp/look-at-this",
)
@click.argument("folder", default="demo", metavar="[DIR]", type=click.Path(path_type=Path))
@pass_shell
def command(shell: Shell, folder: Path) -> int | None:
    """Serve sample accounts on this machine, and back them up a few days in a row.

    Needs no key and no network. The archive stays in DIR (default: demo), to be looked at with
    every other command; running the demo again replaces it.
    """
    from archiver.clock import DemoClock
    from archiver.webserver import listen_on_loopback, origin_of, running

    demo = shell.plugins().demo()
    _make_room(folder)
    clock = DemoClock(datetime.now(UTC) - timedelta(days=demo.days - 1), running=True)
    world = demo.begin(clock.now)
    worst = 0
    sockets = listen_on_loopback()
    with running(world.app, sockets, quiet=True):
        source = world.serve_at([origin_of(sock) for sock in sockets])
        for day in range(1, demo.days + 1):
            sentences = world.begin_day(day)
            _print_day(shell, day, sentences)
            config = _config(folder, source)
            report = _back_up(shell, config, world, clock)
            worst = max(worst, report.exit_code if report.exit_code != 3 else 0)
            clock.advance(days=1)
    _print_next_steps(shell, folder)
    return worst


def _make_room(folder: Path) -> None:
    """Make the folder, or take away what an earlier demo left in it.

    Raises UsageError when there is anything else.
    """
    config = folder / "archive.toml"
    if folder.is_dir() and any(folder.iterdir()):
        if not config.is_file() or not config.read_text("utf-8").startswith(MARK):
            raise UsageError(
                f"{folder} contains files that are not of a demo",
                kept="Nothing was changed",
                hint="Name an empty or new folder: archiver demo DIR",
            )
        shutil.rmtree(folder / "archive", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _config(folder: Path, source: str) -> "Config":
    from archiver.config import load_config

    path = folder / "archive.toml"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(_CONFIG.format(mark=MARK, source=source), "utf-8")
    return load_config(path)


def _print_day(shell: Shell, day: int, sentences: Sequence[str]) -> None:
    if shell.quiet:
        return
    shell.report(styled(f"\nDay {day}", bold=True))
    for sentence in sentences:
        shell.report(wrap(sentence, first="  · ", rest="    "))
    shell.report(styled("\n$ archiver backup", bold=True))


def _back_up(shell: Shell, config: "Config", world: "DemoWorld", clock: "Clock") -> "RunReport":
    """Run one backup over HTTP, and report what it downloaded again."""
    import anyio

    from archiver.backup.options import BackupOptions
    from archiver.backup.run import run_backup
    from archiver.cli.summary import run_summary
    from archiver.human import size_text
    from archiver.report import NoProgress
    from archiver.version import version

    plugins: Plugins = shell.plugins()
    before = world.sent_files()

    async def run() -> "RunReport":
        return await run_backup(
            config, plugins, BackupOptions(), clock=clock, progress=NoProgress(), version=version()
        )

    report = anyio.run(run)
    if not shell.quiet:
        shell.report(run_summary(report))
        if before:
            again = _bytes_sent_again(before, world.sent_files())
            shell.report(
                f"{len(before)} files were here already, all under new addresses: "
                f"{size_text(again)} of them fetched again."
            )
    return report


def _bytes_sent_again(before: Mapping[str, int], after: Mapping[str, int]) -> int:
    """How many bytes of files were sent again."""
    return sum(after[path] - sent for path, sent in before.items())


def _print_next_steps(shell: Shell, folder: Path) -> None:
    if shell.quiet:
        return
    command = f"{program()} --config {safe(folder / 'archive.toml')}"
    shell.report(styled("\nLook at it", bold=True))
    if find_spec("datasette") is None:
        shell.report(f"  {INSTALL_DATASETTE}")
    shell.report(f"  {command} browse")
    shell.report(f"  {command} status")
    shell.report(f"  {command} verify")
    shell.report(f"  sqlite3 {safe(folder / 'archive' / 'archive.db')} 'SELECT * FROM timeline'")
    shell.report(f"  ls {safe(folder / 'archive' / 'media')}")
