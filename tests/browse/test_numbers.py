"""The page of numbers."""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from archiver.browse.charts import bar_chart
from archiver.browse.published import publish
from support.browsing import browsing

pytestmark = pytest.mark.slow


def test_it_has_months_platforms_and_best_posts(client: httpx.Client, demo: Path) -> None:
    page = client.get("/archive/-/numbers").text
    with closing(sqlite3.connect(f"{demo.as_uri()}?mode=ro", uri=True)) as connection:
        months = dict(
            connection.execute("SELECT substr(created_at, 1, 7), count(*) FROM posts GROUP BY 1")
        )
        likes = connection.execute(
            "SELECT sum(value) FROM latest_metrics JOIN posts ON posts.id = post_id "
            "WHERE name = 'likes' AND attachment_id = 0 AND platform = 'instagram'"
        ).fetchone()[0]
        best = connection.execute(
            "SELECT post_id FROM latest_metrics WHERE name = 'likes' AND attachment_id = 0 "
            "ORDER BY value DESC LIMIT 1"
        ).fetchone()[0]
    for month, count in months.items():
        assert f'aria-label="{month}: {count} post' in page
    assert f"{likes:,}" in page[page.index("Per platform") :]
    ranked = client.get("/archive/-/numbers?by=likes").text
    found = re.findall(r'class="rank-post">.*?/post/(\d+)"', ranked, re.DOTALL)
    assert int(found[0]) == best


def test_a_platform_restricts_it(client: httpx.Client) -> None:
    page = client.get("/archive/-/numbers?platform=instagram&by=likes").text
    assert "Numbers on Instagram" in page
    assert set(re.findall(r'class="badge p-(\w+)"', page)) <= {"instagram"}
    assert 'href="/archive/-/timeline?platform=instagram&amp;since=' in page


def test_words_of_others_in_the_address_do_no_harm(client: httpx.Client) -> None:
    for query in ("?platform=<script>", "?by=nope", "?platform=x&by='", "?by=row_sha256"):
        answer = client.get(f"/archive/-/numbers{query}")
        assert answer.status_code == 200
        assert "<script>" not in answer.text.partition("<main")[2]


def test_months_that_are_none_and_no_posts_make_a_page(demo: Path, tmp_path: Path) -> None:
    shutil.copytree(demo.parent, tmp_path / "archive")
    database = tmp_path / "archive" / "archive.db"
    for change in ("UPDATE posts SET created_at = 'soon'", "UPDATE posts SET created_at = NULL"):
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(change)
        with browsing(database) as client:
            assert "No post has a date" in client.get("/archive/-/numbers").text


def test_a_published_copy_has_it_too(demo: Path, tmp_path: Path) -> None:
    publish(demo, tmp_path / "public")
    with browsing(tmp_path / "public" / "archive.db") as client:
        assert client.get("/archive/-/numbers").status_code == 200


def test_bars_begin_at_zero_and_the_highest_fits() -> None:
    chart = bar_chart([("2026-01", 5), ("2026-02", 0), ("2026-03", 10)], [(0, "2026")])
    heights = [bar.height for bar in chart.bars]
    assert heights[0] * 2 == heights[2]
    assert heights[1] == 0
    assert all(bar.y >= 0 and bar.y + bar.height <= 300 for bar in chart.bars)
    assert chart.values[0][1] == "0"
