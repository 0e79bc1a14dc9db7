"""Archives of X (Twitter): which files there are in each of its layouts, and their posts.

Until 2018 there was one file a month (`data/js/tweets/2012_01.js`); then `tweet.js`, at the root
and with bare objects at first; since 2022 `tweets.js`. A type may be split into parts. Long posts
are in `tweets.js` with their beginning only, and whole in `note-tweet.js`, without an id.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archiver import (
    Account,
    ExportedPost,
    Identity,
    Package,
    Post,
    Recognition,
    Record,
    Version,
    timestamp,
)
from archiver_exports.number_set import NumberSet
from archiver_exports.twitter_post import (
    cut_beginning,
    edit_ids,
    read_tweet,
    tweet_of,
    without_links,
)
from archiver_exports.values import id_of, object_of, objects_of, text_of, with_record

_HEAD = 400  # bytes of a file that show what it is
_TWEETS = ("tweets", "tweet")
_OTHERS = {"community-tweets": "", "community-tweet": "", "deleted-tweets": "deleted"}
_NOTES = ("note-tweets", "note-tweet")
_READ_TYPES = frozenset(
    {"tweets", "tweet", "communityTweet", "communityTweets", "noteTweet", "noteTweets",
     "deletedTweets", "account"}
)  # fmt: skip
_PRIVATE = {
    "direct-message*.js": "direct messages: private",
    "like.js": "likes: posts of others",
    "contact.js": "contacts: private",
    "ad-*.js": "advertising and log-in data: private",
}
_MEDIA_FILE = re.compile(
    r"(?:^|/)(?:tweets?_media|community_tweets?_media|deleted_tweets?_media|\d{4}_\d\d_media)"
    r"/(\d+)-[^/]+$"
)
_GRAILBIRD = "tweets/????_??.js"


class TwitterExport:
    """An `archiver.ExportReader`; see there."""

    name = "twitter"
    title = "an archive of X (Twitter)"
    content_version = 1

    def recognize(self, package: Package) -> Recognition | None:
        """What it is, by the variables that its JavaScript files set."""
        manifest = _manifest(package)
        tweets = list(_files(package, _TWEETS))
        months = _months(package)
        if not (tweets or months or manifest):
            return None
        return Recognition(
            _identity(package, manifest),
            layout=_layout(package, tweets, months),
            exported_at=_exported_at(package, manifest),
            missing=tuple(_missing(package, manifest)),
            not_read=tuple(why for name, why in _PRIVATE.items() if package.find(name)),
        )

    def records(self, package: Package, recognition: Recognition) -> Iterator[ExportedPost]:
        """All posts, once each; versions of an edited post together."""
        identity = recognition.identity
        reading = _ArchiveOfX(
            package,
            author=identity.handle if identity else None,
            exported_at=recognition.exported_at,
            notes=_notes(package),
            media=_MediaFiles(package),
        )
        yield from reading.posts()

    def read(self, record: Mapping[str, Any], account: Account) -> Post:  # noqa: ARG002 — contract
        """The post of a tweet. Raises RecordError."""
        return read_tweet(record)


def _files(package: Package, types: tuple[str, ...]) -> Iterator[str]:
    """The files of some types, with their parts in order."""
    for name in types:
        for found in (*package.find(f"{name}.js"), *package.find(f"{name}-part*.js")):
            if "YTD." in _head(package, found):
                yield found


def _months(package: Package) -> list[str]:
    """The files of the layout of before 2018, one for each month."""
    found = package.find(_GRAILBIRD)
    return list(found) if found and "Grailbird" in _head(package, found[0]) else []


def _head(package: Package, name: str) -> str:
    with package.open(name) as file:
        return file.read(_HEAD).decode("utf-8", "replace")


def _manifest(package: Package) -> dict[str, Any]:
    for name in package.find("manifest.js"):
        if "__THAR_CONFIG" in _head(package, name):
            return object_of(package.json(name))
    return {}


def _layout(package: Package, tweets: list[str], months: list[str]) -> str:
    if any(name.rpartition("/")[2].startswith("tweets") for name in tweets):
        return "since 2022"
    if tweets:
        return "2020 to 2022" if package.find("data/tweet.js") else "2018 to 2020"
    return "until 2018" if months else "a part without posts"


def _identity(package: Package, manifest: Mapping[str, Any]) -> Identity | None:
    """Whose archive it is: by account.js, the manifest, or user_details.js of the oldest layout."""
    user = object_of(manifest.get("userInfo"))
    found = (id_of(user.get("accountId")), user.get("userName"), user.get("displayName"))
    for name in (*package.find("account.js"), *package.find("user_details.js")):
        for record in package.records(name):
            whole = object_of(record.data)
            one = object_of(whole.get("account")) or whole
            found = (
                id_of(one.get("accountId")) or id_of(one.get("id")) or found[0],
                one.get("username") or one.get("screen_name") or found[1],
                one.get("accountDisplayName") or one.get("full_name") or found[2],
            )
            break
    number, handle, title = found[0], text_of(found[1]), text_of(found[2])
    if number is None:
        return None
    url = f"https://x.com/{handle}" if handle else None
    return Identity("twitter", number, handle=handle, title=title, url=url)


def _exported_at(package: Package, manifest: Mapping[str, Any]) -> str | None:
    told = timestamp(object_of(manifest.get("archiveInfo")).get("generationDate"))
    for name in () if told else package.find("payload_details.js"):
        for record in package.records(name):
            told = told or timestamp(object_of(record.data).get("created_at"))
    return told


def _missing(package: Package, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Files that the manifest lists and that are not there; without one, gaps between parts."""
    types = object_of(manifest.get("dataTypes"))
    for kind in _READ_TYPES & types.keys():
        for file in objects_of(object_of(types[kind]).get("files")):
            name = text_of(file.get("fileName"))
            if name and not package.find(name.rpartition("/")[2]):
                yield name
    if types:
        return
    for kind in _TWEETS:
        numbers = [
            int(match[1]) for name in package.find(f"{kind}-part*.js")
            if (match := re.search(r"part(\d{1,6})\.js$", name))
        ]  # fmt: skip
        for number in range(1, max(numbers, default=0)):
            if number not in numbers:
                yield f"{kind}-part{number}.js"


class _MediaFiles:
    """The media files of posts: which posts have any, and in which folders these are."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._folders: set[str] = set()
        self._numbers = NumberSet()
        for name in package.names:
            if match := _MEDIA_FILE.search(name):
                self._folders.add(name[: match.start(1)])
                self._numbers.add(match[1])

    def of(self, number: str) -> list[str]:
        """Those of a post, in order."""
        if number not in self._numbers:
            return []
        return [
            name for folder in sorted(self._folders)
            for name in self._package.starting(f"{folder}{number}-")
        ]  # fmt: skip


def _notes(package: Package) -> dict[str, list[dict[str, Any]]]:
    """The long texts by the second that they were published in."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for name in _files(package, _NOTES):
        for record in package.records(name):
            whole = object_of(record.data)
            note = object_of(whole.get("noteTweet")) or whole
            if (at := timestamp(note.get("createdAt"))) and object_of(note.get("core")):
                found[at[:19]].append(note)
    return found


@dataclass
class _ArchiveOfX:
    """One pass over the posts of an archive."""

    package: Package
    author: str | None
    exported_at: str | None
    notes: dict[str, list[dict[str, Any]]]
    media: _MediaFiles
    seen: NumberSet = field(default_factory=NumberSet)
    chains: dict[str, list[Record]] = field(default_factory=dict)

    def posts(self) -> Iterator[ExportedPost]:
        """The posts of all files."""
        names = list(_files(self.package, _TWEETS))
        for name in names or _months(self.package):
            yield from self._posts_of(name, "")
        for kind, mark in _OTHERS.items():
            for name in _files(self.package, (kind,)):
                yield from self._posts_of(name, mark)
        for versions in self.chains.values():
            *earlier, current = versions
            yield ExportedPost(current, tuple(map(_version, earlier)))

    def _posts_of(self, name: str, mark: str) -> Iterator[ExportedPost]:
        for record in self.package.records(name):
            tweet = tweet_of(record.data)
            number = id_of(tweet.get("id_str")) or id_of(tweet.get("id"))
            if number is None:
                yield ExportedPost(record)  # not a post: it is quarantined
                continue
            if number in self.seen:
                continue
            self.seen.add(number)
            whole = self._whole(record, tweet, number, mark)
            ids = edit_ids(tweet)
            if len(ids) > 1:
                self._add_to_chain(whole, ids)
            else:
                yield ExportedPost(whole)

    def _add_to_chain(self, whole: Record, ids: list[str]) -> None:
        """Collect the versions of an edited post, oldest first: ids grow with time."""
        chain = self.chains.setdefault(min(ids, key=_age), [])
        chain.append(whole)
        chain.sort(key=lambda record: _age(_number(record)))

    def _whole(self, record: Record, tweet: dict[str, Any], number: str, mark: str) -> Record:
        """The record, with what other files have of the post."""
        more = {
            "author": self.author,
            "note": self._take_note(tweet),
            "files": self.media.of(number),
            "removed_by": self._removed_by(record) if mark == "deleted" else None,
        }
        data = {"record": record.data} | {name: value for name, value in more.items() if value}
        return Record(with_record(record.raw, **more), data)

    def _removed_by(self, record: Record) -> str | None:
        """When a post was deleted; else when the archive was made, which lists it as deleted."""
        whole = object_of(record.data)
        told = whole.get("deleted_at") or tweet_of(whole).get("deleted_at")
        return timestamp(told) or self.exported_at

    def _take_note(self, tweet: dict[str, Any]) -> dict[str, Any] | None:
        """The long text of a post that was cut: of the same second, with the same beginning."""
        at = timestamp(tweet.get("created_at"))
        beginning = cut_beginning(tweet)
        if at is None or beginning is None:
            return None
        notes = self.notes.get(at[:19], [])
        fitting = [
            note for note in notes
            if without_links(str(note["core"].get("text"))).startswith(beginning)
        ]  # fmt: skip
        if len(fitting) != 1:
            return None
        notes.remove(fitting[0])
        return fitting[0]


def _age(number: str) -> tuple[int, str]:
    return len(number), number


def _number(record: Record) -> str:
    tweet = tweet_of(record.data["record"])
    return id_of(tweet.get("id_str")) or id_of(tweet.get("id")) or ""


def _version(record: Record) -> Version:
    return Version(record, timestamp(tweet_of(record.data["record"]).get("created_at")))
