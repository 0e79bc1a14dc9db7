"""Datasette's own pages: in our frame, with columns for programs hidden, and leading to posts."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from datasette.app import Datasette

from archiver.browse import archives, metadata
from support.browsing import browsing, serving

pytestmark = pytest.mark.slow

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


@pytest.fixture
def large(demo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """The pages of the demo's archive, whose larger tables count as large."""
    monkeypatch.setattr(archives, "MANY_ROWS", 30)
    with browsing(demo) as found:
        yield found


def facets(page: str) -> set[str]:
    return set(re.findall(r'data-column="([^"]+)"', page.partition("facet-results")[2]))


def test_a_large_table_offers_its_facets_without_computing_them(
    client: httpx.Client, large: httpx.Client
) -> None:
    assert facets(client.get("/archive/posts").text) >= {"platform", "kind"}
    page = large.get("/archive/posts?_sort=id").text
    assert "facet-results" not in page
    offered = dict(re.findall(r'<a href="(\?[^"]+)">(platform|account_id|kind)</a>', page))
    assert sorted(offered.values()) == ["account_id", "kind", "platform"]
    link = next(link for link, column in offered.items() if column == "kind")
    assert link == "?_sort=id&amp;_facet=kind"
    answer = large.get(f"/archive/posts{link.replace('&amp;', '&')}").text
    assert facets(answer) >= {"platform", "kind"}
    assert "Suggested facets" not in answer


def number_of_rows(page: str) -> str:
    found = re.search(r"<h3>([\d,]+ rows?)\b", page)
    return found[1] if found else ""


def test_a_large_table_has_the_same_number_of_rows(
    client: httpx.Client, large: httpx.Client
) -> None:
    for path in ("posts", "posts?kind=reel", "timeline", "missing_media", "media?_size=5"):
        expected = number_of_rows(client.get(f"/archive/{path}").text)
        assert expected
        assert number_of_rows(large.get(f"/archive/{path}").text) == expected, path


def test_a_filter_of_a_later_page_of_a_large_table_is_counted(large: httpx.Client) -> None:
    page = large.get("/archive/posts?_size=5").text
    link = re.search(r'<a href="([^"]+)">Next page</a>', page)
    assert link
    later = link[1].replace("&amp;", "&")
    assert number_of_rows(large.get(later).text) == number_of_rows(page)
    assert number_of_rows(large.get(f"{later}&kind=reel").text) != number_of_rows(page)


def test_the_rows_of_a_large_table_are_counted_once(
    demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MANY_ROWS", 30)
    statements: list[str] = []
    monkeypatch.setattr(metadata, "harden", lambda one: one.set_trace_callback(statements.append))
    counting = []
    with browsing(demo) as pages:
        for _ in range(2):
            for path in ("/archive", "/archive/posts", "/archive/media"):
                pages.get(path)
            counting.append([one for one in statements if "count(*)" in one.lower()])
            statements.clear()
    first, second = counting
    assert first
    assert not second


def test_a_list_of_tables_has_the_number_of_rows_of_each(client: httpx.Client, demo: Path) -> None:
    page = client.get("/archive").text
    with closing(sqlite3.connect(f"{demo.as_uri()}?mode=ro", uri=True)) as connection:
        for table in ("posts", "media", "renditions"):
            count = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            assert re.search(
                rf'href="/archive/{table}">.*?<p>[^<]*?{count:,} rows', page, re.DOTALL
            )


def test_a_page_of_tables_does_not_describe_all_of_them_for_each(
    demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described: list[str] = []
    describe = metadata.describe

    def counted(archive: archives.Archive) -> dict[str, Any]:
        described.append(archive.name)
        return describe(archive)

    monkeypatch.setattr(metadata, "describe", counted)
    with browsing(demo) as client:
        client.get("/archive")
        first = len(described)
        client.get("/archive")
    assert len(described) - first < len(metadata.comments())


def test_a_table_that_a_datasette_forbids_stays_forbidden(demo: Path) -> None:
    rules = {"databases": {"archive": {"tables": {"posts": {"allow": False}}}}}
    strict = Datasette([str(demo)], metadata=rules)
    with serving(strict) as address, httpx.Client(base_url=address, timeout=120) as plain:
        assert plain.get("/archive/posts").status_code == 403
        assert plain.get("/archive/media").status_code == 200
