"""Posts as lines of JSON."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from archiver.saved_posts import ACCOUNTS_FILE, LINES_FORMAT
from support.exporting import PICTURE, exported


def test_jsonl_has_a_line_for_each_post_and_the_files_at_their_paths(
    directory: Path, tmp_path: Path
) -> None:
    folder = exported(directory, tmp_path / "out", "jsonl").folder
    posts = [json.loads(line) for line in (folder / "posts.jsonl").read_bytes().split(b"\n")[:-1]]
    assert [post["platform_id"] for post in posts] == ["p3", "p1", "p2"]
    assert [one["why"] for one in posts[1]["revisions"]] == ["first", "edited"]
    (path,) = [
        file["path"] for one in posts[1]["attachments"] for file in one["files"] if file["path"]
    ]
    assert (folder / path).read_bytes() == PICTURE


def test_the_accounts_are_told_with_the_number_of_the_format(
    directory: Path, tmp_path: Path
) -> None:
    folder = exported(directory, tmp_path / "out", "jsonl").folder
    told = json.loads((folder / ACCOUNTS_FILE).read_text())
    assert told["format"] == LINES_FORMAT
    posts = [json.loads(line) for line in (folder / "posts.jsonl").read_text().splitlines()]
    assert [each["name"] for each in told["accounts"]] == sorted(
        {each["account"] for each in posts}
    )
    assert all(each["first_seen_at"] for each in told["accounts"])


def test_a_record_with_line_breaks_stays_on_one_line(directory: Path, tmp_path: Path) -> None:
    archive = shutil.copytree(directory, tmp_path / "archive")
    pretty = json.dumps({"id": "p2", "text": "a\nb"}, indent=1)
    with closing(sqlite3.connect(archive / "archive.db")) as connection:
        connection.execute("DROP TRIGGER revisions_stay")
        connection.execute("UPDATE revisions SET raw = ? WHERE post_id = 2", (pretty,))
        connection.commit()
    lines = (exported(archive, tmp_path / "out", "jsonl").folder / "posts.jsonl").read_bytes()
    posts = [json.loads(line) for line in lines.splitlines()]
    assert posts[2]["revisions"][0]["record"] == {"id": "p2", "text": "a\nb"}
