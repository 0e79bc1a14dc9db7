"""A list shows what stands together once, on one of its pages, and never hides a post."""

from collections.abc import Iterator

import pytest

from archiver.browse.entries import Entry, entries, entries_of_lists
from archiver.browse.filters import Cursor, Filter
from archiver.browse.stream import post_page
from support.small_archive import SmallArchive, small_archive

pytestmark = pytest.mark.slow

TEXT = "The same everywhere, number {}: the studio is open on Saturday."


@pytest.fixture
def archive() -> Iterator[SmallArchive]:
    """Thirty posts that are on three networks each, and twenty stories on two days."""
    with small_archive() as found:
        accounts = [found.account(name) for name in ("bluesky", "instagram", "threads")]
        for k in range(30):
            for n, account in enumerate(accounts):
                hour, minute = divmod(k * 20 + n, 60)
                post = found.post(
                    account, f"2026-03-02T{hour:02}:{minute:02}:00.000Z", TEXT.format(k),
                    edited_at="2026-03-05T00:00:00.000Z" if (k, n) == (3, 2) else None,
                )  # fmt: skip
                found.attach(post, f"{post}")
        for k in range(20):
            found.post(
                accounts[1], f"2026-03-0{3 + k // 10}T{k % 10:02}:30:00.000Z", None, kind="story"
            )
        yield found


def pages(archive: SmallArchive, wanted: Filter, size: int = 7) -> list[list[Entry]]:
    """All pages of a list."""
    found = []
    cursor: Cursor | None = None
    while True:
        page = post_page(archive.connection, wanted, older_than=cursor, size=size)
        found.append(entries(archive.connection, page.ids, wanted))
        if page.older is None:
            return found
        cursor = page.older


def posts_of(entry: Entry) -> list[int]:
    if entry.stories:
        return [card.id for card in entry.stories]
    return [card.id for card in (entry.card, *entry.also)]


FILTERS = [
    Filter(), Filter(since="2026-03-02", until="2026-03-02"), Filter(account="my-instagram"),
    Filter(platform="threads"), Filter(kind="story"), Filter(kind="post"),
    Filter(flags=frozenset({"media"})), Filter(flags=frozenset({"edited"})),
]  # fmt: skip


@pytest.mark.parametrize("wanted", FILTERS, ids=lambda wanted: wanted.query() or "all")
@pytest.mark.parametrize("size", [4, 7, 24])
def test_every_post_is_shown_and_no_entry_twice(
    archive: SmallArchive, wanted: Filter, size: int
) -> None:
    shown = [posts_of(entry) for page in pages(archive, wanted, size) for entry in page]
    listed = post_page(archive.connection, wanted, size=1000).ids
    assert set(listed) <= {post for group in shown for post in group}
    assert len({frozenset(group) for group in shown}) == len(shown)


def test_a_post_on_three_networks_is_one_entry(archive: SmallArchive) -> None:
    found = [entry for page in pages(archive, Filter(kind="post")) for entry in page]
    assert len(found) == 30
    assert {len(entry.also) for entry in found} == {2}


def test_the_stories_of_a_day_are_one_entry_in_the_order_of_the_day(archive: SmallArchive) -> None:
    first, second = [entry for page in pages(archive, Filter()) for entry in page if entry.stories]
    assert [len(first.stories), len(second.stories)] == [10, 10]
    times = [card.created_at or "" for card in first.stories]
    assert times == sorted(times)
    assert first.card.expires_at == "2026-03-05T09:30:00.000Z"


def test_in_a_search_a_hit_is_never_hidden_behind_another_page(archive: SmallArchive) -> None:
    wanted = Filter(words="number")
    shown = [posts_of(entry) for page in pages(archive, wanted, 4) for entry in page]
    listed = post_page(archive.connection, wanted, size=1000).ids
    assert set(listed) <= {post for group in shown for post in group}


def test_posts_that_look_different_stay_apart_where_the_look_counts(archive: SmallArchive) -> None:
    page = post_page(archive.connection, Filter(kind="post"), size=90)
    by_network = entries(
        archive.connection, page.ids, Filter(), look=lambda card: card.platform == "threads"
    )
    assert sorted(len(entry.also) for entry in by_network) == [0] * 30 + [1] * 30
    assert sorted(post for entry in by_network for post in posts_of(entry)) == sorted(page.ids)


def test_each_by_itself_where_that_is_asked_for(archive: SmallArchive) -> None:
    page = post_page(archive.connection, Filter(), size=24)
    found = entries(archive.connection, page.ids, Filter(), grouped=False)
    assert [entry.card.id for entry in found] == list(page.ids)
    assert not any(entry.is_group for entry in found)


def test_several_lists_have_the_entries_that_each_has_alone_and_are_loaded_at_once(
    archive: SmallArchive,
) -> None:
    days = [Filter(since=day, until=day) for day in ("2026-03-02", "2026-03-03", "2026-03-04")]
    lists = [(post_page(archive.connection, day).ids, day) for day in days]
    expected = [entries(archive.connection, ids, day) for ids, day in lists]
    statements: list[str] = []
    archive.connection.set_trace_callback(statements.append)
    assert entries_of_lists(archive.connection, lists) == expected
    archive.connection.set_trace_callback(None)
    assert len([one for one in statements if "FROM metrics" in one]) == 1
