"""A view, or a post, as CSV, JSON and ZIP: the posts of the view, all of them or no file."""

import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from datasette.app import Datasette

from archiver.browse import downloads
from support.browsing import browsing, serving

pytestmark = pytest.mark.slow

VIEWS = (
    "", "?platform=instagram", "?q=kiln", "?edited=1", "?removed=1", "?omitted=1", "?media=1",
    "?kind=reel", "?since=2026-02&until=2026-03", "?q=nothing+says+this", "?account=nobody",
)  # fmt: skip


def shown(client: httpx.Client, view: str) -> list[int]:
    """The posts on all pages of a view, in their order, each by itself."""
    found: list[int] = []
    address = f"/archive/-/timeline{view}{'&' if view else '?'}apart=1"
    while address:
        page = client.get(address).text
        found += [int(number) for number in re.findall(r'id="post-(\d+)"', page)]
        older = re.search(r'rel="next" class="onward" href="([^"]+)"', page)
        address = older[1].replace("&amp;", "&") if older else ""
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_an_export_has_the_posts_of_its_view_in_their_order(
    client: httpx.Client, view: str
) -> None:
    wanted = shown(client, view)
    table = client.get(f"/archive/-/posts.csv{view}").content.decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(table, newline=""))
    assert [int(row["post_id"]) for row in rows] == wanted
    document = client.get(f"/archive/-/posts.json{view}").json()
    assert [post["id"] for post in document["posts"]] == wanted
    assert document["posts_count"] == len(wanted)


def test_a_zip_is_checked_by_sha256sum(client: httpx.Client, tmp_path: Path) -> None:
    answer = client.get("/archive/-/posts.zip?platform=instagram")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        package.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "manifest-sha256.txt"], cwd=folder, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "media").is_dir()
    names = [path.name for path in (folder / "media").iterdir()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d_[\w-]+\.[a-z0-9]+", name) for name in names), names


@pytest.mark.parametrize("form", ["csv", "json", "zip"])
def test_the_file_is_named_by_what_it_is_and_no_page(client: httpx.Client, form: str) -> None:
    answer = client.get(f"/archive/-/posts.{form}?q=kiln&since=2026")
    name = f"archive-Since-2026-posts-that-contain-kiln.{form}"
    assert f'filename="{name}"' in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert client.head(f"/archive/-/posts.{form}").content == b""


def test_a_name_in_another_script_is_kept_and_has_a_plain_form(client: httpx.Client) -> None:
    said = client.get("/archive/-/posts.csv?q=釉薬").headers["content-disposition"]
    assert 'filename="archive-Posts-that-contain---.csv"' in said
    assert "filename*=UTF-8''archive-Posts-that-contain-%E9%87%89%E8%96%AC.csv" in said


def test_a_view_and_a_post_lead_to_their_exports(client: httpx.Client) -> None:
    page = client.get("/archive/-/timeline?platform=instagram").text
    for form in ("csv", "json", "zip"):
        assert f'href="/archive/-/posts.{form}?platform=instagram"' in page
    gallery = client.get("/archive/-/gallery?platform=instagram").text
    assert 'href="/archive/-/posts.zip?platform=instagram&amp;media=1"' in gallery
    assert 'href="/archive/-/post/1.zip"' in client.get("/archive/-/post/1").text


def test_one_post_is_a_zip_too(client: httpx.Client) -> None:
    answer = client.get("/archive/-/post/1.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        (document,) = [name for name in package.namelist() if name.endswith("/posts.json")]
        assert json.loads(package.read(document))["posts"][0]["id"] == 1
    assert client.get("/archive/-/post/999999.zip").status_code == 404


def test_a_view_of_too_many_posts_is_no_zip_and_says_what_to_do(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_ZIPPED", 3)
    answer = client.get("/archive/-/posts.zip")
    assert answer.status_code == 413
    assert "A ZIP holds 3 posts at most" in answer.text
    assert client.get("/archive/-/posts.csv").status_code == 200


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Exports that send a little, and go on when the gate is opened."""
    opened = threading.Event()

    def slow(*_: Any) -> Iterator[bytes]:
        yield b"x" * 70_000
        opened.wait(60)
        yield b"y"

    monkeypatch.setattr(downloads, "csv_table", slow)
    yield opened
    opened.set()


def test_only_a_few_exports_run_at_once(client: httpx.Client, gate: threading.Event) -> None:
    address = "/archive/-/posts.csv"
    with client.stream("GET", address) as one, client.stream("GET", address) as two:
        assert (one.status_code, two.status_code) == (200, 200)
        assert client.get(address).status_code == 503
        gate.set()
        assert len(one.read()) == len(two.read()) == 70_001
    while client.get(address).status_code == 503:
        pass  # a place is free a moment after the last byte


def test_a_client_that_went_frees_its_place(client: httpx.Client, gate: threading.Event) -> None:
    address = "/archive/-/posts.csv"
    for _ in range(2):
        with client.stream("GET", address) as answer:
            assert answer.status_code == 200
    gate.set()
    while client.get(address).status_code == 503:
        pass  # until the server has noticed; the time limit of tests ends what never does
    with client.stream("GET", address) as one:
        while one.status_code == 200 and client.get(address).status_code == 503:
            pass


def test_an_export_that_cannot_go_on_is_broken_off(demo: Path, tmp_path: Path) -> None:
    shutil.copytree(demo.parent, tmp_path / "archive")
    with closing(sqlite3.connect(tmp_path / "archive" / "archive.db")) as connection, connection:
        connection.execute("UPDATE posts SET text = CAST(x'ff' AS TEXT) WHERE id = 2")
    with browsing(tmp_path / "archive" / "archive.db") as client:
        try:
            answer = client.get("/archive/-/posts.csv")
        except httpx.RemoteProtocolError:
            return
        assert answer.status_code == 500


def test_a_copy_on_a_server_gives_no_more_than_its_setting_allows(demo: Path) -> None:
    served = Datasette([str(demo)], settings={"max_csv_mb": 1})
    with (
        serving(served) as address,
        httpx.Client(base_url=address, timeout=120) as client,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        client.get("/archive/-/posts.zip")
