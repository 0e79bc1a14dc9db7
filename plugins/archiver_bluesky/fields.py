"""The known fields of records, and finding unmapped ones.

A field is a path; in lexicons it has one type. What is on no list, or of another type, is reported
as unmapped: it is kept with the record, and nothing is read from it.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

_BLOB = {"$type": str, "ref.$link": str, "cid": str, "mimeType": str, "size": int}
_STRONG_REF = {"$type": str, "uri": str, "cid": str}
_ASPECT = {"aspectRatio.width": int, "aspectRatio.height": int, "aspectRatio.$type": str}
_LABELS = {"$type": str, "values[].val": str, "values[].$type": str}


def _under(prefix: str, fields: Mapping[str, type]) -> dict[str, type]:
    return {f"{prefix}.{path}": kind for path, kind in fields.items()}


def _image(prefix: str) -> dict[str, type]:
    return {
        f"{prefix}[].$type": str,
        f"{prefix}[].alt": str,
        **_under(f"{prefix}[].image", _BLOB),
        **_under(f"{prefix}[]", _ASPECT),
    }


def _media(prefix: str) -> dict[str, type]:
    """Lexicons app.bsky.embed.images, gallery, video and external."""
    return {
        f"{prefix}.$type": str,
        **_image(f"{prefix}.images"),
        **_image(f"{prefix}.items"),
        **_under(f"{prefix}.video", _BLOB),
        **_under(prefix, _ASPECT),
        f"{prefix}.alt": str,
        f"{prefix}.presentation": str,
        f"{prefix}.captions[].$type": str,
        f"{prefix}.captions[].lang": str,
        **_under(f"{prefix}.captions[].file", _BLOB),
        f"{prefix}.external.$type": str,
        f"{prefix}.external.uri": str,
        f"{prefix}.external.title": str,
        f"{prefix}.external.description": str,
        **_under(f"{prefix}.external.thumb", _BLOB),
    }


_TEXT_FIELDS: dict[str, type] = {
    "text": str,
    "langs[]": str,
    "tags[]": str,
    **_under("labels", _LABELS),
    "facets[].$type": str,
    "facets[].index.$type": str,
    "facets[].index.byteStart": int,
    "facets[].index.byteEnd": int,
    "facets[].features[].$type": str,
    "facets[].features[].uri": str,
    "facets[].features[].did": str,
    "facets[].features[].tag": str,
    "entities[].type": str,
    "entities[].value": str,
    "entities[].index.start": int,
    "entities[].index.end": int,
}
_POST: dict[str, type] = {
    "$type": str,
    "createdAt": str,
    "via": str,
    **_TEXT_FIELDS,
    **_under("reply.root", _STRONG_REF),
    **_under("reply.parent", _STRONG_REF),
    "reply.$type": str,
    **_media("embed"),
    **_media("embed.media"),
    **_under("embed.record", _STRONG_REF),
    **_under("embed.record.record", _STRONG_REF),
}
_REPOST: dict[str, type] = {
    **_under("subject", _STRONG_REF),
    "via.uri": str,
    "via.cid": str,
    "via.$type": str,
}
_GATE: dict[str, type] = {
    "$type": str,
    "post": str,
    "createdAt": str,
    "allow[].$type": str,
    "allow[].list": str,
    "hiddenReplies[]": str,
    "embeddingRules[].$type": str,
    "detachedEmbeddingUris[]": str,
}


@cache
def known_fields() -> Mapping[str, type]:
    """Every field that is known, by its path in a record as the archive keeps it."""
    return {
        "uri": str,
        "cid": str,
        "pds": str,
        **_under("value", {**_POST, **_REPOST}),
        **{
            path: kind
            for gate in ("threadgate", "postgate")
            for path, kind in {
                f"{gate}.uri": str, f"{gate}.cid": str, **_under(f"{gate}.value", _GATE),
            }.items()
        },
    }  # fmt: skip


def unmapped_paths(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths of a record that are not known, each once, in order."""
    known = known_fields()
    record = {
        name: value for name, value in record.items() if name != "files"
    }  # ours, of an export
    found = (path for path, value in _leaves(record, "") if type(value) is not known.get(path))
    return tuple(dict.fromkeys(found))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The path and value of everything but containers; empty containers are left out."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, f"{path}[]")
    else:
        yield path, value
