"""Exports of Snapchat of a known account: memories behind links, or as files in the package."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from support.exports.tweets import unlike
from support.media.samples import movie, picture

BEGIN = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)


@dataclass
class Memory:
    uuid: str
    at: datetime
    is_video: bool = False
    data: bytes = b""
    overlay: bytes | None = None
    place: str = "0.0, 0.0"

    @property
    def main_name(self) -> str:
        end = "mp4" if self.is_video else "jpg"
        return f"memories/{self.at:%Y-%m-%d}_{self.uuid}-main.{end}"

    @property
    def overlay_name(self) -> str:
        return f"memories/{self.at:%Y-%m-%d}_{self.uuid}-overlay.png"


@dataclass
class MemoryWorld:
    memories: list[Memory]
    user: str = "ann"
    base: str = "https://app.example"
    others: dict[str, str] = field(default_factory=dict)

    def files(self, era: str = "links") -> dict[str, bytes | str]:
        """`era` is `old` (links to be asked by POST), `links` (by GET), or `files`."""
        rows = [self._row(memory, era) for memory in self.memories]
        found: dict[str, bytes | str] = {
            "json/memories_history.json": json.dumps({"Saved Media": rows}),
            "json/account.json": json.dumps({"Basic Information": {"Username": self.user}}),
            "json/chat_history.json": '{"bob": "for nobody else"}',
            "json/shared_story.json": "{}", "shared_story/x.jpg": picture("JPEG"),
            "html/memories_history.html": "<html></html>", **self.others,
        }  # fmt: skip
        if era == "files":
            for memory in self.memories:
                found[memory.main_name] = memory.data
                if memory.overlay is not None:
                    found[memory.overlay_name] = memory.overlay
        return found

    def _row(self, memory: Memory, era: str) -> dict[str, str]:
        kinds = ("PHOTO", "VIDEO") if era == "old" else ("Image", "Video")
        row = {
            "Date": f"{memory.at:%Y-%m-%d %H:%M:%S} UTC", "Media Type": kinds[memory.is_video],
            "Location": f"Latitude, Longitude: {memory.place}", "Download Link": "",
        }  # fmt: skip
        if era != "files":
            query = f"uid=u&sid=s&mid={memory.uuid}&ts=1&sig=x"
            row["Download Link"] = f"{self.base}/dmd/memories?{query}"
        if era == "links":
            row["Media Download Url"] = f"{self.base}/m/{memory.uuid}?{query}"
        return row


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def sample() -> MemoryWorld:
    days = [BEGIN + timedelta(days=n) for n in range(3)]
    return MemoryWorld(
        [
            Memory(uuid(1), days[0], data=picture("JPEG"), overlay=picture("PNG")),
            Memory(uuid(2), days[1], is_video=True, data=movie(), place="38.7, -9.1"),
            Memory(uuid(3), days[2], data=unlike(picture("JPEG"), 3)),
        ]
    )
