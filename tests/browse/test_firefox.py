"""The pages in Debian's Firefox: they fit, obey keys, ask nobody else, and complain of nothing.

What is tested in Chromium is not tested again; this shows that nothing hangs on one browser.
"""

from collections.abc import Iterator

import pytest

from support.firefox import Tab, firefox_running

pytestmark = pytest.mark.peers

PAGES = "/archive/-"
PAINTED = "document.readyState == 'complete' && performance.getEntriesByType('paint').length"
ENTER, ESCAPE, RIGHT = "\ue007", "\ue00c", "\ue014"


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory, address: str) -> Iterator[Tab]:
    """One tab for all tests."""
    with firefox_running(tmp_path_factory.mktemp("firefox"), address) as tab:
        yield tab


@pytest.fixture
def tab(firefox: Tab) -> Iterator[Tab]:
    """The tab, at the size of a desktop. Afterwards there must be nothing to complain of."""
    firefox.resize(1440, 900)
    yield firefox
    assert firefox.complaints == []


@pytest.mark.parametrize("size", [(1440, 900), (375, 812)], ids=["desktop", "phone"])
def test_every_page_fits_and_has_its_pictures(tab: Tab, size: tuple[int, int]) -> None:
    tab.resize(*size)
    for page in ("home", "timeline", "gallery", "post/1", "missing", "numbers", "runs"):
        tab.goto(f"{PAGES}/{page}")
        assert tab.evaluate("document.querySelector('#main h1') !== null"), page  # no error
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page
        broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).length"
        assert tab.evaluate(broken) == 0, page


def test_a_keyboard_walks_through_posts_and_opens_one(tab: Tab) -> None:
    tab.goto(f"{PAGES}/timeline")
    first = tab.evaluate("document.querySelector('article').id")
    tab.press("j")
    assert tab.evaluate("document.activeElement.id") == first
    tab.press(ENTER)
    tab.wait_until(f"location.pathname.endsWith('{first.replace('post-', '/post/')}')")


def test_the_viewer_takes_the_window_zooms_turns_and_closes(tab: Tab) -> None:
    tab.goto(f"{PAGES}/gallery")
    tab.evaluate("document.querySelector('.tile.is-image a').click()")
    tab.wait_until(f"document.querySelector('.stage') && {PAINTED}")
    stage = "document.querySelector('.stage').getBoundingClientRect()"
    window = "document.documentElement.clientWidth"  # without the scroll bar
    assert tab.evaluate(f"[{stage}.width - {window}, {stage}.height]") == [0, 900]
    tab.press("+")
    transform = "getComputedStyle(document.querySelector('.sheet img')).transform"
    assert tab.evaluate(transform).startswith("matrix(1.5")
    tab.press("0")
    begun = tab.evaluate("location.pathname")
    tab.press(RIGHT)
    tab.wait_until(f"location.pathname != '{begun}' && {PAINTED}")
    tab.press(ESCAPE)
    tab.wait_until("location.pathname.endsWith('/gallery')")


def test_more_posts_come_as_one_scrolls(tab: Tab) -> None:
    tab.goto(f"{PAGES}/timeline")
    before = tab.evaluate("document.querySelectorAll('article').length")
    tab.evaluate("scrollTo(0, document.body.scrollHeight)")
    tab.wait_until(f"document.querySelectorAll('article').length > {before}")
