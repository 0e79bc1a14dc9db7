"""Every page over HTTP: complete, inert, safe, and shown while a run writes."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from datasette.app import Datasette

from archiver.archive.actions import add_action
from archiver.archive.database import writer
from archiver.browse import metadata, server
from archiver.errors import StorageError
from support.browsing import browsing, serving
from support.nights import nights
from support.saver import POST, saving

PAGES = (
    "/", "/archive/-/home", "/archive/-/timeline", "/archive/-/timeline?q=Tuesday",
    "/archive/-/timeline?platform=twitter&removed=1", "/archive/-/timeline?omitted=1",
    "/archive/-/timeline?q=nothing+says+this", "/archive/-/gallery", "/archive/-/gallery?kind=reel",
    "/archive/-/post/1", "/archive/-/missing", "/archive/-/missing?state=gone", "/archive/-/runs",
    "/archive/-/on-this-day", "/archive/-/on-this-day?day=03-01",
    "/archive/-/timeline?order=oldest&at=2026-02", "/archive/-/gallery?account=nobody",
)  # fmt: skip
TABLES = (
    "/archive", "/archive/posts", "/archive/posts/1", "/archive/timeline", "/archive/media",
    "/archive/renditions", "/archive/missing_media", "/archive/runs", "/archive/revisions",
    "/archive/responses", "/archive/gaps", "/archive/latest_metrics", "/-/metadata",
)  # fmt: skip


def post_id(database: Path, condition: str) -> int:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        found: int = connection.execute(f"SELECT id FROM posts WHERE {condition}").fetchone()[0]
        return found


@pytest.mark.parametrize("page", PAGES)
def test_every_page_answers_and_is_safe(client: httpx.Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 200, answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert '<html lang="en">' in answer.text
    assert re.findall(r"(?:src|action|poster)=\"(?:https?:)?//", answer.text) == []
    assert " style=" not in answer.text
    assert not re.search(r"\son\w+=", answer.text)


@pytest.mark.parametrize("page", TABLES)
def test_datasettes_own_pages_answer_within_the_guard(client: httpx.Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 200, answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_every_question_has_an_answer(client: httpx.Client) -> None:
    names = client.get("/archive.json").json()["queries"]
    assert len(names) >= 8
    for query in names:
        answer = client.get(
            f"/archive/{query['name']}.json", params={"post_id": "1", "words": "kiln"}
        )
        assert answer.json()["ok"], answer.text
        assert answer.json()["rows"] or query["name"] == "failed_accounts"


def test_an_edited_post_shows_what_changed(client: httpx.Client, demo: Path) -> None:
    found = post_id(demo, "edited_at IS NOT NULL")
    page = client.get(f"/archive/-/post/{found}").text
    assert "<del>Tuseday</del><ins>Tuesday</ins>" in page
    assert "2 versions" in page
    shown = page[page.index('<section id="revisions">') : page.index("Metrics over time")]
    assert re.findall(r"<(?:del|ins)>[-0-9.]+</", shown) == []
    first = shown[shown.index("Version 1") :]
    assert "Tuseday" in first
    assert "The first version in this archive" in first


def test_runs_tell_what_each_account_got(client: httpx.Client) -> None:
    page = client.get("/archive/-/runs").text
    assert len(re.findall(r">mare-linkedin</a>: [^<]*\b1 failed", page)) == 3
    assert re.search(r"instagram</a>: [^<]*[0-9]+ media", page)


def test_search_finds_and_marks(client: httpx.Client) -> None:
    found = {"tuesday": "Tuesday", "釉薬": "釉薬", "陶芸": "陶芸", '"on Tuesday"': "on Tuesday"}
    for words, mark in found.items():
        page = client.get("/archive/-/timeline", params={"q": words}).text
        assert f"<mark>{mark}</mark>" in page, words
    assert "No posts" in client.get("/archive/-/timeline?q=Wednsday").text


def test_search_says_that_an_earlier_version_matches_and_shows_its_words(
    client: httpx.Client,
) -> None:
    page = client.get("/archive/-/timeline?q=Tuseday").text
    assert "An earlier version of this post matches the search" in page
    assert re.search(r'class="earlier-words"[^>]*>[^<]*<mark>tuseday</mark>', page)


def test_the_timeline_tells_hits_and_what_it_took_for_no_date(client: httpx.Client) -> None:
    found = client.get("/archive/-/timeline?q=Tuesday&since=last+week").text
    assert re.search(rf"<h1><span role=.status.>{found.count('<article')} posts? that", found)
    assert "“last week” is not a date" in found
    assert '<a href="/archive/-/timeline?q=Tuesday&amp;edited=1">Edited</a>' in found
    edited = client.get("/archive/-/timeline?edited=1").text
    assert '<a href="/archive/-/timeline?edited=1" aria-current="page">Edited ' in edited


def test_tables_of_the_program_alone_are_hidden(client: httpx.Client) -> None:
    tables = {table["name"]: table for table in client.get("/archive.json").json()["tables"]}
    bookkeeping = {"about", "storage_totals", "post_sources", "table_checksums"}
    assert {name for name in bookkeeping if tables[name]["hidden"]} == bookkeeping


def test_removed_posts_and_omitted_media_are_labelled(client: httpx.Client) -> None:
    assert "Removed from X" in client.get("/archive/-/timeline?removed=1").text
    omitted = client.get("/archive/-/timeline?omitted=1").text
    assert omitted.count("<strong>Omitted</strong> <span>by the platform for copyright") == 2
    missing = client.get("/archive/-/missing").text
    assert "copyright" in missing
    assert re.search(r'<a href="/archive/-/post/[0-9]+">The post<', missing)


def test_a_url_with_the_old_name_of_a_filter_still_works(client: httpx.Client) -> None:
    old = client.get("/archive/-/timeline?withheld=1").text
    assert old == client.get("/archive/-/timeline?omitted=1").text
    assert "omitted=1" in client.get("/archive/-/gallery?withheld=1").text


def test_a_post_shows_its_sources(client: httpx.Client) -> None:
    page = client.get("/archive/-/post/1").text
    assert "/api/history/" in page
    assert re.search(
        r"<summary><code>[0-9a-f]{12}…</code></summary><code>[0-9a-f]{64}</code>", page
    )
    assert "As received from the source" in page


@pytest.mark.parametrize(
    "address",
    ["/archive/-/post/999999999", "/archive/-/post/x", "/archive/-/gallery/999999999",
     "/nothing/-/timeline", "/_internal/-/timeline",
     "/-/archiver/000000000000/thumbs.py"],
)  # fmt: skip
def test_what_is_not_there_is_a_404(client: httpx.Client, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [("/archive/-/post/999999999", 404, "no post of that number"),
     ("/archive/-/nope", 404, "no such page"), ("/archive/-", 404, "no such page"),
     ("/archive/nope", 404, "Table not found"), ("/nothing", 404, "There is no page at /nothing"),
     ("/nothing/-/timeline", 404, "There is no page at"),
     ("/archive?sql=delete+from+posts", 400, "SELECT"),
     ("/archive/posts?_sort=nope", 500, "Cannot sort")],
)  # fmt: skip
def test_an_error_is_a_page_that_leads_on(
    client: httpx.Client, address: str, status: int, said: str
) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert said in answer.text
    assert 'class="pages"' in answer.text
    assert '<a href="/archive/-/home">Home</a>' in answer.text
    assert "script-src 'self';" in answer.headers["content-security-policy"]


def test_an_error_of_a_program_stays_json(client: httpx.Client) -> None:
    answer = client.get("/archive.json?sql=select+x")
    assert (answer.status_code, answer.json()["ok"]) == (400, False)
    assert client.get("/archive/nope.json").json()["ok"] is False


@pytest.mark.parametrize(
    "cursor", ["x", "~", "2026~-1", "'~1", "a" * 500, "2026-01-01~" + "9" * 30]
)
def test_cursors_of_others_do_no_harm(client: httpx.Client, cursor: str) -> None:
    for name in ("before", "after"):
        assert client.get("/archive/-/timeline", params={name: cursor}).status_code == 200


@pytest.fixture(scope="module")
def inert(hostile: Path) -> Iterator[httpx.Client]:
    """A client of an archive whose texts try to be markup."""
    with browsing(hostile) as found:
        yield found


@pytest.mark.parametrize(
    "page",
    [*PAGES, "/archive/-/post/2", "/archive/-/post/3", "/archive/-/gallery/1", *TABLES,
     "/archive/-/timeline?q=%3Cscript%3E", "/archive/accounts", "/archive/attachments"],
)  # fmt: skip
def test_texts_stay_texts(inert: httpx.Client, page: str) -> None:
    text = inert.get(page).text
    assert "<script>document" not in text
    assert "<img src=x" not in text
    assert "<svg onload" not in text
    assert "<style>*" not in text
    assert not re.search(r"href=\"javascript:", text)
    assert "49 end" not in text
    assert re.findall(r"<a [^>]*onmouseover", text) == []


def test_links_in_texts_send_no_referrer(inert: httpx.Client) -> None:
    page = inert.get("/archive/-/timeline").text
    assert '<a href="https://example.com/?a=" rel="noopener noreferrer nofollow">' in page


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_other_names_are_not_answered(client: httpx.Client, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code in {400, 421}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8001", "127.0.0.1:1", "[::1]:8001"])
def test_the_machines_own_names_are(client: httpx.Client, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "sql",
    ["attach database '/etc/passwd' as x", "delete from posts", "pragma writable_schema=1",
     "select load_extension('x')", "select writefile('/tmp/x', 'x')", "vacuum into '/tmp/x'"],
)  # fmt: skip
def test_sql_only_reads(client: httpx.Client, sql: str) -> None:
    answer = client.get("/archive.json", params={"sql": sql})
    assert answer.json()["ok"] is False


def test_the_file_is_not_handed_out(client: httpx.Client) -> None:
    assert client.get("/archive.db").status_code == 403


def test_tables_show_pictures_and_links(client: httpx.Client) -> None:
    assert '<img src="/archive/-/thumb/s/' in client.get("/archive/media").text
    assert 'href="/archive/-/post/' in client.get("/archive/events").text
    row = client.get("/archive/posts/1").text
    assert '<details class="archiver-json">' in row


def test_every_table_and_column_is_explained(client: httpx.Client) -> None:
    said = client.get("/-/metadata.json").json()["databases"]["archive"]["tables"]
    for table, (text, columns) in metadata.comments().items():
        assert said[table]["description"] == text
        assert said[table].get("columns", {}) == columns
    assert said["posts"]["columns"]["removed_at"]


def test_a_plain_datasette_shows_it_too(demo: Path) -> None:
    other = Datasette([str(demo)])
    with serving(other) as address, httpx.Client(base_url=address, timeout=120) as plain:
        assert "Kiln four" in plain.get("/archive/-/timeline").text
        assert plain.get("/", headers={"host": "a.name.of.its.own"}).status_code == 200


def test_several_archives_each_have_their_pages(demo: Path, hostile: Path) -> None:
    other = Datasette([str(demo), str(hostile)])
    with serving(other) as address, httpx.Client(base_url=address, timeout=120) as plain:
        assert "Kiln four" in plain.get("/archive/-/timeline").text
        assert "Kiln four" not in plain.get("/archive_2/-/timeline").text
        assert plain.get("/").status_code == 200


def test_other_databases_are_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE posts (id INTEGER PRIMARY KEY, raw TEXT)")
    with (
        serving(Datasette([str(tmp_path / "other.db")])) as address,
        httpx.Client(base_url=address, timeout=120) as plain,
    ):
        assert plain.get("/other/-/timeline").status_code == 404
        assert "archiver" not in plain.get("/other/posts").text


def test_nothing_in_the_archives_folder_is_run(demo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(demo.parent, folder)
    (folder / "plugins").mkdir()
    (folder / "plugins" / "evil.py").write_text("raise SystemExit('it was run')")
    (folder / "templates").mkdir()
    (folder / "templates" / "base.html").write_text("owned")
    (folder / "settings.json").write_text('{"allow_download": true}')
    (folder / "metadata.json").write_text('{"title": "owned"}')
    with browsing(folder / demo.name) as found:
        assert "owned" not in found.get("/").text
        assert found.get("/archive.db").status_code == 403


def test_it_is_shown_while_a_run_writes(demo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(demo.parent, folder)
    with browsing(folder / demo.name) as found, writer(folder) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE posts SET text = 'new words of a run'")
        assert "new words of a run" not in found.get("/archive/-/timeline").text
        connection.execute("COMMIT")
        assert "new words of a run" in found.get("/archive/-/timeline").text


def test_a_time_that_is_none_spoils_no_page(demo: Path, tmp_path: Path) -> None:
    database = tmp_path / "archive.db"
    shutil.copyfile(demo, database)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE posts SET created_at = 'R2026-03' WHERE id % 2")
        connection.execute("UPDATE coverage SET newest = 'soon' WHERE id = 1")
    with browsing(database) as client:
        for page in PAGES:
            assert client.get(page).status_code == 200, page


def test_a_post_shows_who_reviewed_it_and_what_they_noted(tmp_path: Path) -> None:
    with saving(tmp_path) as saver:
        saver.save(POST, replace(POST, platform_id="p2"))
        add_action(saver.connection, "review", "2026-03-02T09:00:00.000Z", "legal@acme", post_id=1,
                   note="Approved <b>by</b> all")  # fmt: skip
    with browsing(tmp_path / "archive" / "archive.db") as client:
        page = client.get("/archive/-/post/1").text
        assert "<h2>1 review</h2>" in page
        assert "<strong>legal@acme</strong>" in page
        assert "Approved &lt;b&gt;by&lt;/b&gt; all" in page
        assert 'id="reviews"' not in client.get("/archive/-/post/2").text


def test_former_names_of_an_account_are_shown(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        for handle in ("before", "today"):
            world.account("threads").handle = handle
            world.next_night()
            with ThreadPoolExecutor(1) as apart:  # Playwright has an event loop in this thread
                apart.submit(world.backup).result()
        with browsing(world.directory / "archive.db") as client:
            page = client.get("/archive/-/home").text
    assert "(formerly @before)" in page


def test_a_question_that_takes_too_long_is_given_up(
    demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archiver.browse import timeline
    from archiver.browse.frame import TookTooLongError

    def for_ever(*_: object, **__: object) -> None:
        raise TookTooLongError

    monkeypatch.setattr(timeline, "post_page", for_ever)
    with browsing(demo) as found:
        answer = found.get("/archive/-/timeline?q=a")
    assert (answer.status_code, "This took too long" in answer.text) == (503, True)


def test_a_folder_without_an_archive_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no archive"):
        server.find_database(tmp_path)
