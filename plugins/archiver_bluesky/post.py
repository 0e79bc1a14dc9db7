"""Parsing records: posts and reposts (lexicons app.bsky.feed and app.bsky.embed)."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from archiver import (
    Alias,
    Attachment,
    AttachmentKind,
    BadUrl,
    Extra,
    Kind,
    Post,
    RecordError,
    Relation,
    Rendition,
    Role,
    normalize_url,
    timestamp,
)
from archiver_bluesky.baddata import BadData
from archiver_bluesky.blobs import Blob, parse_blob
from archiver_bluesky.cid import parse_cid
from archiver_bluesky.fields import unmapped_paths
from archiver_bluesky.records import GATES, POST, REPOST, did_of, key_of
from archiver_bluesky.tid import is_tid, time_of

_GIF_HOSTS = re.compile(r"(media|c|i)\d*\.(tenor\.com|giphy\.com)", re.ASCII)
_FileOf = Callable[[Role, Blob], Rendition]


def read_post(record: Any) -> Post:
    """The post of a record. Raises RecordError."""
    if not isinstance(record, Mapping):
        raise RecordError("The record is not a JSON object")
    uri, value = record.get("uri"), record.get("value")
    if (key := key_of(uri)) is None or not isinstance(uri, str):
        raise RecordError("The record has no at-URI")
    if not isinstance(value, dict):
        raise RecordError(f"The record cannot be read: {record.get('why', 'it has no value')}")
    collection, _, rkey = key.partition("/")
    if collection not in {POST, REPOST}:
        raise RecordError(f"The record is of the collection {collection}, which has no posts")
    cid = _cid(record.get("cid"))
    is_repost = collection == REPOST
    attachments = () if is_repost else tuple(_attachments(record, value))
    relations = tuple(_reposted(value) if is_repost else _related(value))
    return Post(
        platform_id=uri,
        created_at=timestamp(value.get("createdAt")) or _time_in(rkey),
        kind="repost" if is_repost else _kind(relations),
        text=_text(value.get("text")),
        url=relations[0].url if is_repost and relations else _page_of(uri),
        visibility="public",
        aliases=(Alias("cid", cid),) if cid else (),
        relations=relations,
        attachments=attachments,
        content={"cid": cid},
        extra=tuple(_extra(record, value, attachments)),
        unmapped=unmapped_paths(record),
    )


def _time_in(rkey: str) -> str | None:
    return timestamp(time_of(rkey)) if is_tid(rkey) else None


def _text(value: Any) -> str | None:
    """Text without lone surrogates, which JSON may have and DAG-CBOR does not."""
    return value.encode(errors="replace").decode() if isinstance(value, str) and value else None


def _cid(value: Any) -> str | None:
    try:
        return str(parse_cid(value))
    except BadData:
        return None


def _page_of(uri: str) -> str | None:
    """The address of a post for people."""
    key = key_of(uri)
    if key is None or not key.startswith(f"{POST}/"):
        return None
    return f"https://bsky.app/profile/{did_of(uri)}/post/{key.partition('/')[2]}"


def _kind(relations: Sequence[Relation]) -> Kind:
    """A reply before a quote: a reply may quote."""
    kinds = {relation.kind for relation in relations}
    return "reply" if "reply_to" in kinds else "quote" if "quotes" in kinds else "post"


def _reposted(value: Mapping[str, Any]) -> Iterator[Relation]:
    if uri := _text(_at(value, "subject", "uri")):
        yield Relation("reposts", uri, _page_of(uri))


def _related(value: Mapping[str, Any]) -> Iterator[Relation]:
    """The post answered, and the post quoted; a quoted list or feed is no post."""
    if uri := _text(_at(value, "reply", "parent", "uri")):
        yield Relation("reply_to", uri, _page_of(uri))
    embed = value.get("embed")
    for quoted in (_at(embed, "record"), _at(embed, "record", "record")):
        uri = _text(_at(quoted, "uri"))
        if uri and (_page_of(uri) is not None):
            yield Relation("quotes", uri, _page_of(uri))


def _attachments(record: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[Attachment]:
    """What is attached: pictures, a video or a link, also beside a post that is quoted."""
    where = partial(
        file_of, did=did_of(str(record["uri"])), pds=record.get("pds"), files=record.get("files")
    )
    embed = value.get("embed")
    for view in (embed, _at(embed, "media")):
        if isinstance(view, dict):
            yield from _embedded(view, where)


def _embedded(view: Mapping[str, Any], where: "_FileOf") -> Iterator[Attachment]:
    for item in (*_list(view.get("images")), *_list(view.get("items"))):
        if isinstance(item, dict) and (blob := parse_blob(item.get("image"))):
            yield _picture("image", blob, item, where)
    if blob := parse_blob(view.get("video")):
        is_gif = view.get("presentation") == "gif"
        yield _picture("gif" if is_gif else "video", blob, view, where)
    if isinstance(external := view.get("external"), dict):
        yield _link(external, where)


def _picture(
    kind: AttachmentKind, blob: Blob, item: Mapping[str, Any], where: "_FileOf"
) -> Attachment:
    width, height = (_size(_at(item, "aspectRatio", side)) for side in ("width", "height"))
    return Attachment(
        kind, str(blob.cid), _text(item.get("alt")), width, height,
        renditions=(where("original", blob),),
    )  # fmt: skip


def _link(external: Mapping[str, Any], where: "_FileOf") -> Attachment:
    """A link with its preview; a link to a GIF becomes that GIF."""
    uri, thumb = _text(external.get("uri")), parse_blob(external.get("thumb"))
    if uri and (url := _gif_address(uri)):
        still = _still("thumbnail", thumb, where)
        alt_text = _text(external.get("description"))
        return Attachment("gif", None, alt_text, renditions=(Rendition("original", url), *still))
    preview = _still("preview", thumb, where)
    return Attachment("link", uri, _text(external.get("title")), renditions=preview)


def _still(role: Role, blob: Blob | None, where: "_FileOf") -> tuple[Rendition, ...]:
    """A still, where it has an address; only originals get a `not_offered` row."""
    rendition = where(role, blob) if blob else None
    return (rendition,) if rendition and not rendition.absent else ()


def _gif_address(uri: str) -> str | None:
    try:
        url = normalize_url(uri)
        parts = urlsplit(url)
    except (BadUrl, ValueError):
        return None
    is_gif = parts.path.lower().endswith(".gif") or _GIF_HOSTS.fullmatch(parts.hostname or "")
    return url if is_gif else None


def _extra(
    record: Mapping[str, Any], value: Mapping[str, Any], attachments: Sequence[Attachment]
) -> Iterator[Extra]:
    """Fields that only this network has: languages, facets, labels, gates."""
    features = [
        feature for facet in _list(value.get("facets")) for feature in _list(_at(facet, "features"))
    ]
    published = {
        "languages": _list(value.get("langs")),
        "tags": [*_list(value.get("tags")), *(_at(feature, "tag") for feature in features)],
        "links": [
            *(_at(feature, "uri") for feature in features),
            *_old_links(value),
            *(link.platform_id for link in attachments if link.kind == "link"),
        ],
        "mentions": [_at(feature, "did") for feature in features],
        "self_labels": [_at(label, "val") for label in _list(_at(value, "labels", "values"))],
        "captions": [
            _at(caption, "lang")
            for view in (_at(value, "embed"), _at(value, "embed", "media"))
            for caption in _list(_at(view, "captions"))
        ],
        "quoted_version": [
            _at(value, "embed", "record", "cid"),
            _at(value, "embed", "record", "record", "cid"),
            _at(value, "subject", "cid"),
        ],
        "thread": [_at(value, "reply", "root", "uri")],
    }
    for name, found in published.items():
        texts = list(dict.fromkeys(text for item in found if (text := _text(item))))
        if texts:
            yield Extra(name, texts, is_content=True)
    for name in GATES.values():
        if isinstance(gate := _at(record, name, "value"), dict):
            yield Extra(name, _without_floats(gate), is_content=False)


def _old_links(value: Mapping[str, Any]) -> list[Any]:
    """Links as posts of early 2023 have them."""
    entities = _list(value.get("entities"))
    return [_at(entity, "value") for entity in entities if _at(entity, "type") == "link"]


def file_of(role: Role, blob: Blob, did: str, pds: Any, files: Any = None) -> Rendition:
    """A file on an account's server, addressed by its CID; or one of an export's `files`."""
    if isinstance(member := _text(_at(files, str(blob.cid))), str):
        return Rendition(
            role, member=member, media_key=str(blob.cid), content_type=blob.content_type,
            sha256=blob.cid.sha256.hex(), size=blob.size,
        )  # fmt: skip
    base = _text(pds)
    try:
        url = f"{base}/xrpc/com.atproto.sync.getBlob?did={did}&cid={blob.cid}" if base else ""
        url = normalize_url(url) if url else ""
    except BadUrl:
        url = ""
    return Rendition(
        role, url or None, absent=None if url else "not_offered", media_key=str(blob.cid),
        content_type=blob.content_type, sha256=blob.cid.sha256.hex(), size=blob.size,
    )  # fmt: skip


def _at(value: Any, *steps: str) -> Any:
    for step in steps:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _size(value: Any) -> int | None:
    return value if type(value) is int and 0 < value < 2**31 else None


def _without_floats(value: Any) -> Any:
    """A value without floats, which content must not have, nor does the AT protocol."""
    if isinstance(value, dict):
        return {key: _without_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_floats(item) for item in value]
    return str(value) if isinstance(value, float) else value
