"""`archiver import`: official exports become part of the archive."""

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

import click

from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.text import cut, safe, screen_width, styled, wrap
from archiver.human import counted, size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from archiver.imports.report import ImportProgress, ImportReport, PackageReport

_DRAW_SECONDS = 0.1
_MOST_SHOWN = 8


@subcommand(
    "import",
    short_help='Import official exports: "download your data".',
    example="archiver import twitter-2024-06-01-*.zip\n"
    "archiver import --dry-run archive.tar.gz\n"
    "archiver import --account acme-x part-1.zip part-2.zip",
)
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...",
    type=click.Path(exists=True, path_type=Path),
)  # fmt: skip
@click.option(
    "--account", metavar="NAME",
    help="The account that they belong to, if its export does not say so.",
)  # fmt: skip
@click.option(
    "--private", is_flag=True,
    help="Import what was never published too: Snapchat's memories.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Report what would be added, and add nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(
    shell: Shell, files: tuple[Path, ...], account: str | None, private: bool, dry_run: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Add what the official exports of platforms hold to the archive.

    FILE is an export as it was downloaded: a zip, a tar.gz, a folder, a CAR file; give all parts of
    one together. It is recognised by its content. Posts that the archive has already become one
    with those of the export; messages, contacts and log-ins are not read. Nothing is ever taken
    back: import the same or a newer export as often as you like. docs/importing.md says how to ask
    for each export. What archiver export wrote as sqlite, jsonl or bagit is taken in too.

    Or FILE is a video by itself, as YouTube Studio gives it to its owner. It becomes the file of
    the post that has the id, or the title and length, that the file has.
    """
    from archiver.archive.packages import EXPORT
    from archiver.cli.deliveries import give_checkpoint_away
    from archiver.cli.plugin_output import redirect_plugin_output
    from archiver.clock import SystemClock
    from archiver.imports.import_record import ImportOptions
    from archiver.imports.import_run import run_import
    from archiver.version import version

    config, plugins = shell.config(), shell.plugins()
    ranks = {source.name: source.rank for source in plugins.sources} | {EXPORT: "export"}
    with redirect_plugin_output(), _progress(shell) as progress:
        report = run_import(
            config, plugins.export_readers, ranks, ImportOptions(files, account, dry_run, private),
            clock=SystemClock(), progress=progress, version=version(),
            platforms=plugins.platforms,
        )  # fmt: skip
    if not dry_run:
        give_checkpoint_away(shell, config)
    if as_json:
        shell.json(report.as_json())
    else:
        shell.report(import_summary(report), is_wrong=report.exit_code != 0)
    return report.exit_code


class NoteOnly:
    """An ImportProgress that prints notes, and the steps when verbose."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def begin(self, what: str, total: int, unit: Literal["bytes", "posts"]) -> None:
        """Print the step, when verbose."""
        if self._shell.verbose:
            size = size_text(total) if unit == "bytes" else counted(total, "post")
            self._shell.say(f"{safe(what)}" + (f", {size}" if total else ""))

    def advance(self, count: int) -> None:
        """Print nothing."""

    def copied(self, files: int, size: int) -> None:
        """Print nothing."""

    def note(self, text: str) -> None:
        """Print the note."""
        self._shell.say(text)


class ImportLine:
    """An ImportProgress that draws one line on stderr."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._what = "Opening"
        self._unit = "posts"
        self._total = self._done = self._files = self._bytes = 0
        self._began = time.monotonic()
        self._drawn_at = float("-inf")

    def __enter__(self) -> Self:
        self._draw(at_once=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._clear()

    def begin(self, what: str, total: int, unit: Literal["bytes", "posts"]) -> None:
        """Show the new step."""
        self._what, self._total, self._unit = what, total, unit
        self._done = self._files = self._bytes = 0
        self._began = time.monotonic()
        self._draw(at_once=True)

    def advance(self, count: int) -> None:
        """Show how far it is."""
        self._done += count
        self._draw()

    def copied(self, files: int, size: int) -> None:
        """Show how many files are copied."""
        self._files += files
        self._bytes += size
        self._draw()

    def note(self, text: str) -> None:
        """Print a note above the line."""
        self._clear()
        self._shell.say(text)
        self._draw(at_once=True)

    def text(self) -> str:
        """The line as it is now, without colours."""
        passed = max(time.monotonic() - self._began, 1e-3)
        is_bytes = self._unit == "bytes"
        shown = [size_text(n) if is_bytes else f"{n:,}" for n in (self._done, self._total)]
        parts = [safe(self._what), "/".join(shown if self._total else shown[:1])]
        parts[-1] += "" if is_bytes else " posts"
        rate = self._done / passed
        parts.append(f"{size_text(rate)}/s" if is_bytes else f"{rate:,.0f}/s")
        if self._files:
            parts += [counted(self._files, "file"), f"{size_text(self._bytes / passed)}/s"]
        return "  ".join(parts)

    def _draw(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if not at_once and now - self._drawn_at < _DRAW_SECONDS:
            return
        self._drawn_at = now
        self._clear()
        click.echo(styled(cut(self.text(), screen_width() - 1), "cyan"), file=sys.stderr, nl=False)
        sys.stderr.flush()

    def _clear(self) -> None:
        click.echo("\r" + " " * (screen_width() - 1) + "\r", file=sys.stderr, nl=False)


def _progress(shell: Shell) -> "AbstractContextManager[ImportProgress]":
    return ImportLine(shell) if shell.progress else nullcontext(NoteOnly(shell))


def import_summary(report: "ImportReport") -> str:
    """The whole report of an import as text."""
    parts = [_package(each) for each in report.packages]
    if report.dry_run:
        parts.append("A dry run: nothing was written.")
    if report.outcome == "interrupted":
        parts.append("Interrupted: import the same files again to go on.")
    return "\n\n".join(parts)


def _package(package: "PackageReport") -> str:
    if not package.account and package.error is not None:  # single files that have no post
        return wrap(safe(str(package.error)), rest="  ")
    counts = package.counts
    when = package.exported_at[:10] or "an unknown day"
    lines = [
        styled(f"{safe(package.account)}: {safe(package.title)} of {when}", bold=True),
        f"{counted(counts.records, 'post')} read: {counts.new:,} new, "
        f"{counts.matched_by_id:,} matched by their id, {counts.matched_by_rule:,} by a rule, "
        f"{counts.known:,} known from an earlier import; {counts.edited:,} edited",
        f"{counted(counts.files_new, 'file')} new ({size_text(counts.bytes)}), "
        f"{counts.files_held:,} held already by their bytes",
    ]
    if package.imported_before:
        lines.append(f"This very package was imported on {package.imported_before[:10]} before")
    return "\n".join([lines[0], *(wrap(f"  {line}.", rest="    ") for line in lines[1:]),
                      *(wrap(f"  {line}", rest="    ") for line in _remarks(package))])  # fmt: skip


def _remarks(package: "PackageReport") -> list[str]:
    """What is missing, was not understood, or was not read."""
    counts, lines = package.counts, []
    if package.error is not None:
        lines.append(f"Stopped: {safe(str(package.error))}")
    if package.missing:
        lines.append(
            f"Not in the package, of which a part may be missing: {_some(package.missing)}"
        )
    if counts.files_missing:
        lines.append(
            f"{counted(counts.files_missing, 'file')} named by posts and not in the package: "
            "a part may be missing"
        )
    if counts.files_failed:
        lines.append(f"{counted(counts.files_failed, 'file')} could not be kept")
    lines += [f"  {safe(text)}" for text in package.failures[:_MOST_SHOWN]]
    if counts.private_left_out:
        lines.append(
            f"{counted(counts.private_left_out, 'item')} left out that was never published: "
            "--private imports it"
        )
    if counts.quarantined:
        lines.append(f"{counted(counts.quarantined, 'record')} could not be read, in quarantine")
    if counts.unmapped:
        lines.append(
            f"{counted(counts.unmapped, 'value')} not understood, kept in the records: "
            f"{_some(list(package.unmapped_paths))}"
        )
    if package.not_read:
        lines.append(f"Not read: {_some(package.not_read)}")
    return lines


def _some(names: "Sequence[str]") -> str:
    shown = ", ".join(safe(name) for name in names[:_MOST_SHOWN])
    rest = len(names) - _MOST_SHOWN
    return shown + (f" and {rest:,} more" if rest > 0 else "")
