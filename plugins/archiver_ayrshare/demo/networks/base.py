"""What the world knows about a network, and what a record is written from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from archiver import Kind
from archiver_ayrshare.demo.posts import WorldFile, WorldMedia, WorldPost
from archiver_ayrshare.demo.recipes import Animation, Still, VideoFile, VideoSize
from archiver_ayrshare.demo.signing import Scheme
from archiver_ayrshare.demo.specs import PictureFormat, SpecKind

JsonObject = dict[str, Any]

_POSTER = (320, 180)
_PICTURE = (320, 240)


class View(Protocol):
    """The moment at which a record is written."""

    @property
    def now(self) -> datetime:
        """The time by the world's clock."""

    @property
    def position(self) -> int:
        """How many shown posts of the account are newer."""

    @property
    def owned(self) -> bool:
        """Whether the account is the caller's own, which shows private numbers too."""

    @property
    def refreshed(self) -> tuple[datetime, datetime]:
        """When the network was last asked, and when it will be asked again."""

    def url(self, file: WorldFile) -> str:
        """The signed address of a file, on today's host."""


class AccountSeed(Protocol):
    """What the ids of an account and of its posts are made from."""

    @property
    def tag(self) -> str:
        """Seed, profile and platform: what makes ids of this account its own."""

    @property
    def platform_id(self) -> str:
        """The account's own id on its platform."""


@dataclass(frozen=True, slots=True)
class Network:
    """How one platform behaves: what can be published, how it is named, stored and written.

    `kinds` begins with the one that is meant when none is named. `withholds` says what copyright
    takes away: the file of an `item`, or at times the whole `post`. `adds_video` puts a video
    into posts without media, on platforms where every post has one.
    """

    name: str
    kinds: tuple[Kind, ...]
    media: frozenset[SpecKind]
    max_media: int
    scheme: Scheme
    account_id: Callable[[str], str]
    profile_url: Callable[[str], str]
    post_id: Callable[[AccountSeed, int, datetime, Kind], str]
    media_id: Callable[[WorldMedia], str]
    files: Callable[[WorldMedia], list[WorldFile]]
    record: Callable[[WorldPost, View], JsonObject]
    withholds: Literal["", "item", "post"] = ""
    adds_video: bool = False
    extra: frozenset[str] = frozenset()
    details: Mapping[str, str] = field(default_factory=dict)


def iso(moment: datetime) -> str:
    """`2022-05-20T17:26:03Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_ms(moment: datetime) -> str:
    """`2022-05-20T17:26:03.000Z`."""
    moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def still(media: WorldMedia) -> Still:
    """The picture that a spec describes."""
    spec = media.spec
    return Still(media.label, spec.size or _PICTURE, spec.file_type or "jpeg", spec.scene)


def poster(
    media: WorldMedia,
    mark: str = "still",
    file_type: PictureFormat = "jpeg",
    size: tuple[int, int] | None = None,
) -> Still:
    """The still of a video, a link or a post: the same picture in a file of its own."""
    spec = media.spec
    return Still(media.label, size or spec.size or _POSTER, file_type, spec.scene, mark)


def video_file(media: WorldMedia, size: VideoSize = "small") -> VideoFile:
    """The video file of a spec, in one size."""
    return VideoFile(media.label, size, media.spec.pad)


def animation(media: WorldMedia) -> Animation:
    """The animation of a spec, as a real GIF."""
    return Animation(media.label)


def pixels(media: WorldMedia) -> tuple[int, int]:
    """Width and height of the picture that a spec describes."""
    return media.spec.size or _PICTURE


def poster_pixels(media: WorldMedia) -> tuple[int, int]:
    """Width and height of its still."""
    return media.spec.size or _POSTER


def extension(media: WorldMedia) -> str:
    """How the name of its picture ends."""
    file_type = media.spec.file_type or "jpeg"
    return "jpg" if file_type == "jpeg" else file_type


def url_of(media: WorldMedia, view: View, role: Any) -> str | None:
    """The address of its file in that role, if it has one."""
    file = media.file(role)
    return view.url(file) if file else None


def drop_none(record: JsonObject) -> JsonObject:
    """The record without what is not there; services leave such fields out."""
    return {name: value for name, value in record.items() if value is not None}
