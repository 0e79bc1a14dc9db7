"""Datasette's own pages: in our frame, with columns for programs hidden, and leading to posts."""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from datasette.app import Datasette

from support.browsing import serving

PAGES = (
    "/archive", "/archive/posts", "/archive/posts/1", "/archive/timeline", "/archive/most_liked",
    "/archive?sql=select+1", "/archive/revisions/1",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_tables_have_our_bar_and_search(client: httpx.Client, path: str) -> None:
    page = client.get(path).text
    assert '<html lang="en">' in page
    assert '<a href="/archive/-/gallery">Gallery</a>' in page
    assert '<form class="find" role="search" action="/archive/-/timeline"' in page
    assert page.count("<main ") == page.count("</main>") == 1


def columns(page: str) -> list[str]:
    return re.findall(r'data-column="([^"]+)"', page)


def test_columns_for_programs_are_hidden_and_can_be_shown(client: httpx.Client) -> None:
    page = client.get("/archive/posts?kind=reel").text
    assert not {"raw", "row_sha256", "search_text"} & set(columns(page))
    assert "text" in columns(page)
    link = re.search(r'<a href="(\?[^"]+)">Show all columns</a>', page)
    assert link
    every = client.get(f"/archive/posts{link[1].replace('&amp;', '&')}").text
    assert {"raw", "row_sha256"} <= set(columns(every))
    assert "kind=reel" in link[1]
    assert "Hide columns for programs" in every


def test_columns_that_somebody_chose_are_left_alone(client: httpx.Client) -> None:
    chosen = columns(client.get("/archive/posts?_col=raw").text)
    assert "raw" in chosen
    assert "text" not in chosen
    assert "raw" in columns(client.get("/archive/posts?_nocol=text").text)


def test_programs_get_every_column(client: httpx.Client) -> None:
    assert "raw" in client.get("/archive/posts.json").json()["columns"]
    assert "raw" in client.get("/archive/posts.csv").text.partition("\n")[0]


def test_notes_are_folded_away_but_there(client: httpx.Client) -> None:
    page = client.get("/archive/posts").text
    assert '<details class="column-notes"><summary>' in page
    assert "when it was published, by the platform" in page
    assert "/archive/posts/1" in page
    assert "column-notes" not in client.get("/archive/posts/1").text


@pytest.mark.parametrize(
    "table", ["posts", "revisions", "attachments", "renditions", "events", "relations"]
)
def test_a_row_leads_to_its_post(client: httpx.Client, demo: Path, table: str) -> None:
    with closing(sqlite3.connect(f"{demo.as_uri()}?mode=ro", uri=True)) as connection:
        row = connection.execute(f"SELECT min(id) FROM {table}").fetchone()[0]
    assert re.search(
        r'<a href="/archive/-/post/\d+">See the post</a>',
        client.get(f"/archive/{table}/{row}").text,
    )
    listed = client.get(f"/archive/{table}?_size=5").text
    link = re.search(r'class="to-post" href="(/archive/-/(?:post|attachment)/\d+)"', listed)
    assert link
    answer = client.get(link[1], follow_redirects=True)
    assert re.fullmatch(r"/archive/-/post/\d+", answer.url.path)
    assert answer.status_code == 200


def test_an_attachment_that_is_not_there_is_not_found(client: httpx.Client) -> None:
    assert client.get("/archive/-/attachment/99999999").status_code == 404


def test_posts_are_called_by_their_text(client: httpx.Client) -> None:
    page = client.get("/archive/events?_size=100").text
    assert re.search(r'class="to-post"[^>]*>[^<]*[a-z]{4,}[^<]*&nbsp;↗<', page)


def test_other_databases_keep_datasettes_frame(demo: Path, tmp_path: Path) -> None:
    shutil.copy(demo, tmp_path / "archive.db")
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.executescript(
            "CREATE TABLE posts (id INTEGER PRIMARY KEY, raw TEXT);"
            "INSERT INTO posts VALUES (1, 'a')"
        )
    both = Datasette([str(tmp_path / "archive.db"), str(tmp_path / "other.db")])
    with serving(both) as address, httpx.Client(base_url=address, timeout=120) as plain:
        assert 'class="bar"' in plain.get("/archive/posts").text
        for path in ("/other/posts", "/other/nope", "/"):
            assert 'class="bar"' not in plain.get(path).text
        assert "raw" in columns(plain.get("/other/posts").text)
        assert "Timeline of archive" not in plain.get("/other/posts").text
        assert '<a href="/archive/-/timeline">Timeline</a>' in plain.get("/other/posts").text


def test_a_path_before_all_of_datasette_is_kept(demo: Path) -> None:
    below = Datasette([str(demo)], settings={"base_url": "/below/"})
    with serving(below) as address, httpx.Client(base_url=address, timeout=120) as plain:
        page = plain.get("/below/archive/posts").text
        assert '<a href="/below/archive/-/gallery">Gallery</a>' in page
        assert "raw" not in columns(page)
