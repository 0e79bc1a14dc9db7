"""`archiver schedule`: have the system run the backup by itself."""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.values import WholeNumber
from archiver.errors import UsageError

if TYPE_CHECKING:
    from archiver.unattended.schedulers.installer import Installer

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_DEFAULT = "03:17"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}", re.ASCII)
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,60}", re.ASCII)


@subcommand(
    "schedule",
    short_help="Have the system run the backup by itself.",
    example="archiver schedule install\narchiver schedule install --dry-run\n"
    "archiver schedule install --at 02:30\n"
    "sudo archiver schedule install --system archiver\n"
    "archiver schedule show\narchiver schedule remove",
)
@click.argument("action", type=click.Choice(["install", "show", "remove"]))
@click.option(
    "--at", metavar="HH:MM", help="Once a night at this local time, instead of every hour."
)
@click.option(
    "--minutes", type=WholeNumber(min=1), metavar="M",
    help="Scan all accounts first in each run, and begin no file after M minutes.",
)  # fmt: skip
@click.option("--name", default="archiver", help="The name of the job, where there are several.")
@click.option(
    "--system", metavar="USER",
    help="systemd only: run for the whole system, as this user, also while nobody is logged in.",
)  # fmt: skip
@click.option("--on-mains", is_flag=True, help="Only while the machine is not on battery.")
@click.option(
    "--scheduler", type=click.Choice(["systemd", "launchd", "windows", "cron"]),
    help="Which scheduler; by default that of this system.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
@pass_shell
def command(
    shell: Shell, action: Literal["install", "show", "remove"], at: str | None,
    minutes: int | None, name: str, system: str | None, on_mains: bool, scheduler: str | None,
    dry_run: bool,
) -> None:  # fmt: skip
    """Install the backup in the system's own scheduler, show it, or remove it.

    That is systemd, launchd, the Task Scheduler of Windows, or else cron. It calls archiver backup
    --due every hour, which looks for new posts once a day, and for stories every 8 hours. With --at
    it runs archiver backup once a night. A run that was missed while the machine was off is caught
    up. Installing again replaces what was installed.
    """
    installer = _installer(shell, at, minutes, name, system, scheduler, on_mains=on_mains)
    if dry_run and action != "install":
        raise UsageError("--dry-run is for install only")
    if action == "show":
        shell.out(installer.installed() or f"Nothing is installed as {name}")
    elif action == "remove":
        is_gone = installer.remove()
        shell.report(f"Removed {name}" if is_gone else f"Nothing is installed as {name}")
    elif dry_run:
        shell.out(installer.preview().rstrip())
    else:
        shell.config()  # what cannot be read by day fails at night
        installer.install()
        shell.report(f"{name} runs {installer.job.rhythm}, by {installer.scheduler}")
        shell.say(f"Its output: {installer.plan.logs}")
        if installer.plan.remark:
            shell.say(installer.plan.remark)


def _installer(
    shell: Shell, at: str | None, minutes: int | None, name: str, system: str | None,
    scheduler: str | None, *, on_mains: bool,
) -> "Installer":  # fmt: skip
    from archiver.unattended.schedulers.installer import Installer, scheduler_here
    from archiver.unattended.schedulers.job import Job

    time = _TIME.fullmatch(_DEFAULT if at is None else at)
    if time is None:
        raise UsageError(f"--at {at} is no time of day", hint="Write for example --at 03:17")
    if not _NAME.fullmatch(name):
        raise UsageError(
            f'--name "{name}" cannot be used', hint="Use letters, digits, - and _ only"
        )
    scheduler = scheduler or scheduler_here()
    if system is not None and (scheduler != "systemd" or not _USER.fullmatch(system)):
        raise UsageError(f"--system {system} cannot be used: it needs systemd, and a user's name")
    config, writable = _paths(shell)
    hour = None if at is None else int(time[1])
    job = Job(
        name, _program(), config, writable, hour, int(time[2]), system, on_mains, minutes
    )  # fmt: skip
    return Installer(scheduler, job, Path.home())


def _paths(shell: Shell) -> tuple[Path, tuple[Path, ...]]:
    """The config, and the folders that a run writes to, as far up as they exist."""
    from archiver.disks import existing_parent

    config = shell.config()
    folders = (config.archive.directory, config.path.parent)
    paths = (config.path, *folders)
    if any("\n" in str(path) for path in paths):
        raise UsageError("A path with a line break cannot be written into a schedule")
    return config.path, tuple(existing_parent(folder) for folder in folders)


def _program() -> tuple[str, ...]:
    """The words that start this program from any folder."""
    called = shutil.which(sys.argv[0])
    if called is not None and Path(called).stem == "archiver":
        return (os.path.abspath(called),)  # noqa: PTH100 — a link is kept: it survives upgrades
    return (sys.executable, "-P", "-m", "archiver")
