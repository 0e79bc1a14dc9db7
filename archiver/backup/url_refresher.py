"""Fresh addresses for files whose address has expired: their post is fetched again."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from archiver.archive import queue
from archiver.archive.queue import QueuedFile
from archiver.backup.account_reader import AccountReader
from archiver.backup.database_thread import DatabaseThread
from archiver.canonical import attachment_keys, media_key
from archiver.errors import AccessRefused, ArchiverError, RateLimited, SourceDown
from archiver.models import Post

_AT_ONCE = 2
"""Workers that may refetch posts of one account at a time: it can take minutes."""

_MAX_DEFERRED = 64
"""With so many deferred files, an account's next ones stay in the queue."""

RenditionKey = tuple[str, str, str]
"""Attachment key, role, media key: they identify a rendition within its post."""


@dataclass(slots=True)
class UrlRefresher:
    """Fresh addresses of one account's files, by post, from the source that offered them.

    `reader` is None where that source is not part of this run. `deferred` are files that wait for
    an address. `source_unavailable` says that the source did not answer, and gets no more requests
    in this run.
    """

    reader: AccountReader | None
    database: DatabaseThread
    deferred: deque[QueuedFile] = field(default_factory=deque)
    active: int = 0
    source_unavailable: bool = False
    _fresh: dict[int, Mapping[RenditionKey, str]] = field(default_factory=dict)
    _lock: anyio.Lock = field(default_factory=anyio.Lock)

    @property
    def is_full(self) -> bool:
        """Whether no more files of the account are to be read from the queue now."""
        return len(self.deferred) >= _MAX_DEFERRED

    @property
    def is_busy(self) -> bool:
        """Whether enough workers are refetching posts."""
        return self.active >= _AT_ONCE

    def is_answered(self, file: QueuedFile) -> bool:
        """Whether the post of a file was refetched already, or the source does not answer."""
        is_unavailable = self.source_unavailable or self.reader is None
        return file.post_id in self._fresh or is_unavailable

    async def fresh_url(self, file: QueuedFile) -> str | None:
        """A fresh address of a file; one request serves all files of a post."""
        async with self._lock:
            if not self.is_answered(file):
                try:
                    self._fresh[file.post_id] = await self._fetch_urls(file)
                except (SourceDown, RateLimited, AccessRefused):
                    self.source_unavailable = True
        url = _url_in(self._fresh.get(file.post_id, {}), file)
        if url is None or url == file.url:
            return None
        await self.database.call(queue.save_url, file.rendition_id, url)
        return url

    async def _fetch_urls(self, file: QueuedFile) -> Mapping[RenditionKey, str]:
        """Fetch the current addresses of a post's files.

        Raises SourceDown, RateLimited and AccessRefused, which are not about this post alone.
        """
        if self.reader is None:
            return {}
        try:
            post = await self.reader.refetch(file.record_id)
        except (SourceDown, RateLimited, AccessRefused):
            raise
        except ArchiverError:
            return {}
        return {} if post is None else _urls_of(post)


def _url_in(fresh: Mapping[RenditionKey, str], file: QueuedFile) -> str | None:
    """The fresh address of a file; of a part of a playlist, that of the playlist with its name."""
    url = fresh.get((file.attachment_key, file.role, file.media_key))
    name, key = file.url.partition("#")[2], file.media_key.rpartition("#")[0]
    if url is not None or not name or not key:
        return url
    for role in ("original", "variant"):
        if (url := fresh.get((file.attachment_key, role, key))) is not None:
            return f"{url.partition('#')[0]}#{name}"
    return None


def _urls_of(post: Post) -> Mapping[RenditionKey, str]:
    return {
        (key, rendition.role, media_key(rendition)): rendition.url
        for key, attachment in zip(attachment_keys(post.attachments), post.attachments, strict=True)
        for rendition in attachment.renditions
        if rendition.url
    }
