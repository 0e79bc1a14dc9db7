"""Exports of TikTok as JSON: the account's own posts, with links to their files.

They have neither the ids of posts nor captions: a post is known by its time alone. The links are
signed and hold for about ten days. The variant as text files is refused: which keys it has is not
known.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from archiver import (
    Account,
    Attachment,
    AttachmentKind,
    ExportedPost,
    Extra,
    Identity,
    Metric,
    Package,
    PackageError,
    Post,
    Recognition,
    Record,
    RecordError,
    Rendition,
    timestamp,
)
from archiver_exports.values import number_of, object_of, text_of, unknown_keys, url_of, with_record

_HEAD = 200  # bytes of a file that show its first key
_FIRST_KEY = re.compile(
    rb'\s*\{\s*"(?:Activity|Your Activity|Ads and data|App Settings|Comment|Direct Messages?|'
    rb"Income Plus Wallet Transactions|Likes and Favorites|Location Reviews?|Poll|Post|"
    rb'Profile|Profile And Settings|Tik[Tt]ok [\w ]+|Video)"'
)
_POSTS = ("Post/Posts/VideoList", "Video/Videos/VideoList")
_DELETED = ("Post/Recently Deleted Posts/PostList", "Video/RecentlyDeletedPosts/PostList")
_PROFILES = (
    "Profile/Profile Info/ProfileMap", "Profile/Profile Information/ProfileMap",
    "Profile And Settings/Profile Info/ProfileMap",
)  # fmt: skip
_TEXTS = ("Posts.txt", "Videos.txt")
_ABSENT = frozenset({"", "n/a", "none"})
_VISIBILITIES = {"everyone": "public", "friends": "friends", "only me": "private"}
_KNOWN = frozenset(
    {
        "date", "link", "videolink", "likes", "whocanview", "allowcomments", "allowstitches",
        "allowduets", "allowsharingtostory", "allowstickers", "sound", "location", "title",
        "aigeneratedcontent", "contentdisclosure", "addyourstext", "alternatetext", "coverimage",
        "datedeleted",
    }
)  # fmt: skip


class TikTokExport:
    """An `archiver.ExportReader`; see there."""

    name = "tiktok"
    title = "an export of TikTok as JSON"
    content_version = 1

    def recognize(self, package: Package) -> Recognition | None:
        """What it is, by the keys of its one JSON file."""
        files = _files(package)
        if not files:
            _refuse_texts(package)
            return None
        profile = next(_records(package, _PROFILES), None)
        handle = text_of(object_of(profile.data).get("userName")) if profile else None
        is_new = any(_has(package, path) for path in (_POSTS[0], _DELETED[0]))
        return Recognition(
            None if handle is None else Identity(
                "tiktok", f"@{handle}".lower(), handle=handle,
                url=f"https://www.tiktok.com/@{handle}",
            ),
            layout="JSON, since 2025" if is_new else "JSON, until 2025",
            not_read=(
                "messages, searches and what was watched: private",
                "reposts, likes and favourites: posts of others",
            ),
        )  # fmt: skip

    def records(self, package: Package, recognition: Recognition) -> Iterator[ExportedPost]:  # noqa: ARG002 — contract
        """The posts, and those that were deleted lately."""
        seen: set[str] = set()
        in_second = Counter(
            _fields(record.data).get("date") for record in _records(package, _POSTS + _DELETED)
        )
        for paths, is_deleted in ((_POSTS, False), (_DELETED, True)):
            for record in _records(package, paths):
                fields = _fields(record.data)
                date, link = fields.get("date"), _link(fields)
                path = urlsplit(link).path if link and in_second[date] > 1 else ""
                number = f"{date}#{sha256(path.encode()).hexdigest()[:12]}" if path else date
                if number in seen:
                    continue
                seen |= {number} if number else set()
                deleted = timestamp(fields.get("datedeleted")) or package.modified_at
                more = {"number": number, "removed_by": deleted if is_deleted else None}
                data = {"record": record.data} | {k: v for k, v in more.items() if v}
                yield ExportedPost(Record(with_record(record.raw, **more), data))

    def read(self, record: Mapping[str, Any], account: Account) -> Post:  # noqa: ARG002 — contract
        """The post of a record. Raises RecordError."""
        return _read(record)


def _files(package: Package) -> list[str]:
    """The JSON files that begin as those of TikTok do, and have a profile or posts."""
    found = []
    for name in package.find("*.json"):
        with package.open(name) as file:
            begins = _FIRST_KEY.match(file.read(_HEAD))
        if begins and any(_in_file(package, name, path) for path in _PROFILES + _POSTS + _DELETED):
            found.append(name)
    return found


def _in_file(package: Package, name: str, path: str) -> bool:
    return next(package.records(name, path), None) is not None


def _has(package: Package, path: str) -> bool:
    return next(_records(package, (path,)), None) is not None


def _records(package: Package, paths: tuple[str, ...]) -> Iterator[Record]:
    for name in package.find("*.json"):
        with package.open(name) as file:
            begins = _FIRST_KEY.match(file.read(_HEAD))
        for path in paths if begins else ():
            yield from package.records(name, path)


def _refuse_texts(package: Package) -> None:
    """Raise PackageError for the variant as text files."""
    for pattern in _TEXTS:
        for name in package.find(pattern):
            with package.open(name) as file:
                head = file.read(_HEAD)
            if head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"Date:") and b"Link:" in head:
                raise PackageError(
                    f"{name} is of an export of TikTok as text files, which is not read",
                    why="TikTok makes exports as TXT or as JSON, and only JSON says what is what",
                    kept="Nothing was imported",
                    hint="Ask for it again: Settings, Account, Download your data, and choose JSON "
                    "as the file format",
                    code="text_variant",
                )


def _fields(data: object) -> dict[str, Any]:
    """The fields of a record by their names in lower case, without those that say nothing."""
    return {
        name.casefold(): value
        for name, value in object_of(data).items()
        if not (isinstance(value, str) and value.strip().casefold() in _ABSENT)
        and value is not None
    }


def _link(fields: Mapping[str, Any]) -> str | None:
    return url_of(fields.get("link")) or url_of(fields.get("videolink"))


def _read(record: Mapping[str, Any]) -> Post:
    fields = _fields(record.get("record"))
    at = timestamp(fields.get("date"))
    if at is None:
        raise RecordError("The post has no date, by which alone TikTok's exports tell posts apart")
    number = text_of(record.get("number")) or str(fields["date"])
    link, title = _link(fields), text_of(fields.get("title"))
    kind = _kind(link)
    word = text_of(fields.get("whocanview"))
    likes = number_of(fields.get("likes"))
    visibility = _VISIBILITIES.get((word or "").strip().casefold())
    file = (
        Rendition("original", url=link, media_key=number)
        if link
        else Rendition("original", absent="not_offered")
    )
    return Post(
        platform_id=f"export:time:{number}",
        created_at=at,
        kind="video" if kind == "video" else "post",
        title=title,
        visibility=visibility or "unknown",
        metrics=() if likes is None else (Metric("likes", likes),),
        attachments=(
            Attachment(kind, alt_text=text_of(fields.get("alternatetext")), renditions=(file,)),
        ),
        content={"title": title} if title else {},
        unmapped=tuple(unknown_keys(fields, _KNOWN)),
        extra=(Extra("who_can_view", word, is_content=False),) if word and not visibility else (),
        removed_at=timestamp(record.get("removed_by")),
    )


def _kind(link: str | None) -> AttachmentKind:
    """What a link leads to, as its query says: a video, if nothing."""
    types = parse_qs(urlsplit(link or "").query).get("mime_type", [""])
    return "image" if types[0].startswith(("image", "photo")) else "video"
