"""One Bluesky account through two sources: its own server, and the Ayrshare API.

    with two_sources(tmp_path) as world:
        post = world.publish("Hello", pictures=2)
        world.backup("ayrshare", "bluesky")
        post.edit("Hello again")

Both are asked over real HTTP by the installed plugins: the account's server (PDS) signs what it
has, the emulated API shows the same posts as Bluesky's views write them, with pictures on a CDN.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from archiver.clock import DemoClock
from archiver.config import load_config
from archiver.report import RunReport
from archiver.webserver import listen, origin_of, running
from archiver_ayrshare.demo.networks.base import JsonObject, View, poster, still
from archiver_ayrshare.demo.posts import WorldFile, WorldMedia, WorldPost
from archiver_ayrshare.demo.specs import photo, video
from archiver_ayrshare.demo.world import World
from archiver_bluesky.cid import cid_of_file
from support.archive_folder import ArchiveFolder, backup_now, installed_plugins
from support.bluesky.world import AtAccount, AtNetwork
from support.loop_time import LoopTime
from support.media.samples import movie
from support.served_world import serve

FILM = movie()
"""The video that its owner uploaded."""

_POSTS = "app.bsky.feed.post"
_CONFIG = """
[archive]
directory = "archive"

[ayrshare]
api_key = "file:api-key"
base_url = "{api}"

[bluesky]
plc = "{network}/plc"
appview = "{network}/appview"

[network]
allow = ["127.0.0.0/8"]
"""
_ENTRIES = {
    "ayrshare": '[[accounts]]\nname = "me"\nplatform = "bluesky"\nsource = "ayrshare"\n',
    "bluesky": '[[accounts]]\nname = "me"\nplatform = "bluesky"\nsource = "bluesky"\n'
    'handle = "alice.example"\n',
}


@dataclass
class SharedPost:
    """A post as both sources have it. What its owner does reaches both.

    `versions` are the text and the pictures of each of its versions, `handed_out` the numbers of
    those that each source has shown.
    """

    world: "TwoSources"
    shown: WorldPost
    versions: list[tuple[object, ...]] = field(default_factory=list)
    removed: bool = False
    handed_out: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    @property
    def rkey(self) -> str:
        return self.shown.id.rpartition("/")[2]

    @property
    def text(self) -> str:
        return self.shown.text

    @property
    def was_shown(self) -> bool:
        """Whether any source has shown it."""
        return bool(self._all_shown)

    @property
    def known_text(self) -> object:
        """Its text in the newest version that was shown."""
        return self.versions[self._all_shown[-1]][0]

    @property
    def most_edits(self) -> int:
        """How many edits there are between the versions that were shown."""
        return self._changes(self._all_shown)

    @property
    def fewest_edits(self) -> int:
        """How many edits one source alone has shown.

        One less where the sources first showed different versions, which the archive calls no edit.
        """
        shown = [sorted(numbers) for numbers in self.handed_out.values()]
        first = {self.versions[numbers[0]] for numbers in shown}
        return max(map(self._changes, shown)) - (len(first) > 1)

    @property
    def _all_shown(self) -> list[int]:
        return sorted(set().union(*self.handed_out.values()))

    def _changes(self, numbers: Sequence[int]) -> int:
        versions = [self.versions[number] for number in numbers]
        return sum(before != after for before, after in pairwise(versions))

    def edit(self, text: str) -> None:
        """Write its record anew, as apps other than Bluesky's own do."""
        self.shown.edit(text=text)
        self._put()

    def edit_pictures(self, **changes: Any) -> None:
        """Remove, add or reorder pictures: the arguments of `WorldPost.edit_media`."""
        self.shown.edit_media(**changes)
        self._put()

    def remove(self) -> None:
        """Delete it."""
        self.removed = True
        self.shown.remove()
        self.world.alice.delete(self.shown.id)

    def hand_out(self, source: str) -> None:
        """Note that a source shows its newest version."""
        self.handed_out[source].add(len(self.versions) - 1)

    def _put(self) -> None:
        self.versions.append((self.text, *(media.id for media in self.shown.media)))
        films = [media for media in self.shown.media if media.spec.kind == "video"]
        images = [self._image(media) for media in self.shown.media if media not in films]
        embed: dict[str, Any] = {}
        if films:
            film = self.world.alice.upload(FILM, "video/mp4")
            embed = {"embed": {"$type": "app.bsky.embed.video", "video": film}}
        elif images:
            embed = {"embed": {"$type": "app.bsky.embed.images", "images": images}}
        created = self.shown.at.isoformat(timespec="milliseconds")
        self.world.alice.put(
            _POSTS, self.rkey, text=self.text, langs=["en"], createdAt=created, **embed
        )

    def _image(self, media: WorldMedia) -> dict[str, Any]:
        data = self.world.api.fixtures.get(still(media))
        return {"alt": media.spec.alt or "", "image": self.world.alice.upload(data, "image/jpeg")}


class TwoSources(ArchiveFolder):
    """The account, the two services that show it, and an archive of both."""

    def __init__(self, folder: Path, *, is_reencoded: bool = False) -> None:
        self.folder = folder
        self.clock = DemoClock()
        self.network = AtNetwork(self.clock.now)
        self.alice: AtAccount
        self.api = World(self.clock.now)
        self.api_url = ""
        self.posts: list[SharedPost] = []
        self._is_reencoded = is_reencoded

    def begin(self) -> None:
        """Sign the account up, and link it to the API's profile."""
        self.alice = self.network.account("alice.example")
        account = self.api.account("bluesky")
        account.platform_id, account.handle = self.alice.did, self.alice.handle
        files, write = account.network.files, account.network.record

        def record(post: WorldPost, view: View) -> JsonObject:
            next(each for each in self.posts if each.shown is post).hand_out("ayrshare")
            return write(post, view)

        account.network = replace(
            account.network,
            record=record,
            media_id=lambda media: str(cid_of_file(self.api.fixtures.get(still(media)))),
            files=(lambda media: _reencoded(media, files(media))) if self._is_reencoded else files,
        )

    def publish(self, text: str, *, pictures: int = 0) -> SharedPost:
        """A new post, a minute after the last thing that happened."""
        self.clock.advance(minutes=1)
        specs = [photo(alt=f"Picture {number}") for number in range(pictures)]
        post = SharedPost(self, self.api.account("bluesky").publish(text, media=specs))
        post._put()
        self.posts.append(post)
        return post

    def publish_film(self, text: str) -> SharedPost:
        """A new post with a video: its server has the file, the API a playlist of segments."""
        self.clock.advance(minutes=1)
        post = SharedPost(self, self.api.account("bluesky").publish(text, media=[video()]))
        post._put()
        self.posts.append(post)
        return post

    def repost(self) -> None:
        """Repost somebody's post, which the API does not show."""
        other = {"uri": "at://did:plc:bbbbbbbbbbbbbbbbbbbbbbbb/app.bsky.feed.post/3k", "cid": "x"}
        self.alice.put("app.bsky.feed.repost", None, subject=other)

    def like(self) -> None:
        """Like something, which changes the account's state and no post."""
        other = {"uri": "at://did:plc:bbbbbbbbbbbbbbbbbbbbbbbb/app.bsky.feed.post/3k", "cid": "x"}
        self.alice.put("app.bsky.feed.like", None, subject=other)

    def let_api_lag(self, days: float | None) -> None:
        """Have the API show what it showed before, for so long."""
        lag = None if days is None else timedelta(days=days)
        self.api.account("bluesky").cache = lag

    def let_api_catch_up(self) -> None:
        """Have the API show what is there now."""
        self.let_api_lag(None)
        self.api.account("bluesky").forget_answers()

    def next_night(self) -> None:
        """Let a day pass; the addresses of the CDN rotate."""
        self.clock.advance(days=1)
        self.api.rotate()

    def backup(self, *sources: str, **asked: Any) -> RunReport:
        """Back the account up through these sources, in this order."""
        key = self.folder / "api-key"
        key.write_text(self.api.api_key)
        key.chmod(0o600)
        path = self.folder / "archive.toml"
        config = _CONFIG.format(api=self.api_url, network=self.network.base_url)
        path.write_text(config + "".join(_ENTRIES[source] for source in sources))
        for post in self.posts:
            if "bluesky" in sources and not post.removed:
                post.hand_out("bluesky")
        options = LoopTime().options
        return backup_now(
            load_config(path), installed_plugins(), self.clock, options, now=True, **asked
        )

    def fetched(self) -> Counter[str]:
        """How often each picture was fetched from either service, by its CID."""
        blobs = [line.partition("&cid=")[2] for line in self.network.requests if "getBlob" in line]
        cdn = [
            log.path.rpartition("/")[2].partition("@")[0]
            for log in self.api.media_requests if "feed_fullsize" in log.path
        ]  # fmt: skip
        return Counter([*blobs, *cdn])


def _reencoded(media: WorldMedia, files: Sequence[WorldFile]) -> list[WorldFile]:
    """The files of a CDN that makes pictures of its own from those that were uploaded."""
    made = poster(media, "as the CDN encodes it")
    return [
        WorldFile(file.role, file.path, made) if file.role == "original" else file for file in files
    ]


@contextmanager
def two_sources(folder: Path, *, is_reencoded: bool = False) -> Iterator[TwoSources]:
    """Both services, served."""
    world = TwoSources(folder, is_reencoded=is_reencoded)
    sock = listen("127.0.0.1", 0)
    world.network.base_url = origin_of(sock)
    world.begin()
    with serve(world.api) as server, running(world.network, [sock], quiet=True):
        world.api_url = server.base_url
        yield world
