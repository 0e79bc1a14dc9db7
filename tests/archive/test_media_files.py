"""A media file is found by its hash and by nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.archive.media_files import ArchivedFile, find_media
from archiver.archive.rows import insert, update
from support.saver import Saver, saving

SHA256 = "ab" * 32
PATH = f"media/ab/{SHA256}.jpg"


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as saver:
        insert(
            saver.connection, "media", sha256=SHA256, path=PATH, size=4, width=2, height=1,
            content_type="image/jpeg", stored_at="2026-03-01T00:00:00.000Z",
        )  # fmt: skip
        yield saver


def test_a_hash_finds_its_row(saver: Saver) -> None:
    assert find_media(saver.connection, SHA256) == ArchivedFile(SHA256, PATH, "image/jpeg", 2, 1)


@pytest.mark.parametrize(
    "text", ["", "cd" * 32, SHA256.upper(), f"{SHA256}\n", PATH, "%", "١" * 64]
)
def test_anything_else_finds_nothing(saver: Saver, text: str) -> None:
    assert find_media(saver.connection, text) is None


def test_a_file_that_is_known_as_lost_is_not_found(saver: Saver) -> None:
    update(saver.connection, "media", "sha256 = ?", (SHA256,), lost_at="2026-03-02T00:00:00.000Z")
    assert find_media(saver.connection, SHA256) is None
