"""One small world that an archive sees by nights of the API and by exports, in any order.

order = [Step("publish", 1), Step("export"), Step("night"), Step("edit"), Step("import")]
with lived_through(folder, "twitter", order) as lived:
    assert lived.faults() == []
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from archiver_ayrshare.demo.accounts import WorldAccount
from archiver_ayrshare.demo.posts import WorldMedia, WorldPost
from archiver_ayrshare.demo.specs import photo, video
from support.exports.importing import import_now
from support.exports.instagram import Gram, GramFile, GramWorld
from support.exports.packing import Files, write_zip
from support.exports.tweets import Tweet, TweetMedia, TweetWorld
from support.nights import Nights, nights


@dataclass(frozen=True)
class Step:
    """One thing that happens; `which` chooses among what there is to choose from.

    publish, edit, remove: the owner does it. night: a backup, and a day passes. year: a year
    passes. export: the platform makes one. import: one of those that were made is imported.
    """

    what: str
    which: int = 0


@dataclass
class Lived:
    """The world, its archive, and the exports that were made of it."""

    world: Nights
    account: WorldAccount
    make: Callable[[WorldAccount, Any], Files]
    exports: list[tuple[Path, dict[str, str | None]]] = field(default_factory=list)
    published: list[WorldPost] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    edits: dict[str, int] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def shown(self) -> list[WorldPost]:
        """The posts that the network shows now."""
        return [post for post in self.published if not post.removed]

    def do(self, step: Step) -> None:
        getattr(self, f"_{step.what}")(step.which)

    def _publish(self, which: int) -> None:
        media = [[], [photo()], [photo(), photo()], [video()]][which % 4 or 1]
        text = f"Post {next(self.numbers)} & „more“"
        self.published.append(self.account.publish(text, media=media))
        self.world.clock.advance(hours=1)

    def _edit(self, which: int) -> None:
        if self.shown:
            post = self.shown[which % len(self.shown)]
            self.edits[post.id] = self.edits.get(post.id, 0) + 1
            post.edit(text=f"{post.text} – edit {next(self.numbers)}")

    def _remove(self, which: int) -> None:
        if len(self.shown) > 1:  # of an account that has none any more nothing is believed
            self.shown[which % len(self.shown)].remove()

    def _night(self, _: int) -> None:
        assert self.world.backup(full=True, now=True).exit_code == 0
        self.seen.update(post.id for post in self.shown)
        self.world.next_night()

    def _year(self, _: int) -> None:
        self.world.next_night(365)

    def _export(self, _: int) -> None:
        path = self.world.folder / f"export-{len(self.exports)}.zip"
        files = self.make(self.account, self.world.clock.now())
        held: dict[str, str | None] = {post.id: post.text for post in self.shown}
        if held:
            now = self.world.clock.now()
            when = (now.year, now.month, now.day, now.hour, now.minute, now.second)
            self.exports.append((write_zip(path, files, when=when), held))
            self.world.clock.advance(hours=30)

    def _import(self, which: int) -> None:
        if self.exports:
            path, held = self.exports[which % len(self.exports)]
            report = import_now(
                self.world.config(), path, account=self._label(), clock=self.world.clock
            )
            assert report.outcome == "done", report.packages
            self.seen.update(held)

    def _label(self) -> str:
        return self.account.platform

    def finish(self) -> None:
        """Import every export once more, and let two nights pass: all is known then."""
        for number in range(len(self.exports)):
            self._import(number)
        self._night(0)
        self._night(0)

    def faults(self) -> list[str]:
        """What is wrong in the archive, in words."""
        found = []
        world = self.world
        rows = world.query("SELECT id, platform_id, text, removed_at FROM posts")
        known = [post for post in self.published if post.id in self.seen]
        if len(rows) != len(known):
            found.append(f"{len(rows)} posts of {len(known)}: {sorted(row[1] for row in rows)}")
        for post_id, name, text, removed_at in rows:
            post = next((each for each in known if each.id == name), None)
            edits = self._count(post_id, "edited")
            if post is None:  # only an export that has no ids showed it, and it is gone now
                found += [f"{name} is removed by nobody"] if removed_at else []
                continue
            if removed_at and not post.removed:
                found.append(f"{name} is removed, and is not")
            if edits > self.edits.get(post.id, 0):
                found.append(f"{name} has {edits} edits of {self.edits.get(post.id, 0)}")
            if not post.removed and text != post.text:
                found.append(f"{name} is {text!r} and should be {post.text!r}")
            attached = world.column(
                "SELECT count(*) FROM attachments WHERE post_id = ? AND kind <> 'link'", post_id
            )
            if attached != [len(post.media)]:
                found.append(f"{name} has {attached} attachments of {len(post.media)}")
        held = world.column("SELECT count(DISTINCT path) - count(*) FROM media")
        return found + ([] if held == [0] else ["a file is there twice"])

    def _count(self, post_id: int, what: str) -> int:
        query = "SELECT count(*) FROM events WHERE post_id = ? AND what = ?"
        number: int = self.world.column(query, post_id, what)[0]
        return number


def x_export(account: WorldAccount, now: Any) -> Files:
    """The archive that X would make of an account now."""
    tweets = [
        Tweet(post.id, post.at, post.text or "", [_x_media(medium) for medium in post.media])
        for post in account.posts() if not post.removed
    ]  # fmt: skip
    return TweetWorld(tweets, account.platform_id, account.handle, now).files()


def _x_media(medium: WorldMedia) -> TweetMedia:
    files = medium.variants() or [file for file in medium.files if file.role == "original"]
    best, number = files[-1], medium.id.partition("_")[2]
    if medium.spec.kind == "photo":
        return TweetMedia(number, data=best.recipe.make(), base=best.path.rpartition("/")[2])
    address = f"https://video.example{best.path}"
    return TweetMedia(number, "video", best.recipe.make(), "still.jpg", None, [("2", address)])


def instagram_export(account: WorldAccount, _: Any) -> Files:
    """The export that Instagram would make of an account now.

    A file has the number of its post where it is the only one, else its own.
    """
    posts = [
        Gram(post.at, post.text, [
            _gram_file(medium, post.id if len(post.media) == 1 else medium.id)
            for medium in post.media
        ])
        for post in account.posts() if not post.removed
    ]  # fmt: skip
    return GramWorld(posts, account.handle).files()


def _gram_file(medium: WorldMedia, number: str) -> GramFile:
    file = next(file for file in medium.files if file.role == "original")
    ending = "jpg" if medium.spec.kind == "photo" else "mp4"
    return GramFile(f"44_55_66_n_{number}.{ending}", file.recipe.make())


MAKERS = {"twitter": x_export, "instagram": instagram_export}


@contextmanager
def lived_through(folder: Path, platform: str, steps: Sequence[Step]) -> Iterator[Lived]:
    """The world after these steps, and after all its exports and two more nights."""
    with nights(folder, platform) as world:
        lived = Lived(world, world.account(platform), MAKERS[platform])
        lived.do(Step("publish", 1))
        for step in steps:
            lived.do(step)
        lived.finish()
        yield lived
