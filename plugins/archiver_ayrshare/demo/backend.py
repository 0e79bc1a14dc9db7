"""The world as an ApiBackend: access, posts, and the faults that tests add."""

from collections import defaultdict, deque
from dataclasses import replace
from datetime import datetime, timedelta

from archiver_ayrshare.demo.accounts import WorldAccount
from archiver_ayrshare.demo.networks.base import iso, iso_ms
from archiver_ayrshare.demo.world import PLANS, World, WorldProfile
from archiver_ayrshare.emulation.answers import (
    ApiError,
    JsonObject,
    answer_error,
    error_body,
    json_answer,
    not_found,
)
from archiver_ayrshare.emulation.profiles import LinkedAccount, Profile, profiles_body
from archiver_ayrshare.emulation.queries import Caller, Listing, Plan, Query

RATE_WINDOW = timedelta(minutes=5)
RATE_SHOWN = 300


class WorldBackend:
    """An ApiBackend over a world. Faults apply only to valid requests."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._calls: dict[str, deque[datetime]] = defaultdict(deque)

    @property
    def plan(self) -> Plan:
        """What is paid for."""
        return PLANS[self._world.plan]

    @property
    def cursor_secret(self) -> bytes:
        """The key that cursors are signed with."""
        return f"cursor {self._world.seed} {self._world.cursor_epoch}".encode()

    def admits(self, api_key: str) -> bool:
        """Whether this is the world's key."""
        return api_key == self._world.api_key

    def caller(self, profile_key: str) -> Caller | None:
        """The caller that the Profile-Key names."""
        profile = self._world.profiles.get(profile_key)
        return Caller(profile.key, profile.suspended) if profile else None

    def lacks_x_keys(self, key: str | None, secret: str | None) -> tuple[str, ...]:
        """The X headers that are missing; wrong ones are another refusal."""
        sent = {"X-Twitter-OAuth1-Api-Key": key, "X-Twitter-OAuth1-Api-Secret": secret}
        missing = tuple(name for name, value in sent.items() if not value)
        if not missing and (key, secret) != (self._world.x_api_key, self._world.x_api_secret):
            raise answer_error(400, 272, "There is an authorization problem with X. Please relink.")
        return missing

    def history(self, query: Query) -> Listing:
        """The account's posts as its platform lists them, with the faults that were added."""
        self._raise_fault(query)
        account = self._account(query)
        most = account.limit_fails_above
        if most is not None and query.limit > most and not query.skip_analytics:
            raise answer_error(500, 500, "The request took too long.", action="history")
        listing = account.listing(query)
        if not listing.records and account.empty_as != "posts" and query.after is None:
            raise not_found(account.empty_as)
        return self._with_fault(query, listing)

    def post(self, query: Query) -> JsonObject | None:
        """One post, never from a cache."""
        self._raise_fault(query)
        account = self._account(query)
        post = account.find(query.post_id or "")
        if post is None:
            return None
        record = post.record()
        if self._world.single_as == "record":
            return record
        now = iso_ms(self._world.now())
        return {"status": "success", "posts": [record], "lastUpdated": now, "nextUpdate": now}

    def user(self, profile_key: str) -> JsonObject:
        """The profile and what it has linked."""
        self._raise_fault(Query("user", profile_key))
        return _profile(self._world.profiles[profile_key]).user(
            email="studio@example.com",
            lastApiCall=iso(self._world.now()),
            monthlyApiCalls=len(self._world.api_requests),
            monthlyPostCount=0,
            monthlyPostQuota=1000,
        )

    def profiles(self) -> JsonObject:
        """Every profile but the primary one; their keys are never shown."""
        self._raise_fault(Query("profiles"))
        now = self._world.now()
        profiles = [_profile(profile) for key, profile in self._world.profiles.items() if key]
        return profiles_body(profiles, iso_ms(now), iso_ms(now + timedelta(minutes=5)))

    def rate_headers(self, profile_key: str) -> dict[str, str]:
        """The documented headers about the profile's requests in the last five minutes."""
        most = self._world.rate_limit_max or RATE_SHOWN
        used = len(self._calls[profile_key])
        return {"x-ratelimit-max": str(most), "x-ratelimit-count": str(used)}

    def _raise_fault(self, query: Query) -> None:
        calls, now = self._calls[query.profile_key], self._world.now()
        while calls and now - calls[0] >= RATE_WINDOW:
            calls.popleft()
        calls.append(now)
        most = self._world.rate_limit_max
        if most is not None and len(calls) > most:
            raise answer_error(429, 429, "Too many requests.")
        fault = self._world.faults.take(query, "fail")
        if fault and fault.answer:
            raise ApiError(fault.answer)

    def _account(self, query: Query) -> WorldAccount:
        if query.user_id or query.user_name:
            if not self._world.x_add_on:
                raise answer_error(403, 403, "Reading other accounts needs the X add-on.")
            account = self._world.find_foreign_account(query.user_name, query.user_id)
            if account is None:
                raise not_found()
            return account
        account = self._world.profiles[query.profile_key].accounts.get(query.platform)
        if account is None or not account.linked:
            text = f"{query.platform} is not linked. Please link it in the dashboard."
            raise answer_error(400, 156, text, action="history")
        if not account.authorized:
            code = 272 if query.platform == "twitter" else 161
            body = error_body(code, "Authorization lost. Please relink.", shape="list")
            raise ApiError(json_answer(400, body))
        return account

    def _with_fault(self, query: Query, listing: Listing) -> Listing:
        fault = self._world.faults.take(query, "partial", "empty", "bad_records")
        if fault is None:
            return listing
        match fault.kind:
            case "empty":
                return replace(listing, records=(), after=None)
            case "partial":
                errors = [error_body(187, "Error getting analytics.", action="analytics")]
                half = listing.records[::2]
                return replace(listing, records=half, status="partial", more={"errors": errors})
            case _:
                failed = listing.records[: fault.count]
                bad = tuple(_failed(record) for record in failed if isinstance(record, dict))
                records = bad + listing.records[fault.count :]
                return replace(listing, records=records, status="error", http_status=400)


def _failed(record: JsonObject) -> JsonObject:
    body = error_body(187, "Error getting analytics.", action="analytics")
    created = record.get("created") or record.get("timestamp")
    return {"id": record["id"], **body, "created": created}


def _profile(profile: WorldProfile) -> Profile:
    return Profile(
        profile.title,
        iso(profile.created),
        [_linked(account) for account in profile.accounts.values() if account.linked],
        profile.ref_id,
        profile.suspended,
    )


def _linked(account: WorldAccount) -> LinkedAccount:
    return LinkedAccount(
        account.platform,
        account.platform_id,
        account.title,
        account.handle,
        account.url,
        iso(account.world.primary.created),
        account.network.details,
    )
