"""`archiver browse`: look at the archive in a browser, or make a copy that others may see."""

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.places import archive_folder
from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.text import safe, styled
from archiver.cli.values import WholeNumber
from archiver.errors import UsageError

if TYPE_CHECKING:
    from archiver.browse.published import Published

INSTALL_DATASETTE = "pip install 'datasette>=0.65.2'"
"""Installs Datasette by its own name, which works from a clone and a wheel alike."""


@subcommand(
    "browse",
    short_help="Look at the archive in a browser.",
    example="archiver browse\n"
    "archiver browse ~/old/archive --port 0 --no-open\n"
    "archiver browse --published ~/public/archive",
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
@pass_shell
def command(
    shell: Shell, place: Path | None, port: int, no_open: bool, with_plugins: bool,
    published: Path | None, with_removed: bool,
) -> None:  # fmt: skip
    """Show the archive as a timeline, a gallery and pages of posts; and as tables, with SQL.

    ARCHIVE is the folder of an archive, or the one that it is in; without it, the one in the
    config. It is opened for reading only, also while a backup runs, and served to this machine
    only. With --published, a copy is made that has only what was public.
    """
    try:
        from archiver.browse import server
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in {"datasette", "uvicorn"}:
            raise
        raise UsageError(
            "Browsing needs Datasette, which is not installed",
            hint=INSTALL_DATASETTE,
        ) from error

    folder = archive_folder(place) if place else shell.config().archive.directory
    database = server.find_database(folder)
    if published is not None:
        from archiver.browse.published import publish

        _print_published(shell, publish(database, published, with_removed=with_removed))
        return
    datasette = server.make_datasette(database, other_plugins=with_plugins)

    def ready(url: str) -> None:
        shell.out(f"{safe(database.parent)} is at {styled(url, bold=True)} until you press Ctrl-C")
        if not no_open:
            webbrowser.open(url)

    server.serve(datasette, port, ready)


def _print_published(shell: Shell, made: "Published") -> None:
    from archiver.human import counted, size_text

    posts, files = counted(made.posts, "post"), counted(made.files, "file")
    shell.report(f"{posts} and {files} ({size_text(made.bytes)}) are in {safe(made.folder)}.")
    for what in made.left_out:
        shell.report(f"Left out: {what}.")
    shell.report("\nServe it with:\n")
    shell.report(f"  {safe(made.serve)}")
