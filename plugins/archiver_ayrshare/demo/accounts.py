"""An account of the world: its posts in order, and how its platform lists them."""

import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from archiver import Kind
from archiver_ayrshare.demo.event_log import WorldEvent
from archiver_ayrshare.demo.networks import Network
from archiver_ayrshare.demo.networks.base import iso_ms
from archiver_ayrshare.demo.populate import populate
from archiver_ayrshare.demo.posts import WorldFile, WorldMedia, WorldPost
from archiver_ayrshare.demo.specs import MediaSpec, video
from archiver_ayrshare.emulation.answers import JsonObject
from archiver_ayrshare.emulation.queries import Listing, Query

if TYPE_CHECKING:
    from archiver_ayrshare.demo.world import World

_MAX_CACHED = 32


@dataclass(frozen=True, slots=True)
class Moment:
    """A View: the state of the world when a record is written."""

    post: WorldPost
    refreshed: tuple[datetime, datetime]

    @property
    def now(self) -> datetime:
        """When the network was asked."""
        return self.refreshed[0]

    @property
    def owned(self) -> bool:
        """Whether the account is the caller's own."""
        return self.post.account.owned

    @property
    def position(self) -> int:
        """How many shown posts of the account are newer."""
        return self.post.account.newer_than(self.post)

    def url(self, file: WorldFile) -> str:
        """The signed address of a file, on today's host."""
        return self.post.account.world.url(file)


class WorldAccount:
    """One account on one platform.

    Attributes that tests may set: `handle`, `title`, `platform_id`; `linked`, `authorized` (else
    the API answers 156, and 161 or 272); `paging` (answers carry `meta.pagination`), `page_cap`
    (records in one answer, whatever the limit), `shows` (how many posts it lists in all), `endless`
    (its last page has a cursor to itself); `cache` (how long an answer is cached, None for not at
    all); `limit_fails_above` (a larger limit fails with 500, unless skipAnalytics is asked for);
    `empty_as` (an account without posts answers `posts: []`, or 221 `flat` or `nested`).
    """

    def __init__(self, world: "World", network: Network, profile_key: str, name: str) -> None:
        self.world = world
        self.network = network
        self.platform = network.name
        self.profile_key = profile_key
        self.tag = f"{world.seed}/{profile_key or 'primary'}/{network.name}/{name}"
        self.platform_id = network.account_id(self.tag)
        self.handle = name
        self.title = name.replace("_", " ").title()
        self.owned = True
        self.linked = True
        self.authorized = True
        self.paging = True
        self.page_cap: int | None = None
        self.shows: int | None = None
        self.endless = False
        self.cache: timedelta | None = world.cache
        self.limit_fails_above: int | None = None
        self.empty_as: Literal["posts", "flat", "nested"] = "posts"
        self._posts: list[WorldPost] = []
        self._by_id: dict[str, WorldPost] = {}
        self._pinned: list[WorldPost] = []
        self._hidden: set[WorldPost] = set()
        self._answers: dict[tuple[object, ...], tuple[datetime, Listing]] = {}
        self._attached = 0

    def __repr__(self) -> str:
        return f"<WorldAccount {self.platform} {self.handle} {len(self._posts)} posts>"

    @property
    def url(self) -> str:
        """Its page."""
        return self.network.profile_url(self.handle)

    # -- what its owner does

    def publish(
        self,
        text: str = "",
        *,
        kind: Kind | None = None,
        at: datetime | None = None,
        media: Sequence[MediaSpec] = (),
        title: str = "",
        older_form: bool = False,
        visitor: bool = False,
        **extra: Any,
    ) -> WorldPost:
        """Publish a post: now, or `at` a time.

        `kind` is one of the platform's own, its usual one when not given. `older_form` has its
        record written in the older of the platform's documented forms, for good. `visitor` is a
        post that somebody else left on a Facebook page. More parameters, where the platform has
        them: `reply_to`, `quotes`, `reposts`, `shares` (ids of posts), `visibility`, `urls`,
        `board`, `link`, `note`.
        """
        kind = kind or self.network.kinds[0]
        if kind not in self.network.kinds:
            raise ValueError(f"{self.platform} has no {kind}; it has {self.network.kinds}")
        if unknown := sorted(set(extra) - self.network.extra):
            raise ValueError(f"{self.platform} has no {unknown[0]}")
        at = at or self.world.now()
        number = len(self._by_id)
        post = WorldPost(self, number, kind, at)
        post.id = self.network.post_id(self, number, at, kind)
        post.text, post.title = text, title
        post.older_form, post.visitor = older_form, visitor
        post.extra = extra
        for spec in media or ([video()] if self.network.adds_video else []):
            self.attach(post, spec)
        self.check_media(post)
        self._insert(post)
        self.world.event_log.note(
            WorldEvent(
                self.world.now(),
                self.platform,
                self.profile_key,
                post.id,
                "published",
                new=text or title,
            )
        )
        return post

    def posts(self, *, shown: bool = False) -> list[WorldPost]:
        """Its posts, newest first; only those that are shown now, if asked."""
        now = self.world.now()
        return [post for post in reversed(self._posts) if not shown or post.shown(now)]

    def post(self, post_id: str) -> WorldPost:
        """The post of that id."""
        return self._by_id[post_id]

    def populate(self, count: int, **options: Any) -> list[WorldPost]:
        """Publish so many varied posts; see the function of that name."""
        return populate(self, count, **options)

    def forget_answers(self) -> None:
        """Drop the cached answer: the next one is fresh."""
        self._answers.clear()

    # -- called by its posts

    def attach(self, post: WorldPost, spec: MediaSpec) -> WorldMedia:
        """Attach something to a post, and put its files on the media server."""
        media = WorldMedia(post, self._attached, spec)
        self._attached += 1
        media.id = self.network.media_id(media)
        media.files = tuple(self.network.files(media))
        for file in media.files:
            file.media = media
            self.world.files[file.path] = file
        post.media.append(media)
        return media

    def check_media(self, post: WorldPost) -> None:
        """Raises ValueError when the platform could not show such a post."""
        kinds = {media.spec.kind for media in post.media}
        if wrong := sorted(kinds - self.network.media):
            raise ValueError(f"{self.platform} cannot show a {wrong[0]}")
        if len(post.media) > self.network.max_media:
            raise ValueError(f"{self.platform} shows {self.network.max_media} items at most")
        if not post.media and self.platform in {"instagram", "pinterest"}:
            raise ValueError(f"{self.platform} has no posts without media")

    def pin_changed(self, post: WorldPost) -> None:
        """Keep the list of pinned posts, newest first."""
        self._pinned = [other for other in self._pinned if other is not post]
        if post.pinned:
            self._pinned.append(post)
            self._pinned.sort(key=lambda pinned: pinned.key, reverse=True)

    def hidden_changed(self, post: WorldPost) -> None:
        """Keep the set of posts that are not shown."""
        if post.removed or post.hidden:
            self._hidden.add(post)
        else:
            self._hidden.discard(post)

    def record_of(self, post: WorldPost) -> JsonObject:
        """Its record as of now."""
        now = self.world.now()
        return self._write(post, (now, now + (self.cache or timedelta())))

    # -- what the API asks

    def listing(self, query: Query) -> Listing:
        """The posts that the platform lists, or a cached answer."""
        now = self.world.now()
        key = (query.limit, query.after, *query.filters())
        if cached := self._answers.get(key):
            until, listing = cached
            if now < until:
                return listing
        until = now + (self.cache or timedelta())
        listing = self._list(query, now, until)
        if self.cache:
            self._answers = {k: v for k, v in self._answers.items() if now < v[0]}
            if len(self._answers) >= _MAX_CACHED:
                del self._answers[next(iter(self._answers))]
            self._answers[key] = until, listing
        return listing

    def find(self, post_id: str) -> WorldPost | None:
        """The post of that id, if it is shown now."""
        post = self._by_id.get(post_id)
        return post if post is not None and post.shown(self.world.now()) else None

    def _list(self, query: Query, now: datetime, until: datetime) -> Listing:
        size = min(query.limit, self.page_cap or query.limit)
        found: list[WorldPost] = []
        more = False
        for post in self._posts_from(query.after, _filter(query, now, self._oldest_shown())):
            if len(found) == size:
                more = True
                break
            found.append(post)
        refreshed = (now, until)
        if query.skip_analytics:
            records = tuple({"id": post.id} for post in found)
        else:
            records = tuple(self._write(post, refreshed) for post in found)
        after = _mark(found[-1]) if found and more else None
        if self.endless and after is None:
            after = query.after or (_mark(found[-1]) if found else None)
        return Listing(
            records, iso_ms(now), iso_ms(until), paged=self.paging,
            after=after if self.paging else None,
        )  # fmt: skip

    def _posts_from(
        self, after: str | None, wanted: Callable[[WorldPost], bool]
    ) -> Iterator[WorldPost]:
        """Pinned posts, then all others from the newest down, beginning after a mark."""
        section, _, post_id = (after or "").partition(":")
        start = self._by_id[post_id] if after else None
        if section != "post":
            for post in self._pinned:
                if (start is None or post.key < start.key) and wanted(post):
                    yield post
        end = len(self._posts)
        if start is not None and section == "post":
            end = bisect.bisect_left(self._posts, start.key, key=lambda post: post.key)
        for k in range(end - 1, -1, -1):
            post = self._posts[k]
            if not post.pinned and wanted(post):
                yield post

    def _write(self, post: WorldPost, refreshed: tuple[datetime, datetime]) -> JsonObject:
        return self.network.record(post, Moment(post, refreshed))

    def newer_than(self, post: WorldPost) -> int:
        """How many posts that are shown are newer: its place in the list of uploads."""
        start = bisect.bisect_right(self._posts, post.key, key=lambda other: other.key)
        hidden = sum(other.key > post.key for other in self._hidden)
        return len(self._posts) - start - hidden

    def _oldest_shown(self) -> WorldPost | None:
        if self.shows is None or len(self._posts) <= self.shows:
            return None
        return self._posts[-self.shows]

    def _insert(self, post: WorldPost) -> None:
        self._by_id[post.id] = post
        if self._posts and post.key < self._posts[-1].key:
            bisect.insort(self._posts, post, key=lambda other: other.key)
        else:
            self._posts.append(post)


def _mark(post: WorldPost) -> str:
    return f"{'pinned' if post.pinned else 'post'}:{post.id}"


def _filter(query: Query, now: datetime, oldest: WorldPost | None) -> Callable[[WorldPost], bool]:
    """Whether a post belongs in the answer."""

    def wanted(post: WorldPost) -> bool:
        if not post.shown(now) or (oldest is not None and post.key < oldest.key):
            return False
        if query.since and post.at < query.since:
            return False
        if query.until and post.at > query.until:
            return False
        if query.data_type and (post.kind == "story") != (query.data_type == "stories"):
            return False
        return not (query.page_published and post.visitor)

    return wanted
