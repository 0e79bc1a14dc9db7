"""The pages in a real browser: Debian's Chromium, driven by Playwright."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from archiver.browse import server
from support.browsing import serving
from support.chromium import Watched, assert_fits, assert_images_are_shown, check, check_own

pytestmark = pytest.mark.peers

PATHS = (
    "/", "/archive/-/timeline", "/archive/-/timeline?q=Tuesday", "/archive/-/timeline?omitted=1",
    "/archive/-/gallery", "/archive/-/missing", "/archive/-/runs",
    "/archive/-/on-this-day?day=03-01", "/archive/-/timeline?account=mare-instagram",
    "/archive/-/timeline?q=nowhere", "/archive/-/numbers", "/archive/-/print?platform=instagram",
)  # fmt: skip


def row(database: Path, sql: str) -> Any:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchone()[0]


def paths(database: Path) -> list[str]:
    edited = row(database, "SELECT id FROM posts WHERE edited_at IS NOT NULL")
    removed = row(database, "SELECT id FROM posts WHERE removed_at IS NOT NULL")
    film = row(database, _FILM)
    reply = row(database, "SELECT post_id FROM relations WHERE kind = 'reply_to'")
    metric = row(database, _METRIC)
    return [
        *PATHS, f"/archive/-/post/{edited}", f"/archive/-/post/{removed}", film,
        f"/archive/-/post/{edited}/evidence", f"/archive/-/thread/{reply}", metric,
    ]  # fmt: skip


_METRIC = """
    SELECT '/archive/-/post/' || post_id || '/metric?name=' || name FROM metrics
     WHERE attachment_id = 0 GROUP BY post_id, name ORDER BY count(*) DESC
"""
_FILM = """
    SELECT '/archive/-/gallery/' || attachments.id FROM attachments
      JOIN renditions ON attachment_id = attachments.id JOIN media ON sha256 = media_sha256
     WHERE media.content_type = 'video/mp4' AND state = 'stored' AND attachments.kind = 'video'
"""


def test_every_page_is_quiet_and_accessible(watched: Watched, demo: Path) -> None:
    for path in paths(demo):
        watched.goto(path)
        assert_images_are_shown(watched.page, path)
        check_own(watched.page, path)


def test_nothing_is_wider_than_the_smallest_phone(
    browser: Browser, address: str, demo: Path
) -> None:
    with browser.new_context(viewport=ViewportSize(width=320, height=640)) as context:
        found = Watched(context.new_page(), address)
        for path in [*paths(demo), f"/archive/-/timeline?q={'x' * 190}"]:
            found.goto(path)
            assert_fits(found.page, path)
        assert found.complaints == []


TABLES = (
    "/archive", "/archive/posts", "/archive/posts?kind=reel", "/archive/posts/1", "/archive/media",
    "/archive/renditions", "/archive/runs", "/archive/timeline", "/archive/most_liked",
    "/archive/largest_files", "/archive/search?words=kiln", "/archive/search",
    "/archive?sql=select+id%2C+text+from+posts+where+kind+%3D+%27reel%27+limit+5",
)  # fmt: skip


@pytest.mark.parametrize("path", TABLES)
def test_datasettes_own_pages_are_quiet_and_accessible(watched: Watched, path: str) -> None:
    watched.goto(path)
    check(watched.page, path)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/archive/-/nope", 404), ("/archive/nope", 404), ("/archive?sql=select+nope", 400)],
)
def test_errors_are_accessible_and_lead_home(watched: Watched, path: str, status: int) -> None:
    answer = watched.goto(path)
    assert answer
    assert answer.status == status
    (complaint,) = watched.complaints  # Chromium's own, of the status
    assert str(status) in complaint
    watched.complaints.clear()
    check(watched.page, path)
    if status == 404:
        with watched.page.expect_navigation():
            watched.page.get_by_role("main").get_by_role("link", name="Home").click()
        assert watched.page.url.endswith("/archive/-/home")


_MADE_HERE = """
    SELECT '/archive/-/gallery/' || attachment_id FROM renditions
      JOIN media_origins ON rendition_id = renditions.id WHERE how = 'joined'
"""


@pytest.mark.parametrize("film", [_FILM, _MADE_HERE], ids=["served", "joined of a playlist"])
def test_a_video_plays_and_seeks(desktop: Watched, demo: Path, film: str) -> None:
    desktop.goto(row(demo, film))
    video = desktop.page.locator("video")
    assert "/-/thumb/m/" in (video.get_attribute("poster") or "")
    played = video.evaluate(
        """async v => { v.muted = true; await v.play();
             await new Promise(done => v.addEventListener('timeupdate', done, {once: true}));
             v.pause(); v.currentTime = 1.5;
             await new Promise(done => v.addEventListener('seeked', done, {once: true}));
             return [v.duration, v.currentTime, v.videoWidth, v.error] }"""
    )
    assert played[0] == pytest.approx(2, abs=0.2)
    assert played[1] == pytest.approx(1.5, abs=0.1)
    assert played[2] > 0
    assert played[3] is None


def test_the_search_finds_an_edited_post(desktop: Watched) -> None:
    desktop.goto("/")
    desktop.page.get_by_role("searchbox", name="Search all posts").fill("open it on tuesday")
    with desktop.page.expect_navigation():
        desktop.page.get_by_role("button", name="Search").click()
    assert desktop.page.locator("mark").first.text_content() == "open"
    with desktop.page.expect_navigation():
        desktop.page.get_by_role("link", name=re.compile("Edited, 2 versions")).click()
    assert desktop.page.locator("del").first.text_content() == "Tuseday"
    assert desktop.page.locator("ins").first.text_content() == "Tuesday"


def test_filters_are_links_and_back_leads_back(desktop: Watched) -> None:
    desktop.goto("/archive/-/timeline")
    desktop.page.get_by_text("Filter", exact=True).click()
    desktop.page.get_by_label("Platform").select_option("threads")
    with desktop.page.expect_navigation():
        desktop.page.get_by_role("button", name="Show").click()
    own = desktop.page.locator("article .who .badge:first-child")  # behind it, other networks
    assert set(own.all_text_contents()) == {"Threads"}
    with desktop.page.expect_navigation():
        desktop.page.get_by_role("link", name="Details").first.click()
    desktop.page.go_back()
    desktop.page.wait_for_url("**platform=threads*")
    desktop.page.go_back()
    assert len(set(desktop.page.locator("article .badge").all_text_contents())) > 3
    desktop.page.go_forward()
    desktop.page.wait_for_url("**platform=threads*")
    with desktop.page.expect_navigation():
        desktop.page.get_by_role("link", name="Remove the filter threads").click()
    assert len(set(desktop.page.locator("article .badge").all_text_contents())) > 3


def test_arrow_keys_turn_the_viewer_and_escape_leaves_it(desktop: Watched) -> None:
    desktop.goto("/archive/-/gallery")
    with desktop.page.expect_navigation():
        desktop.page.locator(".tile a").first.click()
    seen = [desktop.page.url]
    for _ in range(6):
        with desktop.page.expect_navigation():
            desktop.page.keyboard.press("ArrowRight")
        seen.append(desktop.page.url)
    assert len(set(seen)) == len(seen)
    with desktop.page.expect_navigation():
        desktop.page.keyboard.press("ArrowLeft")
    assert desktop.page.url == seen[-2]
    with desktop.page.expect_navigation():
        desktop.page.keyboard.press("Escape")
    assert "#tile-" in desktop.page.url
    tile = desktop.page.locator("#tile-" + desktop.page.url.partition("#tile-")[2])
    expect(tile).to_be_in_viewport()
    assert seen[-2].endswith(tile.locator("a").get_attribute("href") or "nowhere")


def test_the_whole_archive_comes_as_one_scrolls(desktop: Watched, demo: Path) -> None:
    desktop.goto("/archive/-/timeline")
    articles = desktop.page.locator("[id^=post-]")
    onward = desktop.page.locator('nav.pager a[rel="next"]')
    while onward.count():
        before = articles.count()
        onward.scroll_into_view_if_needed()
        expect(articles).not_to_have_count(before)
        desktop.page.wait_for_load_state("networkidle")
    ids = desktop.page.evaluate("[...document.querySelectorAll('[id^=post-]')].map(a => a.id)")
    assert len(ids) == len(set(ids)) == row(demo, "SELECT count(*) FROM posts")
    months = desktop.page.locator("h2.month").all_text_contents()
    assert len(months) == len(set(months))


def test_the_whole_archive_is_reached_by_links_without_script(
    browser: Browser, address: str, demo: Path
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{address}/archive/-/timeline")
        count = page.locator("[id^=post-]").count()
        while page.get_by_role("link", name="Older →").count():
            with page.expect_navigation():
                page.get_by_role("link", name="Older →").click()
            count += page.locator("[id^=post-]").count()
    assert count == row(demo, "SELECT count(*) FROM posts")


def test_it_is_readable_without_script(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{address}/archive/-/gallery")
        for link in (page.locator(".tile a").first, page.get_by_role("link", name="Older")):
            with page.expect_navigation():
                link.click()
        expect(page.locator("figure img, figure video")).to_have_count(1)


def test_what_was_unfolded_stays_so_at_the_next_click(desktop: Watched) -> None:
    desktop.goto("/archive/-/timeline")
    desktop.page.get_by_text("Filter", exact=True).click()
    desktop.page.locator("h1").click()
    assert desktop.page.locator("details.filters").get_attribute("open") is not None


def test_the_keyboard_reaches_the_content_first(desktop: Watched) -> None:
    desktop.goto("/archive/-/timeline")
    desktop.page.keyboard.press("Tab")
    expect(desktop.page.get_by_text("Skip to content")).to_be_focused()
    desktop.page.keyboard.press("Enter")
    expect(desktop.page.locator("#main")).to_be_focused()


def test_markup_in_posts_stays_text(browser: Browser, hostile: Path) -> None:
    with serving(server.make_datasette(hostile)) as address, browser.new_context() as context:
        found = Watched(context.new_page(), address)
        for path in ("/", *PATHS, "/archive/-/post/1", "/archive/posts", "/archive/accounts"):
            found.goto(path)
            assert "owned" not in found.page.title().partition("–")[0].partition("<")[0]
            assert found.page.locator("article img[src=x], main svg[onload]").count() == 0
        found.goto("/archive/-/timeline")
        assert "<script>document.title='owned'</script>" in found.page.inner_text("main")
        assert found.complaints == []
