"""A post of the world, what is attached to it, and what its owner can do with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from archiver import EXPIRING_KINDS, STORY_LIFE, Kind, Role
from archiver_ayrshare.demo.event_log import WorldEvent, WorldEventKind
from archiver_ayrshare.demo.ids import digest
from archiver_ayrshare.demo.recipes import Recipe
from archiver_ayrshare.demo.specs import MediaSpec

if TYPE_CHECKING:
    from archiver_ayrshare.demo.accounts import WorldAccount

_COUNTED = ("likes", "comments", "shares", "views", "saves", "reposts", "quotes", "clicks")


class WorldFile:
    """One file that the media server has. `status` is 200, or 404 or 410 while it is lost."""

    __slots__ = ("media", "path", "recipe", "role", "status")

    def __init__(self, role: Role, path: str, recipe: Recipe) -> None:
        self.role = role
        self.path = path
        self.recipe = recipe
        self.status = 200
        self.media: WorldMedia | None = None

    def __repr__(self) -> str:
        return f"<WorldFile {self.role} {self.path}>"


class WorldMedia:
    """An attachment of a post. Its id stays the same through every edit."""

    __slots__ = ("files", "id", "number", "post", "spec", "withheld")

    def __init__(self, post: "WorldPost", number: int, spec: MediaSpec) -> None:
        self.post = post
        self.number = number
        self.spec = spec
        self.withheld = False
        self.id = ""
        self.files: tuple[WorldFile, ...] = ()

    def file(self, role: Role) -> WorldFile | None:
        """The first file in that role."""
        return next((file for file in self.files if file.role == role), None)

    def variants(self) -> list[WorldFile]:
        """Its video in every bitrate, smallest first."""
        return [file for file in self.files if file.role == "variant"]

    @property
    def tag(self) -> str:
        """A text that is unique to it; its ids, and bytes without a label, are made from it."""
        return f"{self.post.account.tag}/{self.post.number}/{self.number}"

    @property
    def label(self) -> str:
        """The label in its pictures: that of the spec, else a unique one."""
        return self.spec.label or self.tag

    def __repr__(self) -> str:
        return f"<WorldMedia {self.spec.kind} {self.id}>"


class WorldPost:
    """What somebody published. Change it with its methods: they add to the world's event log."""

    __slots__ = (
        "_counters", "account", "at", "edited_at", "extra", "hidden", "id", "kind", "media",
        "number", "older_form", "pinned", "removed", "text", "title", "visitor", "withheld",
    )  # fmt: skip

    def __init__(self, account: "WorldAccount", number: int, kind: Kind, at: datetime) -> None:
        self.account = account
        self.number = number
        self.kind = kind
        self.at = at
        self.id = ""
        self.text = ""
        self.title = ""
        self.media: list[WorldMedia] = []
        self.extra: dict[str, Any] = {}
        self.older_form = False
        self.visitor = False
        self.edited_at: datetime | None = None
        self.removed = False
        self.pinned = False
        self.hidden = False
        self.withheld = False
        self._counters: dict[str, int] | None = None

    def __repr__(self) -> str:
        return f"<WorldPost {self.platform} {self.id} {self.text[:30]!r}>"

    @property
    def platform(self) -> str:
        """The network it is on."""
        return self.account.platform

    @property
    def key(self) -> tuple[datetime, int]:
        """The sort key of an account's posts."""
        return self.at, self.number

    @property
    def tag(self) -> str:
        """A text that is unique to it; its ids are made from it."""
        return f"{self.account.tag}/{self.number}"

    @property
    def expires_at(self) -> datetime | None:
        """When the post expires: a day after, for a story."""
        return self.at + STORY_LIFE if self.kind in EXPIRING_KINDS else None

    def shown(self, now: datetime) -> bool:
        """Whether its platform shows it at that time."""
        if self.removed or self.hidden or self.at > now:
            return False
        expires = self.expires_at
        return expires is None or now < expires

    @property
    def counters(self) -> dict[str, int]:
        """likes, comments, shares, views, saves, reposts, quotes, clicks; tests may change them."""
        if self._counters is None:
            seeds = digest("counters", self.tag)
            self._counters = {name: seeds[k] % 60 for k, name in enumerate(_COUNTED)}
            self._counters["views"] += 10 * self._counters["likes"] + 7
        return self._counters

    def count(self, **more: int) -> None:
        """Add to counters: `count(likes=3, views=40)`."""
        for name, value in more.items():
            self.counters[name] += value

    def record(self) -> dict[str, Any]:
        """Its record as the API would write it now."""
        return self.account.record_of(self)

    # -- what its owner does

    def edit(self, *, text: str | None = None, title: str | None = None) -> None:
        """Publish another text or title in its place."""
        old = self.text or self.title
        if text is not None:
            self.text = text
        if title is not None:
            self.title = title
        self.edited_at = self.account.world.now()
        self._note("edited", old=old, new=self.text if text is not None else self.title)

    def edit_media(
        self,
        *,
        order: Sequence[int] | None = None,
        add: Sequence[MediaSpec] = (),
        remove: Sequence[int] = (),
    ) -> None:
        """Remove attachments, reorder the rest by their positions, then append some."""
        old = " ".join(media.id for media in self.media)
        left = [media for k, media in enumerate(self.media) if k not in remove]
        if order is not None:
            if sorted(order) != list(range(len(left))):
                raise ValueError(f"order must name each of 0…{len(left) - 1} once")
            left = [left[k] for k in order]
        self.media = left
        for spec in add:
            self.account.attach(self, spec)
        self.account.check_media(self)
        self.edited_at = self.account.world.now()
        self._note("media_edited", old=old, new=" ".join(media.id for media in self.media))

    def remove(self) -> None:
        """Delete it: it is not listed any more."""
        self.removed = True
        self.account.hidden_changed(self)
        self._note("removed")

    def restore(self) -> None:
        """Undo `remove`: it is listed again."""
        self.removed = False
        self.account.hidden_changed(self)
        self._note("restored")

    def pin(self) -> None:
        """Pin it: it is listed before all others."""
        self.pinned = True
        self.account.pin_changed(self)
        self._note("pinned")

    def unpin(self) -> None:
        """Undo `pin`."""
        self.pinned = False
        self.account.pin_changed(self)
        self._note("unpinned")

    # -- what its platform does

    def withhold(self, child: int | None = None, *, whole: bool = False) -> None:
        """Omit media for copyright: on Instagram URLs (of a child or of all), on TikTok all fields.

        `whole`, on TikTok only: the post is not listed at all.
        """
        allowed = self.account.network.withholds
        if not allowed or (whole and allowed != "post"):
            raise ValueError(f"{self.platform} withholds nothing in this way")
        if whole:
            self.hidden = True
            self.account.hidden_changed(self)
        self._set_withheld(child, True)
        self._note("withheld", child=child)

    def release(self, child: int | None = None) -> None:
        """Undo `withhold`."""
        self.hidden = False
        self.account.hidden_changed(self)
        self._set_withheld(child, False)
        self._note("released", child=child)

    def lose_media(self, child: int | None = None, *, status: int = 404) -> None:
        """Answer 404 (or 410) for the files of one attachment, or of all."""
        self._set_status(child, status)
        self._note("media_lost", child=child)

    def restore_media(self, child: int | None = None) -> None:
        """Serve them again."""
        self._set_status(child, 200)
        self._note("media_found", child=child)

    # -- how

    def _children(self, child: int | None) -> list[WorldMedia]:
        return self.media if child is None else [self.media[child]]

    def _set_withheld(self, child: int | None, value: bool) -> None:
        for media in self._children(child):
            media.withheld = value
        self.withheld = any(media.withheld for media in self.media)

    def _set_status(self, child: int | None, status: int) -> None:
        for media in self._children(child):
            for file in media.files:
                file.status = status

    def _note(
        self,
        what: WorldEventKind,
        *,
        old: str | None = None,
        new: str | None = None,
        child: int | None = None,
    ) -> None:
        world = self.account.world
        profile = self.account.profile_key
        world.event_log.note(
            WorldEvent(world.now(), self.platform, profile, self.id, what, old, new, child)
        )
