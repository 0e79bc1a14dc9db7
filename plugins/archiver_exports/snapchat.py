"""Exports of Snapchat: memories, which were never published, and nothing else.

They are imported only where that is asked for. What was published, stories and spotlights, cannot
be told from other files in an export. A memory may be behind a link of some days, or lie in the
package with its overlay; then its row does not name it, and it is found by its time and type.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from archiver import (
    Account,
    Attachment,
    AttachmentKind,
    ExportedPost,
    Extra,
    Identity,
    Package,
    PackageError,
    Post,
    Recognition,
    Record,
    RecordError,
    Rendition,
    timestamp,
    write_json,
)
from archiver_exports.values import object_of, text_of, unknown_keys, url_of, with_record

_KEY = "Saved Media"
_HEAD = 200  # bytes of a file that show its first key
_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_MAIN = re.compile(rf"(?:^|/)(\d{{4}}-\d\d-\d\d)_({_UUID})-main\.(\w{{3,4}})$")
_OVERLAY = re.compile(rf"({_UUID})-overlay\.\w{{3,4}}$")
_VIDEOS = frozenset({"mp4", "mov"})
_TYPES: dict[str, AttachmentKind] = {
    "image": "image", "photo": "image", "video": "video",
}  # fmt: skip
_SAME_TIME = timedelta(seconds=2)  # what a zip can tell
_NOWHERE = re.compile(r"[-0.,\s]*")
_KNOWN = frozenset({"Date", "Media Type", "Location", "Download Link", "Media Download Url"})
_NOT_READ = {
    "chat_history.*": "chats and snaps: private",
    "friends.*": "contacts: private",
    "shared_story.*": "stories: cannot be told from other files",
    "story_history.*": "stories: cannot be told from other files",
}


class SnapchatExport:
    """An `archiver.ExportReader`; see there."""

    name = "snapchat"
    title = "an export of Snapchat with memories as JSON"
    content_version = 1

    def recognize(self, package: Package) -> Recognition | None:
        """What it is, by its list of memories or by their files."""
        tables = _tables(package)
        mains = [name for name in package.names if _MAIN.search(name)]
        if not tables and not mains:
            _refuse_html(package)
            return None
        reasons = dict.fromkeys(why for name, why in _NOT_READ.items() if package.find(name))
        missing = () if tables or not mains else ("json/memories_history.json",)
        layout = "memories in the package" if mains else "memories behind links"
        return Recognition(_identity(package), layout, missing=missing, not_read=tuple(reasons))

    def records(self, package: Package, recognition: Recognition) -> Iterator[ExportedPost]:  # noqa: ARG002 — contract
        """All memories, each once."""
        files = _MemoryFiles(package)
        rows = [record for name in _tables(package) for record in package.records(name, _KEY)]
        found = files.of_rows([object_of(record.data) for record in rows])
        repeated: Counter[str] = Counter()
        for record, uuid in zip(rows, found, strict=True):
            row = object_of(record.data)
            number = _mid(row) or uuid
            if number is None:
                moment = f"{row.get('Date')} {row.get('Media Type')}"
                repeated[moment] += 1
                number = f"{moment} {repeated[moment]}"
            yield _exported(record.raw, record.data, number, files.named(uuid))
        for uuid, day in files.rest():
            row = {"Date": day}
            yield _exported(write_json(row), row, uuid, files.named(uuid))

    def read(self, record: Mapping[str, Any], account: Account) -> Post:  # noqa: ARG002 — contract
        """The post of a memory. Raises RecordError."""
        return _read(record)


def _exported(raw: str, row: Any, number: str, files: Mapping[str, str]) -> ExportedPost:
    more = {"number": number, "files": dict(files)}
    record = Record(with_record(raw, **more), {"record": row} | more)
    return ExportedPost(record, is_private=True)


class _MemoryFiles:
    """The files of memories in a package, by the UUID in their names."""

    def __init__(self, package: Package) -> None:
        self._main: dict[str, str] = {}
        self._overlay: dict[str, str] = {}
        self._taken: set[str] = set()
        self._by_day: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._times: dict[str, str | None] = {}
        for name in package.names:
            if match := _MAIN.search(name):
                uuid = match[2].lower()
                self._main[uuid], self._times[uuid] = name, package.time_of(name)
                kind = "video" if match[3].lower() in _VIDEOS else "image"
                self._by_day[match[1], kind].append(uuid)
            elif match := _OVERLAY.search(name):
                self._overlay[match[1].lower()] = name

    def of_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[str | None]:
        """The UUID of each row's file: by the id in its link, else by time and type, if unique."""
        found: list[str | None] = []
        groups = Counter(map(_group, rows))
        for row in rows:
            mid, group = _mid(row), _group(row)
            of_day = self._by_day.get(group, [])
            near = [uuid for uuid in of_day if self._is_near(uuid, row)]
            same = [uuid for uuid in [mid] if uuid in self._main]
            alone = of_day if len(of_day) == 1 and groups[group] == 1 else []
            choice = next((each for each in (same, near, alone) if len(each) == 1), [None])[0]
            found.append(choice)
        times = Counter(uuid for uuid in found if uuid)
        found = [uuid if uuid and times[uuid] == 1 else None for uuid in found]
        self._taken = {uuid for uuid in found if uuid}
        return found

    def named(self, uuid: str | None) -> dict[str, str]:
        """The names of the files of a memory."""
        names = {"main": self._main.get(uuid or ""), "overlay": self._overlay.get(uuid or "")}
        return {what: name for what, name in names.items() if name}

    def rest(self) -> Iterator[tuple[str, str]]:
        """The files that no row is known to have, each with its day."""
        for (day, _), uuids in self._by_day.items():
            for uuid in uuids:
                if uuid not in self._taken:
                    yield uuid, day

    def _is_near(self, uuid: str, row: Mapping[str, Any]) -> bool:
        own, told = self._times[uuid], timestamp(row.get("Date"))
        if own is None or told is None:
            return False
        return abs(datetime.fromisoformat(own) - datetime.fromisoformat(told)) <= _SAME_TIME


def _group(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row.get("Date"))[:10], _kind(row)


def _kind(row: Mapping[str, Any]) -> AttachmentKind:
    return _TYPES.get(str(row.get("Media Type")).strip().lower(), "image")


def _mid(row: Mapping[str, Any]) -> str | None:
    """The id of a memory in its link."""
    for key in ("Download Link", "Media Download Url"):
        for value in parse_qs(urlsplit(str(row.get(key))).query).get("mid", []):
            if re.fullmatch(_UUID, value):
                return value.lower()
    return None


def _tables(package: Package) -> list[str]:
    found = []
    for name in package.find("*.json"):
        with package.open(name) as file:
            if re.match(rb'\s*\{\s*"Saved Media"\s*:', file.read(_HEAD)):
                found.append(name)
    return found


def _identity(package: Package) -> Identity | None:
    for name in package.find("account.json"):
        basic = object_of(object_of(package.json(name)).get("Basic Information"))
        if handle := text_of(basic.get("Username")):
            return Identity(
                "snapchat", f"@{handle}".lower(), handle=handle,
                url=f"https://www.snapchat.com/add/{handle}",
            )  # fmt: skip
    return None


def _refuse_html(package: Package) -> None:
    """Raise PackageError for an export without JSON."""
    if package.find("html/memories_history.html"):
        raise PackageError(
            "The export of Snapchat has its memories as HTML only",
            why="Only the JSON files say what is what",
            kept="Nothing was imported",
            hint="Ask for it again, with JSON and memories ticked: Settings, My Data",
            code="html_variant",
        )


def _read(record: Mapping[str, Any]) -> Post:
    row, files = object_of(record.get("record")), object_of(record.get("files"))
    number = text_of(record.get("number"))
    if number is None or timestamp(row.get("Date")) is None:
        raise RecordError("The memory has no date")
    main = text_of(files.get("main"))
    kind: AttachmentKind = _kind(row)
    if main and main.rpartition(".")[2].lower() in _VIDEOS:
        kind = "video"
    return Post(
        platform_id=f"export:memory:{number}",
        created_at=timestamp(row.get("Date")),
        kind="memory",
        visibility="private",
        attachments=tuple(_attachments(row, files, kind, number)),
        unmapped=tuple(unknown_keys(row, _KNOWN)),
        extra=tuple(_extra(row)),
    )


def _attachments(
    row: Mapping[str, Any], files: Mapping[str, Any], kind: AttachmentKind, number: str
) -> Iterator[Attachment]:
    """The memory itself, and the drawing over it, which is a picture of its own."""
    main, link = text_of(files.get("main")), url_of(row.get("Media Download Url"))
    if main:
        file = Rendition("original", member=main, media_key=number)
    elif link:
        file = Rendition("original", url=link, media_key=number)
    else:
        file = Rendition("original", absent="not_offered")
    yield Attachment(kind, platform_id=number, renditions=(file,))
    if overlay := text_of(files.get("overlay")):
        key = f"{number}-overlay"
        over = Rendition("original", member=overlay, media_key=key)
        yield Attachment("image", platform_id=key, renditions=(over,))


def _extra(row: Mapping[str, Any]) -> Iterator[Extra]:
    """Where it was taken; zeros say nothing."""
    place = text_of(row.get("Location"))
    numbers = (place or "").rpartition(":")[2]
    if place and not _NOWHERE.fullmatch(numbers):
        yield Extra("location", place, is_content=False)
