"""Requests to the API, and the protocol of backends that answer them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from archiver_ayrshare.emulation.answers import Json, JsonObject

DEFAULT_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Query:
    """A valid request for history. `after` is a mark of the backend; `post_id` selects one post.

    `as_of` and `removed` are no part of the API: the history as it was known at a time, and posts
    that were removed too. Only a lenient API reads them.
    """

    platform: str
    profile_key: str = ""
    limit: int = DEFAULT_LIMIT
    after: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    data_type: str | None = None
    page_published: bool = False
    skip_analytics: bool = False
    user_id: str | None = None
    user_name: str | None = None
    post_id: str | None = None
    as_of: datetime | None = None
    removed: bool = False

    def filters(self) -> tuple[object, ...]:
        """What is signed in a cursor: everything but the limit and the position."""
        return (
            self.platform, self.profile_key, self.since, self.until, self.data_type,
            self.page_published, self.skip_analytics, self.user_id, self.user_name,
            self.as_of, self.removed,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listing:
    """Some records. `after` marks where the next page begins; None is the end.

    `paged` says whether the answer has `meta.pagination` at all.
    """

    records: tuple[Json, ...]
    updated_at: str
    next_update: str
    paged: bool = True
    after: str | None = None
    status: str = "success"
    http_status: int = 200
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caller:
    """The profile that a key stands for."""

    profile_key: str
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of the service. `refused`: the status, 402 or 403, with which history is refused."""

    refused: int | None = None
    max_limit: int = 500
    single_posts: bool = True
    profiles: bool = True


class ApiBackend(Protocol):
    """Gives the API the data for its answers. Any method may raise ApiError."""

    @property
    def plan(self) -> Plan:
        """The plan of the key's owner."""

    @property
    def cursor_secret(self) -> bytes:
        """The key that cursors are signed with; another one makes all of them invalid."""

    def admits(self, api_key: str) -> bool:
        """Whether this is a valid API key."""

    def caller(self, profile_key: str) -> Caller | None:
        """The caller with this Profile-Key ("" is the primary profile); None for an unknown one."""

    def lacks_x_keys(self, key: str | None, secret: str | None) -> tuple[str, ...]:
        """The names of the X headers that are missing."""

    def history(self, query: Query) -> Listing:
        """The newest records first, pinned ones before them, `query.limit` at most."""

    def post(self, query: Query) -> Json | None:
        """The answer about one post, or None when the account has none of that id."""

    def user(self, profile_key: str) -> JsonObject:
        """What `GET /user` says."""

    def profiles(self) -> JsonObject:
        """What `GET /profiles` says."""
