"""The harsh archive in a real browser: by keyboard alone, as one scrolls, and back again."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from archiver.browse import server
from support.browsing import serving
from support.chromium import Watched, check_own

pytestmark = pytest.mark.peers

TIMELINE = "/archive/-/timeline"
PATHS = (
    "/", TIMELINE, f"{TIMELINE}?account=my-instagram", f"{TIMELINE}?at=2024-05&order=oldest",
    "/archive/-/gallery?platform=instagram", "/archive/-/missing?state=gone",
    "/archive/-/on-this-day?day=03-14", "/archive/-/runs",
)  # fmt: skip


@pytest.fixture(scope="module")
def address(harsh: Path) -> Iterator[str]:
    """Where the harsh archive is served."""
    with serving(server.make_datasette(harsh)) as found:
        yield found


def test_axe_finds_nothing_in_a_harsh_archive(watched: Watched) -> None:
    for path in PATHS:
        watched.goto(path)
        check_own(watched.page, path)


def test_a_keyboard_alone_reads_searches_and_comes_back(desktop: Watched) -> None:
    page, keys = desktop.page, desktop.page.keyboard
    desktop.goto(TIMELINE)
    ids = page.evaluate("[...document.querySelectorAll('article')].map(a => a.id)")
    keys.press("j")
    expect(page.locator(f"#{ids[0]}")).to_be_focused()
    keys.press("j")
    keys.press("j")
    expect(page.locator(f"#{ids[2]}")).to_be_focused()
    keys.press("k")
    expect(page.locator(f"#{ids[1]}")).to_be_focused()
    with page.expect_navigation():
        keys.press("Enter")
    assert page.url.endswith(ids[1].replace("post-", "/post/"))
    page.go_back()
    expect(page.locator(f"#{ids[1]}")).to_be_in_viewport()
    keys.press("/")
    keys.type("kiln")
    with page.expect_navigation():
        keys.press("Enter")
    assert "that contain “kiln”" in (page.locator("h1").text_content() or "")
    with page.expect_navigation():
        page.locator("h1").click()
        keys.press("g")
    assert page.url.endswith("/archive/-/home")


def test_months_are_chosen_by_key_and_announced(desktop: Watched) -> None:
    desktop.goto(f"{TIMELINE}?account=my-twitter")
    headings = desktop.page.locator("h2.month")
    told = desktop.page.locator("#announcement")
    for number, key in ((0, "n"), (1, "n"), (2, "n"), (1, "p"), (0, "p")):
        desktop.page.keyboard.press(key)
        expect(told).to_have_text(headings.nth(number).text_content() or "")
        expect(headings.nth(number)).to_be_in_viewport()


def test_help_lists_the_keys_and_can_switch_letters_off(desktop: Watched) -> None:
    page = desktop.page
    desktop.goto(TIMELINE)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    check_own(page, "the dialog")
    dialog.get_by_label("Letters are keys").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.matches('article')") is False
    page.reload()
    page.keyboard.press("?")
    expect(dialog.get_by_label("Letters are keys")).not_to_be_checked()
    dialog.get_by_label("Letters are keys").check()


def test_posts_and_months_are_skipped_by_links(desktop: Watched) -> None:
    page = desktop.page
    desktop.goto(TIMELINE)
    link = page.get_by_role("link", name="Skip the posts")
    link.focus()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#pages")).to_be_focused()


def scrolled_far(desktop: Watched) -> str:
    """Scroll until four more pages have come; the id of a post far down, in the middle."""
    page = desktop.page
    desktop.goto(TIMELINE)
    for _ in range(4):
        before = page.locator("article").count()
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(page.locator("article")).not_to_have_count(before)
    target = page.locator("article").nth(80)
    target.scroll_into_view_if_needed()
    return target.get_attribute("id") or ""


def test_more_posts_come_as_one_scrolls_and_back_leads_to_the_same_place(
    desktop: Watched,
) -> None:
    page = desktop.page
    far = scrolled_far(desktop)
    page.locator(f"#{far} a.when").first.press("Enter")  # a click may miss what still moves
    page.wait_for_url("**/post/*")
    page.go_back()
    expect(page.locator(f"#{far}")).to_be_in_viewport()
    left, found = page.evaluate(
        "far => [history.state.top, document.getElementById(far).getBoundingClientRect().top]", far
    )
    assert found == pytest.approx(left, abs=60)


def test_the_address_says_where_one_is(desktop: Watched) -> None:
    page = desktop.page
    far = scrolled_far(desktop)
    place = page.evaluate(
        """far => {
             const post = document.getElementById(far);
             return [...document.querySelectorAll('[data-page]')].filter(one => one === post ||
               one.compareDocumentPosition(post) & Node.DOCUMENT_POSITION_FOLLOWING,
             ).at(-1).dataset.page }""",
        far,
    )
    page.wait_for_url(lambda url: url.endswith(place))
    page.reload()
    expect(page.locator(f"#{far}")).to_have_count(1)


def test_searches_are_saved_shown_and_forgotten(desktop: Watched) -> None:
    page = desktop.page
    desktop.goto(f"{TIMELINE}?q=kiln&account=my-threads")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Name of this search").fill("Kilns on Threads")
    page.get_by_role("button", name="Save this search").click()
    expect(page.locator("#announcement")).to_have_text("Kilns on Threads is saved")
    desktop.goto("/archive/-/home")
    with page.expect_navigation():
        page.get_by_role("link", name="Kilns on Threads").click()
    assert page.url.endswith("?q=kiln&account=my-threads")
    desktop.goto("/archive/-/home")
    page.get_by_role("button", name="Forget Kilns on Threads").click()
    expect(page.get_by_role("heading", name="Saved searches")).to_be_hidden()


def test_an_alarm_that_was_seen_stays_away_until_it_changes(desktop: Watched) -> None:
    page = desktop.page
    desktop.goto("/archive/-/home")
    alarm = page.get_by_role("link", name="my-twitter: 1 file")
    expect(alarm).to_be_visible()
    page.get_by_role("button", name="Seen: my-twitter: 1 file").click()
    expect(alarm).to_be_hidden()
    page.reload()
    expect(alarm).to_be_hidden()
    page.get_by_role("button", name="Show 1 seen").click()
    expect(alarm).to_be_visible()


def test_an_alarm_leads_to_its_file(desktop: Watched) -> None:
    desktop.goto("/archive/-/home")
    with desktop.page.expect_navigation():
        desktop.page.get_by_role("link", name="my-twitter: 1 file").click()
    expect(desktop.page.locator(".absences > li:target")).to_be_in_viewport()


def test_everything_has_a_way_without_script(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{address}{TIMELINE}")
        page.get_by_role("textbox", name="Go to").fill("2024-05")
        page.get_by_role("button", name="Go", exact=True).click()
        expect(page.locator(".of-month").first).to_have_attribute("data-month", "2024-05")
        for link in ("Oldest first", "Newer →", "← Older"):
            with page.expect_navigation():
                page.get_by_role("link", name=link).click()
        page.get_by_text("Filter", exact=True).click()
        page.get_by_label("Account").select_option("my-threads")
        page.get_by_role("button", name="Show").click()
        expect(page).to_have_title(re.compile("my-threads"))
