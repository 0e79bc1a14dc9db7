"""What a run changed, for its summary: noteworthy events of that run alone, in order."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive.changes import (
    Change,
    ChangeCount,
    change_counts,
    changes_of,
    newest_event,
)
from archiver.archive.rows import insert
from support.saver import POST, Saver, saving


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as saver:
        yield saver


def event(saver: Saver, what: str, **values: str) -> None:
    insert(
        saver.connection, "events", post_id=1, run_id=saver.night, at="2026-03-09", what=what,
        **values,
    )  # fmt: skip


def changes(saver: Saver, after: int = 0, limit: int = 10) -> list[Change]:
    return list(changes_of(saver.connection, saver.night, after, limit))


def test_the_first_posts_of_an_account_are_no_news(saver: Saver) -> None:
    saver.connection.execute("UPDATE accounts SET first_seen_at = '2026-03-01T21:00:00.000Z'")
    saver.save(POST)
    assert changes(saver) == []


def test_a_new_post_of_a_known_account_is_news(saver: Saver) -> None:
    saver.save(POST)
    before = newest_event(saver.connection)
    saver.save(POST, replace(POST, platform_id="p2", url="https://threads.example/p2"))
    assert changes(saver, before) == [
        Change(
            "seen", "acme", "threads", 2, "Good morning", "https://threads.example/p2", None, None
        )
    ]


def test_an_edit_shows_the_new_text(saver: Saver) -> None:
    saver.save(POST)
    before = newest_event(saver.connection)
    saver.save(replace(POST, text="Good evening", content={"text": "Good evening"}))
    assert [(change.what, change.text) for change in changes(saver, before)] == [
        ("edited", "Good evening")
    ]


def test_a_title_stands_for_the_text_and_nothing_for_neither(saver: Saver) -> None:
    saver.save(replace(POST, title="A film"))
    event(saver, "removed")
    assert changes(saver)[-1].text == "A film"
    saver.connection.execute("UPDATE posts SET title = '', text = NULL")
    assert changes(saver)[-1].text == ""


def test_events_that_say_nothing_to_people_are_left_out(saver: Saver) -> None:
    saver.save(POST)
    before = newest_event(saver.connection)
    for what in ("lost", "recovered", "repaired", "replaced", "expired"):
        event(saver, what)
    assert changes(saver, before) == []


def test_reasons_come_with_their_codes(saver: Saver) -> None:
    saver.save(POST)
    before = newest_event(saver.connection)
    event(saver, "gone", reason_code="not_found", reason="404 three times")
    (change,) = changes(saver, before)
    assert (change.reason_code, change.reason) == ("not_found", "404 three times")


def test_only_so_many_of_each_kind_and_only_of_this_run(saver: Saver) -> None:
    saver.save(POST)
    event(saver, "removed")
    saver.save(POST)
    assert changes(saver) == []
    for what in ("removed", "restored", "removed", "removed"):
        event(saver, what)
    assert [change.what for change in changes(saver, limit=2)] == [
        "removed", "restored", "removed",
    ]  # fmt: skip


def test_all_changes_are_counted_by_kind_and_reason_the_most_frequent_first(saver: Saver) -> None:
    saver.save(POST)
    before = newest_event(saver.connection)
    for what in ("gone", "omitted", "omitted"):
        event(saver, what, reason="as it says")
    assert list(change_counts(saver.connection, saver.night, before)) == [
        ChangeCount("omitted", "acme", "as it says", False, 2),
        ChangeCount("gone", "acme", "as it says", False, 1),
    ]


def test_before_the_first_event_the_newest_is_0(saver: Saver) -> None:
    assert newest_event(saver.connection) == 0
