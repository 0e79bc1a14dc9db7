"""What `archiver export` wrote, as something to import: posts of another archive.

Two forms hold enough to be an archive again: `sqlite`, whose rows are read as they are, and
`jsonl`, also in a bag, whose lines are.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from archiver.archive.transfer import TransferredAccount, TransferredPost
from archiver.imports.package import OpenPackage
from archiver.imports.parts import DownloadedPart
from archiver.imports.transfer_lines import ExportedLines, lines_in
from archiver.imports.transfer_rows import ExportedRows, database_in


class TransferContent(Protocol):
    """Posts of another archive, to read more than once."""

    title: str
    """What it is, for messages."""

    def accounts(self) -> Sequence[TransferredAccount]:
        """The accounts of its posts. Raises PackageError."""

    def posts(self) -> Iterator[TransferredPost]:
        """Its posts, those of one account together. Raises PackageError."""


@dataclass(frozen=True, slots=True)
class OpenTransfer:
    """A part that `archiver export` wrote, and what is in it."""

    package: OpenPackage
    content: TransferContent


def open_transfers(
    parts: Sequence[DownloadedPart], scratch: Path | None, stack: ExitStack
) -> tuple[list[OpenTransfer], list[DownloadedPart]]:
    """Those of the parts that `archiver export` wrote, and the others. Raises PackageError.

    What they need is closed with the stack.
    """
    found, others = [], []
    for part in parts:
        package = OpenPackage([part])
        if (lines := lines_in(package)) is not None:
            found.append(OpenTransfer(package, ExportedLines(package, lines)))
        elif (database := database_in(package)) is not None:
            content = stack.enter_context(ExportedRows.open(package, database, scratch))
            found.append(OpenTransfer(package, content))
        else:
            others.append(part)
    return found, others
