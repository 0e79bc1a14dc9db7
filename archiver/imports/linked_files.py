"""Files that an export only links to: they are fetched with it, since the links soon expire."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio

from archiver.archive.queue import QueuedFile
from archiver.clock import Clock
from archiver.config import Config
from archiver.errors import MediaError
from archiver.media.download import Download, Downloader
from archiver.media.expiry import url_expired
from archiver.media.selection import expected_kind
from archiver.net.fetch import MediaClient
from archiver.net.guard import AddressGuard
from archiver.net.proxy import Route

Link = tuple[QueuedFile, str]
"""A file, and the address that the export has for it."""


@dataclass(frozen=True, slots=True)
class LinkFetcher:
    """Fetches files by the links of an export into `tmp`, some at a time, guarded as all media."""

    config: Config
    route: Route
    tmp: Path
    clock: Clock
    on_bytes: Callable[[int], None]

    def is_known_to_have_expired(self, queued: QueuedFile, url: str) -> bool:
        """Whether a link that had expired before is no better now: it is not tried again."""
        is_same = url == queued.url or url_expired(url, self.clock.now())
        return queued.reason_code == "expired" and is_same

    def fetch(self, links: Sequence[Link]) -> list[tuple[QueuedFile, Download | MediaError]]:
        """The files, or why they could not be fetched. Raises StorageError."""
        return anyio.run(self._fetch_all, links)

    async def _fetch_all(
        self, links: Sequence[Link]
    ) -> list[tuple[QueuedFile, Download | MediaError]]:
        network, media = self.config.network, self.config.media
        guard = AddressGuard(network.allow, https_only=network.https_only)
        results: list[tuple[QueuedFile, Download | MediaError]] = []
        limiter = anyio.CapacityLimiter(media.connections)

        async def fetch_one(queued: QueuedFile, url: str) -> None:
            expects = expected_kind(queued.kind, queued.role, url, queued.content_type)
            async with limiter:
                try:
                    results.append((queued, await downloader.fetch(url, expects=expects)))
                except MediaError as error:
                    results.append((queued, error))

        async with MediaClient(
            guard, self.clock, connections=media.connections, per_host=media.per_host,
            route=self.route,
        ) as client:  # fmt: skip
            downloader = Downloader(
                client.open, self.tmp, self.clock, max_size=media.max_size, on_bytes=self.on_bytes
            )
            async with anyio.create_task_group() as tasks:
                for link in links:
                    tasks.start_soon(fetch_one, *link)
        return results
