"""`archiver export`: chosen posts, with their media, in a form that others open."""

from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from archiver.cli.progress import progress_bar
from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.tenants import ArchivePlace, TenantChoice, archive_place, tenant_options
from archiver.cli.text import safe, wrap
from archiver.cli.values import Date
from archiver.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from archiver.export.formats.form import ExportFormat
    from archiver.export.run import Exported
    from archiver.export.selection import ArchiveSelection
    from archiver.export_writers import ExportWriter

FORMS = ("jsonl", "csv", "html", "sqlite", "eml", "loadfile", "activitystreams", "wacz", "bagit")
"""The names of all forms; what each has is in docs/exporting.md."""


def export_forms(writers: "Iterable[ExportWriter]" = ()) -> "dict[str, ExportFormat]":
    """All forms, by their names, with those that plugins add.

    Raises PluginError for two of the same name.
    """
    from archiver.errors import PluginError
    from archiver.export.formats import FORMATS
    from archiver.export.formats.form import added_format
    from archiver.site import html_format

    forms = FORMATS | {html_format.FORMAT.name: html_format.FORMAT}
    for writer in writers:
        if writer.name in forms:
            raise PluginError(
                f"There are two export formats of the name {writer.name}",
                hint="Uninstall the plugin that adds it: archiver plugins lists all",
            )
        forms[writer.name] = added_format(writer)
    return forms


@subcommand(
    "export",
    short_help="Write posts and media in a form that others open.",
    example="archiver export csv ~/posts-of-2025 --since 2025 --until 2026\n"
    "archiver export bagit /mnt/usb/council --account council-facebook\n"
    'archiver export eml ~/case-2026-17 --held "2026/17"',
)
@click.argument(
    "form", metavar="FORMAT",
    shell_complete=lambda _, __, begun: [name for name in FORMS if name.startswith(begun)],
)  # fmt: skip
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--account",
    "accounts",
    metavar="NAME",
    multiple=True,
    help="Only this account; may be given again.",
)
@click.option("--since", type=Date(), metavar="DATE", help="Only posts from this date on.")
@click.option("--until", type=Date(), metavar="DATE", help="Only posts before this date.")
@click.option(
    "--search",
    "words",
    metavar="WORDS",
    default="",
    help='Only posts with all these words, or "a phrase".',
)
@click.option(
    "--kind", "kinds", metavar="KIND", multiple=True,
    help="Only posts of this kind, such as reel; may be given again.",
)  # fmt: skip
@click.option("--as-of", type=Date(), metavar="DATE", help="Posts as they were at this moment.")
@click.option(
    "--held",
    "matter",
    metavar="MATTER",
    default="",
    help="Only posts under a legal hold of this matter.",
)
@click.option(
    "--public/--all",
    "only_public",
    default=None,
    help="Only what is public now, or all. Default: public for html and activitystreams.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@tenant_options
@pass_shell
def command(
    shell: Shell, form: str, target: Path, accounts: tuple[str, ...], since: datetime | None,
    until: datetime | None, words: str, kinds: tuple[str, ...], as_of: datetime | None, matter: str,
    only_public: bool | None, as_json: bool, chosen_tenant: TenantChoice,
) -> int | None:  # fmt: skip
    """Write posts, all or chosen, with their media into the new folder TARGET.

    FORMAT is one of

    \b
      jsonl            everything, for programs
      csv              tables for spreadsheets
      html             a web site that needs no server
      sqlite           a smaller archive, which archiver and Datasette open
      eml              e-mail messages
      loadfile         a load file for e-discovery: DAT and OPT
      activitystreams  what Mastodon's own export has
      wacz             a web archive (WARC) of answers and files
      bagit            what jsonl writes, as a bag for other archives

    or one that a plugin adds. The folder gets its name when it is complete; run the same command
    again after an interruption. That an export was made, by whom and with which manifest, is
    written into the archive.
    """  # noqa: D301 — Click knows a list by this character
    from archiver.export.selection import ArchiveSelection
    from archiver.models import timestamp

    _refuse_unknown_kinds(kinds)
    chosen_form = _form(form, shell)
    if only_public is None:
        only_public = chosen_form.is_public
    selection = ArchiveSelection(
        accounts, timestamp(since) or "" if since else "", timestamp(until) or "" if until else "",
        words, matter, only_public, kinds, timestamp(as_of) or "" if as_of else "",
    )  # fmt: skip
    with archive_place(shell, chosen_tenant, "archiver export") as place:
        made = _export(shell, place, target, chosen_form, selection)
        if _log(shell, place, form, selection, made):
            place.put_back()
        return _tell(shell, place, made, as_json=as_json)


def _export(
    shell: Shell, place: ArchivePlace, target: Path, form: "ExportFormat",
    selection: "ArchiveSelection",
) -> "Exported":  # fmt: skip
    from archiver.export.as_of import NO_READERS, text_readers
    from archiver.export.run import export_posts

    settings = place.config.archive
    with progress_bar(shell, "exporting") as (on_total, on_post):
        return export_posts(
            settings.directory, place.store, target, form, selection, on_total=on_total,
            on_post=on_post,
            readers=text_readers(shell.plugins().platforms) if selection.as_of else NO_READERS,
            made_by=settings.actor,
        )  # fmt: skip


def _tell(shell: Shell, place: ArchivePlace, made: "Exported", *, as_json: bool) -> int | None:
    """Print what was written; returns the exit code. Raises DamageFound."""
    from archiver.errors import DamageFound
    from archiver.human import counted, size_text

    if as_json:
        shell.json({**asdict(made), "folder": str(made.folder)})
        return DamageFound.exit_code if made.damaged else None
    posts, files = counted(made.posts, "post"), counted(made.files, "media file")
    shell.report(wrap(f"{posts} and {files} ({size_text(made.size)}) are in {safe(made.folder)}."))
    if made.not_included:
        shell.report(f"Not included: {counted(made.not_included, 'file')}; README.txt says why.")
    if made.damaged:
        raise DamageFound(
            f"{counted(made.damaged, 'file')} that should be in {place.config.archive.directory} "
            "cannot be read or are damaged",
            kept=f"All else is in {made.folder}",
            hint=f"Run archiver verify {place.arguments}--repair, then export again",
        )
    return None


def _form(name: str, shell: Shell) -> "ExportFormat":
    """The form of that name; plugins are loaded only for one that archiver does not have."""
    forms = export_forms()
    if name not in forms:
        forms = export_forms(shell.plugins().export_writers)
    if name not in forms:
        raise UsageError(
            f"There is no export format {name}", hint=f"There are {', '.join(sorted(forms))}"
        )
    return forms[name]


def _refuse_unknown_kinds(kinds: tuple[str, ...]) -> None:
    """Raise UsageError for a kind that no post can have."""
    from archiver.models import Kind

    if unknown := [kind for kind in kinds if kind not in get_args(Kind)]:
        raise UsageError(
            f"No post is of kind {unknown[0]}", hint=f"Kinds are {', '.join(get_args(Kind))}"
        )


def _log(
    shell: Shell, place: ArchivePlace, form: str, selection: "ArchiveSelection", made: "Exported"
) -> bool:
    """Write into the archive that an export was made, if that can be written to."""
    from archiver.archive.actions import log_export
    from archiver.export.folder import MANIFEST
    from archiver.models import current_time

    settings = place.config.archive
    details = {
        "format": form, "selection": str(selection), "folder": str(made.folder.absolute()),
        "posts": made.posts, "files": made.files, "bytes": made.size,
        "manifest_sha256": sha256((made.folder / MANIFEST).read_bytes()).hexdigest(),
    }  # fmt: skip
    now = current_time()
    is_logged = log_export(settings.directory, now, settings.actor, details)
    if not is_logged:
        shell.warn(
            "The export is complete, but is not on record in the archive, which is read-only, "
            "full, or in use by another run"
        )
    return is_logged
