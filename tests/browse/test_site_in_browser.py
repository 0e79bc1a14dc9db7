"""A site in a real browser, from the disk and from a web server, with nothing else to ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, expect

from support.chromium import Watched, check_own
from support.exporting import exported, make_archive

pytestmark = pytest.mark.peers


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — its name there
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a web server that has this folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    return exported(make_archive(folder), folder / "out", "html").folder


def search_and_follow(watched: Watched) -> None:
    page = watched.page
    watched.goto("/index.html")
    page.get_by_label("Search all posts").fill("EVÉNING g")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#outcome")).to_have_text("1 post, newest first")
    page.get_by_role("link", name="Good evening").click()
    expect(page.locator("article:target")).to_contain_text("Good evening")
    watched.goto("/search.html?q=日本")
    expect(page.locator("#results li")).to_have_count(1)
    watched.goto("/search.html?q=nowhere")
    expect(page.locator("#outcome")).to_have_text("No post has all these words.")


@pytest.mark.parametrize("width", [375, 1440])
def test_pages_are_usable_from_a_disk_and_ask_for_nothing_else(
    site: Path, browser: Browser, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    watched = Watched(page, site.as_uri())
    checked = browser.new_page(viewport={"width": width, "height": 900})  # axe asks for things
    for path in (
        "/index.html", "/accounts/1.html", "/posts/2026-03.html", "/posts/undated.html",
        "/search.html?q=evening",
    ):  # fmt: skip
        watched.goto(path)
        checked.goto(site.as_uri() + path)
        check_own(checked, path)
    checked.close()
    search_and_follow(watched)
    assert watched.complaints == []
    page.close()


def test_a_web_server_shows_the_same(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    with served(site) as address:
        watched = Watched(page, address)
        search_and_follow(watched)
        assert watched.complaints == []
        page.close()


def test_posts_are_read_without_scripts(site: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.as_uri()}/index.html")
    page.get_by_role("link", name="March").first.click()
    expect(page.get_by_text("Good evening")).to_be_visible()
    context.close()
