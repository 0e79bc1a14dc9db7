"""Which files are made durable together: few flushes, and nobody waits for nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from archiver.archive.queue import QueuedFile
from archiver.backup import media_fetcher
from archiver.backup.fetched import FetchedFile
from archiver.backup.media_fetcher import MediaFetcher, Result
from archiver.media.download import Download

pytestmark = pytest.mark.anyio
NOBODY = cast("Any", None)


def results(count: int, size: int) -> list[Result]:
    """Files that were fetched, of so many bytes each."""
    download = Download(Path("a.part"), "ab" * 32, size, "image/jpeg", "jpg")
    return [
        (
            QueuedFile(
                rendition_id=number,
                attachment_id=1,
                attachment_key="",
                post_id=1,
                account_id=1,
                source="",
                record_id="",
                kind="image",
                role="original",
                media_key="",
                url="",
                content_type=None,
                tries=0,
                reason_code=None,
                expected_sha256=None,
                expected_size=None,
                lost=None,
                published_at=None,
            ),
            FetchedFile(download),
        )
        for number in range(count)
    ]


async def batch_of(came: Sequence[Result], *, in_progress: int) -> int:
    """How many of the files that came make the first batch, with so many still on their way."""
    run = MediaFetcher(NOBODY, NOBODY, NOBODY, NOBODY, connections=1)
    run._in_progress.update(range(in_progress))
    sender, receiver = anyio.create_memory_object_stream[Result](len(came))
    with sender, receiver:
        for result in came[1:]:
            sender.send_nowait(result)
        return len(await run._batch(came[0], receiver))


async def test_the_last_file_is_flushed_at_once() -> None:
    assert await batch_of(results(1, 100), in_progress=1) == 1


async def test_what_is_there_is_flushed_together() -> None:
    assert await batch_of(results(900, 100), in_progress=900) == 900


async def test_a_batch_has_its_limit() -> None:
    assert await batch_of(results(3_000, 100), in_progress=3_000) == media_fetcher._MAX_BATCH_FILES


async def test_many_bytes_wait_for_nobody() -> None:
    assert await batch_of(results(100, 10 << 20), in_progress=100) == 4


async def test_a_file_waits_no_longer_than_a_moment_for_those_on_their_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(media_fetcher, "_SAVE_SECONDS", 0)
    assert await batch_of(results(1, 100), in_progress=2) == 1
