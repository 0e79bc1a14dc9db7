"""What a form of an export is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archiver.errors import ArchiverError, PluginError
from archiver.export.folder import ExportFolder
from archiver.export.heading import ExportHeading
from archiver.export.snapshot import Snapshot
from archiver.export_writers import ExportWriter
from archiver.plugin_calls import cause_of, is_fault_of_plugin


def _nothing(*_: object) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A form of an export.

    `contents` are lines that explain its files to whoever opens the folder. `write` writes the
    posts and their files. `require` raises UsageError where a library is missing. `seal` is called
    with the folder once all files are in it, with the heading and the number of posts. One that
    `is_public` is made to be published: it has only what is public, unless told otherwise. One that
    `has_rows` has the rows of the archive as they are, and so posts as they are now.
    """

    name: str
    contents: tuple[str, ...]
    write: Callable[[Snapshot, ExportFolder], None]
    require: Callable[[], None] = _nothing
    seal: Callable[[Path, ExportHeading, int], None] = _nothing
    is_public: bool = False
    has_rows: bool = False


def added_format(writer: ExportWriter) -> ExportFormat:
    """The form that a plugin adds. Its errors become a PluginError that names it."""

    def write(snapshot: Snapshot, folder: ExportFolder) -> None:
        try:
            writer.write(snapshot, folder)
        except ArchiverError:
            raise
        except Exception as error:
            if not is_fault_of_plugin(error):
                raise
            raise PluginError(
                f"The plugin with the export format {writer.name} failed",
                why=cause_of(error),
                kept="The folder did not get its name",
                hint="Tell its authors, or take another format",
            ) from error

    return ExportFormat(
        writer.name, tuple(writer.contents), write, is_public=bool(writer.is_public)
    )
