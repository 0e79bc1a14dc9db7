"""Exports of TikTok, in each layout, of a known account."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from support.media.samples import movie, picture

ERAS = ("2024", "2025", "2026")
BEGIN = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)


@dataclass
class TikTok:
    at: datetime
    path: str
    likes: int = 0
    audience: str = "Everyone"
    title: str = ""
    data: bytes = field(default_factory=movie)
    mime: str = "video_mp4"
    deleted_at: datetime | None = None

    def record(self, base: str, expires: datetime, era: str) -> dict[str, Any]:
        query = f"mime_type={self.mime}&x-tos-expires={int(expires.timestamp())}"
        found: dict[str, Any] = {
            "Date": f"{self.at:%Y-%m-%d %H:%M:%S}", "Link": f"{base}{self.path}?{query}",
            "Likes": str(self.likes),
        }  # fmt: skip
        if era == "2024":
            return {name.lower(): value for name, value in found.items()}
        found |= {"WhoCanView": self.audience, "AllowComments": "Yes", "Sound": "N/A",
                  "Location": "", "Title": self.title or "None"}  # fmt: skip
        if self.deleted_at:
            found["DateDeleted"] = f"{self.deleted_at:%Y-%m-%d %H:%M:%S}"
        return found


@dataclass
class TikTokWorld:
    """An account on TikTok: its posts, and the exports that TikTok would make of them."""

    posts: list[TikTok]
    handle: str = "ann"
    base: str = "https://video.example"
    expires: datetime = BEGIN + timedelta(days=10)

    def files(self, era: str = "2025") -> dict[str, bytes | str]:
        listed = [self._record(p, era) for p in self.posts if not p.deleted_at]
        deleted = [self._record(p, era) for p in self.posts if p.deleted_at] or None
        profile = {"ProfileMap": {"userName": self.handle, "emailAddress": "ann@example.org"}}
        watched = {"Watch History": {"VideoList": [{"Date": "x", "Link": "secret"}]}}
        whole: dict[str, Any]
        if era == "2024":
            whole = {
                "Activity": watched, "Profile": {"Profile Information": profile},
                "Video": {"Videos": {"VideoList": listed},
                          "RecentlyDeletedPosts": {"PostList": deleted}},
            }  # fmt: skip
        else:
            about = {"Profile": {"Profile Info": profile}} if era == "2025" else {
                "Profile And Settings": {"Profile Info": profile}
            }  # fmt: skip
            whole = {
                "Direct Message": {"Chat": "for nobody else"}, **about,
                "Post": {"Posts": {"VideoList": listed},
                         "Recently Deleted Posts": {"PostList": deleted}},
                "Your Activity": {"Reposts": {"RepostList": [{"Date": "x", "Link": "y"}]}},
            }  # fmt: skip
        name = "user_data.json" if era == "2024" else "user_data_tiktok.json"
        return {name: json.dumps(whole)}

    def texts(self) -> dict[str, bytes | str]:
        """The variant as text files."""
        blocks = "\n".join(f"Date: {p.at}\nLink: {self.base}{p.path}\n" for p in self.posts)
        return {"TikTok/Post/Posts.txt": blocks, "TikTok/Profile/Profile Info.txt": "a: b"}

    def _record(self, post: TikTok, era: str) -> dict[str, Any]:
        return post.record(self.base, self.expires, era)


def sample(extra: Sequence[TikTok] = ()) -> TikTokWorld:
    at = [BEGIN + timedelta(hours=n) for n in range(5)]
    return TikTokWorld(
        [
            TikTok(at[0], "/storage/v1/tos-x/oA/", 12),
            TikTok(at[1], "/storage/v1/tos-x/oB/", 3, "Friends", "With a title",
                   movie(units=3000)),
            TikTok(at[2], "/storage/v1/tos-x/oC/", 0, "Only me", data=picture("JPEG"),
                   mime="image_jpeg"),
            TikTok(at[3], "/storage/v1/tos-x/oD/", audience="Alle", data=movie(units=4000)),
            *extra,
        ]
    )  # fmt: skip
