"""Parsing one tweet of an archive of X into a post.

All numbers are text. `full_text` is escaped for HTML, and the places of its links count the
characters of the escaped text. Counts, `source` and the addresses of media differ from one archive
to the next; the text does not.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from archiver import (
    Alias,
    Attachment,
    AttachmentKind,
    Extra,
    Kind,
    Metric,
    Post,
    RecordError,
    Relation,
    Rendition,
    timestamp,
)
from archiver_exports.values import (
    id_of,
    number_of,
    object_of,
    objects_of,
    size_of,
    text_of,
    unknown_keys,
    url_of,
)

_FIRST_SNOWFLAKE = 29_700_859_247  # of November 2010; earlier ids were counted
_SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
_PLAUSIBLE = timedelta(days=1)
_ESCAPED = re.compile(r"&(amp|lt|gt);")
_CHARACTERS = {"amp": "&", "lt": "<", "gt": ">"}
_SHORT_LINK = re.compile(r"https?://t\.co/\w+", re.ASCII)
_REPOST = re.compile(r"RT @(\w{1,30}): ", re.ASCII)
_STATUS = re.compile(
    r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/(?:\w+|i/web)/status/(\d+)", re.ASCII
)
_LEAST_BEGINNING = 20  # characters
_KINDS: dict[str, AttachmentKind] = {"photo": "image", "video": "video", "animated_gif": "gif"}
_KNOWN = frozenset(
    {
        "id", "id_str", "created_at", "full_text", "text", "lang", "source", "favorite_count",
        "retweet_count", "possibly_sensitive", "possibly_sensitive_editable", "display_text_range",
        "in_reply_to_status_id", "in_reply_to_status_id_str", "in_reply_to_user_id",
        "in_reply_to_user_id_str", "in_reply_to_screen_name", "entities", "extended_entities",
        "edit_info", "retweeted", "favorited", "truncated", "withheld_in_countries", "geo",
        "coordinates", "place", "user", "retweeted_status", "quoted_status_id_str",
        "quoted_status_id", "quoted_status_permalink", "community_id", "community_id_str", "scopes",
        "deleted_at", "contributors", "is_quote_status", "withheld_copyright", "withheld_scope",
        "withheld_info",
    }
)  # fmt: skip


def tweet_of(data: object) -> dict[str, Any]:
    """The tweet of a record: wrapped since 2020, bare before."""
    whole = object_of(data)
    return object_of(whole.get("tweet")) or whole


def edit_ids(tweet: Mapping[str, Any]) -> list[str]:
    """The ids of all versions of a post, its own among them."""
    info = object_of(tweet.get("edit_info"))
    edit = object_of(info.get("edit"))
    control = object_of(info.get("initial")) or object_of(edit.get("editControlInitial"))
    given = control.get("editTweetIds")
    found = [id_ for each in given if (id_ := id_of(each))] if isinstance(given, list) else []
    own = [id_of(edit.get("initialTweetId")), id_of(tweet.get("id_str"))]
    return list(dict.fromkeys([*found, *(each for each in own if each)]))


def cut_beginning(tweet: Mapping[str, Any]) -> str | None:
    """What a text that was cut begins with; None for a text that does not end with an ellipsis."""
    words = without_links(text_of(tweet.get("full_text")) or text_of(tweet.get("text")) or "")
    beginning = words.rstrip("… ")
    return beginning if words.endswith("…") and len(beginning) >= _LEAST_BEGINNING else None


def without_links(text: str) -> str:
    """A text without short links and repeated blanks, for comparing it with another."""
    return " ".join(_SHORT_LINK.sub(" ", _unescaped(text)).split())


def read_tweet(record: Mapping[str, Any]) -> Post:
    """The post of a record of `TwitterExport.records`. Raises RecordError."""
    tweet = tweet_of(record.get("record"))
    number = id_of(tweet.get("id_str")) or id_of(tweet.get("id"))
    if number is None or not number.isdigit():
        raise RecordError("The tweet has no id")
    author = text_of(record.get("author"))
    whole = text_of(tweet.get("full_text")) or text_of(tweet.get("text")) or ""
    relations = tuple(_relations(tweet))
    kind = _kind(whole, relations)
    return Post(
        platform_id=number,
        created_at=_created_at(tweet, number),
        kind=kind,
        text=_text(tweet, object_of(record.get("note")), whole),
        url=f"https://x.com/{author or 'i'}/status/{number}",
        visibility="unknown",
        author=author,
        aliases=tuple(Alias("edit_history", each) for each in edit_ids(tweet) if each != number),
        relations=relations,
        metrics=() if kind == "repost" else tuple(_metrics(tweet)),
        attachments=tuple(_attachments(tweet, number, _names(record.get("files")))),
        content={"text": _unescaped(whole)},
        unmapped=tuple(unknown_keys(tweet, _KNOWN)),
        extra=tuple(_extra(tweet, whole)),
        removed_at=timestamp(record.get("removed_by")),
    )


def _names(files: object) -> list[str]:
    return [name for name in files if isinstance(name, str)] if isinstance(files, list) else []


def _created_at(tweet: Mapping[str, Any], number: str) -> str | None:
    """The time of a post; that of its id where the two differ: archives had wrong ones."""
    told = timestamp(tweet.get("created_at"))
    if int(number) < _FIRST_SNOWFLAKE:
        return told
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        milliseconds=(min(int(number), 2**63) >> 22) + _SNOWFLAKE_EPOCH_MS
    )
    if told and abs(datetime.fromisoformat(told) - moment) <= _PLAUSIBLE:
        return told
    return timestamp(moment.replace(microsecond=0))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: _CHARACTERS[match[1]], text) if "&" in text else text


def _text(tweet: Mapping[str, Any], note: Mapping[str, Any], whole: str) -> str | None:
    """The text with its links in full, and without those to its own media."""
    core = object_of(note.get("core"))
    if text := text_of(core.get("text")):
        for link in objects_of(core.get("urls")):
            short, full = text_of(link.get("shortUrl")), text_of(link.get("expandedUrl"))
            if short and full:
                text = text.replace(short, full)
        return _unescaped(text)
    entities = object_of(tweet.get("entities"))
    places = [
        (place, text_of(link.get("expanded_url")) or text_of(link.get("url")) or "")
        for link in objects_of(entities.get("urls"))
        if (place := _place(link, whole))
    ]
    places += [(place, "") for item in _media(tweet) if (place := _place(item, whole))]
    for (start, end), full in sorted(dict(places).items(), reverse=True):
        whole = whole[:start] + full + whole[end:]
    return _unescaped(whole.strip()) or None


def _place(link: Mapping[str, Any], text: str) -> tuple[int, int] | None:
    """Where a short link stands in a text; by its words where its indices are wrong."""
    short, indices = text_of(link.get("url")), link.get("indices")
    if isinstance(indices, list) and len(indices) == 2:
        start, end = number_of(indices[0]), number_of(indices[1])
        if start is not None and end is not None and short == text[start:end]:
            return start, end
    at = text.find(short) if short else -1
    return (at, at + len(short or "")) if at >= 0 else None


def _kind(text: str, relations: Sequence[Relation]) -> Kind:
    kinds = {relation.kind for relation in relations}
    if "reposts" in kinds or _REPOST.match(text):
        return "repost"
    if "reply_to" in kinds:
        return "reply"
    return "quote" if "quotes" in kinds else "post"


def _relations(tweet: Mapping[str, Any]) -> Iterator[Relation]:
    """What a post answers, quotes or reposts. The original of a repost has no id since 2018."""
    original = object_of(tweet.get("retweeted_status"))
    if number := id_of(original.get("id_str")) or id_of(original.get("id")):
        yield Relation("reposts", number, f"https://x.com/i/status/{number}")
        return
    if _REPOST.match(text_of(tweet.get("full_text")) or text_of(tweet.get("text")) or ""):
        return
    answered = id_of(tweet.get("in_reply_to_status_id_str"))
    if answered := answered or id_of(tweet.get("in_reply_to_status_id")):
        name = text_of(tweet.get("in_reply_to_screen_name")) or "i"
        yield Relation("reply_to", answered, f"https://x.com/{name}/status/{answered}")
    links = objects_of(object_of(tweet.get("entities")).get("urls"))
    matches = [_STATUS.match(str(link.get("expanded_url"))) for link in links[-1:]]
    quoted = id_of(tweet.get("quoted_status_id_str")) or next(
        (match[1] for match in matches if match), None
    )
    if quoted:
        yield Relation("quotes", quoted, f"https://x.com/i/status/{quoted}")


def _metrics(tweet: Mapping[str, Any]) -> Iterator[Metric]:
    """Likes and reposts; a repost has those of its original."""
    for key, name in (("favorite_count", "likes"), ("retweet_count", "reposts")):
        if (count := number_of(tweet.get(key))) is not None:
            yield Metric(name, count)


def _extra(tweet: Mapping[str, Any], text: str) -> Iterator[Extra]:
    if community := id_of(tweet.get("community_id_str")) or id_of(tweet.get("community_id")):
        yield Extra("community", community, is_content=False)
    if match := _REPOST.match(text):
        yield Extra("reposted_from", match[1], is_content=False)


def _media(tweet: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The media of a post, each once; `entities` has only the first one."""
    for key in ("extended_entities", "entities"):
        if items := objects_of(object_of(tweet.get(key)).get("media")):
            by_id = {id_of(item.get("id_str")) or str(index): item
                     for index, item in reversed(list(enumerate(items)))}  # fmt: skip
            return list(reversed(by_id.values()))
    return []


def _attachments(
    tweet: Mapping[str, Any], number: str, files: Sequence[str]
) -> Iterator[Attachment]:
    items = _media(tweet)
    members = _members(items, number, files)
    for item, member in zip(items, members, strict=True):
        sizes = object_of(object_of(item.get("sizes")).get("large"))
        video = object_of(item.get("video_info"))
        best = _best_variant(video)
        name = member or f"{number}-{_base_name(item)}"
        yield Attachment(
            _KINDS.get(str(item.get("type")), "other"),
            platform_id=id_of(item.get("id_str")) or id_of(item.get("id")),
            alt_text=text_of(item.get("ext_alt_text")),
            width=size_of(sizes.get("w")),
            height=size_of(sizes.get("h")),
            duration_ms=size_of(video.get("duration_millis")),
            renditions=(
                Rendition(
                    "original",
                    member=name,
                    media_key=name.rpartition("/")[2],
                    content_type=text_of(best.get("content_type")),
                    bitrate=size_of(best.get("bitrate")),
                ),
            ),
        )


def _best_variant(video: Mapping[str, Any]) -> dict[str, Any]:
    """The file of a video of which archives have a copy: the mp4 of the highest bitrate."""
    films = [v for v in objects_of(video.get("variants")) if v.get("content_type") == "video/mp4"]
    return max(films, key=lambda film: number_of(film.get("bitrate")) or 0, default={})


def _base_name(item: Mapping[str, Any]) -> str:
    best = _best_variant(object_of(item.get("video_info")))
    address = url_of(best.get("url")) or url_of(item.get("media_url_https"))
    address = address or url_of(item.get("media_url")) or ""
    return address.partition("?")[0].rpartition("/")[2]


def _members(
    items: Sequence[Mapping[str, Any]], number: str, files: Sequence[str]
) -> list[str | None]:
    """The file of each medium: by its name, the rest in order if there are as many of both."""
    by_name = {name.rpartition("/")[2]: name for name in files}
    found = [by_name.get(f"{number}-{_base_name(item)}") for item in items]
    rest = [name for name in files if name not in found]
    if found.count(None) == len(rest):
        return [name or rest.pop(0) for name in found]
    return found
