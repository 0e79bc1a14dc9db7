"""Ten tasks as a reader does them, in a real browser: clicks and keys are those of the docs."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from archiver.browse import server
from support.browsing import serving
from support.chromium import Watched

pytestmark = pytest.mark.peers

GUIDE = Path(__file__).parents[2] / "docs" / "browsing.md"
HOME = "/archive/-/home"


@pytest.fixture(scope="module")
def address(harsh: Path) -> Iterator[str]:
    """Where the harsh archive is served."""
    with serving(server.make_datasette(harsh)) as found:
        yield found


class Hand:
    """Clicks and types on a page, and counts both."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0
        self.keys = 0

    def click(self, target: Locator) -> None:
        """Click the first of what is found."""
        target.first.click()
        self.clicks += 1

    def follow(self, name: str | re.Pattern[str], inside: str = "main") -> None:
        """Click a link, and wait for its page."""
        with self.page.expect_navigation():
            self.click(self.page.locator(inside).get_by_role("link", name=name))

    def choose(self, field: str, value: str) -> None:
        """Choose of a list: a click opens it, another takes the value."""
        self.page.get_by_label(field).select_option(value)
        self.clicks += 2

    def heading(self) -> str:
        """What the page says it shows."""
        return self.page.locator("h1").first.text_content() or ""


def a_picture_of_a_month(hand: Hand) -> None:
    hand.follow("Gallery", "header")
    hand.click(hand.page.locator(".rail summary", has_text="2024"))
    hand.follow(re.compile("^May 2024"), ".rail")
    assert hand.page.locator("h2.month").first.text_content() == "May 2024" or (
        hand.page.locator(".of-month").first.get_attribute("data-month") == "2024-05"
    )
    with hand.page.expect_navigation():
        hand.click(hand.page.locator(".tile > a"))
    assert "/gallery/" in hand.page.url


def the_first_version_of_an_edited_post(hand: Hand) -> None:
    hand.follow("Timeline", "header")
    hand.follow(re.compile("^Edited"), ".quick")
    hand.follow(re.compile(r"^Edited, \d versions"))
    assert hand.page.get_by_text("The first version in this archive.").is_visible()


def all_omitted_reels_of_an_account(hand: Hand) -> None:
    hand.follow("my-instagram", ".accounts")
    hand.follow(re.compile("^Omitted media"), ".quick")
    hand.click(hand.page.get_by_text("Filter", exact=True))
    hand.choose("Kind", "reel")
    with hand.page.expect_navigation():
        hand.click(hand.page.get_by_role("button", name="Show", exact=True))
    assert re.match(r"my-instagram: \d+ reels? with omitted media", hand.heading())


def one_post_on_paper(hand: Hand) -> None:
    hand.follow("Timeline", "header")
    hand.follow(re.compile("^Details"))
    hand.follow("evidence sheet")
    hand.keys += 1  # Ctrl+P, which is the browser's
    assert hand.heading().startswith("Evidence sheet")


def a_month_as_a_file(hand: Hand) -> None:
    hand.click(hand.page.locator("td a[href*='since=2026-09']"))
    hand.page.wait_for_url("**since=2026-09**")
    with hand.page.expect_download() as started:
        hand.click(hand.page.get_by_role("link", name="CSV"))
    assert started.value.suggested_filename.endswith(".csv")


def the_oldest_post_of_an_account(hand: Hand) -> None:
    hand.follow("my-threads", ".accounts")
    hand.follow("Oldest first", ".quick")
    assert "2023" in (hand.page.locator("h2.month").first.text_content() or "")


def why_a_file_is_missing(hand: Hand) -> None:
    hand.follow(re.compile("^my-twitter: 1 file"), ".alarms")
    assert hand.page.locator(".absences > li:target .why").is_visible()


def a_post_and_its_replies(hand: Hand) -> None:
    hand.follow("my-threads", ".accounts")
    hand.follow(re.compile(r"^(Thread|\d+ repl(y|ies) here)$"))
    assert hand.page.locator("article").count() > 1


def a_post_with_a_word(hand: Hand) -> None:
    for key in ("/", *"harbour"):
        hand.page.keyboard.press(key)
        hand.keys += 1
    with hand.page.expect_navigation():
        hand.page.keyboard.press("Enter")
    hand.keys += 1
    assert hand.page.locator("article mark").first.is_visible()


def the_best_posts_of_all(hand: Hand) -> None:
    hand.follow("Numbers", "header")
    assert hand.page.get_by_role("heading", name=re.compile("^Best posts")).first.is_visible()


TASKS: dict[str, Callable[[Hand], None]] = {
    "Find a picture of May 2024": a_picture_of_a_month,
    "Read the first version of an edited post": the_first_version_of_an_edited_post,
    "List all omitted reels of one account": all_omitted_reels_of_an_account,
    "Print one post with what proves it": one_post_on_paper,
    "Export a month of one account": a_month_as_a_file,
    "See the oldest posts of one account": the_oldest_post_of_an_account,
    "Learn why a file of the last run is missing": why_a_file_is_missing,
    "Read a post with its replies": a_post_and_its_replies,
    "Find a post by a word of seven letters": a_post_with_a_word,
    "See the best posts of all accounts": the_best_posts_of_all,
}


def said_in_the_guide(task: str) -> str:
    """What the last column of the table says of a task."""
    lines = GUIDE.read_text("utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith(f"| {task} |")]
    return line.rstrip(" |").rpartition("| ")[2]


@pytest.mark.parametrize("task", TASKS)
def test_a_task_takes_as_many_clicks_and_keys_as_the_guide_says(
    desktop: Watched, task: str
) -> None:
    desktop.goto(HOME)
    hand = Hand(desktop.page)
    TASKS[task](hand)
    assert f"{hand.clicks} + {hand.keys}" == said_in_the_guide(task)
