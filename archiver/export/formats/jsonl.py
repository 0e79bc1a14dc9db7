"""`jsonl`: a line of JSON for each post, oldest first, and the media as the archive names them.

posts.jsonl     a post with its attachments, newest numbers, relations, and all its revisions,
                with the records exactly as the source sent them
accounts.json   the accounts with their names, earlier ones too, and their pictures
media/ab/…      each file that is here, at the `path` that these two give
"""

from collections.abc import Iterator

from archiver.export.account_document import write_accounts
from archiver.export.folder import ExportFolder
from archiver.export.formats.form import ExportFormat
from archiver.export.json_document import json_posts
from archiver.export.snapshot import Snapshot
from archiver.saved_posts import SavedPost

FILE = "posts.jsonl"


def write(snapshot: Snapshot, folder: ExportFolder) -> None:
    """Write the posts and their files. Raises StorageError."""
    folder.write(FILE, _lines(snapshot, folder))
    write_accounts(snapshot, folder)


def _lines(snapshot: Snapshot, folder: ExportFolder) -> Iterator[bytes]:
    for post, text in json_posts(snapshot):
        folder.count_posts()
        _add_files(post, folder)
        line = text.replace("\n", " ").replace("\r", " ")  # within a record, it is white space
        yield line.encode("utf-8", "backslashreplace") + b"\n"


def _add_files(post: SavedPost, folder: ExportFolder) -> None:
    for attachment in post.attachments:
        for file in attachment.files:
            if file.path is not None:
                folder.add_media(file.path, file)


FORMAT = ExportFormat(
    "jsonl",
    (
        "posts.jsonl    a line of JSON for each post: attachments, newest numbers, relations, and",
        "               all its revisions, with the records as the source sent them",
        "accounts.json  the accounts of the posts, as they called themselves, and their pictures",
        "media/ab/      the files, at the path that posts.jsonl and accounts.json give",
    ),
    write,
)
