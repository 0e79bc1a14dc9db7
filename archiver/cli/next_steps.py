"""`archiver` without a command: what to do next."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from archiver.cli.shell import Shell
from archiver.cli.text import pad, safe, styled, width_of, wrap

if TYPE_CHECKING:
    from archiver.config import Config

Steps = Sequence[tuple[str, str]]
"""Commands without the program's name, and what each does."""

AFTER_BACKUP: Steps = (
    ("browse", "look at it in a browser"),
    ("status", "what is in the archive, and what is missing"),
)


def print_next_steps(shell: Shell) -> None:
    """Print the state of config and archive, and the next commands.

    Raises ConfigError for a config that is wrong, StorageError for an archive that is.
    """
    from archiver.archive.database import DATABASE

    if not (shell.config_file or _has_config()):
        title = "archiver backs up social media accounts: one SQLite file, and a folder of media."
        _print(
            shell, title,
            ("demo", "see it work with sample accounts, without a key"),
            ("init", "write a commented archive.toml into this folder, to begin"),
        )  # fmt: skip
        return
    config = shell.config()
    if (config.archive.directory / DATABASE).exists():
        steps = (("backup", "fetch what is new"), *AFTER_BACKUP)
        _print(shell, _archive_title(config.archive.directory), *steps)
    elif config.accounts:
        names = ", ".join(entry.name for entry in config.accounts[:3])
        more = f" and {len(config.accounts) - 3} more" if len(config.accounts) > 3 else ""
        _print(
            shell, f"{config.path} is ready to back up {names}{more}. There is no archive yet.",
            ("backup", "fetch everything, and from then on only what is new"),
            ("accounts", "check the accounts in the config"),
        )  # fmt: skip
    else:
        title = f"There are no accounts yet in {config.path}. Add them there{keyless_text(shell)}."
        _print(shell, title, *_account_steps(config))


def _has_config() -> bool:
    """Whether there is a config, or one is named that may be missing."""
    from archiver.config import ENVIRONMENT, find_config
    from archiver.errors import ConfigError

    try:
        find_config()
    except ConfigError:
        return bool(os.environ.get(ENVIRONMENT))
    return True


def keyless_text(shell: Shell) -> str:
    """Which platforms can be read without a key, in parentheses; empty where there are none."""
    from archiver.config import platforms_without_settings

    plugins = shell.plugins()
    names = platforms_without_settings(plugins, {item.name for item in plugins.platforms})
    return f" ({' and '.join(names)} without a key)" if names else ""


def _account_steps(config: "Config") -> Steps:
    return (
        (
            f"accounts --discover >> {safe(os.path.relpath(config.path))}",
            "add those that your API key has linked",
        ),
        ("backup", "fetch everything, and from then on only what is new"),
    )


def _archive_title(directory: Path) -> str:
    from archiver.archive.database import reader
    from archiver.human import ago, counted

    with reader(directory) as connection:
        (posts,) = connection.execute("SELECT count(*) FROM posts").fetchone()
        run = connection.execute(
            "SELECT coalesce(finished_at, started_at), outcome FROM runs ORDER BY id DESC LIMIT 1"
        ).fetchone()
    last = f"last run {ago(run[0], datetime.now(UTC))} ({run[1]})" if run else "no run yet"
    return f"{directory}: {counted(posts, 'post')}; {last}."


def _print(shell: Shell, title: str, *steps: tuple[str, str]) -> None:
    shell.report(wrap(safe(title)))
    shell.report()
    print_steps(shell, steps)
    shell.report()
    shell.report("archiver --help lists all commands and options.")


def print_steps(shell: Shell, steps: Steps) -> None:
    """Print commands with explanations, side by side or below each other."""
    from archiver.cli.text import screen_width

    lines = [(shell.command_line(command), meaning) for command, meaning in steps]
    widest = max(width_of(command) for command, _ in lines)
    fits = all(2 + widest + 2 + width_of(meaning) <= screen_width() for _, meaning in lines)
    for command, meaning in lines:
        if fits:
            shell.report(f"  {styled(pad(command, widest), bold=True)}  {meaning}")
        else:
            shell.report(f"  {styled(command, bold=True)}")
            shell.report(wrap(meaning, first="      ", rest="      "))
