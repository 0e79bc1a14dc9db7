"""A small world of ten platforms. Method calls change it; the API and the media server show it.

    world = World(clock.now)
    post = world.account("instagram").publish("First light", media=[photo()])
    with serve(world) as server:
        …  # back up server.base_url with world.api_key
        post.edit(text="First light, again")

It is the same in every run: ids, texts and bytes are made from the seed, times come from the clock.
Nothing changes by itself, but stories, addresses and cached answers expire.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Literal

from archiver_ayrshare.demo import signing
from archiver_ayrshare.demo.accounts import WorldAccount
from archiver_ayrshare.demo.event_log import WorldEventLog
from archiver_ayrshare.demo.faults import (
    Fault,
    FaultKind,
    Faults,
    MediaFault,
    MediaMatch,
    failing_answer,
)
from archiver_ayrshare.demo.ids import digits, hex_digits, number
from archiver_ayrshare.demo.logs import ApiLog, MediaLog
from archiver_ayrshare.demo.networks import NETWORKS
from archiver_ayrshare.demo.posts import WorldFile
from archiver_ayrshare.demo.recipes import FixtureCache
from archiver_ayrshare.emulation.answers import ErrorShape, error_body
from archiver_ayrshare.emulation.queries import Plan, Query

PlanName = Literal["free", "basic", "premium", "launch", "business", "enterprise"]

PLANS: dict[PlanName, Plan] = {
    "free": Plan(refused=402),
    "basic": Plan(refused=403),
    "premium": Plan(single_posts=False, profiles=False),
    "launch": Plan(),
    "business": Plan(),
    "enterprise": Plan(max_limit=5000),
}

CACHE = timedelta(minutes=32, seconds=30)
"""How long the real service caches an answer: between `lastUpdated` and `nextUpdate`."""

URL_LIFE = timedelta(days=4)
"""How long an address of a file is valid, as observed on Facebook, Instagram and TikTok."""


class WorldProfile:
    """A user profile: its accounts, at most one per platform, and its key."""

    def __init__(self, world: "World", key: str, title: str, handle: str) -> None:
        self.world = world
        self.key = key
        self.title = title
        self.handle = handle
        self.ref_id = hex_digits(40, "ref", world.seed, key)
        self.created = world.now()
        self.suspended = False
        self.accounts: dict[str, WorldAccount] = {}

    def account(self, platform: str) -> WorldAccount:
        """Its account on a platform; made, and linked, by the first call."""
        if platform not in self.accounts:
            network = NETWORKS[platform]
            self.accounts[platform] = WorldAccount(self.world, network, self.key, self.handle)
        return self.accounts[platform]


class World:
    """All accounts, posts and files of the demo, and the faults of its servers.

    `now` gives the time; `cache` is how long answers are cached.

    Attributes that tests may set: `api_key`, `x_api_key`, `x_api_secret`, `plan`, `x_add_on`
    (whether accounts of others can be read), `url_life`, `rate_limit_max` (requests in five minutes
    and per profile, None for no limit), `dates` (whether the API's answers say when they were
    made), `single_as` (a lookup by native id answers with the `record` itself or with an `envelope`
    around it).
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        seed: int = 0,
        *,
        cache: timedelta | None = CACHE,
        handle: str = "demo",
    ) -> None:
        self.now = now
        self.seed = seed
        self.cache = cache
        self.api_key = "demo-api-key"
        self.x_api_key = "demo-x-key"
        self.x_api_secret = "demo-x-secret"  # noqa: S105  # the demo's own
        self.plan: PlanName = "business"
        self.x_add_on = True
        self.url_life = URL_LIFE
        self.rate_limit_max: int | None = None
        self.dates = True
        self.single_as: Literal["record", "envelope"] = "envelope"
        self.event_log = WorldEventLog()
        self.faults = Faults()
        self.fixtures = FixtureCache()
        self.files: dict[str, WorldFile] = {}
        self.origins: list[str] = ["http://media.invalid"]
        self.api_requests: list[ApiLog] = []
        self.media_requests: list[MediaLog] = []
        self.cursor_epoch = 0
        self.generation = 0
        self.oldest_generation = 0
        self.lock = RLock()
        self.primary = WorldProfile(self, "", "Primary Profile", handle)
        self.profiles: dict[str, WorldProfile] = {"": self.primary}
        self._foreign_accounts: dict[str, WorldAccount] = {}

    # -- profiles and accounts

    def account(self, platform: str) -> WorldAccount:
        """The primary profile's account on a platform."""
        return self.primary.account(platform)

    def accounts(self) -> Iterator[WorldAccount]:
        """Every account of every profile."""
        for profile in self.profiles.values():
            yield from profile.accounts.values()

    def add_profile(self, key: str, title: str) -> WorldProfile:
        """Another user profile, reached with `Profile-Key: key`."""
        if key in self.profiles:
            raise ValueError(f"there is a profile {key!r}")
        handle = "_".join(title.lower().split())
        self.profiles[key] = WorldProfile(self, key, title, handle)
        return self.profiles[key]

    def foreign_account(self, user_name: str, user_id: str = "") -> WorldAccount:
        """Somebody else's X account, read with userName or userId."""
        if user_name.lower() not in self._foreign_accounts:
            account = WorldAccount(self, NETWORKS["twitter"], "@", user_name)
            account.owned = False
            account.platform_id = user_id or digits(9, "stranger", self.seed, user_name)
            self._foreign_accounts[user_name.lower()] = account
        return self._foreign_accounts[user_name.lower()]

    def find_foreign_account(
        self, user_name: str | None, user_id: str | None
    ) -> WorldAccount | None:
        """That X account, if there is one."""
        if user_name is not None:
            return self._foreign_accounts.get(user_name.lower())
        return next((a for a in self._foreign_accounts.values() if a.platform_id == user_id), None)

    # -- addresses

    def url(self, file: WorldFile) -> str:
        """The address of a file today: the path stays, host and signature rotate."""
        origins = self.origins
        origin = origins[(number(997, file.path) + self.generation) % len(origins)]
        scheme = file.media.post.account.network.scheme if file.media else "plain"
        expires = self.now() + self.url_life
        query = signing.query(scheme, file.path, expires=expires, generation=self.generation)
        return f"{origin}{file.path}{query}"

    def rotate(self, *, revoke: bool = False) -> None:
        """Change host and signature of all addresses in answers from now on.

        Older signed addresses stay valid until they expire; with `revoke`, they answer 403 at once.
        Cached answers still have the old ones.
        """
        self.generation += 1
        if revoke:
            self.oldest_generation = self.generation

    # -- changes with time

    def tick(self, *, newest: int | None = None) -> None:
        """Raise the counters of every listed post, or of each account's newest few."""
        for account in self.accounts():
            for post in account.posts(shown=True)[:newest]:
                more = 1 + number(9, "tick", post.tag, post.counters["views"])
                post.count(views=more * 3, likes=more // 2, comments=more // 7)

    def forget_answers(self) -> None:
        """Drop all cached answers: the next ones are fresh."""
        for account in [*self.accounts(), *self._foreign_accounts.values()]:
            account.forget_answers()

    def forget_cursors(self) -> None:
        """Make every cursor that was issued invalid."""
        self.cursor_epoch += 1

    def clear_logs(self) -> None:
        """Clear the logs of requests."""
        self.api_requests.clear()
        self.media_requests.clear()

    # -- faults

    def fail(
        self,
        platform: str | None = None,
        *,
        status: int = 500,
        body: Any = None,
        raw: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        times: int | None = 1,
        when: Callable[[Query], bool] | None = None,
    ) -> None:
        """Answer requests for a platform (or `user`, `profiles`; None is all) with a failure.

        `body` is JSON, `raw` exactly what is sent; without either it is an error in the flat
        shape. `times=None` is for ever. Wrong keys and parameters are still refused first.
        """
        if body is None and raw is None:
            body = error_body(status, "Something went wrong.")
        answer = failing_answer(status, body, raw, headers)
        self.faults.add(Fault("fail", platform, times, when, answer))

    def limit_rate(
        self,
        platform: str | None = None,
        *,
        retry_after: int | str | None = None,
        times: int | None = 1,
        when: Callable[[Query], bool] | None = None,
    ) -> None:
        """Answer with 429, with Retry-After if one is given."""
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        body = error_body(429, "Too many requests.")
        self.fail(platform, status=429, body=body, headers=headers, times=times, when=when)

    def answer_not_found(
        self, platform: str, *, nested: bool = False, times: int | None = 1
    ) -> None:
        """Answer with 221 (status 400), flat or nested in `history`."""
        shape: ErrorShape = "nested" if nested else "flat"
        body = error_body(221, "History not found for the past 30 days.", shape=shape)
        self.fail(platform, status=400, body=body, times=times)

    def answer_partial(
        self,
        platform: str,
        *,
        times: int | None = 1,
        when: Callable[[Query], bool] | None = None,
    ) -> None:
        """Answer `"status": "partial"`, without every second record."""
        self._add_fault("partial", platform, times, when)

    def answer_empty(
        self,
        platform: str,
        *,
        times: int | None = 1,
        when: Callable[[Query], bool] | None = None,
    ) -> None:
        """Answer with success and no posts, although there are some."""
        self._add_fault("empty", platform, times, when)

    def bad_records(
        self,
        platform: str,
        *,
        posts: int = 1,
        times: int | None = 1,
        when: Callable[[Query], bool] | None = None,
    ) -> None:
        """Answer 400 with valid posts, and with an error (187) in place of the newest `posts`."""
        self._add_fault("bad_records", platform, times, when, posts)

    def media_fault(self, match: MediaMatch = None, *, times: int | None = 1, **what: Any) -> None:
        """Add a fault of the media server; see MediaFault."""
        self.faults.add_media(MediaFault(match, times, **what))

    def _add_fault(
        self,
        kind: FaultKind,
        platform: str,
        times: int | None,
        when: Callable[[Query], bool] | None,
        count: int = 1,
    ) -> None:
        self.faults.add(Fault(kind, platform, times, when, count=count))
