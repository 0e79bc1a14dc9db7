"""Which media files a package for people has, under which names, and why some are not in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import RawIOBase

from archiver.errors import StorageError
from archiver.export.file_names import file_name
from archiver.media.store import MediaStore, hash_in_path
from archiver.saved_posts import PostAttachment, SavedFile, SavedPost

LOST = "lost or damaged here: see archiver verify"


@dataclass(frozen=True, slots=True)
class PackageFile:
    """The file of an attachment; `file` is None where the archive has none, and `why` says why."""

    name: str
    post: SavedPost
    attachment: PostAttachment
    file: SavedFile | None
    why: str = ""


def files_of(post: SavedPost) -> Iterator[PackageFile]:
    """A file for every attachment of a post. A link without a picture has none."""
    for number, attachment in enumerate(post.attachments, 1):
        main = attachment.main
        if attachment.kind == "link" and main is None:
            continue
        name = file_name(
            post.account, post.created_at, (main.path or "") if main else "", number=number,
            count=len(post.attachments), role=f"post-{post.id}",
        )  # fmt: skip
        why = "" if main else _why(attachment)
        yield PackageFile(f"media/{name}", post, attachment, main, why)


def open_saved(store: MediaStore, file: SavedFile) -> RawIOBase | None:
    """The bytes of a file; None where they are not there. Only the path of its hash is believed."""
    if file.path is None or hash_in_path(file.path) != file.sha256:
        return None
    try:
        return store.open(file.path)
    except (OSError, StorageError):
        return None


def _why(attachment: PostAttachment) -> str:
    """Why the archive has no file of an attachment."""
    for file in attachment.files:
        if file.role in {"original", "variant"} and file.state != "stored":
            return f"{file.state.replace('_', ' ')}" + (f", {file.reason}" if file.reason else "")
    return "the source names no file"
