"""Videos behind their pages: which are due, how many a day, and when they are tried again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archiver.archive.queue import QueuedFile, Stored
from archiver.archive.resolutions import (
    Resolution,
    behind_pages,
    resolver_wait,
    save_resolved,
    save_unresolved,
    tries_of_day,
)
from archiver.models import Attachment, Post, Rendition, timestamp
from archiver.reasons import Reason
from support.saver import Saver, saving

AT = datetime(2026, 4, 1, tzinfo=UTC)
PRIVATE = Reason("private", "Private video")
STATE = "SELECT state, reason_code, tries FROM renditions WHERE role = 'original'"


def film(number: int, *renditions: Rendition) -> Post:
    absent = renditions or (Rendition("original", absent="not_offered"),)
    return Post(
        f"p{number}", created_at=f"2026-03-0{number}T09:00:00.000Z",
        url=f"https://video.example/watch?v={number}", content={"text": str(number)},
        attachments=(Attachment("video", f"v{number}", renditions=absent),),
    )  # fmt: skip


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    """An archive of three films: two behind pages, and one that is offered."""
    with saving(tmp_path) as saver:
        saver.save(film(1), film(2), film(3, Rendition("original", "https://a.example/3.mp4")))
        yield saver


def due(saver: Saver, at: datetime = AT, limit: int = 9) -> list[QueuedFile]:
    return behind_pages(saver.connection, saver.account_id, timestamp(at) or "", limit=limit)


def fail(saver: Saver, file: QueuedFile, reason: Reason = PRIVATE, at: datetime = AT) -> None:
    tried = Resolution(file, "youtube", "ytdlp", "2026.7.4")
    save_unresolved(saver.connection, tried, reason, 1, at, lambda: 1.0)


def test_what_is_behind_a_page_is_due_newest_first(saver: Saver) -> None:
    assert [file.url for file in due(saver)] == [
        "https://video.example/watch?v=2", "https://video.example/watch?v=1",
    ]  # fmt: skip
    assert len(due(saver, limit=1)) == 1


def test_what_could_not_be_had_waits_for_days_and_is_never_in_the_way_of_others(
    saver: Saver,
) -> None:
    first, second = due(saver)
    fail(saver, first)
    assert [file.rendition_id for file in due(saver)] == [second.rendition_id]
    assert due(saver, AT + timedelta(days=4)) == [second]
    again = due(saver, AT + timedelta(days=6))
    assert [(file.tries, file.reason_code) for file in again] == [
        (1, "private"),
        (0, "not_offered"),
    ]


def test_the_source_that_gives_no_file_changes_nothing_of_that(saver: Saver) -> None:
    first, _ = due(saver)
    fail(saver, first)
    saver.save(film(1), film(2))
    assert ("failed", "private", 1) in saver.rows(STATE)


def test_each_try_counts_for_a_day(saver: Saver) -> None:
    for file in due(saver):
        fail(saver, file)
    assert tries_of_day(saver.connection, "youtube", AT + timedelta(hours=23)) == 2
    assert tries_of_day(saver.connection, "tiktok", AT) == 0
    assert tries_of_day(saver.connection, "youtube", AT + timedelta(hours=25)) == 0


def test_a_film_that_was_had_is_an_event_and_not_due_any_more(saver: Saver) -> None:
    first, _ = due(saver)
    sha256 = "ab" * 32
    stored = Stored(first, sha256, f"media/ab/{sha256}.mp4", 9, "video/mp4", 4, 3, None)
    tried = Resolution(first, "youtube", "ytdlp", "2026.7.4")
    save_resolved(saver.connection, tried, stored, 1, AT)
    assert ("stored", None, 0) in saver.rows(STATE)
    assert saver.rows("SELECT what FROM events WHERE what = 'resolved'") == [("resolved",)]
    assert saver.rows("SELECT resolver, version, reason_code FROM resolutions") == [
        ("ytdlp", "2026.7.4", None)
    ]
    assert len(due(saver, AT + timedelta(days=99))) == 1


@pytest.mark.parametrize(
    ("code", "tries", "days"),
    [("private", 1, 5), ("private", 2, 10), ("private", 3, 20), ("private", 9, 28)],
)
def test_waits_grow_up_to_four_weeks_and_are_never_the_same(
    code: str, tries: int, days: int
) -> None:
    assert resolver_wait(code, tries, 1.0) == timedelta(days=days)
    assert resolver_wait(code, tries, 0.0) == timedelta(days=days) * 0.75


def test_what_is_missing_here_is_tried_again_the_next_night() -> None:
    assert resolver_wait("runtime_missing", 5, 0.5) == timedelta(hours=23)
