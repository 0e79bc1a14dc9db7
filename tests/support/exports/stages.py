"""The networks of `orders`: what an owner does on each, what its archive is, what it exports."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from archiver.config import Config, load_config
from archiver_ayrshare.demo.accounts import WorldAccount
from archiver_ayrshare.demo.posts import WorldMedia, WorldPost
from archiver_ayrshare.demo.specs import photo, video
from archiver_bluesky.car import write_car
from support.archive_folder import ArchiveFolder
from support.bluesky.nights import BlueskyNights, bluesky_nights
from support.bluesky.world import AtAccount
from support.exports.facebook import Face, FaceFile, FaceWorld
from support.exports.instagram import Gram, GramFile, GramWorld
from support.exports.linkedin import LinkedInWorld, Share
from support.exports.outbox import archive_of
from support.exports.packing import Files
from support.exports.pins import Pin, PinWorld
from support.exports.served_files import serve_files
from support.exports.takeout import CHANNEL, TakeoutVideo, TakeoutWorld
from support.exports.tiktok import TikTok, TikTokWorld
from support.exports.tweets import Tweet, TweetMedia, TweetWorld, unlike
from support.mastodon.nights import FediNights, fedi_nights
from support.mastodon.world import FediMedia, FediStatus
from support.media.samples import movie, picture
from support.nights import Nights, nights


@dataclass
class Shown:
    """A post on a network: what the owner sees of it. `own` is the network's object."""

    id: str
    at: datetime
    text: str
    files: int
    own: Any
    removed: bool = False


class Stage:
    """One account of a network, with an archive of it that nights of the API fill."""

    archive: ArchiveFolder
    label: str
    has_files = True
    """Whether exports have the files of posts, or name them."""
    links_expire = False
    """Whether exports only link to files, for a while."""

    def is_known_edited(self, post: "Shown") -> bool:
        """Whether an export's post can be known for that of the API once its text is another one.

        Where neither an id nor a file's number is in both, that is not so.
        """
        return True

    @property
    def clock(self) -> Any:
        """The clock of the network and of the archive."""
        return self.archive.clock  # type: ignore[attr-defined]  # all of them have one

    def config(self) -> Config:
        return self.archive.config()  # type: ignore[attr-defined, no-any-return]  # as above

    def backup(self) -> int:
        return self.archive.backup(full=True, now=True).exit_code  # type: ignore[attr-defined, no-any-return]  # as above

    def let_pass(self, days: int) -> None:
        self.clock.advance(days=days)

    def publish(self, text: str, which: int) -> Shown:
        raise NotImplementedError

    def edit(self, post: Shown, text: str) -> None:
        raise NotImplementedError

    def remove(self, post: Shown) -> None:
        raise NotImplementedError

    def export(self, posts: list[Shown]) -> Files:
        """The files of an export that is made now."""
        raise NotImplementedError


class AyrshareStage(Stage):
    """An account of the demo's world. `media` are what its posts have, one after the other."""

    platform = ""
    media: tuple[tuple[Any, ...], ...] = ((photo,), (photo, photo), (video,), ())

    def __init__(self, archive: Nights) -> None:
        self.archive = archive
        self.label = self.platform
        self.account: WorldAccount = archive.account(self.platform)

    def let_pass(self, days: int) -> None:
        self.archive.next_night(days)  # type: ignore[attr-defined]  # of Nights

    def publish(self, text: str, which: int) -> Shown:
        media = [spec() for spec in self.media[which % len(self.media)]]
        own = self.account.publish(text, media=media, **self.more(text))
        return Shown(own.id, own.at, text, len(media), own)

    def more(self, text: str) -> dict[str, Any]:
        return {}

    def edit(self, post: Shown, text: str) -> None:
        post.own.edit(text=text)

    def remove(self, post: Shown) -> None:
        post.own.remove()

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator["AyrshareStage"]:
        with nights(folder, cls.platform) as world:
            yield cls(world)


def _bytes(medium: WorldMedia) -> bytes:
    return next(file for file in medium.files if file.role == "original").recipe.make()


class XStage(AyrshareStage):
    platform = "twitter"

    def export(self, posts: list[Shown]) -> Files:
        tweets = [
            Tweet(post.id, post.at, post.text, [self._media(medium) for medium in post.own.media])
            for post in posts
        ]
        account = self.account
        return TweetWorld(tweets, account.platform_id, account.handle, self.clock.now()).files()

    @staticmethod
    def _media(medium: WorldMedia) -> TweetMedia:
        files = medium.variants() or [file for file in medium.files if file.role == "original"]
        best, number = files[-1], medium.id.partition("_")[2]
        if medium.spec.kind == "photo":
            return TweetMedia(number, data=best.recipe.make(), base=best.path.rpartition("/")[2])
        address = f"https://video.example{best.path}"
        return TweetMedia(number, "video", best.recipe.make(), "still.jpg", None, [("2", address)])


class InstagramStage(AyrshareStage):
    """A file has the number of its post where it is the only one, else its own."""

    platform = "instagram"
    media: tuple[tuple[Any, ...], ...] = ((photo,), (photo, photo), (video,))
    where = "post"

    def export(self, posts: list[Shown]) -> Files:
        return GramWorld([self._gram(post) for post in posts], self.account.handle).files()

    def _gram(self, post: Shown) -> Gram:
        own: WorldPost = post.own
        files = [
            self._file(medium, own.id if len(own.media) == 1 else medium.id) for medium in own.media
        ]
        return Gram(post.at, post.text, files, self.where)

    @staticmethod
    def _file(medium: WorldMedia, number: str) -> GramFile:
        ending = "jpg" if medium.spec.kind == "photo" else "mp4"
        return GramFile(f"44_55_66_n_{number}.{ending}", _bytes(medium))


class ThreadsStage(InstagramStage):
    platform = "threads"
    media: tuple[tuple[Any, ...], ...] = AyrshareStage.media
    where = "thread"

    def is_known_edited(self, post: Shown) -> bool:
        return post.files > 0

    def export(self, posts: list[Shown]) -> Files:
        files = super().export(posts)
        return {name: content for name, content in files.items()
                if "/media/" not in f"/{name}" or name.startswith("media/")}  # fmt: skip


class FacebookStage(AyrshareStage):
    platform = "facebook"

    def is_known_edited(self, post: Shown) -> bool:
        return any(medium.spec.kind == "video" for medium in post.own.media)

    def export(self, posts: list[Shown]) -> Files:
        faces = [
            Face(post.at, post.text, [self._file(medium) for medium in post.own.media])
            for post in posts
        ]
        return FaceWorld(faces, self.account.handle).files("page")

    @staticmethod
    def _file(medium: WorldMedia) -> FaceFile:
        ending = "jpg" if medium.spec.kind == "photo" else "mp4"
        return FaceFile(int(medium.id), _bytes(medium), ending)


class TikTokStage(AyrshareStage):
    platform = "tiktok"
    media = ((video,),)
    links_expire = True

    def __init__(self, archive: Nights, served: dict[str, bytes], base_url: str) -> None:
        super().__init__(archive)
        self._served = served
        self._base_url = base_url

    def export(self, posts: list[Shown]) -> Files:
        made = []
        for post in posts:
            path = f"/{post.own.number}/"
            self._served[path] = unlike(movie(), post.own.number)
            made.append(TikTok(post.at, path))
        expires = self.clock.now() + timedelta(days=10)
        return TikTokWorld(made, self.account.handle, self._base_url, expires).files()

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator["TikTokStage"]:
        served: dict[str, bytes] = {}
        with nights(folder, cls.platform) as world, serve_files(served) as server:
            yield cls(world, served, server.base_url)


class YouTubeStage(AyrshareStage):
    platform = "youtube"
    media = ((video,),)

    def more(self, text: str) -> dict[str, Any]:
        return {"title": f"Film: {text}"}

    def export(self, posts: list[Shown]) -> Files:
        films = [
            TakeoutVideo(post.id, post.own.title, post.text, post.at, seconds=7,
                         film=unlike(movie(units=7000), post.own.number))
            for post in posts
        ]  # fmt: skip
        files = TakeoutWorld(films, channel_title=self.account.title).files()
        return {
            name: content.replace(CHANNEL, self.account.platform_id)
            if isinstance(content, str) else content
            for name, content in files.items()
        }  # fmt: skip


class _Given(Share):
    """A share with a URN of the demo's world, whose numbers are no times."""

    given = ""

    @property
    def urn(self) -> str:
        return self.given


class LinkedInStage(AyrshareStage):
    platform = "linkedin"
    has_files = False

    def export(self, posts: list[Shown]) -> Files:
        shares: list[Share] = []
        for post in posts:
            share = _Given(post.at, post.text, audience="PUBLIC")
            share.given = post.id
            shares.append(share)
        return LinkedInWorld(shares).files()


class PinterestStage(AyrshareStage):
    platform = "pinterest"
    media = ((photo,),)

    def export(self, posts: list[Shown]) -> Files:
        pins = [Pin(post.id, "", post.text, self._image(post), post.at) for post in posts]
        return PinWorld(pins, self.account.handle).files()

    @staticmethod
    def _image(post: Shown) -> str:
        name: str = post.own.media[0].files[0].path.rpartition("/")[2]
        return name.partition(".")[0]


class MastodonStage(Stage):
    label = "press"

    def __init__(self, archive: FediNights) -> None:
        self.archive = archive
        self._press = archive.press
        self._number = 0

    def publish(self, text: str, which: int) -> Shown:
        media = []
        for _ in range(which % 3):
            self._number += 1
            body = unlike(picture("PNG"), self._number)
            media.append(FediMedia(body=body, fields={"preview_url": None}))
        own = self._press.publish(text, media=media)
        return Shown(own.status_id, own.created_at, text, len(media), own)

    def edit(self, post: Shown, text: str) -> None:
        status: FediStatus = post.own
        status.edit(text)

    def remove(self, post: Shown) -> None:
        post.own.delete()

    def export(self, posts: list[Shown]) -> Files:
        return archive_of(self._press)

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator["MastodonStage"]:
        with fedi_nights(folder) as found:
            yield cls(found)


class BlueskyStage(Stage):
    label = "me"

    def __init__(self, archive: BlueskyNights, account: AtAccount) -> None:
        self.archive = archive
        self._account = account
        self._number = 0

    def config(self) -> Config:
        return load_config(self.archive.config_file)  # type: ignore[attr-defined]  # of its nights

    def publish(self, text: str, which: int) -> Shown:
        images = []
        for _ in range(which % 3):
            self._number += 1
            image = self._account.upload(unlike(picture("PNG"), self._number), "image/png")
            images.append({"alt": "", "image": image})
        embed = {"embed": {"$type": "app.bsky.embed.images", "images": images}} if images else {}
        uri = self._account.post(text, **embed)
        return Shown(uri, self.clock.now(), text, len(images), embed)

    def edit(self, post: Shown, text: str) -> None:
        collection, rkey = post.id.split("/")[-2:]
        created = self._account.records[f"{collection}/{rkey}"]["createdAt"]
        said = {"text": text, "langs": ["en"], "createdAt": created, **post.own}
        self._account.put(collection, rkey, **said)

    def remove(self, post: Shown) -> None:
        self._account.delete(post.id)

    def export(self, posts: list[Shown]) -> Files:
        root, blocks = self._account.repository()
        files = {f"blobs/{cid}": data for cid, (data, _) in self._account.files.items()}
        return {"alice/repo.car": write_car(root, blocks.items()), **files}

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator["BlueskyStage"]:
        with bluesky_nights(folder) as found:
            alice = found.network.account("alice.example")
            found.follow(alice)
            alice.put("app.bsky.actor.profile", "self", displayName="Alice", description="Hi")
            yield cls(found, alice)


STAGES: dict[str, Any] = {
    "twitter": XStage, "instagram": InstagramStage, "threads": ThreadsStage,
    "facebook": FacebookStage, "tiktok": TikTokStage, "youtube": YouTubeStage,
    "linkedin": LinkedInStage, "pinterest": PinterestStage, "mastodon": MastodonStage,
    "bluesky": BlueskyStage,
}  # fmt: skip
"""The networks of which both an API and an export show an account."""
