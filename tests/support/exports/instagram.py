"""Exports of Instagram in each of its layouts, with posts of Threads, of a known world.

    world = sample()
    write_zip(path, world.files("2024"))

Texts are as people read them; the export has them as Meta writes them, byte by byte.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from support.exports.tweets import unlike
from support.media.samples import movie, picture

ERAS = ("2019", "2021", "2023", "2024")
BEGIN = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
_FOLDERS = {
    "2021": "content/", "2023": "your_instagram_activity/content/",
    "2024": "your_instagram_activity/media/",
}  # fmt: skip
_FILES = {
    "reel": ("reels.json", "ig_reels_media", "reels"),
    "story": ("stories.json", "ig_stories", "stories"),
    "video": ("igtv_videos.json", "ig_igtv_media", "igtv"),
    "archived": ("archived_posts.json", "ig_archived_post_media", "posts"),
}


def mangled(value: Any) -> Any:
    """A value with each byte of its texts as a character of its own."""
    if isinstance(value, str):
        return value.encode().decode("latin-1")
    if isinstance(value, dict):
        return {mangled(key): mangled(item) for key, item in value.items()}
    return [mangled(item) for item in value] if isinstance(value, list) else value


@dataclass
class GramFile:
    """One file: of a photo or a film, with the number that its name ends in, if it has one."""

    name: str
    data: bytes
    seconds_before: int = 0


@dataclass
class Gram:
    """One post. `where` is its kind, or `archived`, or `thread`."""

    at: datetime
    text: str | None
    files: list[GramFile] = field(default_factory=list)
    where: str = "post"

    def moment(self, file: GramFile) -> int:
        return int(self.at.timestamp()) - file.seconds_before

    def media(self, folder: str) -> list[dict[str, Any]]:
        exif = {"exif_data": [{"latitude": 48.1, "longitude": 11.5, "device_id": "android-1"}]}
        return [
            {
                "uri": f"media/{folder}/{self.at:%Y%m}/{file.name}", "title": "",
                "creation_timestamp": self.moment(file),
                "media_metadata": {"photo_metadata": exif},
                "cross_post_source": {"source_app": "FB"},
            }
            for file in self.files
        ]  # fmt: skip

    def record(self, folder: str) -> dict[str, Any]:
        media = self.media(folder)
        if len(media) == 1:  # then only the file has a text and a time
            return {"media": [{**media[0], "title": self.text or ""}]}
        at = int(self.at.timestamp())
        return {"media": media, "title": self.text or "", "creation_timestamp": at}

    def thread(self) -> dict[str, Any]:
        media = self.media("posts") or [{"uri": "", "creation_timestamp": int(self.at.timestamp())}]
        app_post = {"reply_control": "everyone", "geo_gated_country_list": []}
        first = {**media[0], "title": self.text or "", "text_app_post": app_post}
        return {"media": [first, *media[1:]]}

    def old(self) -> dict[str, Any]:
        path = f"photos/{self.at:%Y%m}/{self.files[0].name}"
        return {"caption": self.text or "", "taken_at": self.at.isoformat(), "path": path}


@dataclass
class GramWorld:
    """One account on Instagram and Threads, and the exports that Instagram would make of it."""

    posts: list[Gram]
    handle: str = "ann"
    title: str = "Änn"

    def in_era(self, era: str) -> list[Gram]:
        """The posts that an export of that time has."""
        if era != "2019":
            return self.posts
        return [post for post in self.posts if post.where == "post" and len(post.files) == 1]

    def files(self, era: str = "2024", username: str = "Username") -> dict[str, bytes | str]:
        said = {username: {"value": self.handle}, "Name": {"value": self.title}}
        found: dict[str, bytes | str] = {
            "personal_information/personal_information/personal_information.json": _text(
                {"profile_user": [{"string_map_data": said}]}
            ),
            "your_instagram_activity/messages/inbox/bob_1/message_1.json": _text(
                {"messages": [{"content": "Secret"}]}
            ),
        }
        if era == "2019":
            found["media.json"] = _text({"photos": [post.old() for post in self.in_era(era)]})
        else:
            found |= self._lists(era)
        for post in self.in_era(era):
            folder = _FILES[post.where][2] if post.where in _FILES else "posts"
            for file in post.files:
                top = "photos" if era == "2019" else f"media/{folder}"
                found[f"{top}/{post.at:%Y%m}/{file.name}"] = file.data
        return found

    def _lists(self, era: str) -> dict[str, bytes | str]:
        posts = [post.record("posts") for post in self.posts if post.where == "post"]
        found: dict[str, bytes | str] = {
            f"{_FOLDERS[era]}posts_1.json": _text(posts[:2]),
            f"{_FOLDERS[era]}posts_2.json": _text(posts[2:]),
        }
        for where, (name, key, folder) in _FILES.items():
            items = [post.record(folder) for post in self.posts if post.where == where]
            if where == "story":
                items = [item["media"][0] for item in items]
            found[f"{_FOLDERS[era]}{name}"] = _text({key: items})
        threads = [post.thread() for post in self.posts if post.where == "thread"]
        found["your_instagram_activity/threads/threads_and_replies.json"] = _text(
            {"text_post_app_text_posts": threads}
        )
        return found


def _text(value: Any) -> str:
    return json.dumps(mangled(value))


def sample() -> GramWorld:
    """A post of every kind, an hour apart."""
    pictures = [unlike(picture("JPEG"), n) for n in range(8)]
    number = iter(range(1, 100))

    def named(ending: str = "jpg") -> str:
        return f"44_55_66_n_{18_000_000_000_000_000 + next(number)}.{ending}"

    said: list[tuple[str, str | None, list[GramFile]]] = [
        ("post", "Café ✓ 🎉", [GramFile(named(), pictures[0])]),
        ("post", "Two & a film", [
            GramFile(named("webp"), pictures[1], 10), GramFile(named("mp4"), movie(), 9),
        ]),
        ("post", None, [GramFile(named(), pictures[2])]),
        ("post", "old", [GramFile("0123456789abcdef0123456789abcdef.jpg", pictures[3])]),
        ("reel", "A reel", [GramFile(named("mp4"), unlike(movie(), 1))]),
        ("story", None, [GramFile(named(), pictures[4])]),
        ("video", "IGTV", [GramFile(named("mp4"), unlike(movie(), 2))]),
        ("archived", "Put away", [GramFile(named(), pictures[5])]),
        ("thread", "Naïve", []),
        ("thread", "With a picture", [GramFile(named(), pictures[6])]),
    ]  # fmt: skip
    return GramWorld(
        [
            Gram(BEGIN + timedelta(hours=hour), text, files, where)
            for hour, (where, text, files) in enumerate(said)
        ]
    )
