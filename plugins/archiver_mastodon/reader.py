"""Parsing statuses (https://docs.joinmastodon.org/entities/Status/) into posts.

What was written arrives as HTML and is kept as text; the record keeps the HTML. An edit is a change
of what the author wrote, chose or attached. What the server makes of it (the preview of a link, the
form of the HTML) and what others do (votes, the state of a quotation) is none.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from archiver import Alias, Extra, Kind, Metric, Post, RecordError, Relation
from archiver_mastodon.fields import unmapped_paths
from archiver_mastodon.html_text import PlainText, plain_text
from archiver_mastodon.media import attachments_of
from archiver_mastodon.values import (
    count_of,
    id_of,
    object_of,
    objects_of,
    text_of,
    time_of,
    uri_of,
    url_of,
)

DIRECT = "direct"
"""The visibility of a private message, which is not archived."""

_METRICS = {
    "favourites_count": "likes",
    "reblogs_count": "reposts",
    "replies_count": "replies",
    "quotes_count": "quotes",
}
_MAX_POLL_OPTIONS = 100
_MAX_EMOJI = 100  # of one text
_SHORTCODE = re.compile(r"[A-Za-z0-9_.+-]{1,100}")  # Pleroma allows . + - besides


def is_direct(status: object) -> bool:
    """Whether a status is a private message."""
    visibility = object_of(status).get("visibility")
    return isinstance(visibility, str) and visibility.strip().lower() == DIRECT


def read_status(status: Mapping[str, Any], host: str) -> Post:
    """The post of a status; `host` is its author's server, which `acct` leaves out.

    Raises RecordError for what has no id, and for a private message.
    """
    if not isinstance(status, dict) or (status_id := id_of(status.get("id"))) is None:
        raise RecordError("The status has no id")
    if is_direct(status):
        raise RecordError("A private message, which is not archived")
    reposted = object_of(status.get("reblog"))
    quoted = _quoted(status)
    words = PlainText("") if reposted else _words(status, quote_is_known=quoted is not None)
    uri = uri_of(status.get("uri"))
    return Post(
        platform_id=status_id,
        created_at=time_of(status.get("created_at")),
        kind=_kind(status, quoted),
        text=words.text or None,
        url=url_of(status.get("url")) or url_of(uri),
        visibility=_visibility(status),
        author=_author(status, host),
        edited_at=time_of(status.get("edited_at")),
        aliases=(Alias("uri", uri),) if uri else (),
        relations=tuple(_relations(status, reposted, quoted)),
        metrics=() if reposted else tuple(_metrics(status)),
        attachments=() if reposted else attachments_of(status, words.links),
        content=_content(status, words, reposted),
        unmapped=unmapped_paths(status),
        extra=() if reposted else tuple(_extra(status, words)),
        emoji={} if reposted else _custom_emoji(status),
    )


def _words(status: Mapping[str, Any], *, quote_is_known: bool) -> PlainText:
    html = status.get("content")
    return plain_text(html if isinstance(html, str) else "", quote_is_known=quote_is_known)


def _kind(status: Mapping[str, Any], quoted: Relation | None) -> Kind:
    """The kind of a status; a reply that quotes is a reply."""
    if object_of(status.get("reblog")):
        return "repost"
    if id_of(status.get("in_reply_to_id")) is not None:
        return "reply"
    return "post" if quoted is None else "quote"


def _visibility(status: Mapping[str, Any]) -> str | None:
    word = text_of(status.get("visibility"))
    return word.strip().lower() if word else None


def _author(status: Mapping[str, Any], host: str) -> str | None:
    """`user@host`; a server leaves its own name out."""
    name = text_of(object_of(status.get("account")).get("acct"))
    return name if name is None or "@" in name else f"{name}@{host}"


def _relations(
    status: Mapping[str, Any], reposted: Mapping[str, Any], quoted: Relation | None
) -> Iterator[Relation]:
    if reposted:
        address = url_of(reposted.get("url")) or url_of(reposted.get("uri"))
        original = id_of(reposted.get("id"))
        if original or address:
            yield Relation("reposts", original, address)
        return
    if answered := id_of(status.get("in_reply_to_id")):
        yield Relation("reply_to", answered)
    if quoted is not None:
        yield quoted


def _quoted(status: Mapping[str, Any]) -> Relation | None:
    """The quoted post, in the forms of Mastodon, Pleroma and others; None where there is none."""
    quote = object_of(status.get("quote"))
    found = object_of(quote.get("quoted_status")) or quote
    pleroma = object_of(status.get("pleroma"))
    quoted_id = (
        id_of(found.get("id"))
        or id_of(quote.get("quoted_status_id"))
        or id_of(status.get("quote_id"))
        or id_of(pleroma.get("quote_id"))
    )
    address = url_of(found.get("url")) or url_of(found.get("uri"))
    address = address or url_of(pleroma.get("quote_url")) or url_of(status.get("quote_url"))
    if quoted_id is None and address is None:
        return None
    return Relation("quotes", quoted_id, address)


def _metrics(status: Mapping[str, Any]) -> Iterator[Metric]:
    for key, name in _METRICS.items():
        if (number := count_of(status.get(key))) is not None:
            yield Metric(name, number)
    poll = object_of(status.get("poll"))
    for key, name in (("votes_count", "poll.votes"), ("voters_count", "poll.voters")):
        if (number := count_of(poll.get(key))) is not None:
            yield Metric(name, number)
    for index, option in enumerate(objects_of(poll.get("options"))[:_MAX_POLL_OPTIONS], start=1):
        if (number := count_of(option.get("votes_count"))) is not None:
            yield Metric(f"poll.option_{index}", number)


def _content(
    status: Mapping[str, Any], words: PlainText, reposted: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields of content; for a repost only the id of the original."""
    if reposted:
        return {"reposts": uri_of(reposted.get("uri")) or id_of(reposted.get("id"))}
    language = text_of(status.get("language"))
    found = {"text": words.text, "languages": [language] if language else None}
    return {name: value for name, value in found.items() if value}


def _extra(status: Mapping[str, Any], words: PlainText) -> Iterator[Extra]:
    warning = text_of(status.get("spoiler_text"))
    if warning:
        yield Extra("content_warning", warning, is_content=True)
    if status.get("sensitive") is True:
        yield Extra("sensitive", True, is_content=True)
    yield from _poll(object_of(status.get("poll")))
    about: dict[str, list[str | None]] = {
        "mentions": [text_of(item.get("acct")) for item in objects_of(status.get("mentions"))],
        "hashtags": [text_of(item.get("name")) for item in objects_of(status.get("tags"))],
        "links": list(words.links),
    }
    for name, items in about.items():
        if said := [item for item in items if item]:
            yield Extra(name, said, is_content=False)
    if preview := _link_preview(object_of(status.get("card"))):
        yield Extra("link_preview", preview, is_content=False)


def _poll(poll: Mapping[str, Any]) -> Iterator[Extra]:
    """The content of a poll: its options; their votes are metrics."""
    options = objects_of(poll.get("options"))[:_MAX_POLL_OPTIONS]
    if not options:
        return
    titles = [text_of(option.get("title")) or "" for option in options]
    yield Extra("poll", titles, is_content=True)
    about = {"expires_at": time_of(poll.get("expires_at")), "multiple": poll.get("multiple")}
    said = {name: value for name, value in about.items() if isinstance(value, str | bool)}
    if said:
        yield Extra("poll_rules", said, is_content=False)


def _link_preview(card: Mapping[str, Any]) -> dict[str, str]:
    """What the server says about the page that a status links to."""
    names = ("title", "description", "author_name", "provider_name", "url")
    return {name: text for name in names if (text := text_of(card.get(name)))}


def _custom_emoji(status: Mapping[str, Any]) -> dict[str, str]:
    """The custom emoji of the text: the addresses of their pictures by shortcode."""
    pairs = (
        (text_of(item.get("shortcode")), url_of(item.get("url")))
        for item in objects_of(status.get("emojis"))[:_MAX_EMOJI]
    )
    return {code: url for code, url in pairs if code and url and _SHORTCODE.fullmatch(code)}
