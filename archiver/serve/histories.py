"""The archive as it is lent to a plugin that answers an API: accounts, posts, the token."""

import hashlib
import hmac
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from archiver.apis import AnswerRequest
from archiver.archive.row_objects import objects
from archiver.media.store import MediaStore
from archiver.models import timestamp
from archiver.serve.addresses import PARAMETER, files_of, served_url
from archiver.serve.records import (
    ArchivedRecord,
    attached_files,
    find_records,
    source_freshness,
)
from archiver.served_records import (
    HistoryAccount,
    HistoryContent,
    HistoryFile,
    HistoryPost,
    HistoryQuery,
    SourceFreshness,
)


@dataclass(frozen=True, slots=True)
class Serving:
    """What is served, and how. `token` is what clients send as their API key.

    `answer` is the plugin's. With `media`, records point to this server for the files that the
    archive has. `as_of` and `removed` are what a request that does not speak of them gets. `store`
    has the files, if they are not in the folder.
    """

    directory: Path
    token: str = field(repr=False)
    answer: AnswerRequest
    media: bool = False
    as_of: datetime | None = None
    removed: bool = False
    store: MediaStore | None = None


class ArchiveHistories:
    """A HistoryBackend over one connection, for one request. `origin` is how clients call us."""

    def __init__(self, connection: sqlite3.Connection, serving: Serving, origin: str) -> None:
        self._connection = connection
        self._serving = serving
        self._origin = origin

    @property
    def cursor_secret(self) -> bytes:
        """What cursors can be sealed with: it outlives a restart, but not another token."""
        return hashlib.sha256(b"cursor " + self._serving.token.encode()).digest()

    def admits(self, token: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(token.encode(), self._serving.token.encode())

    def accounts(self) -> Sequence[HistoryAccount]:
        """All accounts, in the order in which they came into the archive."""
        query = """
            SELECT id, name, platform, platform_id, handle, title, url, first_seen_at
              FROM accounts ORDER BY id
        """
        return list(objects(self._connection.execute(query), HistoryAccount))

    def posts(self, query: HistoryQuery) -> Iterator[HistoryPost]:
        """The posts, newest first, those without a time last; read as they are taken."""
        for found in find_records(self._connection, self._in_full(query)):
            files = files_of(self._connection, found.id) if self._serving.media else None
            yield HistoryPost(
                found.platform_id,
                found.author,
                found.mark,
                found.raw,
                partial(served_url, files=files, origin=self._origin) if files else None,
                self._content(found) if found.raw is None and found.is_now else None,
            )

    def _content(self, found: ArchivedRecord) -> HistoryContent:
        """What is known of a post that the API's source has not shown."""
        files = []
        for kind, url, alt_text, sha256 in attached_files(self._connection, found.id):
            if self._serving.media and sha256:
                url = f"{self._origin}/media/{sha256}?{PARAMETER}={sha256}"  # noqa: PLW2901 — ours
            if url and url.startswith(("http://", "https://")):
                files.append(HistoryFile(kind, url, alt_text))
        return HistoryContent(found.created_at, found.title, found.text, found.url, tuple(files))

    def freshness(self, query: HistoryQuery) -> SourceFreshness:
        """How fresh the account is by its last run, or the last one until `as_of`."""
        as_of = timestamp(self._in_full(query).as_of)
        first_seen_at = query.account.first_seen_at
        found = source_freshness(self._connection, query.account.id, as_of)
        freshness = found or SourceFreshness(first_seen_at, first_seen_at)
        if as_of is None:
            return freshness
        return replace(freshness, updated_at=min(freshness.updated_at, as_of))

    def _in_full(self, query: HistoryQuery) -> HistoryQuery:
        """The query, with what the server was told to answer where it does not say."""
        return replace(
            query,
            as_of=query.as_of or self._serving.as_of,
            removed=query.removed or self._serving.removed,
        )
