"""What a plugin that answers an API gets of a request and of the archive, and its answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from archiver.models import Stream


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request to an API: `path` is below its base URL, without a leading slash.

    `params` are the decoded pairs of the query in their order; header names are lower case.
    """

    method: str
    path: str
    params: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """One response: an HTTP status, the exact bytes of the body, and headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryAccount:
    """An account of the archive. `name` is its label; `first_seen_at` is as the archive writes it.

    Only the HistoryBackend interprets `id`.
    """

    id: int
    name: str
    platform: str
    platform_id: str | None
    handle: str | None
    title: str | None
    url: str | None
    first_seen_at: str


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which posts of an account to return: by default all that were not removed.

    `after` is the `mark` of the last post of the previous page. `as_of` selects what was known
    then; `removed` includes removed posts. `stream` is None for all streams, `since` and `until`
    are inclusive, `platform_id` selects one post. `source` is the source whose records the API has.
    """

    account: HistoryAccount
    after: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    stream: Stream | None = None
    as_of: datetime | None = None
    removed: bool = False
    platform_id: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """What is attached to a post: its kind, its alt text, and an address of its file or link."""

    kind: str
    url: str
    alt_text: str | None


@dataclass(frozen=True, slots=True)
class HistoryContent:
    """What is known of a post that only other sources than the API's have shown."""

    created_at: str | None
    title: str | None
    text: str | None
    url: str | None
    files: tuple[HistoryFile, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryPost:
    """A post of the archive.

    `record` is the exact text of its JSON, as the source that was asked for sent it. It is None
    where that source has not shown the post; `content` then has what others have shown, and is None
    too where only the id was known at the time. `mark` is where the next page begins. `file_url`
    maps the address of a file in the record to the address of that file on this server, or to None;
    it is None itself where this server has no file of the record.
    """

    platform_id: str
    author: str | None
    mark: str
    record: str | None
    file_url: Callable[[str], str | None] | None = None
    content: HistoryContent | None = None


@dataclass(frozen=True, slots=True)
class SourceFreshness:
    """When a source last updated its data about an account, and until when they stay the same."""

    updated_at: str
    fresh_until: str
