"""`csv`: tables for spreadsheets, and the media under names for people.

posts.csv     a row for each post
files.csv     a row for each attachment: its name in media/, its hash, or why it is not here
media/        the best file of each attachment
"""

import csv
from collections.abc import Iterator
from io import StringIO

from archiver.export.csv_table import csv_table, neutral
from archiver.export.folder import ExportFolder
from archiver.export.formats.form import ExportFormat
from archiver.export.package_files import PackageFile, files_of
from archiver.export.snapshot import Snapshot

FILE_COLUMNS = (
    "post_id", "account", "created_at", "position", "kind", "alt_text", "name", "sha256", "size",
    "content_type", "not_included",
)  # fmt: skip
_BOM = "\ufeff"


def write(snapshot: Snapshot, folder: ExportFolder) -> None:
    """Write the tables and the files. Raises StorageError."""
    folder.write("posts.csv", csv_table(snapshot))
    folder.write("files.csv", _files(snapshot, folder))


def _files(snapshot: Snapshot, folder: ExportFolder) -> Iterator[bytes]:
    yield _BOM.encode() + _line(FILE_COLUMNS)
    for post in snapshot.posts():
        folder.count_posts()
        for one in files_of(post):
            is_here = one.file is not None and folder.add_media(one.name, one.file)
            if one.why:
                folder.note_missing(f"{one.name}: {one.why}")
            yield _line(_cells(one, is_here=is_here))


def _cells(one: PackageFile, *, is_here: bool) -> tuple[object, ...]:
    post, attachment, file = one.post, one.attachment, one.file
    found: tuple[object, ...] = (
        (one.name, file.sha256, file.size, file.content_type, None)
        if file is not None and is_here
        else (None, None, None, None, one.why or "lost or damaged here")
    )
    about = (post.id, post.account, post.created_at, attachment.position, attachment.kind)
    return (*about, attachment.alt_text, *found)


def _line(cells: tuple[object, ...]) -> bytes:
    line = StringIO(newline="")
    neutralized = [neutral(cell) if isinstance(cell, str) else cell for cell in cells]
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(neutralized)
    return line.getvalue().encode("utf-8", "backslashreplace")


FORMAT = ExportFormat(
    "csv",
    (
        "posts.csv      a row for each post, for spreadsheets",
        "files.csv      a row for each attachment: its file, or why it is not here",
        "               A text that begins like a formula, or with an apostrophe, has an",
        "               apostrophe before it",
        "media/         the best file of each attachment",
    ),
    write,
)
