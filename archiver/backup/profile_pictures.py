"""Fetching avatars, banners and custom emoji at the end of a run, checked as other files are."""

from collections.abc import Collection

from anyio import CapacityLimiter, create_task_group, to_thread

from archiver.archive import account_pictures
from archiver.archive.account_pictures import StoredPicture, WaitingPicture
from archiver.backup.context import RunContext
from archiver.backup.media_fetcher import reason_of
from archiver.errors import MediaError
from archiver.media.download import Downloader
from archiver.media.store import MediaStore, stored_path

_AT_ONCE = 4  # they are small, and most are of one server


async def fetch_pictures(
    run: RunContext, store: MediaStore, downloader: Downloader, account_ids: Collection[int]
) -> None:
    """Fetch the waiting pictures of these accounts. Raises StorageError."""
    waiting = await run.database.call(account_pictures.waiting_pictures, account_ids, run.now())
    limiter = CapacityLimiter(_AT_ONCE)

    async def fetch(picture: WaitingPicture) -> None:
        async with limiter:
            await _fetch(run, store, downloader, picture)

    async with create_task_group() as tasks:
        for picture in waiting:
            tasks.start_soon(fetch, picture)


async def _fetch(
    run: RunContext, store: MediaStore, downloader: Downloader, picture: WaitingPicture
) -> None:
    """Fetch one picture and save the result. Raises StorageError."""
    try:
        file = await _picture(run, store, downloader, picture)
    except MediaError as error:
        state, reason = reason_of(error, downloader.max_size)
        await run.database.call(
            account_pictures.save_failure, picture, state, reason, run.clock.now()
        )
    else:
        await run.database.call(account_pictures.save_picture, picture, file, run.now())


async def _picture(
    run: RunContext, store: MediaStore, downloader: Downloader, picture: WaitingPicture
) -> StoredPicture:
    """The file of a picture, fetched unless it is stored. Raises MediaError, StorageError."""
    expected = picture.expected_sha256
    if expected is not None:
        stored = await run.database.call(account_pictures.stored_picture, expected)
        if stored is not None:
            return stored
    download = await downloader.fetch(picture.url, expects="image", even_if_expired=True)
    if expected not in {None, download.sha256}:
        download.discard()
        why = "Its bytes do not match the hash or size that the source states"
        raise MediaError("The file could not be fetched", why=why, code="other_bytes")
    await to_thread.run_sync(store.put, [download])
    return StoredPicture(
        download.sha256, stored_path(download.sha256, download.extension), download.size,
        download.content_type, download.width, download.height,
    )  # fmt: skip
