"""The client of the Ayrshare API: its headers and keys, and answers that serve several calls."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from archiver import AccessRefused, BaseUrl, Http, RateLimitPolicy, Record, Response, Secret
from archiver_ayrshare.answers import (
    API_KEY,
    PROFILE_KEY,
    X_KEYS_HINT,
    HistoryAnswer,
    read_answer,
    read_object,
)
from archiver_ayrshare.options import ProfileOptions
from archiver_ayrshare.values import id_of, object_of

PAGE = 100
"""How many posts are asked for at once: the docs advise against more."""

RATE_LIMIT = RateLimitPolicy(limit="x-ratelimit-max", used="x-ratelimit-count", window=300.0)
"""https://www.ayrshare.com/docs/errors/rate-limits: requests in five minutes, per profile."""


def _help(words: str) -> dict[str, Any]:
    return {"help": words}


@dataclass(frozen=True)
class Settings:
    """The config table `[ayrshare]`."""

    api_key: Secret = field(metadata=_help("The API key of your primary profile"))
    base_url: BaseUrl = field(
        default="https://api.ayrshare.com/api", metadata=_help("Where the API is served")
    )
    limit_max: int = field(
        default=500, metadata=_help("The most posts per request; Enterprise plans may have more")
    )
    x_api_key: Secret | None = field(
        default=None, metadata=_help("Consumer key of your own X app; only for twitter")
    )
    x_api_secret: Secret | None = field(
        default=None, metadata=_help("Consumer secret of your own X app; only for twitter")
    )


class AyrshareClient:
    """A client for one API key, with answers that are kept during a run.

    Secrets are resolved when first needed, once each, and sent in headers only.
    """

    def __init__(self, settings: Settings, http: Http) -> None:
        self.limit_max = max(1, settings.limit_max)
        self._settings = settings
        self._http = http
        self._revealed: dict[Secret, str] = {}
        self._users: dict[str, dict[str, Any]] = {}
        self._prefetched: dict[tuple[object, ...], HistoryAnswer] = {}
        self._newest: dict[tuple[str, ...], _NewestPage] = {}
        self._locks: dict[tuple[str, ...], asyncio.Lock] = {}
        self._lookup_unavailable: set[str] = set()
        self._refused: dict[str, AccessRefused] = {}
        self._reveal(settings.api_key)

    async def history(
        self, platform: str, options: ProfileOptions, params: Mapping[str, str]
    ) -> HistoryAnswer:
        """One page of an account's history, newest first.

        Raises SourceError, SecretError.
        """
        prefetched = self._prefetched.pop(self._key(platform, options, params), None)
        if prefetched is not None:
            return prefetched
        with self._refused_once(options.profile_key):
            return read_answer(
                await self._get_history(platform, platform, options, params), platform
            )

    async def prefetch_history(
        self, platform: str, options: ProfileOptions, params: Mapping[str, str]
    ) -> HistoryAnswer:
        """One page of history, which the next call of `history` for it returns again.

        Raises SourceError, SecretError.
        """
        answer = await self.history(platform, options, params)
        self._prefetched[self._key(platform, options, params)] = answer
        return answer

    def _key(
        self, platform: str, options: ProfileOptions, params: Mapping[str, str]
    ) -> tuple[object, ...]:
        return platform, self.lane(options.profile_key), frozenset(params.items())

    async def user(self, profile_key: Secret | None) -> dict[str, Any]:
        """What the API says about a profile and its linked accounts; asked once per run.

        Raises SourceError, SecretError.
        """
        lane = self.lane(profile_key)
        async with self._lock("user", lane):
            if lane not in self._users:
                with self._refused_once(profile_key):
                    response = await self._http.get(
                        "/user", headers=self._headers(profile_key), lane=lane
                    )
                    self._users[lane] = read_object(response)
            return self._users[lane]

    async def profiles_page(self, cursor: str | None) -> dict[str, Any]:
        """One page of the list of profiles below the API key, as the API gives it.

        Raises SourceError, SecretError.
        """
        with self._refused_once(None):
            response = await self._http.get(
                "/profiles",
                params={"cursor": cursor} if cursor else None,
                headers=self._headers(None),
                lane=self.lane(None),
            )
            return read_object(response)

    @contextmanager
    def _refused_once(self, profile_key: Secret | None) -> Iterator[None]:
        """Say where a key that is refused was read from, and ask with it no more in this run."""
        lane = self.lane(profile_key)
        if lane in self._refused:
            raise self._refused[lane]
        try:
            yield
        except AccessRefused as error:
            key = {API_KEY: self._settings.api_key, PROFILE_KEY: profile_key}.get(error.code)
            if key is not None:
                error.hint = f"It was read from {key.origin}. {error.hint}"
                self._refused[lane] = error
            raise

    async def get_post(
        self, platform: str, options: ProfileOptions, platform_id: str
    ) -> Response | None:
        """One post by its native id; None where the plan lacks this endpoint.

        Raises SourceDown, RateLimited, SecretError.
        """
        if self.lane(options.profile_key) in self._lookup_unavailable:
            return None
        params = {"searchPlatformId": "true", "platform": platform}
        response = await self._get_history(platform, quote(platform_id, safe=""), options, params)
        if response.status in {402, 403}:
            self._lookup_unavailable.add(self.lane(options.profile_key))
            return None
        return response

    async def find_in_newest(
        self, platform: str, options: ProfileOptions, platform_id: str
    ) -> Record | None:
        """A post, if it is among the newest hundred, or among the newest that one request can give.

        Raises SourceError, SecretError.
        """
        page = await self._newest_page(platform, options, platform_id, min(PAGE, self.limit_max))
        if platform_id not in page.records and PAGE <= page.count < self.limit_max:
            page = await self._newest_page(platform, options, platform_id, self.limit_max)
        return page.records.get(platform_id)

    async def _newest_page(
        self, platform: str, options: ProfileOptions, platform_id: str, limit: int
    ) -> "_NewestPage":
        """The newest `limit` posts. The answer is kept, since several posts may be looked for.

        It is fetched again when the same post is looked for again: the cached one did not have it.
        """
        params = {"limit": str(limit), **options.params()}
        key = (platform, self.lane(options.profile_key), *params.values())
        async with self._lock("newest", *key):
            page = self._newest.get(key)
            if page is None or platform_id in page.requested_ids:
                answer = await self.history(platform, options, params)
                page = self._newest[key] = _NewestPage(
                    {
                        known: r
                        for r in answer.records
                        if (known := id_of(object_of(r.data).get("id")))
                    },
                    answer.count,
                )
            page.requested_ids.add(platform_id)
            return page

    def lane(self, profile_key: Secret | None) -> str:
        """An identifier of a profile for its rate limits, which does not reveal its key."""
        if profile_key is None:
            return "primary"
        return hashlib.sha256(self._reveal(profile_key).encode()).hexdigest()[:12]

    async def _get_history(
        self, platform: str, name: str, options: ProfileOptions, params: Mapping[str, str]
    ) -> Response:
        headers = self._headers(options.profile_key)
        if platform == "twitter":
            headers |= self._x_headers()
        lane = self.lane(options.profile_key)
        return await self._http.get(f"/history/{name}", params=params, headers=headers, lane=lane)

    def _headers(self, profile_key: Secret | None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self._reveal(self._settings.api_key)}"}
        if profile_key is not None:
            headers["Profile-Key"] = self._reveal(profile_key)
        return headers

    def _x_headers(self) -> dict[str, str]:
        """The keys of the user's own X app, which X has required since 2026-03-31."""
        key, secret = self._settings.x_api_key, self._settings.x_api_secret
        if key is None or secret is None:
            missing = " and ".join(
                name for name, value in (("x_api_key", key), ("x_api_secret", secret)) if not value
            )
            raise AccessRefused(
                f"X cannot be read without {missing}",
                why="X answers only with the API keys of an X app of your own",
                hint=X_KEYS_HINT,
                code="x_keys",
            )
        return {
            "X-Twitter-OAuth1-Api-Key": self._reveal(key),
            "X-Twitter-OAuth1-Api-Secret": self._reveal(secret),
        }

    def _reveal(self, secret: Secret) -> str:
        if secret not in self._revealed:
            self._revealed[secret] = secret.reveal()
        return self._revealed[secret]

    def _lock(self, *key: str) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())


@dataclass(frozen=True, slots=True)
class _NewestPage:
    """The newest records of an account by id, their number, and the ids looked for so far."""

    records: Mapping[str, Record]
    count: int
    requested_ids: set[str] = field(default_factory=set)
