"""The archive as the API's library: who is admitted, which account is meant, what it published."""

import hashlib
import hmac
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path

from archiver.models import timestamp
from archiver.serve.accounts import (
    Configured,
    Profile,
    ProfileKeys,
    ServedAccount,
    held_accounts,
    profile_listed,
    profile_of,
)
from archiver.serve.addresses import files_of, pointed
from archiver.serve.records import Found, HistoryQuery, find, last_asked
from archiver_ayrshare.emulation.answers import Json, JsonObject, not_found, refusal, written
from archiver_ayrshare.emulation.history_api import Caller, Listing, Plan, Query

_IDS_ONLY = frozenset({"facebook", "instagram"})
"""Where `skipAnalytics` has a meaning: the API then gives the ids of posts and nothing else."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What is served, and how. `token` is what a client sends as its API key.

    With `media`, records point to this server for the files that the archive has. `as_of` and
    `removed` are what a request that does not speak of them gets.
    """

    directory: Path
    token: str = field(repr=False)
    keys: ProfileKeys
    media: bool = False
    as_of: datetime | None = None
    removed: bool = False

    @classmethod
    def of(
        cls, directory: Path, token: str, configured: Sequence[Configured] = (), *,
        media: bool = False, as_of: datetime | None = None, removed: bool = False,
    ) -> "Serving":  # fmt: skip
        """With the accounts of a config, in its order."""
        return cls(directory, token, ProfileKeys(configured), media, as_of, removed)


class ArchiveLibrary:
    """A Library over one connection, for one request. `origin` is how the client calls us."""

    plan = Plan()

    def __init__(self, connection: sqlite3.Connection, serving: Serving, origin: str) -> None:
        self._connection = connection
        self._serving = serving
        self._origin = origin

    @property
    def cursor_secret(self) -> bytes:
        """What cursors are sealed with: they outlive a restart, but not another token."""
        return hashlib.sha256(b"cursor " + self._serving.token.encode()).digest()

    def admits(self, api_key: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(api_key.encode(), self._serving.token.encode())

    def caller(self, profile_key: str) -> Caller | None:
        """Whom the Profile-Key names."""
        return Caller(profile_key) if self._profile(profile_key) else None

    def lacks_x_keys(self, _key: str | None, _secret: str | None) -> tuple[str, ...]:
        """None: X is not asked."""
        return ()

    def history(self, query: Query) -> Listing:
        """A page of an account's posts."""
        account = self._account(query)
        wanted = self._wanted(query, account)
        found = self._published(query, account, find(self._connection, wanted))
        page = list(islice(found, query.limit + 1))
        after = page[query.limit - 1].mark if len(page) > query.limit else None
        asked = last_asked(self._connection, account.id, wanted.as_of)
        updated_at = asked.updated_at if asked else account.first_seen_at
        if wanted.as_of:
            updated_at = min(updated_at, wanted.as_of)
        next_update = asked.fresh_until if asked else account.first_seen_at
        records = self._records(query, page[: query.limit])
        return Listing(tuple(records), updated_at, next_update, after=after)

    def post(self, query: Query) -> Json | None:
        """One post's record, as it is."""
        account = self._account(query)
        found = next(find(self._connection, self._wanted(query, account)), None)
        return next(self._records(query, [found])) if found else None

    def user(self, profile_key: str) -> JsonObject:
        """The accounts that a key chooses from."""
        profile = self._profile(profile_key)
        if profile is None:
            raise not_found()
        return profile.user()

    def profiles(self) -> JsonObject:
        """Each account as a profile: its title is the Profile-Key that chooses it."""
        profiles = [profile_listed(account) for account in self._held]
        newest = max((account.first_seen_at for account in self._held), default="")
        return {
            "profiles": profiles,
            "count": len(profiles),
            "lastUpdated": newest,
            "nextUpdate": newest,
            "pagination": {"hasMore": False, "limit": 5000},
        }

    @cached_property
    def _held(self) -> list[ServedAccount]:
        return held_accounts(self._connection)

    def _profile(self, profile_key: str) -> Profile | None:
        return profile_of(profile_key, self._held, self._serving.keys)

    def _account(self, query: Query) -> ServedAccount:
        if query.user_id or query.user_name:
            return self._stranger(query)
        profile = self._profile(query.profile_key)
        account = profile.accounts.get(query.platform) if profile else None
        if account is None:
            text = f"{query.platform} is not linked: the archive has no such account here."
            raise refusal(400, 156, text, action="history")
        return account

    def _stranger(self, query: Query) -> ServedAccount:
        """An account on X by its id or handle, whatever profile it was read with."""
        for account in self._held:
            if account.platform == query.platform and (
                account.platform_id == query.user_id
                if query.user_id
                else account.platform_id == f"@{query.user_name}".lower()
                or (account.handle or "").casefold() == (query.user_name or "").casefold()
            ):
                return account
        raise not_found()

    def _wanted(self, query: Query, account: ServedAccount) -> HistoryQuery:
        return HistoryQuery(
            account.id,
            after=query.after,
            since=timestamp(query.since),
            until=timestamp(query.until),
            stories=query.data_type == "stories" if query.data_type else None,
            as_of=timestamp(query.as_of or self._serving.as_of),
            removed=query.removed or self._serving.removed,
            platform_id=query.post_id,
        )

    def _records(self, query: Query, page: Sequence[Found]) -> Iterator[bytes]:
        ids_only = query.skip_analytics and query.platform in _IDS_ONLY
        files = files_of(self._connection, [post.id for post in page]) if self._media else {}
        for post in page:
            if ids_only or post.raw is None:
                yield written({"id": post.platform_id})
            elif post.id in files:
                yield pointed(post.raw, files[post.id], self._origin).encode()
            else:
                yield post.raw.encode()

    @property
    def _media(self) -> bool:
        return self._serving.media

    @staticmethod
    def _published(query: Query, account: ServedAccount, found: Iterable[Found]) -> Iterator[Found]:
        """Without what visitors left on a page, if asked, as far as their names are known."""
        for post in found:
            if query.page_published and post.author and not account.is_called(post.author):
                continue
            yield post
