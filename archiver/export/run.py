"""One export, from the archive to a finished folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archiver.actors import actor
from archiver.archive.database import reader
from archiver.errors import UsageError
from archiver.export.as_of import NO_READERS, Readers
from archiver.export.folder import MANIFEST, export_folder
from archiver.export.formats.form import ExportFormat
from archiver.export.heading import ExportHeading, time_now
from archiver.export.proof_folder import CONTENTS, write_proofs
from archiver.export.readme import readme
from archiver.export.selection import ArchiveSelection
from archiver.export.snapshot import open_snapshot
from archiver.media.store import MediaStore


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export has. `size` is that of the media files, in bytes.

    `not_included` is how many files are not in it, and its README.txt says why; `damaged` is how
    many of these the archive should have.
    """

    folder: Path
    posts: int
    files: int
    size: int
    not_included: int
    damaged: int


def export_posts(
    directory: Path, store: MediaStore, target: Path, form: ExportFormat,
    selection: ArchiveSelection, *, on_total: Callable[[int], object] = int,
    on_post: Callable[[int], object] = int, readers: Readers = NO_READERS,
    made_by: str | None = None,
) -> Exported:  # fmt: skip
    """Export chosen posts of the archive in `directory` to a new folder.

    `on_total` gets the number of posts, and `on_post` how many more are done. `readers` read
    earlier records, where the selection is as of a moment. `made_by` is the configured actor.
    Raises UsageError where nothing is chosen or the folder exists, StorageError.
    """
    form.require()
    if selection.as_of and form.has_rows:
        raise UsageError(
            f"The format {form.name} has the rows of the archive as they are, and not as they were",
            kept="Nothing was written",
            hint="Take another format; jsonl has the most",
        )
    heading = ExportHeading(directory.resolve().name, str(selection), time_now())
    with (
        reader(directory) as connection,
        open_snapshot(connection, selection, selection.as_of, readers) as snapshot,
    ):
        total = sum(1 for _ in selection.ids(connection))
        on_total(total)
        if not total:
            raise UsageError(f"The archive has no posts of {selection}", kept="Nothing was written")
        with export_folder(target, store, heading, on_post) as folder:
            form.write(snapshot, folder)
            contents = form.contents
            if _can_have_proofs(form, selection):
                write_proofs(snapshot, folder, actor(made_by))
                contents = (*contents, *CONTENTS)
            contents = (*contents, f"{MANIFEST}", "               the SHA-256 of each file")
            problems = (
                f"{line}\n".encode("utf-8", "backslashreplace") for line in folder.missing()
            )
            text = readme(
                heading, contents, problems, posts=folder.posts, files=folder.files,
                size=folder.size, not_included=folder.not_included,
            )  # fmt: skip
            folder.write("README.txt", text)
            folder.finish()
            form.seal(folder.path, heading, folder.posts)
    return Exported(
        target, folder.posts, folder.files, folder.size, folder.not_included, folder.damaged
    )


def _can_have_proofs(form: ExportFormat, selection: ArchiveSelection) -> bool:
    """Whether rows of the archive may stand beside an export that has none.

    They are as they are now, with records and who made the runs: not for what is made to be
    published, or as of a moment.
    """
    return not (form.has_rows or form.is_public or selection.only_public or selection.as_of)
