"""The same thing on several networks is found by its text or its files, and nothing else is."""

from collections.abc import Iterator

import pytest

from archiver.browse.crossposts import are_same, cross_posts
from support.small_archive import SmallArchive, small_archive

LONG = "The studio is open on Saturday, and everybody who comes gets a bowl of soup."


@pytest.fixture
def archive() -> Iterator[SmallArchive]:
    with small_archive() as found:
        yield found


def at(minutes: int) -> str:
    return f"2026-03-02T{9 + minutes // 60:02}:{minutes % 60:02}:00.000Z"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (LONG, LONG.upper(), True),
        (LONG, f"{LONG} https://example.com/a", True),
        (LONG, LONG.replace(",", " –"), True),
        (LONG, LONG[:50] + "…", True),
        ("釉薬を混ぜる朝の光の中で", "釉薬を混ぜる、朝の光の中で!", True),
        (LONG, "Something else that is long enough to be compared with it.", False),
        ("Good morning", "Good morning, everybody who is up", False),
        ("Hello", "Hello", False),
        ("", "", False),
        ("https://example.com/the/same/address", "https://example.com/the/same/address", False),
    ],
)
def test_texts_are_the_same_but_for_what_networks_change(one: str, other: str, same: bool) -> None:
    assert are_same(one, other) is same
    assert are_same(other, one) is same


def test_a_post_on_three_networks_is_one_group_from_each_of_them(archive: SmallArchive) -> None:
    posts = [
        archive.post(archive.account(platform), at(5 * k), LONG)
        for k, platform in enumerate(("bluesky", "instagram", "threads"))
    ]
    other = archive.post(archive.account("facebook"), at(2), "Another text of some length.")
    group = tuple(reversed(posts))
    assert cross_posts(archive.connection, [*posts, other]) == dict.fromkeys(posts, group)
    assert cross_posts(archive.connection, posts[:1]) == {posts[0]: group}


@pytest.mark.parametrize(("minutes", "found"), [(60, True), (61, False)])
def test_the_same_text_counts_for_an_hour(archive: SmallArchive, minutes: int, found: bool) -> None:
    one = archive.post(archive.account("bluesky"), at(0), LONG)
    archive.post(archive.account("threads"), at(minutes), LONG)
    assert bool(cross_posts(archive.connection, [one])) is found


def test_a_file_in_common_is_enough(archive: SmallArchive) -> None:
    one = archive.post(archive.account("bluesky"), at(0), "One")
    other = archive.post(archive.account("instagram"), at(1), None)
    archive.attach(one, "the same picture")
    archive.attach(other, "the same picture")
    assert cross_posts(archive.connection, [one]) == {one: (other, one)}


def test_a_file_of_very_many_posts_makes_no_cross_posts(archive: SmallArchive) -> None:
    accounts = [archive.account("bluesky"), archive.account("instagram")]
    posts = [archive.post(accounts[k % 2], at(k), f"{k}") for k in range(52)]
    for post in posts:
        archive.attach(post, "a logo")
    assert cross_posts(archive.connection, posts) == {}


def test_an_account_that_repeats_itself_is_no_other_network(archive: SmallArchive) -> None:
    account = archive.account("bluesky")
    archive.account("threads")
    posts = [archive.post(account, at(k), LONG) for k in range(3)]
    assert cross_posts(archive.connection, posts) == {}


def test_a_title_is_compared_where_there_is_no_text(archive: SmallArchive) -> None:
    one = archive.post(archive.account("youtube"), at(0), None, title=LONG)
    other = archive.post(archive.account("facebook"), at(3), LONG)
    assert cross_posts(archive.connection, [one]) == {one: (other, one)}


def test_a_group_that_never_ends_is_left_apart(archive: SmallArchive) -> None:
    accounts = [archive.account("bluesky"), archive.account("threads")]
    posts = [archive.post(accounts[k % 2], at(30 * k), LONG) for k in range(26)]
    assert cross_posts(archive.connection, posts) == {}


def test_an_hour_with_too_many_posts_is_left_apart(archive: SmallArchive) -> None:
    accounts = [archive.account("bluesky"), archive.account("threads")]
    one, _ = (archive.post(account, at(0), LONG) for account in accounts)
    assert cross_posts(archive.connection, [one])
    for k in range(400):
        archive.post(accounts[0], at(k % 50), f"noise {k}")
    assert cross_posts(archive.connection, [one]) == {}


@pytest.mark.parametrize("moment", [None, "soon", "9999-12-31T23:59:59.999Z"])
def test_a_time_that_is_none_is_no_error(archive: SmallArchive, moment: str | None) -> None:
    one = archive.post(archive.account("bluesky"), moment, LONG)
    archive.post(archive.account("threads"), moment, LONG)
    cross_posts(archive.connection, [one])


def test_no_post_is_found_by_reading_all(archive: SmallArchive) -> None:
    one = archive.post(archive.account("bluesky"), at(0), LONG)
    other = archive.post(archive.account("threads"), at(1), LONG)
    for post in (one, other):
        archive.attach(post, "picture")
    statements: list[str] = []
    archive.connection.set_trace_callback(statements.append)
    assert cross_posts(archive.connection, [one])
    archive.connection.set_trace_callback(None)
    steps = [
        row[3]
        for statement in set(statements)
        for row in archive.connection.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]
    assert any("created_at>" in step for step in steps)
    assert not [step for step in steps if step.startswith("SCAN") and "accounts" not in step]
