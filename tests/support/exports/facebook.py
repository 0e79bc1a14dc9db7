"""Exports of Facebook in each of its layouts, of a known world.

    world = sample()
    write_zip(path, world.files("2024"))

Texts are as people read them; the export has them as Meta writes them, byte by byte.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from support.exports.instagram import mangled
from support.exports.tweets import unlike
from support.media.samples import movie, picture

ERAS = ("2018", "2023", "2024", "page")
BEGIN = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
_TOPS = {
    "2018": "", "2023": "your_activity_across_facebook/", "2024": "your_facebook_activity/",
    "page": "this_profile's_activity_across_facebook/",
}  # fmt: skip
_POSTS = {
    "2018": "posts/your_posts_{}.json", "2023": "posts/your_posts_{}.json",
    "2024": "posts/your_posts__check_ins__photos_and_videos_{}.json",
    "page": "posts/profile_posts_{}.json",
}  # fmt: skip


@dataclass
class FaceFile:
    """A photo or film, with its number; `caption` is its own text where it has one."""

    number: int
    data: bytes
    ending: str = "jpg"
    caption: str | None = None

    def uri(self, era: str) -> str:
        if self.ending == "mp4":
            folder = "photos_and_videos/videos" if era == "2018" else "posts/media/videos"
            return f"{_TOPS[era]}{folder}/{self.number}.{self.ending}"
        if era == "2018":
            return f"photos_and_videos/Timelinephotos_100/11_{self.number}_22_n.{self.ending}"
        return f"{_TOPS[era]}posts/media/Timelinephotos_100/{self.number}.{self.ending}"

    def medium(self, era: str, at: datetime, text: str | None) -> dict[str, Any]:
        kind = "video_metadata" if self.ending == "mp4" else "photo_metadata"
        junk = {"upload_ip": "192.0.2.1", "taken_timestamp": -62169958800, "latitude": 48.1}
        found = {
            "uri": self.uri(era), "creation_timestamp": int(at.timestamp()) - 5,
            "title": "Timeline photos", "media_metadata": {kind: {"exif_data": [junk]}},
        }  # fmt: skip
        description = self.caption or text
        return found | ({"description": description} if description else {})


@dataclass
class Face:
    """One post. `where` is the list that it is in: `file` is a photo in no post."""

    at: datetime
    text: str | None
    files: list[FaceFile] = field(default_factory=list)
    where: str = "post"
    attached: list[dict[str, Any]] = field(default_factory=list)
    shown_text: str | None = None
    """The text as people read it, where the record has it in another form."""

    @property
    def read(self) -> str | None:
        return self.shown_text or self.text

    def record(self, era: str) -> dict[str, Any]:
        at = int(self.at.timestamp())
        data: list[dict[str, Any]] = [{"post": self.text}] if self.text else []
        media = [{"media": file.medium(era, self.at, self.text)} for file in self.files]
        found: dict[str, Any] = {
            "timestamp": at, "title": "Ann Example hat etwas hinzugefügt.",
            "data": [*data, {"update_timestamp": at}],
        }  # fmt: skip
        attached = [{"data": [each]} for each in (*media, *self.attached)]
        return found | ({"attachments": attached} if attached else {})


@dataclass
class FaceWorld:
    """One person, or page, on Facebook, and the exports that Facebook would make of them."""

    posts: list[Face]
    handle: str = "ann.example"
    title: str = "Änn"

    def in_era(self, era: str) -> list[Face]:
        """The posts that an export of that time has; a page has neither groups nor stories."""
        if era in {"2024", "2023"}:
            return self.posts
        return [post for post in self.posts if post.where in {"post", "file"}]

    def files(self, era: str = "2024", *, is_mangled: bool = True) -> dict[str, bytes | str]:
        """The files of an export. `is_mangled` says whether texts are written byte by byte."""

        def text(value: Any) -> str:
            return json.dumps(mangled(value) if is_mangled else value)

        top, posts = _TOPS[era], self._in("post", era)
        found: dict[str, bytes | str] = {
            "profile_information/profile_information.json": text({"profile_v2": self._profile()}),
            f"{top}messages/inbox/bob_1/message_1.json": text({"messages": [{"content": "?"}]}),
            f"{top}{_POSTS[era].format(1)}": text(posts[:3]),
            f"{top}{_POSTS[era].format(2)}": text(posts[3:]),
        }
        lists = {
            "groups/group_posts_and_comments.json": ("group_posts_v2", "group"),
            "stories/archived_stories.json": ("archived_stories_v2", "story"),
            "posts/archive.json": ("archive_v2", "archived"),
        }
        for name, (key, where) in lists.items():
            if items := self._in(where, era):
                found[f"{top}{name}"] = text({key: items})
        found |= {name: text(value) for name, value in self._lists_of_files(era).items()}
        for post in self.in_era(era):
            found |= {file.uri(era): file.data for file in post.files}
        return found

    def _in(self, where: str, era: str) -> list[dict[str, Any]]:
        return [post.record(era) for post in self.in_era(era) if post.where == where]

    def _profile(self) -> dict[str, Any]:
        address = f"https://www.facebook.com/{self.handle}"
        return {"name": {"full_name": self.title}, "username": self.handle,
                "profile_uri": address, "emails": {"emails": ["ann@example.org"]}}  # fmt: skip

    def _lists_of_files(self, era: str) -> dict[str, Any]:
        """The albums, uncategorized photos and videos: they name the files of posts again."""
        media = [
            file.medium(era, post.at, post.text) for post in self.in_era(era)
            if post.where in {"post", "file"} for file in post.files
        ]  # fmt: skip
        photos = [each for each in media if "mp4" not in each["uri"]]
        films = [each for each in media if "mp4" in each["uri"]]
        album = {"name": "Ferien in Österreich", "photos": photos[:2], "description": ""}
        top, own = _TOPS[era], "" if era == "page" else "your_"
        folder = "photos_and_videos" if era == "2018" else "posts"
        return {
            f"{top}{folder}/album/0.json": album,
            f"{top}posts/{own}uncategorized_photos.json": {"other_photos_v2": photos[2:]},
            f"{top}{folder}/{own}videos.json": {"videos_v2": films},
        }


def sample() -> FaceWorld:
    """A post of every kind, an hour apart."""
    pictures = [unlike(picture("JPEG"), n) for n in range(9)]
    number = iter(range(900_100, 900_200))

    def photo(index: int, caption: str | None = None) -> FaceFile:
        return FaceFile(next(number), pictures[index], caption=caption)

    link = {"external_context": {"url": "https://example.org/a", "name": "A page"}}
    place = {"name": "Café Central", "coordinate": {"latitude": 48.2, "longitude": 16.3}}
    posts: list[tuple[str, str | None, list[FaceFile], list[dict[str, Any]], str | None]] = [
        ("post", "Grüße ✓ 🎉", [photo(0)], [], None),
        ("post", "See", [], [link], None),
        ("post", "Two", [photo(1, "The first"), photo(2, "The second")], [], None),
        ("post", "A film", [FaceFile(next(number), movie(), "mp4")], [], None),
        ("post", "Here with @[100:2048:Bob Example]", [], [{"place": place}],
         "Here with Bob Example"),
        ("post", None, [photo(3)], [], None),
        ("post", None, [], [{"life_event": {"title": "New job", "place": {"x": 1.5}}}], None),
        ("file", "Alone in an album", [photo(4)], [], None),
        ("group", "In a group", [], [{"name": "Gärtner"}], None),
        ("story", None, [photo(5)], [], None),
        ("archived", "Put away", [photo(6)], [], None),
    ]  # fmt: skip
    return FaceWorld(
        [
            Face(BEGIN + timedelta(hours=hour), text, files, where, attached, shown)
            for hour, (where, text, files, attached, shown) in enumerate(posts)
        ]
    )
