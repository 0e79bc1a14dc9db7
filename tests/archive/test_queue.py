"""The queue of files: what is next, when it is tried again, and what is believed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from archiver.archive import queue
from archiver.archive.queue import NotStored, QueuedFile, Stored
from archiver.models import Attachment, Post, Rendition, timestamp
from archiver.reasons import Reason
from support.saver import POST, Saver, saving

AT = datetime(2026, 4, 1, tzinfo=UTC)
NOT_FOUND = Reason("not_found", "404")


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as saver:
        yield saver


def post(name: str, day: int | None) -> Post:
    photo = Attachment("image", renditions=(Rendition("original", f"https://a.example/{name}"),))
    created_at = None if day is None else f"2026-03-{day:02d}T09:00:00.000Z"
    return replace(POST, platform_id=name, created_at=created_at, attachments=(photo,))


def due_files(saver: Saver, at: datetime = AT, limit: int = 64) -> list[QueuedFile]:
    return queue.due_files(saver.connection, [saver.account_id], timestamp(at) or "", limit=limit)


def fail(
    saver: Saver, file: QueuedFile, reason: Reason, at: datetime,
    state: Literal["failed", "gone", "refused"] = "failed",
) -> str:  # fmt: skip
    (ended,) = queue.save(saver.connection, [NotStored(file, state, reason)], 1, at)
    return ended


def test_files_of_the_newest_posts_come_first_and_those_without_a_time_last(saver: Saver) -> None:
    saver.save(post("old", 1), post("undated", None), post("new", 3), post("middle", 2))
    assert [file.record_id for file in due_files(saver)] == ["new", "middle", "old", "undated"]
    assert [file.record_id for file in due_files(saver, limit=2)] == ["new", "middle"]


def test_a_file_is_described_as_its_rows_have_it(saver: Saver) -> None:
    saver.save(post("p", 2))
    (file,) = due_files(saver)
    assert (file.kind, file.role, file.url) == ("image", "original", "https://a.example/p")
    assert (file.account_id, file.tries, file.lost) == (saver.account_id, 0, None)
    assert file.published_at == "2026-03-02T09:00:00.000Z"


def test_posts_whose_files_are_fetched_now_are_listed_and_where_they_are_many_they_are_not(
    saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    saver.save(post("a", 1), post("b", 2))
    newest, oldest = due_files(saver)

    def waiting(at: datetime) -> frozenset[int] | None:
        return queue.waiting_posts(saver.connection, saver.account_id, timestamp(at) or "")

    assert waiting(AT) == frozenset({newest.post_id, oldest.post_id})
    fail(saver, newest, NOT_FOUND, AT)
    assert waiting(AT) == frozenset({oldest.post_id})
    assert waiting(AT + timedelta(days=2)) == frozenset({newest.post_id, oldest.post_id})
    monkeypatch.setattr(queue, "_FEW", 2)
    assert waiting(AT) is None


def test_what_is_in_hand_is_left_out(saver: Saver) -> None:
    saver.save(post("a", 1), post("b", 2))
    newest, _ = due_files(saver)
    rest = queue.due_files(
        saver.connection, [saver.account_id], timestamp(AT) or "", in_progress=[newest.rendition_id]
    )
    assert [file.record_id for file in rest] == ["a"]


def test_a_404_is_gone_on_the_third_day(saver: Saver) -> None:
    saver.save(post("p", 1))
    states = []
    for day in range(3):
        at = AT + timedelta(days=day)
        (file,) = due_files(saver, at)
        states.append(fail(saver, file, NOT_FOUND, at))
        assert due_files(saver, at) == [], "not twice in one run"
    assert states == ["failed", "failed", "gone"]
    assert saver.rows("SELECT what, reason_code FROM events WHERE what = 'gone'") == [
        ("gone", "not_found")
    ]


def test_another_failure_restarts_the_count_of_404(saver: Saver) -> None:
    saver.save(post("p", 1))
    for day, reason in enumerate([NOT_FOUND, NOT_FOUND, Reason("network", "broke"), NOT_FOUND]):
        at = AT + timedelta(days=day)
        (file,) = due_files(saver, at)
        assert fail(saver, file, reason, at) == "failed"


def test_the_wait_between_tries_grows_to_thirty_days_and_no_further(saver: Saver) -> None:
    saver.save(post("p", 1))
    at, waits = AT, []
    for _ in range(12):
        (file,) = due_files(saver, at)
        fail(saver, file, Reason("network", "broke"), at)
        ((text,),) = saver.rows("SELECT next_try_at FROM renditions")
        waits.append(datetime.fromisoformat(text) - at)
        at = datetime.fromisoformat(text)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(hours=23), timedelta(days=30))


def test_a_wait_that_a_wrong_clock_set_is_not_kept(saver: Saver) -> None:
    saver.save(post("p", 1))
    (file,) = due_files(saver)
    fail(saver, file, Reason("network", "broke"), AT + timedelta(days=3650))
    assert len(due_files(saver)) == 1


def test_failed_and_refused_files_can_be_made_due(saver: Saver) -> None:
    saver.save(post("a", 1), post("b", 2))
    one, other = due_files(saver)
    fail(saver, one, Reason("network", "broke"), AT)
    fail(saver, other, Reason("address_not_allowed", "private"), AT, "refused")
    assert queue.count(saver.connection, [saver.account_id], timestamp(AT) or "") == 0
    queue.retry_now(saver.connection, [saver.account_id], timestamp(AT) or "")
    assert queue.count(saver.connection, [saver.account_id], timestamp(AT) or "") == 2


def test_a_stored_file_has_its_row_and_is_not_queued(saver: Saver) -> None:
    saver.save(post("p", 1))
    (file,) = due_files(saver)
    name = "ab" * 32
    stored = Stored(file, name, f"media/ab/{name}.jpg", 10, "image/jpeg", 4, 3, None)
    assert queue.save(saver.connection, [stored], 1, AT) == ["stored"]
    assert due_files(saver) == []
    assert saver.rows("SELECT sha256, size, width, height FROM media") == [(name, 10, 4, 3)]
