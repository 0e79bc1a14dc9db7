"""A small archive to export from: posts of every sort that an export must get right."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from archiver.archive.database import transaction
from archiver.archive.rows import insert, update
from archiver.cli.export import export_forms
from archiver.export.run import Exported, export_posts
from archiver.export.selection import ArchiveSelection
from archiver.export.snapshot import Snapshot, open_snapshot
from archiver.media.folder_store import FolderStore
from archiver.models import Attachment, Metric, Post, Relation, Rendition
from support.saver import POST, saving

PICTURE = b"\xff\xd8\xff" + b"a picture" * 200_000
FORMULA = '=HYPERLINK("https://evil.example/","click")'


@dataclass(frozen=True)
class Chosen:
    """These posts."""

    posts: tuple[int, ...]

    def ids(self, connection: sqlite3.Connection) -> Iterator[int]:
        return iter(self.posts)


def make_config(tmp_path: Path, more: str = "") -> Path:
    """The config of such an archive, which is made; `more` are further lines."""
    make_archive(tmp_path)
    path = tmp_path / "archive.toml"
    path.write_text(f'[archive]\ndirectory = "archive"\n{more}')
    return path


def make_archive(tmp_path: Path) -> Path:
    """An edited post with two pictures, one omitted; a formula; an answer without a time."""
    with saving(tmp_path) as saver:
        pictures = tuple(
            Attachment(
                "image", key, alt_text=f"Bowl {key}",
                renditions=(Rendition("original", f"https://a.example/{key}.jpg"),),
            )
            for key in ("m1", "m2")
        )  # fmt: skip
        bowl = replace(POST, attachments=pictures, url="https://threads.example/p1")
        saver.save(bowl)
        saver.save(
            replace(bowl, text="Good evening", content={"text": "Good evening"},
                    metrics=(Metric("likes", 5), Metric("organic.views", 1.5))),
            Post("p2", created_at="2026-03-02T09:00:00.000Z", text=FORMULA, title="'quoted",
                 content={"text": FORMULA}),
            Post("p3", text="An answer, „grüß“ 日本語\n🏺", kind="reply",
                 content={"text": "An answer"}, relations=(Relation("reply_to", "p2"),)),
        )  # fmt: skip
        directory = tmp_path / "archive"
        with transaction(saver.connection):
            _store(saver.connection, directory, 1, PICTURE)
            update(
                saver.connection, "renditions", "id = ?", (2,), state="omitted",
                reason_code="copyright", reason="copyright",
            )  # fmt: skip
    return directory


def _store(connection: sqlite3.Connection, directory: Path, rendition: int, data: bytes) -> None:
    sha256 = hashlib.sha256(data).hexdigest()
    path = f"media/{sha256[:2]}/{sha256}.jpg"
    (directory / path).parent.mkdir(parents=True, exist_ok=True)
    (directory / path).write_bytes(data)
    insert(
        connection, "media", sha256=sha256, path=path, size=len(data), content_type="image/jpeg",
        width=30, height=20, stored_at="2026-03-01T21:00:00.000Z",
    )  # fmt: skip
    update(connection, "renditions", "id = ?", (rendition,), state="stored", media_sha256=sha256)


@contextmanager
def snapshot_of(directory: Path, *posts: int) -> Iterator[Snapshot]:
    """A snapshot of these posts."""
    address = f"{(directory / 'archive.db').as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True)) as connection,
        open_snapshot(connection, Chosen(posts)) as snapshot,
    ):
        yield snapshot


def exported(
    directory: Path, target: Path, form: str, selection: ArchiveSelection | None = None
) -> Exported:
    """An export of all posts of an archive, or of those chosen."""
    selection = selection or ArchiveSelection()
    return export_posts(directory, FolderStore(directory), target, export_forms()[form], selection)
