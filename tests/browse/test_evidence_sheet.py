"""All that proves one post, on one page."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from archiver.browse import server
from archiver.browse.published import publish
from support.browsing import browsing, serving

pytestmark = pytest.mark.slow


def rows(database: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(sql, values).fetchall()


def edited(database: Path) -> int:
    found: int = rows(database, "SELECT id FROM posts WHERE edited_at IS NOT NULL")[0][0]
    return found


def test_it_has_versions_hashes_runs_responses_files_and_events(
    client: httpx.Client, demo: Path
) -> None:
    post = edited(demo)
    page = client.get(f"/archive/-/post/{post}/evidence").text
    hashes = rows(
        demo,
        "SELECT content_sha256 FROM revisions WHERE post_id = :post "
        "UNION SELECT body_sha256 FROM responses JOIN revisions ON responses.id = response_id "
        "WHERE post_id = :post "
        "UNION SELECT media_sha256 FROM renditions "
        "JOIN attachments ON attachments.id = attachment_id "
        "WHERE post_id = :post AND media_sha256 IS NOT NULL "
        "UNION SELECT row_sha256 FROM posts WHERE id = :post "
        "UNION SELECT value FROM about WHERE name = 'archive_id'".replace(":post", str(post)),
    )  # fmt: skip
    assert len(hashes) >= 5
    assert [sha256 for (sha256,) in hashes if sha256 not in page] == []
    for address, headers in rows(
        demo,
        "SELECT url, headers FROM responses WHERE id IN "
        "(SELECT response_id FROM revisions WHERE post_id = ?)",
        post,
    ):
        assert address in page
        assert "content-type" in headers
    assert "content-type: application/json" in page
    assert "<del>Tuseday</del><ins>Tuesday</ins>" in page
    for at, what in rows(demo, "SELECT at, what FROM events WHERE post_id = ?", post):
        assert re.search(rf"{at[:10]} {at[11:16]}</td><td>{what}<", page)
    assert re.search(r"Archive “archive” <code>[0-9a-f]{32}</code>, post \d+\. Printed ", page)


def test_every_post_has_a_sheet(client: httpx.Client, demo: Path) -> None:
    for (post,) in rows(demo, "SELECT id FROM posts ORDER BY id LIMIT 100"):
        assert client.get(f"/archive/-/post/{post}/evidence").status_code == 200, post
    assert client.get("/archive/-/post/999999/evidence").status_code == 404


def test_texts_stay_texts_on_paper(hostile: Path) -> None:
    with browsing(hostile) as client:
        for page in ("post/1/evidence", "post/2/evidence", "print"):
            text = client.get(f"/archive/-/{page}").text
            assert "<script>document" not in text
            assert "<img src=x" not in text
            assert not re.search(r"href=\"javascript:", text)


def test_a_published_copy_has_the_sheet_of_what_it_has(demo: Path, tmp_path: Path) -> None:
    publish(demo, tmp_path / "public")
    with (
        serving(server.make_datasette(tmp_path / "public" / "archive.db")) as address,
        httpx.Client(base_url=address, timeout=120) as client,
    ):
        post = rows(tmp_path / "public" / "archive.db", "SELECT min(id) FROM posts")[0][0]
        for path in (f"post/{post}/evidence", f"post/{post}.json", f"post/{post}.zip", "print",
                     "posts.csv", "posts.json"):  # fmt: skip
            answer = client.get(f"/archive/-/{path}")
            assert answer.status_code == 200, path
        assert '"record"' not in client.get("/archive/-/posts.json").text
