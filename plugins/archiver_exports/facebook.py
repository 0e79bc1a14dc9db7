"""Exports of Facebook as JSON, of people and of pages, in each layout since 2018.

Posts stand in numbered files (`your_posts_1.json`, `profile_posts_1.json` of a page), and in files
of their own for groups, stories and what was archived. Albums, videos and uncategorized photos have
files that the posts name too: those that no post names are posts of one file. A post has no id, and
who could see it is not told. Files are named by the number of their photo or film.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from archiver import (
    Account,
    ExportedPost,
    Identity,
    Package,
    Post,
    Recognition,
    Record,
)
from archiver_exports.facebook_post import (
    fbid_of,
    file_key,
    id_of_record,
    media_of,
    read_facebook_post,
)
from archiver_exports.meta import MediaFiles, export_record, refuse_html, repaired
from archiver_exports.values import number_of, object_of, objects_of, text_of

_POSTS = re.compile(
    r"(?:^|/)((?:your_posts(?:__check_ins__photos_and_videos)?|profile_posts))(?:_(\d{1,6}))?\.json$"
)
_LISTS = {
    "group_posts_and_comments.json": ("group_posts_v2", "group_posts"),
    "archived_stories.json": ("archived_stories_v2", "archived_stories"),
    "archive.json": ("archive_v2", "archive"),
    "posts_on_other_pages_and_profiles.json": (
        "posts_on_other_pages_and_profiles_v2", "posts_on_other_pages_and_profiles",
    ),
}  # fmt: skip
"""The other files of posts, with the keys that their lists may stand under."""
_PLACES = {
    "group_posts_and_comments.json": "group",
    "archived_stories.json": "story",
    "archive.json": "archived",
    "posts_on_other_pages_and_profiles.json": "elsewhere",
}
_ALBUMS = "album/*.json"
_FILES = {
    "*uncategorized_photos.json": ("other_photos_v2", "other_photos"),
    "your_videos.json": ("videos_v2", "videos"),
    "videos.json": ("videos_v2", "videos"),
}
"""The lists of photos and films, whether or not they are in a post."""
_PROFILES = ("profile_v2", "profile", "page_v2", "page")
_OF_POSTS = frozenset({"data", "attachments", "title", "tags", "label_values", "media"})
_HTML = (
    "your_posts*.html", "profile_posts*.html", "*uncategorized_photos.html",
    "profile_information.html",
)  # fmt: skip
_NOT_READ = {
    "message_1.json": "messages: private",
    "comments*.json": "comments: on posts of others too",
    "likes_and_reactions*.json": "likes and reactions: posts of others",
    "your_friends.json": "friends: private",
    "edits_you_made_to_posts.json": "edits_you_made_to_posts.json: its form is not known",
}


class FacebookExport:
    """An `archiver.ExportReader`; see there."""

    name = "facebook"
    title = "an export of Facebook as JSON"
    content_version = 1

    def recognize(self, package: Package) -> Recognition | None:
        """What it is, by the lists in its files."""
        posts = _posts_files(package)
        names = [*posts, *(name for name, *_ in _lists(package)), *_album_files(package)]
        names += [name for name, _ in _file_lists(package)]
        if not names:
            refuse_html(package, _HTML, "Facebook")
            return None
        return Recognition(
            _identity(package),
            layout=_layout(names),
            missing=tuple(_missing(posts)),
            not_read=tuple(why for name, why in _NOT_READ.items() if package.find(name)),
        )

    def records(self, package: Package, recognition: Recognition) -> Iterator[ExportedPost]:  # noqa: ARG002 — contract
        """The posts, and each photo and film that is in none of them."""
        files, albums, posts = MediaFiles(package), _albums(package), _PostsOfFiles()
        for record, _ in _posts(package):
            posts.add(record)
        seen: set[str] = set()
        for record, place in _posts(package):
            keys = [file_key(medium) for medium in media_of(repaired(record.data))]
            names = sorted({albums[key] for key in keys if key in albums})
            again = posts.is_of_an_earlier_post(record)
            whole = export_record(record, files, place=place, albums=names, again=again)
            key = id_of_record(whole.data) or record.raw
            if key not in seen:
                seen.add(key)
                yield ExportedPost(whole)
        for record in _single_files(package):
            key = file_key(repaired(object_of(record.data)))
            if key and key not in posts.files:
                posts.files.add(key)
                names = [albums[key]] if key in albums else []
                yield ExportedPost(export_record(record, files, place="file", albums=names))

    def read(self, record: Mapping[str, Any], account: Account) -> Post:  # noqa: ARG002 — contract
        """The post of a record. Raises RecordError."""
        return read_facebook_post(record)


class _PostsOfFiles:
    """Which files are in posts, and when each was first published as the first file of one.

    A photo may be published again in a later post, which must not have the id of the earlier one.
    """

    def __init__(self) -> None:
        self.files: set[str] = set()
        self._first: dict[str, int] = {}

    def add(self, record: Record) -> None:
        """Add the files of a post."""
        self.files.update(file_key(medium) for medium in media_of(repaired(record.data)))
        number, seconds = _first_file(record)
        if number and seconds is not None:
            self._first[number] = min(seconds, self._first.get(number, seconds))

    def is_of_an_earlier_post(self, record: Record) -> bool:
        """Whether the first file of a post was published in an earlier post already."""
        number, seconds = _first_file(record)
        return number is not None and seconds is not None and self._first[number] < seconds


def _first_file(record: Record) -> tuple[str | None, int | None]:
    """The number of the first file of a post that has one, and the time of the post."""
    media = media_of(object_of(record.data))
    number = next((found for medium in media if (found := fbid_of(medium))), None)
    return number, number_of(object_of(record.data).get("timestamp"))


def _is_list(package: Package, name: str) -> bool:
    with package.open(name) as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def _items(package: Package, name: str, keys: Sequence[str]) -> Iterator[Record]:
    """The items of a list that is the value of a file, or stands under one of these keys in it."""
    if _is_list(package, name):
        yield from package.records(name)
        return
    for key in keys:
        yield from package.records(name, key)


def _is_post(record: Record | None) -> bool:
    found = object_of(record.data) if record else {}
    return "timestamp" in found and not _OF_POSTS.isdisjoint(found)


def _posts_files(package: Package) -> list[str]:
    """The files of ordinary posts, in order; one record may stand there without a list."""
    names = [*package.find("your_posts*.json"), *package.find("profile_posts*.json")]
    return [
        name for name in names
        if _POSTS.search(name) and _is_post(next(package.records(name), None))
    ]  # fmt: skip


def _lists(package: Package) -> Iterator[tuple[str, Sequence[str], str]]:
    """The other files of posts that are there, with the keys of their list, and their place."""
    for pattern, keys in _LISTS.items():
        for name in package.find(pattern):
            if _is_post(next(_items(package, name, keys), None)):
                yield name, keys, _PLACES[pattern]


def _posts(package: Package) -> Iterator[tuple[Record, str]]:
    for name in _posts_files(package):
        for record in package.records(name):
            yield record, "page" if "profile_posts" in name else "posts"
    for name, keys, place in _lists(package):
        for record in _items(package, name, keys):
            yield record, place


def _album_files(package: Package) -> list[str]:
    return [
        name for name in package.find(_ALBUMS)
        if not _is_list(package, name) and next(package.records(name, "photos"), None) is not None
    ]  # fmt: skip


def _albums(package: Package) -> dict[str, str]:
    """The name of the album of each file that is in one."""
    found: dict[str, str] = {}
    for name in _album_files(package):
        album = repaired(object_of(package.json(name)))
        if title := text_of(album.get("name")):
            keys = (file_key(photo) for photo in objects_of(album.get("photos")))
            found |= dict.fromkeys((key for key in keys if key), title)
    return found


def _file_lists(package: Package) -> Iterator[tuple[str, Sequence[str]]]:
    """The lists of photos and films that are there, with the keys that they stand under."""
    for pattern, keys in _FILES.items():
        for name in package.find(pattern):
            first = next(_items(package, name, keys), None)
            if first is not None and text_of(object_of(first.data).get("uri")):
                yield name, keys


def _single_files(package: Package) -> Iterator[Record]:
    for name in _album_files(package):
        yield from package.records(name, "photos")
    for name, keys in _file_lists(package):
        yield from _items(package, name, keys)


def _layout(names: Sequence[str]) -> str:
    if any("this_profile" in name or "profile_posts" in name for name in names):
        return "of a page"
    if any("your_activity_across_facebook/" in name for name in names):
        return "2023"
    return "since 2024" if any("your_facebook_activity/" in n for n in names) else "2018 to 2022"


def _missing(posts: Sequence[str]) -> Iterator[str]:
    """The files that are missing in a numbered series."""
    series: dict[str, set[int]] = defaultdict(set)
    for name in posts:
        match = _POSTS.search(name)
        if match and match[2]:
            series[match[1]].add(int(match[2]))
    for stem, numbers in series.items():
        for number in range(1, max(numbers)):
            if number not in numbers:
                yield f"{stem}_{number}.json"


def _identity(package: Package) -> Identity | None:
    """Whose it is: by the name in the address of the profile, or by the number there."""
    for name in package.find("profile_information.json"):
        for record in _items(package, name, _PROFILES):
            profile = repaired(object_of(record.data))
            handle, number = _who(profile)
            if handle or number:
                return Identity(
                    "facebook", number or f"@{handle}".lower(), handle=handle,
                    title=_title(profile), url=text_of(profile.get("profile_uri")),
                )  # fmt: skip
    return None


def _who(profile: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The user name of a profile, and its number, as far as they are told."""
    address = urlsplit(text_of(profile.get("profile_uri")) or "")
    handle, number = text_of(profile.get("username")), None
    last = address.path.rstrip("/").rpartition("/")[2]
    if last == "profile.php":
        number = next(iter(parse_qs(address.query).get("id", [])), None)
    elif last.isdecimal():
        number = last
    elif last and not handle:
        handle = last
    return handle, number if number and number.isdecimal() else None


def _title(profile: Mapping[str, Any]) -> str | None:
    name = profile.get("name")
    return text_of(name) or text_of(object_of(name).get("full_name"))
