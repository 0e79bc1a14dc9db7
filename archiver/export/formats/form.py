"""What a form of an export is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archiver.export.folder import ExportFolder
from archiver.export.heading import ExportHeading
from archiver.export.snapshot import Snapshot


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
