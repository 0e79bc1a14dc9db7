"""`sqlite`: a smaller archive, which archiver and any tool for SQLite open as it is.

archive.db      the chosen posts with all that belongs to them, and the whole ledger, which proves
                them; of rows that are not here it has no more than an opaque commitment
media/ab/…      their files
verify.py       the program that checks both with nothing but Python
"""

from inspect import getsource

from archiver.archive.facts import DATABASE
from archiver.evidence import standalone
from archiver.export.extract import files_of_extract, write_extract
from archiver.export.folder import ExportFolder
from archiver.export.formats.form import ExportFormat
from archiver.export.snapshot import Snapshot

PROGRAM = "verify.py"


def write(snapshot: Snapshot, folder: ExportFolder) -> None:
    """Write the database, the files that it names, and the program. Raises StorageError."""
    write_extract(snapshot, folder.path / DATABASE, folder.heading)
    folder.adopt(DATABASE)
    for ids in snapshot.batches():
        folder.count_posts(len(ids))
    for file in files_of_extract(folder.path / DATABASE):
        folder.add_media(file.path or "", file)
    folder.write(PROGRAM, [getsource(standalone).encode()])


FORMAT = ExportFormat(
    "sqlite",
    (
        "archive.db     an archive with these posts: archiver verify, status, browse and export",
        "               read it, and so does any tool for SQLite. Its ledger proves them",
        "media/ab/      the files, at the path that the table media gives",
        "verify.py      checks both without archiver: python3 verify.py .",
    ),
    write,
    has_rows=True,
)
