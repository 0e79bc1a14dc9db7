"""Posts as one JSON document."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archiver.export.heading import ExportHeading
from archiver.export.json_document import json_document
from support.exporting import snapshot_of

HEADING = ExportHeading("archive", "all posts", "2026-03-03T00:00:00.000Z")


def document(directory: Path, *posts: int) -> dict[str, Any]:
    with snapshot_of(directory, *posts) as snapshot:
        found: dict[str, Any] = json.loads(b"".join(json_document(snapshot, HEADING)))
    return found


def test_it_says_what_it_is_and_how_many_posts_it_has(directory: Path) -> None:
    found = document(directory, 1, 2, 3)
    assert (found["archive"], found["selection"], found["made_at"]) == (
        "archive", "all posts", "2026-03-03T00:00:00.000Z",
    )  # fmt: skip
    assert found["posts_count"] == len(found["posts"]) == 3


def test_a_post_has_everything_but_the_media(directory: Path) -> None:
    (bowl,) = document(directory, 1)["posts"]
    assert [one["number"] for one in bowl["revisions"]] == [1, 2]
    assert bowl["revisions"][0]["record"] == {"text": "Good morning"}
    assert [file["state"] for one in bowl["attachments"] for file in one["files"]] == [
        "stored", "omitted",
    ]  # fmt: skip
    assert "id" not in bowl["attachments"][0]


def test_an_empty_selection_is_a_document_too(directory: Path) -> None:
    assert document(directory)["posts"] == []


def changed(directory: Path, tmp_path: Path, raw: str) -> Path:
    """A copy whose records are all this text."""
    shutil.copytree(directory, tmp_path / "archive")
    with closing(sqlite3.connect(tmp_path / "archive" / "archive.db")) as connection, connection:
        connection.execute("DROP TRIGGER revisions_stay")
        connection.execute("UPDATE revisions SET raw = ?", (raw,))
    return tmp_path / "archive"


def test_a_record_keeps_its_digits(directory: Path, tmp_path: Path) -> None:
    raw = '{"id": 123456789012345678901234567890, "rate": 1.10}'
    with snapshot_of(changed(directory, tmp_path, raw), 1) as snapshot:
        assert raw in b"".join(json_document(snapshot, HEADING)).decode()


@pytest.mark.parametrize("raw", ["{", "", "NaN", '{"a": Infinity}', "[" * 100_000])
def test_a_damaged_record_is_a_string(directory: Path, tmp_path: Path, raw: str) -> None:
    found = document(changed(directory, tmp_path, raw), 2)
    assert found["posts"][0]["revisions"][0]["record"] == raw


def test_a_document_that_was_cut_off_is_no_json(directory: Path) -> None:
    with snapshot_of(directory, 1, 2) as snapshot:
        pieces = list(json_document(snapshot, HEADING))
    for end in range(1, len(pieces)):
        with pytest.raises(json.JSONDecodeError):
            json.loads(b"".join(pieces[:end]))
