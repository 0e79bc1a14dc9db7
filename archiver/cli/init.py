"""`archiver init`: writes a commented config."""

import os
import shlex
from importlib.resources import files
from pathlib import Path

import click

from archiver.cli.next_steps import keyless_text
from archiver.cli.shell import Shell, pass_shell, program, subcommand
from archiver.errors import ConfigError


def example_config() -> str:
    """The text of `archive.example.toml`: every setting, commented."""
    return files("archiver").joinpath("archive.example.toml").read_text("utf-8")


@subcommand(
    "init",
    short_help="Write a commented archive.toml.",
    example="archiver init ~/social-archive",
)
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@pass_shell
def command(shell: Shell, directory: Path) -> None:
    """Write a commented archive.toml into DIR, or here.

    Asks for nothing, and never overwrites a file.
    """
    path = directory / "archive.toml"
    _write_new(path, example_config())
    shell.report(f"Wrote {path}")
    quoted = shlex.quote(str(path))
    option = "" if directory.resolve() == Path.cwd() else f"--config {quoted} "
    command = f"{program()} {option}"
    shell.say(
        "\nNext:\n"
        f"  1. Add your accounts to the file{keyless_text(shell)}.\n"
        "     It has examples. For the others, take the # from the table that names a\n"
        "     key, which says where the key is found, and put the key into the variable\n"
        "     that it names. This adds all accounts that the key has linked:\n"
        f"         {command}accounts --discover >> {quoted}\n"
        "  2. Back them up, now and as often as you like, and look at them:\n"
        f"         {command}backup\n"
        f"         {command}browse"
    )


def _write_new(path: Path, text: str) -> None:
    """Write a file that did not exist, readable by its owner only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        hint = "Edit it, or name another folder: archiver init DIR"
        if not path.exists():
            raise ConfigError(f"{path.parent} is not a folder", hint=hint) from None
        raise ConfigError(
            f"{path} is there already", kept="Nothing was changed", hint=hint
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written", why=error.strerror) from None
