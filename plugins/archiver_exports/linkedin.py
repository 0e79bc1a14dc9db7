"""Exports of LinkedIn: the tables of shares and of instant reposts, and the articles.

Whose they are, they do not say. Comments are not read: their table is written in a way that is not
certain to be understood. Numbers, and nearly all files, are missing.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any
from urllib.parse import unquote, urlsplit

from archiver import (
    Account,
    Alias,
    Attachment,
    AttachmentKind,
    ExportedPost,
    Package,
    Post,
    Recognition,
    Record,
    RecordError,
    Relation,
    Rendition,
    timestamp,
    write_json,
)
from archiver_exports.linkedin_article import is_article, read_article
from archiver_exports.tables import Row, as_object, column_names, head_of, rows_of
from archiver_exports.values import object_of, text_of, unknown_keys, url_of, with_record

_SHARES = frozenset({"date", "sharelink"})
_REPOSTS = ["date", "link"]
_KNOWN = frozenset(
    {"date", "sharelink", "sharecommentary", "sharedurl", "mediaurl", "visibility", "link"}
)
_MOST_BEFORE = 20  # rows of notes that may stand above the names of the columns
_SCHEMES = {"activity": "activity", "ugcpost": "ugc_post", "share": "share"}
_NAMES = {"activity": "activity", "ugcpost": "ugcPost", "share": "share"}
_URN = re.compile(
    r"(?:\burn:li:(?=\w+:)|-(?=\w+-))(activity|ugcPost|share)[:-](\d{1,30})(?!\d)",
    re.ASCII | re.IGNORECASE,
)
_BROKEN_LINE = re.compile(r'"(\r?\n)"')
_NOT_READ = {
    "messages*.csv": "messages: private",
    "Connections*.csv": "contacts: private",
    "Comments*.csv": "comments: not certain to be understood",
    "Rich_Media*.csv": "Rich_Media.csv: files without a post",
}
_KINDS: dict[str, AttachmentKind] = {"/dms/image/": "image", "/dms/prv/vid/": "video"}


class LinkedInExport:
    """An `archiver.ExportReader`; see there."""

    name = "linkedin"
    title = "an export of LinkedIn"
    content_version = 1

    def recognize(self, package: Package) -> Recognition | None:
        """What it is, by its table of shares; the articles lie beside it."""
        shares = _tables(package)
        articles = [name for name in package.find("*.html") if is_article(package, name)]
        if not shares and not articles:
            return None
        layout = (
            "shares and articles" if shares and articles else "shares" if shares else "articles"
        )
        return Recognition(
            None,
            layout=layout,
            not_read=tuple(why for name, why in _NOT_READ.items() if package.find(name)),
        )

    def records(self, package: Package, recognition: Recognition) -> Iterator[ExportedPost]:  # noqa: ARG002 — contract
        """Shares, instant reposts and published articles, each once."""
        seen: set[str] = set()
        for name, what in _tables(package).items():
            header, rows = _header_and_rows(package, name)
            for row in rows:
                fields = as_object(header, row)
                link = fields.get("sharelink") or fields.get("link") or ""
                if not link and timestamp(fields.get("date")) is None:
                    continue  # an empty table has a line that says so
                key = f"{what} {link or fields.get('date')}"
                if key not in seen:
                    seen.add(key)
                    yield _exported(write_json(fields), fields, what)
        for name in package.find("*.html"):
            article = read_article(package, name) if is_article(package, name) else None
            if article is not None and article["url"] not in seen:
                seen.add(str(article["url"]))
                yield _exported(write_json(article), article, "article")

    def read(self, record: Mapping[str, Any], account: Account) -> Post:  # noqa: ARG002 — contract
        """The post of a record. Raises RecordError."""
        fields = object_of(record.get("record"))
        readers = {"share": _share, "repost": _repost, "article": _article}
        return readers.get(str(record.get("what")), _share)(fields)


def _exported(raw: str, fields: Mapping[str, Any], what: str) -> ExportedPost:
    return ExportedPost(Record(with_record(raw, what=what), {"record": fields, "what": what}))


def _tables(package: Package) -> dict[str, str]:
    """The tables of posts, each with what its rows are."""
    found = {}
    for name in package.find("*.csv"):
        names = [column_names(row) for row in head_of(package, name)[:_MOST_BEFORE]]
        if any(set(row) >= _SHARES for row in names):
            found[name] = "share"
        elif _REPOSTS in names and "repost" in name.lower():
            found[name] = "repost"
    return found


def _header_and_rows(package: Package, name: str) -> tuple[Row, Iterator[Row]]:
    """The names of the columns, and the rows below them; notes may stand above."""
    rows = rows_of(package, name)
    for row in rows:
        names = column_names(row)
        if set(names) >= _SHARES or names == _REPOSTS:
            return names, rows
    return [], iter(())


def _urn(link: str) -> tuple[str, str] | None:
    """The URN in an address with the scheme of its kind."""
    match = _URN.search(unquote(link))
    if match is None:
        return None
    kind = match[1].lower()
    return _SCHEMES[kind], f"urn:li:{_NAMES[kind]}:{match[2]}"


def _share(fields: Mapping[str, Any]) -> Post:
    urn = _urn(str(fields.get("sharelink")))
    if urn is None:
        raise RecordError("The share has no link with its id")
    text = text_of(_BROKEN_LINE.sub(r"\1", str(fields.get("sharecommentary") or "")))
    shared, media = url_of(fields.get("sharedurl")), url_of(fields.get("mediaurl"))
    content = {"text": text, "link": shared}
    return Post(
        platform_id=urn[1],
        created_at=timestamp(fields.get("date")),
        text=text,
        url=f"https://www.linkedin.com/feed/update/{urn[1]}",
        visibility=(text_of(fields.get("visibility")) or "unknown").strip().lower(),
        aliases=(Alias(*urn),),
        attachments=tuple(
            chain(
                [_medium(media)] if media else [],
                [Attachment("link", platform_id=shared)] if shared else [],
            )
        ),
        content={name: value for name, value in content.items() if value},
        unmapped=tuple(unknown_keys(fields, _KNOWN)),
    )


def _medium(url: str) -> Attachment:
    """A file behind a signed link, which expires."""
    path = urlsplit(url).path
    kind: AttachmentKind = next((kind for start, kind in _KINDS.items() if start in path), "other")
    return Attachment(kind, renditions=(Rendition("original", url=url),))


def _repost(fields: Mapping[str, Any]) -> Post:
    """A repost without words. It has no id of its own, and the link is that of the original."""
    date, link = text_of(fields.get("date")), url_of(fields.get("link"))
    at = timestamp(date)
    if at is None:
        raise RecordError("The repost has no date, by which alone LinkedIn tells reposts apart")
    urn = _urn(link or "")
    return Post(
        platform_id=f"export:repost:{date}",
        created_at=at,
        kind="repost",
        visibility="unknown",
        relations=(Relation("shares", urn[1] if urn else None, link),) if link else (),
        content={"reposts": link} if link else {},
        unmapped=tuple(unknown_keys(fields, _KNOWN)),
    )


def _article(fields: Mapping[str, Any]) -> Post:
    url = url_of(fields.get("url"))
    if url is None:
        raise RecordError("The article has no address")
    slug = urlsplit(url).path.rstrip("/").rpartition("/")[2]
    title, text = text_of(fields.get("title")), text_of(fields.get("text"))
    return Post(
        platform_id=f"export:article:{slug}",
        created_at=timestamp(fields.get("published")),
        title=title,
        text=text,
        url=url,
        visibility="unknown",
        content={name: value for name, value in {"title": title, "text": text}.items() if value},
    )
