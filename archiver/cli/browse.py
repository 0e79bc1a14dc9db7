"""`archiver browse`: look at the archive in a browser, or make a copy that others may see."""

import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.places import archive_folder
from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.tenants import (
    TenantChoice,
    reading_place,
    refuse_folder_of_tenant,
    tenant_options,
)
from archiver.cli.text import safe, styled
from archiver.cli.values import WholeNumber
from archiver.errors import UsageError

if TYPE_CHECKING:
    from archiver.browse.published import Published
    from archiver.media.store import MediaStore

INSTALL_DATASETTE = "pip install 'datasette>=0.65.2'"
"""Installs Datasette by its own name, which works from a clone and a wheel alike."""


@subcommand(
    "browse",
    short_help="Look at the archive in a browser.",
    example="archiver browse\n"
    "archiver browse ~/old/archive --port 0 --no-open\n"
    "archiver browse --published ~/public/archive\n"
    "archiver browse --tenant acme",
)
@click.argument("place", required=False, metavar="[ARCHIVE]", type=click.Path(path_type=Path))
@click.option(
    "--port",
    default=8001,
    show_default=True,
    help="Where to listen; 0: any free port.",
    type=WholeNumber(0, 65535),
)
@click.option("--no-open", is_flag=True, help="Only print the address; open no browser.")
@click.option("--with-plugins", is_flag=True, help="Load other installed Datasette plugins too.")
@click.option(
    "--published",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Make a copy without private columns in DIR instead, to put on a server.",
)
@click.option(
    "--with-removed",
    is_flag=True,
    help="Keep in that copy what was removed or has expired, and earlier texts of what was edited.",
)
@tenant_options
@pass_shell
def command(
    shell: Shell, place: Path | None, port: int, no_open: bool, with_plugins: bool,
    published: Path | None, with_removed: bool, chosen_tenant: TenantChoice,
) -> None:  # fmt: skip
    """Show the archive as a timeline, a gallery and pages of posts; and as tables, with SQL.

    ARCHIVE is the folder of an archive, or the one that it is in; without it, the one in the
    config. It is opened for reading only, also while a backup runs, and served to this machine
    only. With --published, a copy is made that has only what was public. With --tenant, it is the
    version of the tenant's archive that is on record when the command begins.
    """
    _require_datasette()
    refuse_folder_of_tenant(chosen_tenant, place, "ARCHIVE")
    asked = _BrowseOptions(port, no_open, with_plugins, published, with_removed)
    if place is not None:
        _browse(shell, archive_folder(place), None, None, asked)
        return
    with reading_place(shell, chosen_tenant) as found:
        _browse(shell, found.directory, found.name, found.store, asked)


@dataclass(frozen=True, slots=True)
class _BrowseOptions:
    """How to show an archive, or what to publish of it."""

    port: int
    no_open: bool
    with_plugins: bool
    published: Path | None
    with_removed: bool


def _require_datasette() -> None:
    """Raise UsageError where Datasette is not installed."""
    try:
        from archiver.browse import server  # noqa: F401 — whether it can be imported
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in {"datasette", "uvicorn"}:
            raise
        raise UsageError(
            "Browsing needs Datasette, which is not installed",
            hint=INSTALL_DATASETTE,
        ) from error


def _browse(
    shell: Shell, folder: Path, name: str | None, store: "MediaStore | None", asked: _BrowseOptions
) -> None:
    """Show or publish an archive. `name` is that in messages, else that of its folder."""
    from archiver.browse import server

    database = server.find_database(folder)
    if asked.published is not None:
        from archiver.browse.published import publish

        made = publish(database, asked.published, with_removed=asked.with_removed, store=store)
        _print_published(shell, made)
        return
    datasette = server.make_datasette(database, other_plugins=asked.with_plugins, store=store)

    def ready(url: str) -> None:
        shown = name or safe(database.parent)
        shell.out(f"{shown} is at {styled(url, bold=True)} until you press Ctrl-C")
        if not asked.no_open:
            webbrowser.open(url)

    server.serve(datasette, asked.port, ready)


def _print_published(shell: Shell, made: "Published") -> None:
    from archiver.human import counted, size_text

    posts, files = counted(made.posts, "post"), counted(made.files, "file")
    shell.report(f"{posts} and {files} ({size_text(made.bytes)}) are in {safe(made.folder)}.")
    for what in made.left_out:
        shell.report(f"Left out: {what}.")
    shell.report("\nServe it with:\n")
    shell.report(f"  {safe(made.serve)}")
