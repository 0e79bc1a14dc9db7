"""Records of every shape that is known, as the archive keeps them."""

from typing import Any

from archiver_bluesky.cid import Cid, cid_of_block, cid_of_file
from archiver_bluesky.dag_cbor import encode
from archiver_bluesky.dag_json import from_json

ALICE = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
BOB = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"
BOB_POST = f"at://{BOB}/app.bsky.feed.post/3ktuffizgm22m"
_CID = "bafyreihldkhcwijkde7gx4rpkkuw7pl6lbyu5gieunyc7ihactn5bkd2nm"
_REF = {"uri": BOB_POST, "cid": _CID}


def record(
    value: dict[str, Any], *, collection: str = "app.bsky.feed.post", rkey: str = "3ktuffizgm22l",
    pds: str | None = "https://pds.example", **beside: Any,
) -> dict[str, Any]:  # fmt: skip
    """A record with its true CID."""
    value = {"$type": collection, **value}
    cid: Cid = cid_of_block(encode(from_json(value)))
    said = {"uri": f"at://{ALICE}/{collection}/{rkey}", "cid": str(cid), "value": value, **beside}
    return {**said, "pds": pds} if pds else said


def _blob(data: bytes, content_type: str) -> dict[str, Any]:
    ref = {"$link": str(cid_of_file(data))}
    return {"$type": "blob", "ref": ref, "mimeType": content_type, "size": len(data)}


def _image(alt: str, data: bytes = b"a picture") -> dict[str, Any]:
    aspect = {"width": 4, "height": 3}
    return {"alt": alt, "image": _blob(data, "image/jpeg"), "aspectRatio": aspect}


_WHEN = {"createdAt": "2024-06-01T12:00:00.123Z"}
_IMAGES = {"$type": "app.bsky.embed.images", "images": [_image("A cat")]}

IMAGE = {**_WHEN, "text": "Look", "langs": ["en"], "embed": _IMAGES}
GALLERY = {
    **_WHEN,
    "text": "Three",
    "embed": {
        "$type": "app.bsky.embed.gallery",
        "items": [
            {"$type": "app.bsky.embed.gallery#image", **_image(alt, alt.encode())}
            for alt in ("one", "two", "three")
        ],
    },
}
VIDEO: dict[str, Any] = {
    **_WHEN,
    "text": "",
    "embed": {
        "$type": "app.bsky.embed.video",
        "video": _blob(b"a film", "video/mp4"),
        "alt": "A film",
        "aspectRatio": {"width": 1080, "height": 1920},
        "captions": [{"lang": "en", "file": _blob(b"WEBVTT", "text/vtt")}],
    },
}
LINK = {
    **_WHEN,
    "text": "Grüße @bob example.org/a/… #köln",
    "langs": ["de", "en"],
    "tags": ["hidden"],
    "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "nudity"}]},
    "facets": [
        {
            "$type": "app.bsky.richtext.facet",
            "index": {"byteStart": 8, "byteEnd": 12},
            "features": [{"$type": "app.bsky.richtext.facet#mention", "did": BOB}],
        },
        {
            "index": {"byteStart": 13, "byteEnd": 29},
            "features": [
                {
                    "$type": "app.bsky.richtext.facet#link",
                    "uri": "https://example.org/a/long/path",
                }
            ],
        },
        {
            "index": {"byteStart": 30, "byteEnd": 36},
            "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "köln"}],
        },
    ],
    "embed": {
        "$type": "app.bsky.embed.external",
        "external": {
            "uri": "https://example.org/page",
            "title": "A page",
            "description": "About it",
            "thumb": _blob(b"a thumb", "image/jpeg"),
        },
    },
}
GIF = {
    **_WHEN,
    "text": "Cat",
    "embed": {
        "$type": "app.bsky.embed.external",
        "external": {
            "uri": "https://media.tenor.com/abc/cat.gif?hh=1&ww=2",
            "title": "Cat",
            "description": "ALT: a cat",
            "thumb": _blob(b"a still", "image/jpeg"),
        },
    },
}
REPLY = {
    **_WHEN,
    "text": "Yes",
    "reply": {
        "root": {"uri": f"at://{ALICE}/app.bsky.feed.post/3ktuffizgm222", "cid": _CID},
        "parent": _REF,
    },
}
QUOTE_WITH_IMAGE = {
    **_WHEN,
    "text": "This",
    "via": "an app",
    "embed": {
        "$type": "app.bsky.embed.recordWithMedia",
        "record": {"$type": "app.bsky.embed.record", "record": _REF},
        "media": _IMAGES,
    },
}
OLD = {
    **_WHEN,
    "text": "see example.org/old",
    "entities": [
        {
            "type": "link",
            "value": "https://example.org/old",
            "index": {"start": 4, "end": 19},
        }
    ],
    "embed": {
        "$type": "app.bsky.embed.images",
        "images": [
            {
                "alt": "",
                "image": {"cid": str(cid_of_file(b"a picture")), "mimeType": "image/jpeg"},
            }
        ],
    },
}
REPOST = {**_WHEN, "subject": _REF, "via": {"uri": BOB_POST, "cid": _CID}}

SAMPLES = [
    record({**_WHEN, "text": "Hello"}),
    *(record(value) for value in (IMAGE, GALLERY, VIDEO, LINK, GIF, REPLY, QUOTE_WITH_IMAGE, OLD)),
    record(REPOST, collection="app.bsky.feed.repost"),
    record(
        {**_WHEN, "text": "Not for everybody"},
        threadgate={
            "uri": f"at://{ALICE}/app.bsky.feed.threadgate/3ktuffizgm22l",
            "cid": _CID,
            "value": {
                "$type": "app.bsky.feed.threadgate",
                "post": f"at://{ALICE}/app.bsky.feed.post/3ktuffizgm22l",
                "createdAt": "2024-06-01T12:00:00.123Z",
                "allow": [{"$type": "app.bsky.feed.threadgate#mentionRule"}],
                "hiddenReplies": [BOB_POST],
            },
        },
        postgate={
            "uri": f"at://{ALICE}/app.bsky.feed.postgate/3ktuffizgm22l",
            "cid": _CID,
            "value": {
                "$type": "app.bsky.feed.postgate",
                "post": f"at://{ALICE}/app.bsky.feed.post/3ktuffizgm22l",
                "createdAt": "2024-06-01T12:00:00.123Z",
                "embeddingRules": [{"$type": "app.bsky.feed.postgate#disableRule"}],
                "detachedEmbeddingUris": [BOB_POST],
            },
        },
    ),
]
