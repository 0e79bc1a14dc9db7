"""Google Takeout of YouTube: the account's own videos, with the films as they were uploaded.

Folders, files and columns have names in the language of the account, so tables are known by what is
in them. Until 2021 every video had a JSON file beside its film, named like it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from archiver import (
    Account,
    ExportedPost,
    Identity,
    Package,
    Post,
    Recognition,
    Record,
    write_json,
)
from archiver_exports.tables import as_object, column_names, head_of, rows_of
from archiver_exports.values import id_of, object_of, text_of, with_record
from archiver_exports.youtube_columns import Columns, comment_columns, text_groups, video_columns
from archiver_exports.youtube_films import FILMS, assign_films
from archiver_exports.youtube_post import read_record

_HEAD = 4096  # bytes of a file that show what it is
_CHANNEL_ID = re.compile(r"UC[\w-]{22}", re.ASCII)
_OTHERS = {
    "watch-history.*": "watch and search history: private",
    "subscriptions.csv": "subscriptions: not posts",
    "*-videos.csv": "playlists: not posts",
    "posts.csv": "community posts: not understood yet",
}


class YouTubeTakeout:
    """An `archiver.ExportReader`; see there."""

    name = "youtube"
    title = "a Google Takeout of YouTube"
    content_version = 1

    def recognize(self, package: Package) -> Recognition | None:
        """What it is, by tables of videos or comments, or by JSON files of videos."""
        found = _Takeout(package)
        if not (found.videos or found.comments or found.api_videos):
            return None
        channels, films = found.channels(), assign_films(found.films, found.titles)
        lacking = [
            f"the film of {title!r}" for number, title in found.titles.items()
            if films.of_videos and number not in films.of_videos
        ]  # fmt: skip
        main = channels.most_common(1)[0][0] if channels else None
        return Recognition(
            None if main is None else found.identity(main),
            layout=found.layout,
            missing=tuple(lacking),
            not_read=(
                *(f"{name}: {why}" for name, why in films.unassigned.items()),
                *(f"videos of another channel, {other}" for other in channels if other != main),
                *(why for name, why in _OTHERS.items() if package.find(name)),
            ),
        )

    def records(self, package: Package, recognition: Recognition) -> Iterator[ExportedPost]:
        """All videos and comments of the account's channel."""
        found = _Takeout(package)
        identity = recognition.identity
        yield from found.posts(identity.platform_id if identity else None)

    def read(self, record: Mapping[str, Any], account: Account) -> Post:  # noqa: ARG002 — contract
        """The post of a video or comment. Raises RecordError."""
        return read_record(record)


@dataclass
class _Takeout:
    """What a package has of YouTube: its tables with their columns, its films."""

    package: Package
    videos: dict[str, Columns] = field(default_factory=dict)
    comments: dict[str, Columns] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    api_videos: list[str] = field(default_factory=list)
    channel_titles: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.package.find("*.csv"):
            head = head_of(self.package, name)
            if columns := video_columns(head):
                self.videos[name] = columns
            elif columns := comment_columns(head):
                self.comments[name] = columns
            elif head and text_groups(column_names(head[0])):
                self.texts.append(name)
            elif len(head) > 1:
                self._note_channels(head)
        self.api_videos = [name for name in self.package.find("*.json") if self._is_video(name)]

    @property
    def layout(self) -> str:
        """Which of the layouts it has."""
        if self.api_videos and not self.videos:
            return "JSON, until 2021"
        english = any("video id" in self._names(name) for name in (*self.videos, *self.comments))
        return "CSV" if english else "CSV, in another language"

    @property
    def films(self) -> list[str]:
        """The films in the folder of YouTube; Takeout may have those of other services too."""
        homes = {_product_folder(name) for name in (*self.videos, *self.api_videos)}
        return [
            name for name in self.package.names
            if name.lower().endswith(FILMS) and any(name.startswith(home) for home in homes)
        ]  # fmt: skip

    @cached_property
    def titles(self) -> dict[str, str]:
        """The title of each video by its id."""
        found = {}
        for name, columns in self.videos.items():
            for row in self._rows(name):
                number, title = _value(row, columns, "id"), _value(row, columns, "title")
                if number and title:
                    found[number] = title
        for name in self.api_videos:
            stem = name.rpartition("/")[2].rpartition(".")[0]
            for record in self.package.records(name):
                if number := id_of(object_of(record.data).get("id")):
                    found[number] = stem  # the film has the name of its JSON file
        return found

    def channels(self) -> Counter[str]:
        """The channels by how many of the videos and comments are theirs."""
        found: Counter[str] = Counter()
        for name, columns in (*self.videos.items(), *self.comments.items()):
            found.update(filter(None, (_value(r, columns, "channel") for r in self._rows(name))))
        for name in self.api_videos:
            for record in self.package.records(name):
                snippet = object_of(object_of(record.data).get("snippet"))
                found.update(filter(None, [text_of(snippet.get("channelId"))]))
                if title := text_of(snippet.get("channelTitle")):
                    self.channel_titles.setdefault(str(snippet.get("channelId")), title)
        return found

    def identity(self, channel: str) -> Identity:
        """A channel as an account."""
        url = f"https://www.youtube.com/channel/{channel}"
        return Identity("youtube", channel, title=self.channel_titles.get(channel), url=url)

    def posts(self, channel: str | None) -> Iterator[ExportedPost]:
        """The videos and comments of a channel, each once."""
        films = assign_films(self.films, self.titles).of_videos
        descriptions = self._long_descriptions()
        title, seen = self.channel_titles.get(channel or ""), set[str]()
        tables = [("video", *each) for each in self.videos.items()]
        tables += [("comment", *each) for each in self.comments.items()]
        for what, name, columns in tables:
            header = next(rows_of(self.package, name))
            for row in self._rows(name):
                number = _value(row, columns, "id")
                if number in seen or _value(row, columns, "channel") not in {channel, None}:
                    continue
                seen |= {number} if number else set()
                row_text, known = as_object(header, row), list(as_object(header, header))
                yield _exported(
                    Record(write_json(row_text), row_text), what=what,
                    columns={role: known[at] for role, at in columns.items() if at < len(known)},
                    description=descriptions.get(number or ""), channel_title=title,
                    film=films.get(number or "") if what == "video" else None,
                )  # fmt: skip
        for name in self.api_videos:
            for record in self.package.records(name):
                number = id_of(object_of(record.data).get("id"))
                if number not in seen:
                    seen |= {number} if number else set()
                    yield _exported(record, what="api video", film=films.get(number or ""))

    def _rows(self, name: str) -> Iterator[list[str]]:
        rows = rows_of(self.package, name)
        next(rows, None)  # the names of the columns
        return rows

    def _names(self, name: str) -> list[str]:
        return column_names(next(rows_of(self.package, name), []))

    def _is_video(self, name: str) -> bool:
        with self.package.open(name) as file:
            head = file.read(_HEAD)
        return b'"snippet"' in head and (b"youtube#video" in head or b'"publishedAt"' in head)

    def _note_channels(self, head: list[list[str]]) -> None:
        """Note the titles of channels: the first column after the id that is no id itself."""
        for row in head[1:]:
            at = next((i for i, value in enumerate(row) if _CHANNEL_ID.fullmatch(value)), None)
            if at == 0 and len(row) > 1 and row[1].strip():
                self.channel_titles.setdefault(row[0], row[1].strip())

    def _long_descriptions(self) -> dict[str, str]:
        """Descriptions that are too long for the table of videos, by the ids of these."""
        found: dict[str, str] = {}
        for name in self.texts:
            rows = rows_of(self.package, name)
            groups = text_groups(column_names(next(rows, [])))
            for row in rows:
                number = next((value for value in row if value in self.titles), None)
                title = self.titles.get(number or "")
                texts = {stem: "".join(row[at] for at in columns if at < len(row))
                         for stem, columns in groups.items()}  # fmt: skip
                bodies = [text for text in texts.values() if text and text != title]
                if number is not None and len(bodies) == 1:
                    found[number] = bodies[0]
        return found


def _exported(record: Record, **more: Any) -> ExportedPost:
    more = {name: value for name, value in more.items() if value}
    return ExportedPost(Record(with_record(record.raw, **more), {"record": record.data} | more))


def _value(row: list[str], columns: Columns, what: str) -> str | None:
    at = columns.get(what)
    return text_of(row[at].strip()) if at is not None and at < len(row) else None


def _product_folder(name: str) -> str:
    """The folder of the service that a table of videos is in: two above the file."""
    folders = name.split("/")[:-2]
    return "/".join(folders) + "/" if folders else ""
