"""The folder `proofs/` of an export: what shows that its posts are those that the archive has.

proofs/archive.db     the rows of the posts, and the whole ledger, which commits to them
proofs/verify.py      the program that checks both, and the files, with nothing but Python
proofs/custody.json   who captured the posts and verified them since, and who made the export
"""

import json
from inspect import getsource

from archiver.archive.facts import DATABASE
from archiver.evidence import standalone
from archiver.evidence.standalone import PROOFS
from archiver.export.custody import custody
from archiver.export.extract import write_extract
from archiver.export.folder import ExportFolder
from archiver.export.snapshot import Snapshot

CONTENTS = (
    "proofs/        the rows of these posts with the ledger that proves them, and who captured",
    "               and exported them. To check them and the files without archiver:",
    "               python3 proofs/verify.py . (where they are in data/, run it there)",
)
"""Lines that explain the folder to whoever opens the export."""


def write_proofs(snapshot: Snapshot, folder: ExportFolder, made_by: str) -> None:
    """Write the folder into an export that has all its posts. Raises StorageError."""
    folder.make_folder(PROOFS)
    database = f"{PROOFS}/{DATABASE}"
    write_extract(snapshot, folder.path / database, folder.heading, has_answers=False)
    folder.adopt(database)
    folder.write(f"{PROOFS}/verify.py", [getsource(standalone).encode()])
    said = custody(snapshot.connection, folder, made_by)
    text = json.dumps(said, ensure_ascii=False, indent=2)
    folder.write(f"{PROOFS}/custody.json", [text.encode("utf-8", "backslashreplace"), b"\n"])
