"""Posts that answer and quote each other are found in both directions, and read in order."""

import sqlite3
from collections.abc import Iterator

import pytest

from archiver.browse import threads
from archiver.browse.cards import cards
from archiver.browse.threads import Thread, thread_of
from support.small_archive import SmallArchive, small_archive


@pytest.fixture
def archive() -> Iterator[SmallArchive]:
    with small_archive() as found:
        yield found


def at(minute: int) -> str:
    return f"2026-03-02T09:{minute:02}:00.000Z"


def reply(archive: SmallArchive, account: int, minute: int, name: str, to: str) -> int:
    post = archive.post(account, at(minute), name, name=name)
    archive.relate(post, "reply_to", to)
    return post


def read(thread: Thread | None) -> list[tuple[str | None, int]]:
    assert thread
    return [(one.card.text, one.depth) for one in thread.posts]


def test_a_thread_is_read_from_its_first_post_wherever_it_is_opened(archive: SmallArchive) -> None:
    account = archive.account("bluesky")
    first = archive.post(account, at(0), "one", name="one")
    second = reply(archive, account, 1, "two", to="one")
    third = reply(archive, account, 2, "three", to="two")
    for post in (first, second, third):
        found = thread_of(archive.connection, post)
        assert read(found) == [("one", 0), ("two", 0), ("three", 0)]


def test_branches_follow_their_post_and_are_indented(archive: SmallArchive) -> None:
    account, other = archive.account("bluesky"), archive.account("bluesky", "another")
    archive.post(account, at(0), "one", name="one")
    reply(archive, account, 5, "late", to="one")
    early = reply(archive, other, 2, "early", to="one")
    reply(archive, account, 9, "to early", to="early")
    found = thread_of(archive.connection, early)
    assert read(found) == [("one", 0), ("early", 1), ("to early", 1), ("late", 1)]


def test_what_begins_elsewhere_says_so(archive: SmallArchive) -> None:
    post = reply(archive, archive.account("twitter"), 0, "one", to="somebody else's")
    found = thread_of(archive.connection, post)
    assert found
    assert found.begins_elsewhere
    assert found.begins_elsewhere.platform_id == "somebody else's"


def test_posts_that_answer_each_other_in_a_circle_are_shown_once(archive: SmallArchive) -> None:
    account = archive.account("threads")
    one = reply(archive, account, 0, "one", to="two")
    two = reply(archive, account, 1, "two", to="one")
    itself = reply(archive, account, 2, "itself", to="itself")
    assert sorted(read(thread_of(archive.connection, one))) == [("one", 0), ("two", 0)]
    assert len(read(thread_of(archive.connection, two))) == 2
    assert read(thread_of(archive.connection, itself)) == [("itself", 0)]


def test_a_long_thread_is_read_in_parts_and_every_post_leads_to_its_own(
    archive: SmallArchive,
) -> None:
    account = archive.account("threads")
    first = archive.post(account, at(0), "one", name="one")
    for k in range(120):
        reply(archive, account, k % 60, f"reply {k}", to="one")
    parts = [thread_of(archive.connection, first)]
    while parts[-1] and parts[-1].following:
        parts.append(thread_of(archive.connection, parts[-1].following))
    shown = [[one.card.id for one in part.posts] for part in parts if part]
    assert [len(ids) for ids in shown] == [50, 50, 21]
    assert len({post for ids in shown for post in ids}) == 121
    for part, ids in zip(parts, shown, strict=True):
        assert part
        assert (part.count, part.first.id, part.is_cut) == (121, first, False)
        again = thread_of(archive.connection, ids[-1])
        assert again
        assert (again.start, again.previous) == (part.start, part.previous)
    assert parts[1]
    assert parts[1].previous == shown[0][0]


def test_a_thread_that_is_too_long_says_that_there_is_more(
    archive: SmallArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_MOST_POSTS", 20)
    account = archive.account("threads")
    first = archive.post(account, at(0), "one", name="one")
    for k in range(25):
        reply(archive, account, k, f"reply {k}", to="one")
    found = thread_of(archive.connection, first)
    assert found
    assert (found.is_cut, found.count) == (True, 20)


def test_a_post_knows_who_answers_and_quotes_it(archive: SmallArchive) -> None:
    account = archive.account("bluesky")
    post = archive.post(account, name="one")
    reply(archive, account, 1, "two", to="one")
    quote = archive.post(account, name="three")
    archive.relate(quote, "quotes", "one")
    first, quoting = cards(archive.connection, [post, quote])
    assert (first.answers.replies, first.answers.quotes) == (1, 1)
    (known,) = quoting.relations
    assert known.glimpse
    assert (known.glimpse.id, known.glimpse.text) == (post, "words")


def test_a_post_is_found_by_another_of_its_ids_but_not_on_another_network(
    archive: SmallArchive,
) -> None:
    account = archive.account("bluesky")
    post = archive.post(account, name="at://one")
    archive.alias(post, "rkey", "short")
    archive.alias(post, "cid", "content")
    shown = {
        name: cards(archive.connection, [reply(archive, owner, 1, f"to {name}", to=name)])[0]
        for name, owner in {"short": account, "content": account}.items()
    }
    assert shown["short"].relations[0].glimpse
    assert shown["content"].relations[0].glimpse is None  # two posts may have the same content
    stranger = reply(archive, archive.account("threads"), 1, "elsewhere", to="at://one")
    assert cards(archive.connection, [stranger])[0].relations[0].glimpse is None
    assert cards(archive.connection, [post])[0].answers.replies == 1


def test_a_copy_without_aliases_has_threads_too(archive: SmallArchive) -> None:
    account = archive.account("bluesky")
    post = archive.post(account, name="one")
    reply(archive, account, 1, "two", to="one")
    archive.connection.execute("DROP TABLE post_aliases")
    assert len(read(thread_of(archive.connection, post))) == 2


def test_there_is_no_thread_of_no_post(archive: SmallArchive) -> None:
    assert thread_of(archive.connection, 999) is None


def test_who_refers_to_a_post_is_found_by_an_index(archive: SmallArchive) -> None:
    account = archive.account("bluesky")
    post = archive.post(account, name="one")
    reply(archive, account, 1, "two", to="one")
    steps = plans(archive.connection, post)
    assert any("relations USING INDEX relations_platform_id" in step for step in steps)
    assert not [step for step in steps if step.startswith(("SCAN posts", "SCAN relations"))]


def plans(connection: sqlite3.Connection, post: int) -> list[str]:
    """What SQLite does for a thread, step by step."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    thread_of(connection, post)
    connection.set_trace_callback(None)
    return [
        row[3]
        for statement in set(statements)
        for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]
