"""The viewer, strips and times in a real browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from archiver.browse import server
from support.browsing import serving
from support.chromium import Watched, assert_fits, check

pytestmark = pytest.mark.peers

SCALE = "getComputedStyle(document.querySelector('.sheet img')).transform"


def scale(page: Page) -> float:
    """By how much the picture is enlarged."""
    found = re.match(r"matrix\(([0-9.]+)", page.evaluate(SCALE))
    return float(found[1]) if found else 1.0


@pytest.fixture
def open_viewer(desktop: Watched) -> Page:
    """The viewer, opened from a picture in the middle of the gallery."""
    desktop.goto("/archive/-/gallery")
    with desktop.page.expect_navigation():
        desktop.page.locator(".tile.is-image a").nth(4).click()
    return desktop.page


def test_the_stage_takes_the_whole_window(watched: Watched) -> None:
    watched.goto("/archive/-/gallery")
    with watched.page.expect_navigation():
        watched.page.locator(".tile.is-image a").first.click()
    box = watched.page.locator(".stage").bounding_box()
    size = watched.page.viewport_size
    assert box
    assert size
    assert (box["x"], box["y"]) == (0, 0)
    assert (box["width"], box["height"]) == (size["width"], size["height"])
    check(watched.page, "viewer")
    watched.page.keyboard.press("i")
    expect(watched.page.locator("#info")).to_be_focused()
    check(watched.page, "viewer, information")
    watched.page.keyboard.press("i")
    assert watched.page.evaluate("scrollY") == 0


def test_it_zooms_by_keys_wheel_double_click_and_button(open_viewer: Page) -> None:
    page = open_viewer
    page.keyboard.press("+")
    assert scale(page) == pytest.approx(1.5)
    url = page.url
    page.keyboard.press("ArrowRight")  # moves the picture, and turns no page
    assert page.url == url
    page.keyboard.press("0")
    assert scale(page) == 1
    page.mouse.move(700, 450)
    page.mouse.wheel(0, -400)
    page.wait_for_function(f"() => !/matrix\\(1,/.test({SCALE})")
    page.mouse.dblclick(700, 450)
    assert scale(page) == 1
    page.get_by_role("link", name="Zoom").click()
    assert scale(page) >= 2
    assert page.url == url


def test_an_enlarged_picture_is_dragged_but_not_out_of_sight(open_viewer: Page) -> None:
    page = open_viewer
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.mouse.move(700, 450)
    page.mouse.down()
    for step in range(1, 8):
        page.mouse.move(700 + 1000 * step, 450)
    page.mouse.up()
    box = page.locator(".sheet img").bounding_box()
    assert box
    assert box["x"] < 720 < box["x"] + box["width"]


def test_closing_at_once_leads_back_to_the_very_place(desktop: Watched) -> None:
    desktop.goto("/archive/-/timeline")
    picture = desktop.page.locator("article .item a").nth(5)
    with desktop.page.expect_navigation():
        picture.click()
    desktop.page.keyboard.press("Escape")
    desktop.page.wait_for_url("**/-/timeline")
    expect(picture).to_be_in_viewport()


def test_a_picture_has_its_place_before_it_is_loaded(browser: Browser, address: str) -> None:
    with browser.new_context(viewport={"width": 375, "height": 812}) as context:
        page = context.new_page()
        page.route("**/-/thumb/**", lambda route: route.abort())
        page.goto(f"{address}/archive/-/timeline")
        sizes = page.locator(".n1 .is-image:not(.small) img").evaluate_all(
            "all => all.map(i => i.getBoundingClientRect().height)"
        )
        assert sizes
        assert min(sizes) > 100


def test_turning_leaves_no_trace_in_the_history(open_viewer: Page) -> None:
    for _ in range(3):
        with open_viewer.expect_navigation():
            open_viewer.keyboard.press("ArrowRight")
    open_viewer.go_back()
    expect(open_viewer).to_have_url(re.compile(r"/-/gallery$"))


def test_a_swipe_turns_the_page(browser: Browser, address: str) -> None:
    with browser.new_context(
        viewport={"width": 375, "height": 812}, has_touch=True, is_mobile=True
    ) as context:
        found = Watched(context.new_page(), address)
        found.goto("/archive/-/gallery")
        with found.page.expect_navigation():
            found.page.locator(".tile.is-image a").first.tap()
        older = found.page.locator("a.turn.older").get_attribute("href") or "nowhere"
        session = context.new_cdp_session(found.page)
        touch(session, "touchStart", [(320, 400)])
        touch(session, "touchMove", [(200, 402)])
        touch(session, "touchMove", [(80, 404)])
        with found.page.expect_navigation():
            touch(session, "touchEnd", [])
        assert found.page.url.endswith(older)
        assert_fits(found.page, "viewer on a phone")
        assert found.complaints == []


def test_two_fingers_enlarge(browser: Browser, address: str) -> None:
    with browser.new_context(
        viewport={"width": 375, "height": 812}, has_touch=True, is_mobile=True
    ) as context:
        found = Watched(context.new_page(), address)
        found.goto("/archive/-/gallery")
        # a tap and the touch that follows at once would be a double tap, which enlarges too
        found.goto(found.page.locator(".tile.is-image a").first.get_attribute("href") or "")
        session = context.new_cdp_session(found.page)
        touch(session, "touchStart", [(150, 400), (220, 400)])
        touch(session, "touchMove", [(110, 400), (260, 400)])
        touch(session, "touchMove", [(80, 400), (290, 400)])
        touch(session, "touchEnd", [])
        assert scale(found.page) == pytest.approx(3, abs=0.3)
        assert found.complaints == []


def touch(session: object, kind: str, points: list[tuple[int, int]]) -> None:
    """One event of fingers at these points."""
    session.send(  # type: ignore[attr-defined] # Playwright exports no name for its type
        "Input.dispatchTouchEvent",
        {
            "type": kind,
            "touchPoints": [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(points)],
        },
    )


def test_neighbours_are_loaded_ahead(browser: Browser, address: str) -> None:
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        found = Watched(context.new_page(), address)
        found.goto("/archive/-/gallery")
        with found.page.expect_navigation():
            found.page.locator(".tile.is-image a").nth(4).click()
        ahead = found.page.locator("[data-ahead]").all()
        assert ahead
        found.page.wait_for_function(
            """wanted => wanted.every((one) =>
                 performance.getEntriesByType("resource").some((got) => got.name.endsWith(one)))""",
            arg=[link.get_attribute("data-ahead") for link in ahead],
        )
        assert found.complaints == []


def test_times_are_those_of_the_reader_with_utc_at_hand(browser: Browser, address: str) -> None:
    with browser.new_context(timezone_id="Asia/Tokyo") as context:
        page = context.new_page()
        page.goto(f"{address}/archive/-/timeline")
        time = page.locator("article time").first
        assert "GMT+9" in (time.text_content() or "")
        assert (time.get_attribute("title") or "").endswith("UTC")


def test_a_long_text_unfolds_and_folds_without_script(browser: Browser, harsh: Path) -> None:
    with (
        serving(server.make_datasette(harsh)) as served,
        browser.new_context(java_script_enabled=False) as context,
    ):
        page = context.new_page()
        page.goto(f"{served}/archive/-/timeline?q=%22long+story%22+bells")
        long = page.locator(".text.long").first
        assert long.locator("mark").first.is_visible()
        expect(long.locator(".cut")).to_be_visible()
        long.get_by_text("Show all").click()
        expect(long.locator(".cut")).to_be_hidden()
        expect(long).to_contain_text("END")
        long.get_by_text("Show less").click()
        expect(long.locator(".cut")).to_be_visible()


def test_a_strip_is_scrolled_by_its_buttons_and_cuts_nothing(browser: Browser, harsh: Path) -> None:
    with (
        serving(server.make_datasette(harsh)) as served,
        browser.new_context(
            viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
        ) as context,
    ):
        found = Watched(context.new_page(), served)
        found.goto("/archive/-/timeline?account=my-instagram&kind=post")
        strip = found.page.locator(".beside").first
        left = strip.locator(".strip")
        assert strip.locator(".step.back").is_hidden()
        strip.get_by_role("button", name="Next").click()
        found.page.wait_for_function("() => document.querySelector('.strip').scrollLeft > 100")
        expect(strip.locator(".step.back")).to_be_visible()
        assert left.locator("img").first.evaluate("i => getComputedStyle(i).objectFit") == "contain"
        for path in ("/archive/-/timeline", "/archive/-/timeline?kind=reply"):
            found.goto(path)
            check(found.page, path)
        assert found.complaints == []
