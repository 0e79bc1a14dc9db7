"""A handful of pages by structure: headings, landmarks, and what a reader can do, not pixels.

Where a page is changed on purpose, `UPDATE_OUTLINES=1 pytest tests/browse/test_outlines.py` writes
the outlines anew; then look at what changed in them.
"""

import os
import re
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page

from support.chromium import Watched

pytestmark = pytest.mark.peers

OUTLINES = Path(__file__).parent.parent / "data" / "outlines"
EDITED = "SELECT id FROM posts WHERE edited_at IS NOT NULL"
PAGES = {
    "home": "/archive/-/home",
    "timeline": "/archive/-/timeline?platform=instagram",
    "post": "/archive/-/post/{edited}",
    "evidence": "/archive/-/post/{edited}/evidence",
    "numbers": "/archive/-/numbers?by=likes",
    "missing": "/archive/-/missing?state=omitted",
    "table": "/archive/posts?kind=reel",
}
_OUTLINE = """() => {
    const said = e => (e.getAttribute("aria-label") || e.textContent).replace(/\\s+/g, " ").trim();
    const named = e => e.getAttribute("aria-label")
        || document.getElementById(e.getAttribute("aria-labelledby"))?.textContent || "";
    const kinds = "h1, h2, h3, h4, header, nav, main, footer, section[aria-label],"
        + "section[aria-labelledby], [role=region], [role=search], form, table, figure, summary,"
        + "header nav a, .outlets a, .quick a, button";
    return [...document.querySelectorAll(kinds)].filter(e => e.checkVisibility()).map(e => {
        const name = e.tagName.toLowerCase();
        const text = ["header", "nav", "main", "footer", "section", "div", "form", "table",
            "figure"].includes(name) ? named(e) : said(e);
        let depth = 0;
        for (let above = e.parentElement; above; above = above.parentElement)
            if (above.matches("header, nav, main, footer, section, form, figure")) depth += 1;
        return "  ".repeat(depth) + name + (text ? ": " + text.slice(0, 60) : "");
    });
}"""
_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"


def outline(page: Page) -> str:
    """A line for each heading, landmark and action; what depends on the day is left out."""
    lines = [re.sub(rf"\b({_MONTH})\b", "MONTH", line) for line in page.evaluate(_OUTLINE)]
    lines = [re.sub(r"(?<!\bh)[\d,.:–-]*\d+", "#", line).rstrip() for line in lines]
    kept = [line for k, line in enumerate(lines) if k == 0 or line != lines[k - 1]]
    return "\n".join(kept) + "\n"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_its_outline(desktop: Watched, demo: Path, name: str) -> None:
    with closing(sqlite3.connect(f"{demo.as_uri()}?mode=ro", uri=True)) as connection:
        edited = connection.execute(EDITED).fetchone()[0]
    desktop.goto(PAGES[name].format(edited=edited))
    found = outline(desktop.page)
    kept = OUTLINES / f"{name}.txt"
    if os.environ.get("UPDATE_OUTLINES"):
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(found, "utf-8")
    assert found == kept.read_text("utf-8"), f"The outline of {name} changed: see the docstring"


@pytest.mark.parametrize("name", PAGES)
def test_headings_do_not_skip_a_level_and_landmarks_are_there(
    desktop: Watched, demo: Path, name: str
) -> None:
    with closing(sqlite3.connect(f"{demo.as_uri()}?mode=ro", uri=True)) as connection:
        edited = connection.execute(EDITED).fetchone()[0]
    desktop.goto(PAGES[name].format(edited=edited))
    lines = [line.strip() for line in outline(desktop.page).splitlines()]
    levels = [int(line[1]) for line in lines if re.match(r"h[1-4]\b", line)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for landmark in ("header", "nav: Pages", "main", "footer"):
        assert sum(line.partition(":")[0] == landmark.partition(":")[0] for line in lines) >= 1
