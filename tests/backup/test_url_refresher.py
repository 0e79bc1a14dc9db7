"""Fresh addresses: the source is asked once for a post, and no more when it does not answer."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from archiver.archive import queue
from archiver.archive.queue import QueuedFile
from archiver.backup.database_thread import DatabaseThread
from archiver.backup.url_refresher import UrlRefresher
from archiver.errors import AccessRefused, ArchiverError, RateLimited, RecordError, SourceDown
from archiver.models import Attachment, Post, Rendition
from support.saver import POST, Saver, saving

pytestmark = pytest.mark.anyio
OLD, NEW = "https://a.example/1.jpg?sig=old", "https://b.example/1.jpg?sig=new"


def of(*renditions: Rendition) -> Post:
    return replace(POST, attachments=(Attachment("image", "m1", renditions=renditions),))


class Reader:
    """An AccountReader that gives one answer to every question."""

    def __init__(self, answer: Post | ArchiverError | None) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def refetch(self, platform_id: str) -> Post | None:
        self.asked.append(platform_id)
        if isinstance(self.answer, ArchiverError):
            raise self.answer
        return self.answer


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as saver:
        saver.save(
            of(Rendition("original", OLD), Rendition("thumbnail", "https://a.example/2.jpg"))
        )
        yield saver


def files(saver: Saver) -> list[QueuedFile]:
    return queue.due_files(
        saver.connection, [saver.account_id], "2026-04-01T00:00:00.000Z", limit=9
    )


def refresher(saver: Saver, answer: Post | ArchiverError | None) -> tuple[UrlRefresher, Reader]:
    reader = Reader(answer)
    return UrlRefresher(cast("Any", reader), DatabaseThread(saver.connection)), reader


def urls(connection: sqlite3.Connection) -> set[str]:
    return {url for (url,) in connection.execute("SELECT url FROM renditions")}


async def test_a_fresh_address_is_given_and_saved(saver: Saver) -> None:
    refresh, reader = refresher(saver, of(Rendition("original", NEW)))
    file = next(file for file in files(saver) if file.role == "original")
    assert not refresh.is_answered(file)
    assert await refresh.fresh_url(file) == NEW
    assert reader.asked == ["p1"]
    assert urls(saver.connection) == {NEW, "https://a.example/2.jpg"}


async def test_one_question_serves_all_files_of_a_post(saver: Saver) -> None:
    answer = of(Rendition("original", NEW), Rendition("thumbnail", "https://b.example/2.jpg"))
    refresh, reader = refresher(saver, answer)
    assert [await refresh.fresh_url(file) for file in files(saver)]
    assert reader.asked == ["p1"]
    assert all(refresh.is_answered(file) for file in files(saver))
    assert urls(saver.connection) == {NEW, "https://b.example/2.jpg"}


@pytest.mark.parametrize(
    "answer",
    [
        None, of(Rendition("original", OLD)), of(Rendition("original", "https://a.example/9.jpg")),
        of(Rendition("cover", NEW)), of(Rendition("original", absent="copyright")),
        RecordError("It cannot be read"),
    ],
)  # fmt: skip
async def test_an_answer_without_another_address_of_that_file_changes_nothing(
    saver: Saver, answer: Post | ArchiverError | None
) -> None:
    refresh, reader = refresher(saver, answer)
    file = next(file for file in files(saver) if file.role == "original")
    assert await refresh.fresh_url(file) is None
    assert await refresh.fresh_url(file) is None
    assert reader.asked == ["p1"]
    assert not refresh.source_unavailable
    assert urls(saver.connection) == {OLD, "https://a.example/2.jpg"}


@pytest.mark.parametrize("error", [SourceDown("x"), RateLimited("x"), AccessRefused("x")])
async def test_a_source_that_does_not_answer_is_not_asked_again(
    saver: Saver, error: ArchiverError
) -> None:
    refresh, reader = refresher(saver, error)
    first, second = files(saver)
    assert await refresh.fresh_url(first) is None
    assert await refresh.fresh_url(second) is None
    assert reader.asked == ["p1"]
    assert refresh.source_unavailable
    assert refresh.is_answered(msgspec.structs.replace(first, post_id=99))


@pytest.mark.parametrize(("active", "deferred"), [(1, 63), (2, 64)])
def test_only_so_many_files_and_workers_wait_for_addresses(
    saver: Saver, active: int, deferred: int
) -> None:
    refresh, _ = refresher(saver, None)
    refresh.active = active
    refresh.deferred.extend(files(saver)[:1] * deferred)
    assert refresh.is_busy is (active == 2)
    assert refresh.is_full is (deferred == 64)
