"""The ways through a list: filters that keep each other, months, dates, accounts, other days."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path

import httpx
import pytest

from support.browsing import browsing

pytestmark = pytest.mark.slow

TIMELINE, GALLERY = "/archive/-/timeline", "/archive/-/gallery"
FILTERED = "account=my-instagram&since=2025-03&until=2025-06"


@pytest.fixture(scope="module")
def pages(harsh: Path) -> Iterator[httpx.Client]:
    """A client of the harsh archive's pages."""
    with browsing(harsh) as found:
        yield found


def value(database: Path, sql: str, *parameters: object) -> int:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        found: int = connection.execute(sql, parameters).fetchone()[0]
        return found


def links(text: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'href="([^"]*)"', text)]


def test_heading_and_title_say_what_is_shown_and_how_many(pages: httpx.Client, harsh: Path) -> None:
    count = value(
        harsh,
        "SELECT count(*) FROM posts JOIN accounts ON accounts.id = account_id "
        "WHERE name = 'my-instagram' AND created_at >= '2025-03' AND created_at < '2025-07'",
    )
    text = pages.get(f"{TIMELINE}?{FILTERED}").text
    said = f"my-instagram, March 2025 to June 2025: {count} posts"
    assert f"<title>{said}</title>" in text
    assert f'<h1><span role="status">{said}</span></h1>' in text
    assert text.count("<article") == count


@pytest.mark.parametrize("place", [TIMELINE, GALLERY])
def test_tabs_keep_the_filter(pages: httpx.Client, place: str) -> None:
    text = pages.get(f"{place}?account=my-instagram&order=oldest").text
    assert f"{place}?account=my-instagram&edited=1&order=oldest" in links(text)
    assert f"{place}?account=my-instagram" in links(text)  # newest first
    within = pages.get(f"{place}?account=my-instagram&edited=1").text
    assert 'aria-current="page">Edited' in within


def test_timeline_and_gallery_keep_each_others_filter(pages: httpx.Client) -> None:
    query = f"?{FILTERED}"
    assert f"{GALLERY}{query}" in links(pages.get(f"{TIMELINE}{query}").text)
    assert f"{TIMELINE}{query}" in links(pages.get(f"{GALLERY}{query}").text)
    assert "/archive/-/missing?account=my-instagram" in links(pages.get(f"{GALLERY}{query}").text)


@pytest.mark.parametrize("place", [TIMELINE, GALLERY])
def test_a_search_stays_where_it_was_asked_and_keeps_the_filter(
    pages: httpx.Client, place: str
) -> None:
    text = pages.get(f"{place}?{FILTERED}&edited=1").text
    form = text[text.index('<form class="find"') : text.index('name="q"')]
    assert f'action="{place}"' in form
    assert '<input type="hidden" name="account" value="my-instagram">' in form
    assert '<input type="hidden" name="edited" value="1">' in form


def test_the_filter_form_keeps_the_search_and_offers_only_what_exists(
    pages: httpx.Client,
) -> None:
    text = pages.get(f"{TIMELINE}?q=kiln&platform=youtube").text
    form = text[text.index('<details class="filters">') : text.index("</details>")]
    assert '<input type="hidden" name="q" value="kiln">' in form
    assert re.findall(r'<option value="([a-z]+)" selected', form) == ["youtube"]
    assert re.search(r'<option value="my-youtube">my-youtube \([0-9]+\)</option>', form)
    assert "reel" not in form


def test_the_filter_form_is_closed_and_chips_take_filters_away(pages: httpx.Client) -> None:
    text = pages.get(f"{TIMELINE}?account=my-twitter&since=2025-03&until=2025-03&kind=post").text
    assert '<details class="filters">' in text
    chips = text[text.index('aria-label="Filters in use"') : text.index("Show all")]
    assert re.findall(r'aria-label="Remove the filter ([^"]+)"', chips) == [
        "my-twitter", "post", "March 2025",
    ]  # fmt: skip
    assert f"{TIMELINE}?account=my-twitter&kind=post" in links(chips)


def test_the_months_of_a_view_are_links_with_numbers(pages: httpx.Client, harsh: Path) -> None:
    text = pages.get(f"{TIMELINE}?account=my-instagram").text
    rail = text[text.index('<nav class="rail"') : text.index("</nav>", text.index("rail"))]
    count = value(
        harsh,
        "SELECT count(*) FROM posts JOIN accounts ON accounts.id = account_id "
        "WHERE name = 'my-instagram' AND created_at LIKE '2024-05%'",
    )
    assert f"{TIMELINE}?account=my-instagram&at=2024-05" in links(rail)
    month = rail[rail.index("at=2024-05") :]
    assert re.search(r'<span class="number">([0-9]+)<', month)[1] == str(count)  # type: ignore[index] # None fails too
    assert '<input type="month" name="at"' in rail


@pytest.mark.parametrize("order", ["", "&order=oldest"])
def test_a_month_is_jumped_to_without_losing_the_rest(pages: httpx.Client, order: str) -> None:
    text = pages.get(f"{TIMELINE}?at=2024-05{order}").text
    assert re.findall(r'data-month="([^"]*)"', text)[0] == "2024-05"
    assert "May 2024" in text
    assert re.search(r"Newer posts|Older posts", text)
    assert "<title>3" in text  # of the whole view, not of what follows


def test_posts_stand_under_their_months(pages: httpx.Client) -> None:
    text = pages.get(f"{TIMELINE}?at=2024-05").text
    for section in text.split('<section class="of-month"')[1:]:
        found = re.search(r'data-month="([^"]*)"', section)
        assert found
        times = re.findall(r'class="when"[^>]*><time datetime="([0-9-]{7})', section)
        assert set(times) == {found[1]}


def test_an_account_has_a_page(pages: httpx.Client, harsh: Path) -> None:
    text = pages.get(f"{TIMELINE}?account=my-facebook").text
    head = text[text.index('class="account-head"') : text.index("</section>")]
    assert "استوديو الميناء" in head
    assert "on Facebook ↗" in head
    assert "January 2023 to October 2026" in head
    assert 'class="calendar"' in head
    assert head.count("<tr>") == 1 + 4  # every year
    likes = [int(one) for one in re.findall(r"<strong>([0-9]+)</strong> <span dir", head)]
    assert likes == sorted(likes, reverse=True)
    most = value(
        harsh,
        "SELECT max(value) FROM latest_metrics JOIN posts ON posts.id = post_id "
        "JOIN accounts ON accounts.id = account_id "
        "WHERE metrics.name IN ('likes', 'reactions') AND accounts.name = 'my-facebook'".replace(
            "metrics.name", "latest_metrics.name"
        ),
    )
    assert likes[0] == most
    assert 'class="account-head"' not in pages.get(f"{TIMELINE}?account=my-facebook&edited=1").text


def test_an_account_is_shown_with_its_pictures_and_what_it_says_of_itself(
    harsh: Path, tmp_path: Path
) -> None:
    database = tmp_path / "archive.db"
    shutil.copyfile(harsh, database)
    with closing(sqlite3.connect(database)) as connection, connection:
        (sha256,) = connection.execute("SELECT sha256 FROM media LIMIT 1").fetchone()
        connection.execute(
            "INSERT INTO account_profiles (account_id, source, seen_at, avatar, banner, "
            "description, row_sha256) SELECT id, 'x', '', 'face', 'back', 'News & <more>', '' "
            "FROM accounts WHERE name = 'my-threads'"
        )
        for kind, key in (("avatar", "face"), ("banner", "back")):
            connection.execute(
                "INSERT INTO account_pictures (account_id, source, kind, media_key, url, state, "
                "media_sha256, tries, first_seen_at, row_sha256) SELECT id, 'x', ?, ?, "
                "'https://example.com/', 'stored', ?, 0, '', '' FROM accounts "
                "WHERE name = 'my-threads'",
                (kind, key, sha256),
            )
    with browsing(database) as pages:
        text = pages.get(f"{TIMELINE}?account=my-threads").text
        assert f'class="avatar" src="/archive/-/thumb/s/{sha256}"' in text
        assert f'class="banner" src="/archive/-/thumb/s/{sha256}"' in text
        assert "News &amp; &lt;more&gt;" in text
        other = pages.get(f"{TIMELINE}?account=my-tiktok").text
        assert 'class="avatar"' not in other
        assert 'class="banner"' not in other


def test_an_account_with_several_sources_has_the_outcome_of_each(
    harsh: Path, tmp_path: Path
) -> None:
    database = tmp_path / "archive.db"
    shutil.copyfile(harsh, database)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "CREATE TEMP TABLE another AS SELECT * FROM run_accounts WHERE name = 'my-bluesky' "
            "ORDER BY run_id DESC LIMIT 1"
        )
        connection.execute(
            "UPDATE another SET source = 'bluesky', outcome = 'failed', message = 'It is <down>'"
        )
        connection.execute("INSERT INTO run_accounts SELECT * FROM another")
    with browsing(database) as pages:
        for path in ("/archive/-/home", f"{TIMELINE}?account=my-bluesky"):
            text = pages.get(path).text
            assert "<li>bluesky: failed" in text
            assert "It is &lt;down&gt;" in text
            assert "<li>ayrshare: done" in text
            assert "the last one was failed" in text
        assert 'class="through"' not in pages.get(f"{TIMELINE}?account=my-tiktok").text


def test_the_first_page_hides_no_year(pages: httpx.Client) -> None:
    text = pages.get("/archive/-/home").text
    year = f"{TIMELINE}?account=my-twitter&since=2023&until=2023"
    assert year in links(text)
    months = f"{TIMELINE}?account=my-twitter&since=2024-"
    assert any(link.startswith(months) for link in links(text))
    account = pages.get(f"{TIMELINE}?account=my-twitter").text
    assert any(link.startswith(f"{TIMELINE}?account=my-twitter&since=2023-")
               for link in links(account)), "its own page has the months of all years"  # fmt: skip


def test_this_day_in_earlier_years_is_on_the_first_page_and_on_its_own(
    harsh: Path, tmp_path: Path
) -> None:
    database = tmp_path / "archive.db"
    shutil.copyfile(harsh, database)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "UPDATE posts SET created_at = (CASE id % 2 WHEN 0 THEN '2019' ELSE '2021' END) || "
            "strftime('-%m-%dT12:00:00.000Z', 'now', 'localtime') WHERE id <= 6"
        )
        expected = connection.execute(
            "SELECT count(*) FROM posts WHERE substr(created_at, 6, 5) = "
            "strftime('%m-%d', 'now', 'localtime') AND created_at < strftime('%Y', 'now')"
        ).fetchone()[0]
        connection.execute("UPDATE posts SET text = 'Of a leap year', "
                           "created_at = '2024-02-29T10:00:00.000Z' "
                           "WHERE id = (SELECT max(id) FROM posts)")  # fmt: skip
    with browsing(database) as pages:
        home = pages.get("/archive/-/home").text
        assert re.search(r"<strong>2021</strong> 3 posts", home)
        own = pages.get("/archive/-/on-this-day").text
        assert f"{expected} posts of earlier years" in own
        assert own.index('id="y-2021"') < own.index('id="y-2019"')
        leap = pages.get("/archive/-/on-this-day?day=02-29").text
        assert "29 February: 1 post" in leap
        assert "Of a leap year" in leap
        assert "/archive/-/on-this-day?day=03-01" in links(leap)


@pytest.mark.parametrize("day", ["", "x", "13-45", "02-30", "-", "2026", "1-2-3-4"])
def test_a_day_that_does_not_exist_is_today(pages: httpx.Client, day: str) -> None:
    answer = pages.get("/archive/-/on-this-day", params={"day": day})
    assert answer.status_code == 200


def test_an_empty_view_has_ways_out_with_numbers(pages: httpx.Client, harsh: Path) -> None:
    text = pages.get(f"{TIMELINE}?q=kiln+nowhere&account=my-twitter").text
    assert "my-twitter: no posts that contain “kiln nowhere”" in text
    out = text[text.index('class="ways-out"') : text.index("</ul>", text.index("ways-out"))]
    count = value(
        harsh,
        "SELECT count(*) FROM posts JOIN accounts ON accounts.id = account_id "
        "WHERE name = 'my-twitter'",
    )
    assert f'Without “kiln nowhere” <span class="number">{count}</span>' in out
    assert f"{TIMELINE}?q=kiln&account=my-twitter" in links(out)
    assert "There is no <code>OR</code>" in text


def test_a_place_beyond_the_last_post_leads_back(pages: httpx.Client) -> None:
    text = pages.get(f"{TIMELINE}?at=1999").text
    assert "No posts beyond this place" in text
    assert f"{TIMELINE}?" in links(text)


@pytest.mark.parametrize("order", ["", "&order=oldest"])
def test_the_viewer_leads_back_to_its_picture(pages: httpx.Client, order: str) -> None:
    text = pages.get(f"{GALLERY}?account=my-pinterest&at=2025-03{order}").text
    (tile, *_) = re.findall(r'<li class="tile[^"]*" id="(tile-[0-9]+)"><a href="([^"]+)"', text)
    viewer = pages.get(unescape(tile[1])).text
    (back,) = re.findall(r'data-key="Escape" href="([^"]+)"', viewer)
    assert f'id="{tile[0]}"' in pages.get(unescape(back)).text


def test_a_wrong_date_to_jump_to_is_reported(pages: httpx.Client) -> None:
    assert "“spring” is not a date" in pages.get(f"{TIMELINE}?at=spring").text


def test_only_lists_may_ask_for_more_and_only_here(pages: httpx.Client) -> None:
    for path, allowed in ((TIMELINE, "'self'"), (GALLERY, "'self'"), ("/archive/-/home", "'none'"),
                          ("/archive/-/missing", "'none'")):  # fmt: skip
        policy = pages.get(path).headers["content-security-policy"]
        assert f"connect-src {allowed};" in policy
