"""What is made for paper, printed by Chromium: A4, and no more pages than it takes."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from archiver.browse import server
from support.browsing import serving
from support.chromium import Watched, check

pytestmark = pytest.mark.peers


def number(database: Path, sql: str) -> int:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        found: int = connection.execute(sql).fetchone()[0]
        return found


def printed_pages(watched: Watched) -> int:
    """How many pages Chromium's PDF of the page has; each must be an A4."""
    data = watched.page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", data)
    assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(595, 842)}
    return len(re.findall(rb"/Type\s*/Page\b", data))


LARGEST = "SELECT post_id FROM attachments GROUP BY post_id ORDER BY count(*) DESC, post_id LIMIT 1"
WORDIEST = "SELECT id FROM posts WHERE edited_at IS NULL ORDER BY length(text) DESC LIMIT 1"


@pytest.mark.parametrize(
    "post", ["SELECT id FROM posts WHERE edited_at IS NOT NULL LIMIT 1", LARGEST, WORDIEST]
)
def test_an_evidence_sheet_takes_two_pages(desktop: Watched, demo: Path, post: str) -> None:
    desktop.goto(f"/archive/-/post/{number(demo, post)}/evidence")
    assert printed_pages(desktop) <= 2


def test_a_long_post_that_was_edited_takes_no_more(
    browser: Browser, demo: Path, tmp_path: Path
) -> None:
    database = tmp_path / "archive.db"
    post = with_a_long_edited_post(demo, database)
    with serving(server.make_datasette(database)) as address, browser.new_context() as context:
        watched = Watched(context.new_page(), address)
        watched.goto(f"/archive/-/post/{post}/evidence")
        assert watched.page.locator(".long-text").count() == 2  # the text, and what changed in it
        assert watched.page.locator("ins").first.text_content() == "Tuesday"
        assert printed_pages(watched) == 2


def with_a_long_edited_post(demo: Path, database: Path) -> int:
    """Make a copy of the demo whose edited post has 5,500 characters in both versions: its id."""
    long = "Tuesday" + ", and nobody ever waits that long" * 166
    with (
        closing(sqlite3.connect(f"{demo.as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(database)) as copy,
        copy,
    ):
        source.backup(copy)
        found: int = copy.execute("SELECT id FROM posts WHERE edited_at IS NOT NULL").fetchone()[0]
        copy.execute("DROP TRIGGER revisions_stay")
        copy.execute(
            "UPDATE posts SET text = replace(text, 'Tuesday', ?) WHERE id = ?", (long, found)
        )
        for word in ("Tuesday", "Tuseday"):
            copy.execute(
                "UPDATE revisions SET raw = replace(raw, ?, ?) WHERE post_id = ?",
                (word, long.replace("Tuesday", word), found),
            )
        return found


def test_a_view_on_paper_has_nothing_of_the_frame(desktop: Watched) -> None:
    desktop.goto("/archive/-/print?platform=instagram")
    desktop.page.emulate_media(media="print")
    assert not desktop.page.get_by_role("searchbox").is_visible()
    assert not desktop.page.locator("button.keys").is_visible()
    assert desktop.page.get_by_role("heading", name="Instagram").is_visible()
    assert 1 <= printed_pages(desktop) <= 8


def test_pages_for_paper_are_accessible_on_screens_too(watched: Watched, demo: Path) -> None:
    post = number(demo, LARGEST)
    for path in (f"/archive/-/post/{post}/evidence", "/archive/-/print?platform=instagram"):
        watched.goto(path)
        check(watched.page, path)
