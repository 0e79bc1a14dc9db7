"""The behaviour of the history API: keys, parameters, envelopes, errors and cursors.

The records come from an `ApiBackend`: the demo's world, or an archive. The API is strict or
lenient. A lenient one ignores unknown parameters, and accepts those of one platform for all, for
clients that were written for other versions of the API.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from typing import Any

from archiver import ApiAnswer, ApiRequest
from archiver_ayrshare.accounts import PLATFORMS
from archiver_ayrshare.emulation import parameters
from archiver_ayrshare.emulation.answers import (
    ApiError,
    JsonObject,
    answer_error,
    bad_request,
    json_answer,
    list_to_json,
    not_found,
    object_to_json,
)
from archiver_ayrshare.emulation.cursors import read_cursor, write_cursor
from archiver_ayrshare.emulation.queries import (
    DEFAULT_LIMIT,
    ApiBackend,
    Caller,
    Listing,
    Query,
)

_SINGLE = frozenset(
    {"facebook", "instagram", "linkedin", "threads", "tiktok", "twitter", "youtube"}
)
_FOR_SOME = {
    "since": {"facebook"},
    "until": {"facebook"},
    "dataType": {"facebook", "instagram"},
    "pagePublished": {"facebook"},
    "skipAnalytics": {"facebook", "instagram"},
    "userId": {"twitter"},
    "userName": {"twitter"},
}
_FOR_ALL = {"limit", "next", "id", "source"}  # the vendor's client sends `id` and `source`
_USER_PARAMETERS = {"instagramDetails", "instagramQuota", "validate", "source"}
_PROFILE_PARAMETERS = {"title", "refId", "hasActiveSocialAccounts", "limit", "cursor", "source"}
_MOST_PROFILES = 5000
_NUMBER = re.compile(r"\d{1,20}", re.ASCII)
_HANDLE = re.compile(r"\w{1,15}", re.ASCII)


class HistoryApi:
    """The API over a backend."""

    def __init__(self, backend: ApiBackend, *, lenient: bool = False) -> None:
        self._backend = backend
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
            raise answer_error(404, 404, "No such endpoint.")
        if request.method not in {"GET", "HEAD"}:  # of HEAD, the server sends no body
            text = f"{request.method} is not allowed here."
            raise answer_error(405, 405, text, headers={"allow": "GET, HEAD"})
        caller = self._identify(request, needs_profile=resource != "profiles")
        params = dict(request.params) if self._lenient else parameters.unique(request.params)
        match resource:
            case "user":
                self._allow(params, _USER_PARAMETERS)
                return json_answer(200, self._backend.user(caller.profile_key))
            case "profiles":
                return self._profiles(params)
            case _:
                return self._history(slot, params, caller, request.headers)

    def _identify(self, request: ApiRequest, *, needs_profile: bool) -> Caller:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key or not self._backend.admits(key):
            raise answer_error(
                401, 401, "API Key not valid. Send it as Authorization: Bearer API_KEY."
            )
        profile_key = request.headers.get("profile-key", "") if needs_profile else ""
        caller = self._backend.caller(profile_key)
        if caller is None:
            raise answer_error(403, 403, "Profile Key not valid.")
        if caller.suspended:
            raise answer_error(403, 403, "This profile is suspended.")
        return caller

    def _allow(self, params: Mapping[str, str], known: set[str]) -> None:
        if not self._lenient:
            parameters.allow(params, known)

    def _profiles(self, params: Mapping[str, str]) -> ApiAnswer:
        self._allow(params, _PROFILE_PARAMETERS)
        if not self._backend.plan.profiles:
            raise answer_error(403, 403, "Your plan does not include profiles.")
        answer = self._backend.profiles()
        linked = parameters.boolean(params, "hasActiveSocialAccounts")
        chosen = [
            profile
            for profile in answer["profiles"]
            if all(profile[name] == params[name] for name in ("title", "refId") if name in params)
            and (not linked or profile.get("activeSocialAccounts"))
        ]
        size = parameters.limit(params, _MOST_PROFILES, _MOST_PROFILES)
        query = Query("profiles")
        secret = self._backend.cursor_secret
        begin = int(read_cursor(params["cursor"], query, secret)) if "cursor" in params else 0
        page = chosen[begin : begin + size]
        paging: JsonObject = {"hasMore": begin + size < len(chosen), "limit": size}
        if paging["hasMore"]:
            paging["nextCursor"] = write_cursor(str(begin + size), query, secret)
        return json_answer(
            200, {**answer, "profiles": page, "count": len(page), "pagination": paging}
        )

    # -- history

    def _history(
        self, slot: str, params: Mapping[str, str], caller: Caller, headers: Mapping[str, str]
    ) -> ApiAnswer:
        plan = self._backend.plan
        if plan.refused:
            text = "Your plan does not include this endpoint. Please upgrade."
            raise answer_error(plan.refused, plan.refused, text)
        if "searchPlatformId" in params:
            return self._single(slot, params, caller, headers)
        if slot not in PLATFORMS:
            raise not_found()
        query = self._query(slot, params, caller)
        self._check_x(query, headers)
        return self._envelope(query, self._backend.history(query))

    def _single(
        self, slot: str, params: Mapping[str, str], caller: Caller, headers: Mapping[str, str]
    ) -> ApiAnswer:
        self._allow(params, {"searchPlatformId", "platform", "source"})
        platform = params.get("platform", "")
        if not parameters.boolean(params, "searchPlatformId") or platform not in _SINGLE:
            raise bad_request("searchPlatformId must be true, platform one that has it")
        if not self._backend.plan.single_posts:
            raise answer_error(403, 403, "Your plan does not include searching by platform id.")
        query = Query(platform, caller.profile_key, post_id=slot, **_extensions(params))
        self._check_x(query, headers)
        answer = self._backend.post(query)
        if answer is None:
            raise not_found()
        return json_answer(200, answer)

    def _query(self, platform: str, params: Mapping[str, str], caller: Caller) -> Query:
        known = _FOR_ALL | {name for name, only in _FOR_SOME.items() if platform in only}
        self._allow(params, known)
        foreign = "userId" in params or "userName" in params
        if foreign and caller.profile_key:
            raise bad_request("userId and userName cannot be combined with a Profile-Key")
        query = Query(
            platform,
            caller.profile_key,
            limit=parameters.limit(params, DEFAULT_LIMIT, self._backend.plan.max_limit),
            since=parameters.moment(params, "since", time.min),
            until=parameters.moment(params, "until", time.max),
            data_type=parameters.choice(params, "dataType", {"posts", "stories"}),
            page_published=parameters.boolean(params, "pagePublished"),
            skip_analytics=parameters.boolean(params, "skipAnalytics"),
            user_id=parameters.matching(params, "userId", _NUMBER),
            user_name=parameters.matching(params, "userName", _HANDLE),
            **_extensions(params),
        )
        if query.user_id and query.user_name:
            raise bad_request("send userId or userName, not both")
        if "next" not in params:
            return query
        return replace(query, after=read_cursor(params["next"], query, self._backend.cursor_secret))

    def _check_x(self, query: Query, headers: Mapping[str, str]) -> None:
        if query.platform != "twitter":
            return
        missing = self._backend.lacks_x_keys(
            headers.get("x-twitter-oauth1-api-key"), headers.get("x-twitter-oauth1-api-secret")
        )
        if missing:
            text = "X/Twitter operations require your own API credentials. Missing: "
            raise answer_error(
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
        posts = list_to_json(listing.records)
        body: JsonObject = {"status": listing.status, "posts": posts}
        if listing.paged:
            paging: JsonObject = {"hasMore": listing.after is not None}
            if listing.after is not None:
                paging["next"] = write_cursor(listing.after, query, self._backend.cursor_secret)
            body["meta"] = {"pagination": {**paging, "limit": query.limit}}
        body |= listing.more
        body |= {"lastUpdated": listing.updated_at, "nextUpdate": listing.next_update}
        return json_answer(listing.http_status, object_to_json(body))


def _extensions(params: Mapping[str, str]) -> dict[str, Any]:
    """Parameters that the real API does not have; a strict API has refused them before."""
    return {
        "as_of": parameters.moment(params, "asOf", time.max),
        "removed": parameters.boolean(params, "includeRemoved"),
    }
