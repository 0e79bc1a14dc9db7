"""Google Takeouts of YouTube of a known channel, in each layout and in two languages.

world = sample()
write_zip(path, world.files("csv", language="de"))
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from support.media.samples import movie

ERAS = ("json", "2022", "csv")
BEGIN = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
CHANNEL = "UC" + "a" * 22
_ENGLISH = (
    "Video ID", "Approx Duration (ms)", "Video Audio Language", "Video Category",
    "Video Description (Original)", "Channel ID", "Tag 1", "Tag 2", "Video Title (Original)",
    "Privacy", "Video State", "Video Create Timestamp", "Video Publish Timestamp",
)  # fmt: skip
_COMMENT = (
    "Comment ID", "Channel ID", "Comment Create Timestamp", "Price", "Parent Comment ID",
    "Video ID", "Comment Text",
)  # fmt: skip
_FOLDERS = {
    "en": ("YouTube and YouTube Music", "video metadata/videos.csv", "videos",
           "comments/comments.csv", "channels/channel.csv", "video metadata/video texts.csv"),
    "de": ("YouTube und YouTube Music", "Video-Metadaten/Videos.csv", "Videos",
           "Kommentare/Kommentare.csv", "Kanäle/Kanal.csv", "Video-Metadaten/Videotexte.csv"),
}  # fmt: skip


@dataclass
class TakeoutVideo:
    number: str
    title: str
    text: str = ""
    at: datetime = BEGIN
    privacy: str = "Public"
    seconds: int = 61
    tags: Sequence[str] = ()
    is_draft: bool = False
    film: bytes | None = None

    @property
    def data(self) -> bytes:
        return self.film if self.film is not None else movie(units=self.seconds * 1000)

    def row(self, *, short: bool = False) -> list[str]:
        tags = [*self.tags, "", ""][:2]
        text = "" if short else self.text
        created = (self.at - timedelta(minutes=10)).isoformat()
        published = "" if self.is_draft else self.at.isoformat()
        return [
            self.number, str(self.seconds * 1000), "en", "People", text, CHANNEL, *tags,
            self.title, self.privacy, "Processed", created, published,
        ]  # fmt: skip

    def api_record(self) -> dict[str, object]:
        minutes, seconds = divmod(self.seconds, 60)
        snippet = {
            "title": self.title, "description": self.text, "channelId": CHANNEL,
            "channelTitle": "Ann's films", "publishedAt": f"{self.at:%Y-%m-%dT%H:%M:%SZ}",
            **({"tags": list(self.tags)} if self.tags else {}),
        }  # fmt: skip
        return {
            "contentDetails": {"duration": f"PT{minutes}M{seconds}S"}, "id": self.number,
            "kind": "youtube#video", "snippet": snippet,
            "status": {"privacyStatus": self.privacy.lower()},
        }  # fmt: skip


@dataclass
class TakeoutComment:
    number: str
    video: str
    pieces: Sequence[str]
    at: datetime = BEGIN
    answers: str = ""

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def row(self, era: str) -> list[str]:
        segments = [{"text": piece} for piece in self.pieces]
        text = (
            json.dumps({"takeoutSegments": segments}) if era == "2022"
            else ",".join(map(json.dumps, segments)).replace("\\n", "\n")
        )  # fmt: skip
        return [self.number, CHANNEL, self.at.isoformat(), "0", self.answers, self.video, text]


@dataclass
class TakeoutWorld:
    """A channel: its videos and comments, and the Takeouts that Google would make of them."""

    videos: list[TakeoutVideo]
    comments: list[TakeoutComment] = field(default_factory=list)
    channel_title: str = "Ann's films"

    def files(
        self, era: str = "csv", language: str = "en", *, cut: int = 0, with_texts: bool = False
    ) -> dict[str, bytes | str]:
        home, table, folder, comments, channel, texts = (
            _FOLDERS[language][0],
            *(f"Takeout/{_FOLDERS[language][0]}/{name}" for name in _FOLDERS[language][1:]),
        )
        found: dict[str, bytes | str] = {}
        for video, name in zip(self.videos, self.film_names(cut), strict=True):
            found[f"{folder}/{name}.mp4"] = video.data
            if era == "json":
                found[f"{folder}/{name}.json"] = json.dumps([video.api_record()])
        if era == "json":
            return found
        if era == "2022":
            table = f"Takeout/{home}/videos/Video Metadata.csv"
        found[table] = as_csv(
            _header(_ENGLISH, language), [v.row(short=with_texts) for v in self.videos]
        )
        if with_texts:
            found[texts] = self._texts(language)
        found[comments] = as_csv(_header(_COMMENT, language), [c.row(era) for c in self.comments])
        found[channel] = as_csv(
            _header(("Channel ID", "Channel Title (Original)", "Channel Visibility"), language),
            [[CHANNEL, self.channel_title, "Public"]],
        )
        found["Takeout/archive_browser.html"] = "<html></html>"
        found[f"Takeout/{home}/history/watch-history.html"] = "<html>secret</html>"
        found["Takeout/Google Photos/Talk_ part 1.mp4"] = b"of another service"
        return found

    def film_names(self, cut: int = 0) -> list[str]:
        """What Takeout calls the films: by their titles, numbered where these are equal."""
        names: list[str] = []
        for video in self.videos:
            name = re.sub(r'[<>:"/\\|?*&\']', "_", video.title)
            name = name[:cut] if cut else name
            number = sum(1 for other in names if re.sub(r"\(\d+\)$", "", other) == name)
            names.append(f"{name}({number})" if number else name)
        return names

    def _texts(self, language: str) -> str:
        names = ("Video ID", "Video Title (Original) Text Segment 1",
                 "Video Description (Original) Text Segment 1",
                 "Video Description (Original) Text Segment 2")  # fmt: skip
        rows = [[v.number, v.title, v.text[:7], v.text[7:]] for v in self.videos]
        return as_csv(_header(names, language), rows)


def _header(names: Sequence[str], language: str) -> list[str]:
    """The names of columns; in another language no English word is left."""
    if language == "en":
        return [*names]
    return [
        " ".join(word if word.isdigit() else f"Wort{len(word)}{number}" for word in name.split())
        for number, name in enumerate(names)
    ] if "Segment" not in " ".join(names) else [  # the pieces of one text have one name
        "Nummer", "Titel Teil 1", "Text Teil 1", "Text Teil 2",
    ]  # fmt: skip


def as_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return file.getvalue()


def sample() -> TakeoutWorld:
    """A channel with videos of every kind: public, unlisted, private, a draft, a long title."""
    hours = [BEGIN + timedelta(hours=n) for n in range(6)]
    return TakeoutWorld(
        [
            TakeoutVideo("aaaaaaaaaa1", "Talk: part 1", "All about\n\"it\", and more", hours[0],
                         tags=["one", "two"]),
            TakeoutVideo("aaaaaaaaaa2", "Talk: part 2?", "", hours[1], seconds=7),
            TakeoutVideo("aaaaaaaaaa3", "Grüße & 日本", "Für alle", hours[2], "Unlisted", 12),
            TakeoutVideo("aaaaaaaaaa4", "For the family", "Home", hours[3], "Private", 13,
                         tags=["home"]),
            TakeoutVideo("-aaaaaaaaa5", "A very long title of a film that goes on and on, and on",
                         "Long", hours[4], seconds=14),
        ],
        [
            TakeoutComment("UgxAAAAAAAAAAAAAAAAAAA4AaABAg", "bbbbbbbbbb1", ["Hi ", "you"]),
            TakeoutComment("UgxBBBBBBBBBBBBBBBBBBB4AaABAg.9abcdefghijklmnopqrst", "bbbbbbbbbb1",
                           ["Line one\nline two"], hours[1], "UgxCCCCCCCCCCCCCCCCCCC4AaABAg"),
        ],
    )  # fmt: skip
