"""What is made for paper, printed by Chromium: A4, and no more pages than it takes."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

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


def test_a_view_on_paper_has_nothing_of_the_frame(desktop: Watched) -> None:
    desktop.goto("/archive/-/print?platform=instagram")
    desktop.page.emulate_media(media="print")
    assert not desktop.page.get_by_role("searchbox").is_visible()
    assert desktop.page.get_by_role("heading", name="Instagram").is_visible()
    assert 1 <= printed_pages(desktop) <= 8


def test_pages_for_paper_are_accessible_on_screens_too(watched: Watched, demo: Path) -> None:
    post = number(demo, LARGEST)
    for path in (f"/archive/-/post/{post}/evidence", "/archive/-/print?platform=instagram"):
        watched.goto(path)
        check(watched.page, path)
