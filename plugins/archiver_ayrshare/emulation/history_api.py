"""How the history API behaves, whoever has the records.

It checks the key, the profile and every parameter, writes envelopes and errors, and issues and
reads cursors. Where records come from is a `HistoryBackend`: the demo, or anything that can
list posts. The manners are strict, or lenient: then parameters that are not known are ignored, and
those of one platform hold for all, as an answerer does that must serve clients it has not met.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import Any, Protocol, cast

from archiver_ayrshare.emulation import parameters
from archiver_ayrshare.emulation.answers import (
    ApiAnswer,
    ApiError,
    Json,
    JsonObject,
    bad_request,
    not_found,
    refusal,
    written_list,
    written_object,
)

PLATFORMS = (
    "bluesky", "facebook", "instagram", "linkedin", "pinterest", "snapchat", "threads", "tiktok",
    "twitter", "youtube",
)  # fmt: skip

DEFAULT_LIMIT = 10

_SINGLE = frozenset(
    {"facebook", "instagram", "linkedin", "threads", "tiktok", "twitter", "youtube"}
)
_ONLY = {
    "since": {"facebook"},
    "until": {"facebook"},
    "dataType": {"facebook", "instagram"},
    "pagePublished": {"facebook"},
    "skipAnalytics": {"facebook", "instagram"},
    "userId": {"twitter"},
    "userName": {"twitter"},
}
_EVERYWHERE = {"limit", "next", "id", "source"}  # two that the vendor's own client sends along
_USER_PARAMETERS = {"instagramDetails", "instagramQuota", "validate", "source"}
_PROFILE_PARAMETERS = {"title", "refId", "hasActiveSocialAccounts", "limit", "cursor", "source"}
_NUMBER = re.compile(r"\d{1,20}", re.ASCII)
_HANDLE = re.compile(r"\w{1,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request. `params` are decoded pairs in their order, header names are lower case."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for, checked. `after` is a library's own mark; `post_id` asks for one post.

    `as_of` and `removed` are no part of the API: the history as it was known at a time, and posts
    that are gone too. Only lenient manners read them.
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
        """What a cursor is bound to: everything but the limit and the place."""
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
    """What is paid for. `refused` is the status that history is refused with, 402 or 403."""

    refused: int | None = None
    most: int = 500
    single_posts: bool = True
    profiles: bool = True


class HistoryBackend(Protocol):
    """Where the API gets what it answers with. Any method may raise Refusal."""

    @property
    def plan(self) -> Plan:
        """What the key's owner pays for."""

    @property
    def cursor_secret(self) -> bytes:
        """What cursors are sealed with; another secret makes all of them invalid."""

    def admits(self, api_key: str) -> bool:
        """Whether the key is one of ours."""

    def caller(self, profile_key: str) -> Caller | None:
        """Whom the Profile-Key names ("" is the primary profile); None for nobody."""

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


class HistoryApi:
    """The API over a library."""

    def __init__(self, library: HistoryBackend, *, lenient: bool = False) -> None:
        self._library = library
        self._lenient = lenient

    def answer(self, request: ApiRequest) -> ApiAnswer:
        """Answer one request; `path` is what follows the base URL, without a leading slash."""
        try:
            return self._route(request)
        except ApiError as refused:
            return refused.answer

    def _route(self, request: ApiRequest) -> ApiAnswer:
        resource, _, slot = request.path.partition("/")
        if resource not in {"history", "user", "profiles"} or (resource != "history" and slot):
            raise refusal(404, 404, "No such endpoint.")
        if request.method not in {"GET", "HEAD"}:  # of HEAD, the server sends no body
            text = f"{request.method} is not allowed here."
            raise refusal(405, 405, text, headers={"allow": "GET, HEAD"})
        caller = self._identify(request, profile_matters=resource != "profiles")
        params = dict(request.params) if self._lenient else parameters.unique(request.params)
        match resource:
            case "user":
                self._allow(params, _USER_PARAMETERS)
                return ApiAnswer(200, self._library.user(caller.profile_key))
            case "profiles":
                return self._profiles(params)
            case _:
                return self._history(slot, params, caller, request.headers)

    def _identify(self, request: ApiRequest, *, profile_matters: bool) -> Caller:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key or not self._library.admits(key):
            raise refusal(401, 401, "API Key not valid. Send it as Authorization: Bearer API_KEY.")
        profile_key = request.headers.get("profile-key", "") if profile_matters else ""
        caller = self._library.caller(profile_key)
        if caller is None:
            raise refusal(403, 403, "Profile Key not valid.")
        if caller.suspended:
            raise refusal(403, 403, "This profile is suspended.")
        return caller

    def _allow(self, params: Mapping[str, str], known: set[str]) -> None:
        if not self._lenient:
            parameters.allow(params, known)

    def _profiles(self, params: Mapping[str, str]) -> ApiAnswer:
        self._allow(params, _PROFILE_PARAMETERS)
        if not self._library.plan.profiles:
            raise refusal(403, 403, "Your plan does not include profiles.")
        answer = self._library.profiles()
        linked = parameters.boolean(params, "hasActiveSocialAccounts")
        chosen = [
            profile
            for profile in answer["profiles"]
            if all(profile[name] == params[name] for name in ("title", "refId") if name in params)
            and (not linked or profile.get("activeSocialAccounts"))
        ]
        return ApiAnswer(200, {**answer, "profiles": chosen, "count": len(chosen)})

    # -- history

    def _history(
        self, slot: str, params: Mapping[str, str], caller: Caller, headers: Mapping[str, str]
    ) -> ApiAnswer:
        plan = self._library.plan
        if plan.refused:
            text = "Your plan does not include this endpoint. Please upgrade."
            raise refusal(plan.refused, plan.refused, text)
        if "searchPlatformId" in params:
            return self._single(slot, params, caller, headers)
        if slot not in PLATFORMS:
            raise not_found()
        query = self._query(slot, params, caller)
        self._check_x(query, headers)
        return self._envelope(query, self._library.history(query))

    def _single(
        self, slot: str, params: Mapping[str, str], caller: Caller, headers: Mapping[str, str]
    ) -> ApiAnswer:
        self._allow(params, {"searchPlatformId", "platform", "source"})
        platform = params.get("platform", "")
        if not parameters.boolean(params, "searchPlatformId") or platform not in _SINGLE:
            raise bad_request("searchPlatformId must be true, platform one that has it")
        if not self._library.plan.single_posts:
            raise refusal(403, 403, "Your plan does not include searching by platform id.")
        query = Query(platform, caller.profile_key, post_id=slot, **_additions(params))
        self._check_x(query, headers)
        answer = self._library.post(query)
        if answer is None:
            raise not_found()
        return ApiAnswer(200, answer)

    def _query(self, platform: str, params: Mapping[str, str], caller: Caller) -> Query:
        known = _EVERYWHERE | {name for name, only in _ONLY.items() if platform in only}
        self._allow(params, known)
        foreign = "userId" in params or "userName" in params
        if foreign and caller.profile_key:
            raise bad_request("userId and userName cannot be combined with a Profile-Key")
        query = Query(
            platform,
            caller.profile_key,
            limit=parameters.limit(params, DEFAULT_LIMIT, self._library.plan.most),
            since=parameters.moment(params, "since", time.min),
            until=parameters.moment(params, "until", time.max),
            data_type=parameters.choice(params, "dataType", {"posts", "stories"}),
            page_published=parameters.boolean(params, "pagePublished"),
            skip_analytics=parameters.boolean(params, "skipAnalytics"),
            user_id=parameters.matching(params, "userId", _NUMBER),
            user_name=parameters.matching(params, "userName", _HANDLE),
            **_additions(params),
        )
        if query.user_id and query.user_name:
            raise bad_request("send userId or userName, not both")
        if "next" not in params:
            return query
        return replace(query, after=self._read_cursor(params["next"], query))

    def _check_x(self, query: Query, headers: Mapping[str, str]) -> None:
        if query.platform != "twitter":
            return
        missing = self._library.lacks_x_keys(
            headers.get("x-twitter-oauth1-api-key"), headers.get("x-twitter-oauth1-api-secret")
        )
        if missing:
            text = "X/Twitter operations require your own API credentials. Missing: "
            raise refusal(
                419,
                419,
                text + ", ".join(missing),
                action="x_credentials_required",
                more={
                    "resolution": {"docs": "https://docs.ayrshare.com/x-api-setup"},
                    "platform": "twitter",
                },
            )

    def _envelope(self, query: Query, listing: Listing) -> ApiAnswer:
        posts = written_list(listing.records)
        body: JsonObject = {"status": listing.status, "posts": posts}
        if listing.paged:
            paging: JsonObject = {"hasMore": listing.after is not None}
            if listing.after is not None:
                paging["next"] = self._cursor(listing.after, query)
            body["meta"] = {"pagination": {**paging, "limit": query.limit}}
        body |= listing.more
        body |= {"lastUpdated": listing.updated_at, "nextUpdate": listing.next_update}
        return ApiAnswer(listing.http_status, written_object(body))

    # -- cursors

    def _cursor(self, mark: str, query: Query) -> str:
        sealed = {"token": mark, "seal": self._seal(mark, query)}
        return base64.b64encode(json.dumps(sealed, separators=(",", ":")).encode()).decode()

    def _read_cursor(self, cursor: str, query: Query) -> str:
        try:
            sealed = json.loads(base64.b64decode(cursor, validate=True))
            mark, seal = sealed["token"], sealed["seal"]
            if hmac.compare_digest(seal, self._seal(mark, query)):
                return cast("str", mark)
        except (ValueError, KeyError, TypeError):
            pass
        raise bad_request("next is not a cursor that was issued for this request")

    def _seal(self, mark: str, query: Query) -> str:
        words = "\n".join(map(str, (mark, *query.filters())))
        return hmac.digest(self._library.cursor_secret, words.encode(), hashlib.sha256).hex()[:20]


def _additions(params: Mapping[str, str]) -> dict[str, Any]:
    """What a query may ask for beyond the API; strict manners have refused it before."""
    return {
        "as_of": parameters.moment(params, "asOf", time.max),
        "removed": parameters.boolean(params, "includeRemoved"),
    }
