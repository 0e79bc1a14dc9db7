"""The data classes that plugins, the core and the archive share; all are frozen.

Times are text in one fixed form, `2026-11-23T20:49:00.000Z` (see `timestamp`), so that they sort
as text, in Python and in SQLite. Platform ids are text, exactly as the source wrote them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

Kind = Literal[
    "post",
    "reel",
    "story",
    "saved_story",
    "spotlight",
    "reply",
    "quote",
    "repost",
    "pin",
    "video",
    "memory",
]
AttachmentKind = Literal["image", "video", "gif", "audio", "link", "other"]
Role = Literal["original", "variant", "thumbnail", "preview", "cover"]
Absence = Literal["copyright", "not_offered", "address_not_understood"]
RelationKind = Literal["reply_to", "quotes", "reposts", "shares"]
Stream = Literal["posts", "stories"]
Listing = Literal["all", "newest", "snapshot"]
"""What a platform's pages list, read to their end.

`all`: every post that there is, so that what is not listed is not there. `newest`: only so many of
them; what is older than the oldest one listed may be there all the same. `snapshot`: what there was
once; that a post is not listed means nothing.
"""

Trust = Literal["configured", "discovered"]
"""Where an address comes from.

`configured`: the operator wrote it, or the plugin's author; any host may be meant. `discovered`: an
answer of a server named it, so it is guarded as those of media are: public hosts and the usual
ports only, unless `network.allow` names the host.
"""

QueryParams = Mapping[str, str | Sequence[str]]
"""The parameters of a query; a parameter with several values is repeated."""

Rank = Literal["native", "middleman", "export"]
"""The precedence of sources that differ: a network's own API, then a service in between, then an
official export."""

EXPIRING_KINDS: frozenset[str] = frozenset({"story"})
"""Kinds that the platform removes by itself: their absence proves nothing."""

CONTENT_SCHEMES: frozenset[str] = frozenset({"cid", "media_id", "sha256"})
"""Schemes of aliases that identify content, not a post: two posts may share them."""

SHORTCODE = re.compile(r"[A-Za-z0-9_.+-]{1,100}")
"""What the name of a custom emoji is made of; in a text it stands between colons."""

STORY_LIFE = timedelta(hours=24)
"""How long Facebook, Instagram and Snapchat show a story."""

CLOCKS_AGREE = timedelta(minutes=5)
"""Clocks that differ by less count as equal."""


def stream_of(kind: str) -> Stream:
    """The stream that posts of this kind are covered in."""
    return "stories" if kind in EXPIRING_KINDS else "posts"


@dataclass(frozen=True, slots=True)
class Account:
    """One account on one platform, as the config names it.

    `options` is an instance of the platform's own options dataclass. `platform_id` is known once
    the archive has seen the account.
    """

    name: str
    platform: str
    source: str
    options: Any
    platform_id: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an account is, on its platform.

    Where only a handle is known, `platform_id` is that handle, lower case, behind an `@`. It holds
    until the platform's own id is known; from then on a handle alone changes nothing.
    `description` is what the account says about itself. `avatar` and `banner` are its pictures;
    a source without them leaves them out, which removes nothing. `moved_to` is the handle or
    address of the account that its owner went on with, which is reported once.
    """

    platform: str
    platform_id: str
    handle: str | None = None
    title: str | None = None
    url: str | None = None
    description: str | None = None
    avatar: "Rendition | None" = None
    banner: "Rendition | None" = None
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class SourceProfile:
    """A profile below a key, as a source lists it: a client of whoever holds the key.

    `ref` is its id at the source, which stays when `title` changes; empty where it was not given.
    `platforms` are those that it has linked. Its own key is in no list.
    """

    ref: str
    title: str
    platforms: tuple[str, ...] = ()
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """One answer of a source, as received, without secrets."""

    source: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a record is signed by its source: by whom and when, or why that is not proved.

    `statement` is one sentence without a full stop.
    """

    holds: bool
    statement: str


@dataclass(frozen=True, slots=True)
class RateLimitPolicy:
    """How a source counts requests, and in which of its headers (lower case) it says so.

    `limit` is how many it allows in a `window` of so many seconds; of these `used` are made, or
    `remaining` are left: one of the two is enough. `reset` is when the count begins anew: in how
    many seconds, or at which time. The usual names (`RateLimit`, `RateLimit-Remaining`,
    `X-RateLimit-Reset` and their kin) are known and need not be given.
    `requests` is how many are allowed where the source does not say it in headers. A source that
    gives neither is asked as fast as it answers, until it says 429; without a `Retry-After` that
    means to wait until the reset, or for a window.
    """

    limit: str = ""
    used: str = ""
    remaining: str = ""
    window: float = 300.0
    reset: str = ""
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One object of an answer: `raw` is its exact text, `data` the parsed value.

    `data` is anything that JSON can say; what is not an object cannot be read and is quarantined.
    """

    raw: str
    data: Any


@dataclass(frozen=True, slots=True)
class Version:
    """An earlier version of a post, as the source keeps it, and when it was made."""

    record: Record
    source_time: str | None = None


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a package is: an official export of one account.

    `layout` names which of the platform's layouts it has, such as `since 2022`. `exported_at` is
    when the platform made it, if it says so. `missing` are files that it should have, by its own
    word or because others of a series are there: a part of it may be missing. `not_read` are parts
    of it that a person might look for, with the reason, such as `messages: private`.
    """

    identity: Identity | None
    layout: str
    exported_at: str | None = None
    missing: tuple[str, ...] = ()
    not_read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportedPost:
    """A record of a package, and the earlier versions of its post, oldest first.

    `is_private` marks what was never published: it is imported only where that is asked for.
    """

    record: Record
    earlier: tuple[Version, ...] = ()
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, newest first, with the answer they came in.

    `cursor` is where the scan continues, opaque to the core; None where there is no next page.
    `reached_start` says that nothing older exists. `end_reason` says in plain words why the scan
    ends here all the same ("shows only its newest 500 posts"); together with a `cursor`, later runs
    try again from there. The core follows every cursor that is new in a scan, also behind empty
    pages, and ends at one that it has followed: a platform need not look for loops.
    `partial` says that the source itself called the answer incomplete.
    `updated_at` and `fresh_until` are the source's own: when it last asked the platform, and
    before when asking again brings nothing new (two days from now at most are believed).
    `notes` are sentences for the user about how this page was fetched (a fallback, a limit).
    `version` is the source's name for the state of the whole account (a commit, an ETag). The
    next run finds it in its `Window`. A page of that same version without records says that nothing
    has changed since: the scan is complete.
    `authoritative` says that the source proves what it lists: a post that such a scan does not show
    is removed at once. `ordered` is false where the order of the records is not that of their
    times: then a known post does not end the scan, which is complete only at its start.
    `evidence` are answers to keep whatever `keep_responses` says: signatures, keys, proofs.
    `identity` is the account's, where the answer contains it.
    """

    records: tuple[Record, ...]
    response: Response | None = None
    cursor: str | None = None
    reached_start: bool = False
    end_reason: str | None = None
    partial: bool = False
    updated_at: str | None = None
    fresh_until: str | None = None
    notes: tuple[str, ...] = ()
    version: str | None = None
    authoritative: bool = False
    ordered: bool = True
    evidence: tuple[Response, ...] = ()
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a history to fetch.

    `cursor` continues an earlier scan. `since` and `limit` are hints that save requests: the core
    stops by itself. A platform yields pages until the core stops asking or nothing is left.
    `version` is that of the last complete scan; None where there was none. `is_full` says that
    everything is to be read again, even where that version has not changed.
    """

    cursor: str | None = None
    since: str | None = None
    limit: int | None = None
    version: str | None = None
    is_full: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """A number about a post or an attachment. Absent is not 0."""

    name: str
    value: int | float


@dataclass(frozen=True, slots=True)
class Relation:
    """Another post that this one answers, quotes, reposts or shares."""

    kind: RelationKind
    platform_id: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    """Another id of the same post. A record whose own id is not known is looked up by it.

    What names the content or a file, and not the post, has a scheme of `CONTENT_SCHEMES`.
    """

    scheme: str
    value: str


@dataclass(frozen=True, slots=True)
class Rendition:
    """One file that the source offers for an attachment, or says that it does not.

    `url` or `member` (the name of a file in the package that is imported) is where the bytes are. A
    member's `media_key` must be the same in every package that has it. `absent` says why there are
    none: `copyright` (withheld by the platform: only where the record truly has no address),
    `not_offered` (the source never gives this file), or `address_not_understood` (the record has
    something in the place of an address that is none; `url` is then that value as text, which is
    shown and never requested). `media_key` names the rendition across runs; when empty, it is
    `address_key(url)`: the path of the URL, and its query without what signs or tracks.
    `bitrate` is in bits per second; `width` and `height` are in pixels. `sha256` (lower-case hex)
    and `size` (bytes) are what the source says of the file before it is fetched: other bytes are
    refused, and a file that is stored already is not fetched again. `duration_ms` is for a member
    that only its name assigns to the post: a film that is shorter or longer by more than a second
    is not the one, and is left out.
    """

    role: Role
    url: str | None = None
    member: str = ""
    absent: Absence | None = None
    media_key: str = ""
    content_type: str | None = None
    width: int | None = None
    height: int | None = None
    bitrate: int | None = None
    sha256: str | None = None
    size: int | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Extra:
    """A field of a post that only this source has: a poll, a content warning.

    `name` is words joined by `_`; `value` is what `Post.content` may hold. `is_content` says that
    people published it, so that a change of it is an edit; else it is only shown.
    """

    name: str
    value: Any
    is_content: bool


@dataclass(frozen=True, slots=True)
class Attachment:
    """One thing attached to a post. Its position is its index in `Post.attachments`.

    `platform_id` is the platform's own media id; without one, the attachment is known by the media
    key of its first rendition. `duration_ms` is in milliseconds, whatever the platform's unit.
    """

    kind: AttachmentKind
    platform_id: str | None = None
    alt_text: str | None = None
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    renditions: tuple[Rendition, ...] = ()
    metrics: tuple[Metric, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """A parsed record.

    `content` holds the fields that people published, listed positively by the platform: a change
    in it, or in which attachments there are, makes a revision. It holds text, whole numbers,
    truth values, lists and mappings of these; no floats, no counters, no signed URLs.
    `removed_at` is set for a post that its source lists as removed by its author: when that was, or
    by when it had happened. Such a post is saved as removed.
    `extra` are fields that only this source has. `emoji` are the custom emoji of the text: the
    address of each picture by the shortcode that stands in the text between colons; they are not
    content. `id_only` marks an answer without content (ids only): it proves that the post exists,
    and nothing more.
    `unmapped` names the JSON paths of the record that no column, metric or known list covers, and
    those whose value is not of the kind that is known there.
    """

    platform_id: str
    created_at: str | None = None
    kind: Kind = "post"
    text: str | None = None
    title: str | None = None
    url: str | None = None
    visibility: str | None = None
    author: str | None = None
    edited_at: str | None = None
    aliases: tuple[Alias, ...] = ()
    relations: tuple[Relation, ...] = ()
    metrics: tuple[Metric, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    content: Mapping[str, Any] = field(default_factory=dict)
    id_only: bool = False
    unmapped: tuple[str, ...] = ()
    extra: tuple[Extra, ...] = ()
    emoji: Mapping[str, str] = field(default_factory=dict)
    removed_at: str | None = None


_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?"
    r"\s*(Z|z|UTC|GMT|(?:UTC|GMT)?[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_UTC_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)
"""The form in which most sources write a time; read by itself, in a sixth of the time."""
_MAIL_TIME = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(?P<day>\d{1,2}) (?P<month>[A-Z][a-z]{2}) (?P<year>\d{4}) "
    r"(?P<clock>\d\d:\d\d:\d\d) (?P<zone>GMT|UTC|[+-]\d{4})"
    r"|[A-Z][a-z]{2} (?P<month2>[A-Z][a-z]{2}) (?P<day2>\d{1,2}) (?P<clock2>\d\d:\d\d:\d\d) "
    r"(?P<zone2>[+-]\d{4}) (?P<year2>\d{4})",
    re.ASCII,
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = re.compile(r"(?:\d{10}|\d{13})(?:\.\d{1,9})?", re.ASCII)  # seconds from 2001 on, or ms
_EPOCH_FROM = 100_000_000  # 1973, before there was anything to post to; less is no time at all
_EPOCH_MS_FROM = 100_000_000_000  # as seconds, the year 5138; as milliseconds, 1973
_FIRST_YEAR = 1000  # what says an earlier one says no time of a post
_PROTOBUF_TIME = (("_seconds", "_nanoseconds"), ("seconds", "nanoseconds"), ("seconds", "nanos"))


def timestamp(value: object) -> str | None:
    """A point in time in the archive's one form, UTC with milliseconds; None if it is not one.

    Accepts ISO 8601 text (with or without zone; without one it is taken as UTC), a date alone (its
    first moment, in UTC), the forms of e-mail and of X's first API, seconds or milliseconds since
    1970 as a number or as its ten or thirteen digits, the objects that Firestore and Protocol
    Buffers write (`{"_seconds": …, "_nanoseconds": …}`), and a datetime. Never guesses: what cannot
    be read is None and stays in the record, and so does 0, which stands for no time.

    >>> timestamp("2022-05-20T17:26:03Z")
    '2022-05-20T17:26:03.000Z'
    >>> timestamp("2022-05-20T19:26:03.5+0200")
    '2022-05-20T17:26:03.500Z'
    >>> timestamp("Fri, 20 May 2022 17:26:03 GMT")
    '2022-05-20T17:26:03.000Z'
    >>> timestamp({"_seconds": 1653067563, "_nanoseconds": 500_000_000})
    '2022-05-20T17:26:03.500Z'
    >>> timestamp("2022-05-20")
    '2022-05-20T00:00:00.000Z'
    >>> timestamp("yesterday") is None
    True
    """
    try:
        if isinstance(value, str) and (match := _UTC_TIME.fullmatch(value)):
            return _utc_time(match[1], match[2] or "")
        moment = _moment(value)
    except (ValueError, OverflowError):
        return None
    return None if moment is None else time_text(moment)


def _utc_time(seconds: str, fraction: str) -> str | None:
    moment = datetime.fromisoformat(seconds)
    return f"{moment.isoformat()}.{fraction[:3]:0<3}Z" if moment.year >= _FIRST_YEAR else None


def time_text(moment: datetime) -> str:
    """A datetime, aware, in the archive's one form.

    Raises OverflowError where in UTC it would be before year 1 or after 9999.
    """
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"


def current_time() -> str:
    """The time of now in the archive's one form."""
    return time_text(datetime.now(UTC))


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    if isinstance(value, Mapping):
        return _protobuf_moment(value)
    if isinstance(value, str):
        text = value.strip()
        return _epoch_moment(float(text)) if _EPOCH.fullmatch(text) else _written_moment(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch_moment(value)
    return None


def _epoch_moment(number: float) -> datetime | None:
    """The moment so many seconds or milliseconds after 1970 began."""
    if not number >= _EPOCH_FROM:  # NaN is not, either
        return None
    seconds = number / 1000 if number >= _EPOCH_MS_FROM else number
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def _protobuf_moment(value: Mapping[str, Any]) -> datetime | None:
    for seconds_key, nanoseconds_key in _PROTOBUF_TIME:
        seconds, nanoseconds = value.get(seconds_key), value.get(nanoseconds_key, 0)
        if isinstance(seconds, str) and _EPOCH.fullmatch(seconds):  # an int64 is text in JSON
            seconds = int(seconds)
        if type(seconds) is not int or type(nanoseconds) is not int:
            continue
        if _EPOCH_FROM <= seconds < _EPOCH_MS_FROM and 0 <= nanoseconds < 10**9:
            whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
            return whole + timedelta(microseconds=nanoseconds // 1000)
    return None


def _written_moment(text: str) -> datetime | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return _mail_moment(text)
    day, clock, fraction, zone = match.groups()
    clock = clock or "00:00:00"
    clock = clock if len(clock) == len("HH:MM:SS") else f"{clock}:00"
    zone = (zone or "Z").removeprefix("UTC").removeprefix("GMT")
    zone = "+00:00" if zone in {"", "Z", "z"} else zone
    moment = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{zone}")
    moment = moment.astimezone(UTC)
    return moment if moment.year >= _FIRST_YEAR else None


def _mail_moment(text: str) -> datetime | None:
    match = _MAIL_TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, clock, zone = (
        match[name] or match[f"{name}2"] for name in ("year", "month", "day", "clock", "zone")
    )
    zone = "+0000" if zone in {"GMT", "UTC"} else zone
    number = _MONTHS.index(month) + 1
    moment = datetime.fromisoformat(f"{year}-{number:02d}-{int(day):02d}T{clock}{zone}")
    return moment.astimezone(UTC) if moment.year >= _FIRST_YEAR else None
