"""What pages show of posts: cut texts, threads, groups, strips, and the viewer without script."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from archiver.browse.frame import asset
from support.browsing import browsing
from support.small_archive import SmallArchive, small_archive

LONG = "The kiln has to cool for a whole day before anybody may open it. " * 40
SAME = "The studio is open on Saturday, and everybody gets a bowl."
ARABIC = "صباح الخير من الورشة"


def at(day: int, minute: int = 0) -> str:
    return f"2026-03-{day:02}T09:{minute:02}:00.000Z"


@pytest.fixture(scope="module")
def numbers() -> dict[str, int]:
    """The ids of posts and attachments, by what they are."""
    return {}


@pytest.fixture(scope="module")
def pages(
    tmp_path_factory: pytest.TempPathFactory, numbers: dict[str, int]
) -> Iterator[httpx.Client]:
    """A client of an archive with one post of each kind."""
    database: Path = tmp_path_factory.mktemp("posts") / "archive.db"
    with small_archive(database) as archive:
        numbers |= fill(archive)
    with browsing(database) as client:
        yield client


def fill(archive: SmallArchive) -> dict[str, int]:
    bluesky, instagram = archive.account("bluesky"), archive.account("instagram")
    made = {
        "long": archive.post(bluesky, at(1), LONG),
        "parent": archive.post(bluesky, at(2), ARABIC, name="parent"),
        "reply": archive.post(bluesky, at(3), "An answer.", kind="reply"),
        "same": archive.post(bluesky, at(4, 1), SAME, url="https://bsky.app/profile/a/post/1"),
        "other": archive.post(instagram, at(4, 2), SAME, url="javascript:alert(1)"),
        "carousel": archive.post(instagram, at(5), "Ten of them."),
        "film": archive.post(instagram, at(6), None, kind="reel"),
    }
    archive.relate(made["reply"], "reply_to", "parent")
    archive.measure(made["same"], likes=12)
    archive.measure(made["other"], reactions=7.5)
    archive.measure(made["reply"], likes=0, views=900)
    for name in ("same", "other"):  # a network encodes a picture anew, in another size
        size = (1200, 800) if name == "same" else (1080, 720)
        made[f"picture of {name}"] = archive.attach(made[name], f"soup {name}", size=size)
    for k in range(10):
        made[f"item {k}"] = archive.attach(made["carousel"], f"picture {k}", size=(3000, 500))
    made["video"] = archive.attach(
        made["film"], "film", kind="video", content_type="video/mp4", size=(360, 640), still="still"
    )
    for k in range(3):
        story = archive.post(instagram, at(7, 10 * k), f"Story {k}", kind="story")
        archive.attach(story, f"story {k}", size=(1080, 1920))
    return made


def article(page: str, post: int) -> str:
    found = re.search(rf'<article [^>]*id="post-{post}".*?</article>', page, re.DOTALL)
    assert found
    return found[0]


def test_a_long_text_is_cut_and_unfolds_without_script(
    pages: httpx.Client, numbers: dict[str, int]
) -> None:
    card = article(pages.get("/archive/-/timeline").text, numbers["long"])
    cut, whole = card.split('<details class="whole">')
    assert 200 < len(cut[cut.index("The kiln") :]) < 700
    assert LONG.strip() in whole
    assert "Show all" in whole
    page = pages.get(f"/archive/-/post/{numbers['long']}").text
    assert '<details class="whole">' not in article(page, numbers["long"])


def test_texts_stand_at_the_side_where_their_script_begins(
    pages: httpx.Client, numbers: dict[str, int]
) -> None:
    assert b".archiver [dir=auto] { text-align: start; }" in asset("archiver.css")
    card = article(pages.get("/archive/-/timeline").text, numbers["parent"])
    assert f'<div class="text" dir="auto">{ARABIC}</div>' in card


def test_a_reply_shows_what_it_answers_and_both_lead_to_the_thread(
    pages: httpx.Client, numbers: dict[str, int]
) -> None:
    page = pages.get("/archive/-/timeline").text
    reply, parent = (article(page, numbers[name]) for name in ("reply", "parent"))
    assert "In reply to" in reply
    assert ARABIC in reply
    assert re.search(rf'href="/archive/-/thread/{numbers["parent"]}#[^"]+">1 reply here', parent)
    for post in (numbers["reply"], numbers["parent"]):
        thread = pages.get(f"/archive/-/thread/{post}").text
        assert "2 posts</h1>" in thread
        assert thread.index(ARABIC) < thread.index("An answer.")
        assert "In reply to" not in thread  # it stands just above


def test_the_same_on_two_networks_is_one_card_and_can_be_taken_apart(
    pages: httpx.Client, numbers: dict[str, int]
) -> None:
    page = pages.get("/archive/-/timeline").text
    assert page.count(SAME) == 1
    card = article(page, numbers["other"])
    assert re.findall(r"badge p-(\w+)", card)[:2] == ["instagram", "bluesky"]
    assert f'<li id="post-{numbers["same"]}">' in card
    (way,) = re.findall(r'<a href="([^"]+)">Show each by itself</a>', page)
    apart = pages.get(way).text
    assert apart.count(SAME) == 2
    assert "Each post is shown by itself." in apart
    other = pages.get(f"/archive/-/post/{numbers['same']}").text
    found = re.search(r"The same on other networks</h2>(.*?)</section>", other, re.DOTALL)
    assert found
    assert '<span class="account">my-instagram</span>' in found[1]


def test_the_gallery_shows_once_what_two_accounts_published_and_the_viewer_turns_past_it(
    pages: httpx.Client, numbers: dict[str, int]
) -> None:
    shown, hidden = (numbers[f"picture of {name}"] for name in ("other", "same"))
    page = pages.get("/archive/-/gallery").text
    (tile,) = re.findall(rf'<li [^>]*id="tile-{shown}".*?</li>', page, re.DOTALL)
    assert '2 accounts<span class="aside">: my-instagram, my-bluesky</span>' in tile
    assert f'id="tile-{hidden}"' not in page
    (way,) = re.findall(r'<a href="([^"]+)">Show each by itself</a>', page)
    assert f'id="tile-{hidden}"' in pages.get(way).text

    viewer = pages.get(f"/archive/-/gallery/{shown}").text
    assert "The same on other networks" in viewer
    assert f'href="/archive/-/post/{numbers["same"]}"' in viewer
    assert 'rel="next"' not in viewer  # only the same picture is older
    apart = pages.get(f"/archive/-/gallery/{shown}?apart=1").text
    assert re.search(rf'rel="next" [^>]*href="/archive/-/gallery/{hidden}\?apart=1"', apart)


def test_the_most_liked_come_first_each_with_its_own_likes(
    pages: httpx.Client, numbers: dict[str, int]
) -> None:
    page = pages.get("/archive/-/timeline?order=likes").text
    found = [int(post) for post in re.findall(r'<article [^>]*id="post-(\d+)"', page)]
    assert found[:3] == [numbers["same"], numbers["other"], numbers["reply"]]
    assert set(numbers.values()) >= {found[3]}
    assert "By likes, or reactions where a network has those, as they were counted" in page
    assert 'class="month"' not in page
    assert "Go to a month" not in page
    assert re.search(r'href="/archive/-/timeline\?order=oldest">Oldest first', page)


def test_the_viewer_turns_and_closes_in_the_order_of_likes(
    pages: httpx.Client, numbers: dict[str, int]
) -> None:
    shown, after = (numbers[f"picture of {name}"] for name in ("same", "other"))
    viewer = pages.get(f"/archive/-/gallery/{shown}?order=likes").text
    assert re.search(rf'rel="next" [^>]*href="/archive/-/gallery/{after}\?order=likes"', viewer)
    assert 'rel="prev"' not in viewer
    viewer = pages.get(f"/archive/-/gallery/{after}?order=likes").text
    back = re.search(r'data-key="Escape" href="/archive/-/([^"#]+)#tile-\d+"', viewer)
    assert back
    gallery = pages.get(f"/archive/-/{back[1].replace('&amp;', '&')}").text
    assert re.findall(r'id="tile-(\d+)"', gallery)[0] == str(after)
    assert ">More liked posts</a>" in gallery


def test_only_an_address_of_the_web_leads_to_the_original(
    pages: httpx.Client, numbers: dict[str, int]
) -> None:
    page = pages.get("/archive/-/timeline?apart=1").text
    known = article(page, numbers["same"])
    assert re.search(
        r'<a href="https://bsky.app/profile/a/post/1" rel="noopener noreferrer nofollow" '
        r'title="[^"]+">Open on Bluesky',
        known,
    )
    assert "javascript:" not in page


def test_ten_pictures_are_a_strip_that_counts(pages: httpx.Client, numbers: dict[str, int]) -> None:
    card = article(pages.get("/archive/-/timeline").text, numbers["carousel"])
    assert '<div class="strip" tabindex="0" role="group" aria-label="10 attachments' in card
    assert re.findall(r'mark count">([0-9/]+)<', card) == [f"{k}/10" for k in range(1, 11)]
    srcset = re.search(r'srcset="(\S+) 1080w, (\S+) 2160w"', card)
    assert srcset
    assert pages.get(srcset[2]).status_code == 200


def test_a_film_keeps_its_own_shape_beside_a_poster_of_another(
    pages: httpx.Client, numbers: dict[str, int]
) -> None:
    card = article(pages.get("/archive/-/timeline").text, numbers["film"])
    assert '<svg aria-hidden="true" viewBox="0 0 360 640"></svg><video' in card
    assert re.search(r'src="/archive/-/media/[0-9a-f]{64}/2026-03-06_my-instagram.mp4"', card)


def test_the_stories_of_a_day_are_one_strip_that_says_when_they_expired(
    pages: httpx.Client,
) -> None:
    page = pages.get("/archive/-/timeline").text
    assert "3 stories of 7 March 2026" in page
    assert [int(k) for k in re.findall(r"Story (\d)", page)] == [0, 1, 2]
    assert page.count("Expired on") == 3
    assert "8 March 2026, 09:20 UTC" in page


def test_times_are_in_utc_without_script_and_marked_for_it(pages: httpx.Client) -> None:
    page = pages.get("/archive/-/timeline").text
    time = '<time datetime="2026-03-01T09:00:00.000Z" data-zone>1 March 2026, 09:00 UTC</time>'
    assert time in page


def test_the_viewer_turns_saves_and_closes_without_script(
    pages: httpx.Client, numbers: dict[str, int]
) -> None:
    page = pages.get(f"/archive/-/gallery/{numbers['item 3']}").text
    assert "4 of 10" in page
    assert re.search(rf'rel="next" [^>]*href="/archive/-/gallery/{numbers["item 4"]}"', page)
    name = "2026-03-05_my-instagram_4of10.jpg"
    assert re.search(rf'href="/archive/-/media/[0-9a-f]{{64}}/{name}" download="{name}"', page)
    assert len(re.findall(r'data-ahead="/archive/-/media/', page)) == 2


@pytest.mark.parametrize(
    ("origin", "back"),
    [
        ("", r"gallery\?before=2026-03-05[^#]*#tile-{item}"),
        ("timeline", r"timeline\?before=2026-03-05[^#]*#post-{post}"),
        ("thread", r"thread/{post}#item-{item}"),
        ("post", r"post/{post}#item-{item}"),
        ("//evil.example", r"gallery\?before=2026-03-05[^#]*#tile-{item}"),
    ],
)
def test_the_viewer_leads_back_to_where_it_was_opened(
    pages: httpx.Client, numbers: dict[str, int], origin: str, back: str
) -> None:
    item, post = numbers["item 3"], numbers["carousel"]
    page = pages.get(f"/archive/-/gallery/{item}", params={"from": origin}).text
    found = re.search(r'data-key="Escape" href="/archive/-/([^"]+)"', page)
    assert found
    assert re.fullmatch(back.format(item=item, post=post), found[1])
    target = found[1].partition("#")
    assert f'id="{target[2]}"' in pages.get(f"/archive/-/{target[0].replace('&amp;', '&')}").text
    turned = re.search(r'rel="next" [^>]*href="([^"]+)"', page)
    assert turned
    assert ("from=" in turned[1]) is (origin in {"timeline", "thread", "post"})


def test_the_page_of_a_post_says_which_it_is_and_leads_on(
    pages: httpx.Client, numbers: dict[str, int]
) -> None:
    page = pages.get(f"/archive/-/post/{numbers['carousel']}").text
    assert "Post by my-instagram, 5 March 2026</h1>" in page
    assert f'rel="prev" href="/archive/-/post/{numbers["film"]}"' in page
    assert f'rel="next" class="older" href="/archive/-/post/{numbers["other"]}"' in page
    assert page.count('<th scope="col">SHA-256</th>') == 1
    assert page.count('<details class="evidence"') == 1
    oldest = pages.get(f"/archive/-/post/{numbers['long']}").text
    assert 'rel="next"' not in oldest
