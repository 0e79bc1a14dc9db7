"""Media attachments and previews of links as attachments.

https://docs.joinmastodon.org/entities/MediaAttachment/ and
https://docs.joinmastodon.org/entities/PreviewCard/
"""

from collections.abc import Mapping, Sequence
from typing import Any

from archiver import Attachment, AttachmentKind, Rendition, Role
from archiver_mastodon.values import (
    id_of,
    milliseconds_of,
    object_of,
    objects_of,
    size_of,
    text_of,
    url_of,
)

_KINDS: dict[str, AttachmentKind] = {
    "image": "image",
    "gifv": "gif",
    "video": "video",
    "audio": "audio",
}


def attachments_of(status: Mapping[str, Any], links: Sequence[str]) -> tuple[Attachment, ...]:
    """What is attached to a status, in order; without media, the first of the links in its text.

    Servers show a preview of that link, which they make some time later: its picture is theirs, and
    of what the author published only the link.
    """
    items = objects_of(status.get("media_attachments"))
    if items:
        return tuple(_attachment(item) for item in items)
    if not links:
        return ()
    picture = url_of(object_of(status.get("card")).get("image"))
    preview = (Rendition("preview", url=picture),) if picture else ()
    return (Attachment("link", platform_id=links[0], renditions=preview),)


def _attachment(item: Mapping[str, Any]) -> Attachment:
    meta = object_of(item.get("meta"))
    shape = object_of(meta.get("original"))
    kind = _KINDS.get(str(item.get("type")), "other")
    width, height = size_of(shape.get("width")), size_of(shape.get("height"))
    original = _original(item, shape)
    still = _still(item, object_of(meta.get("small")), original.url)
    return Attachment(
        kind,
        platform_id=id_of(item.get("id")),
        alt_text=text_of(item.get("description")),
        width=width,
        height=height,
        duration_ms=milliseconds_of(shape.get("duration")),
        renditions=(original, *still),
    )


def _original(item: Mapping[str, Any], shape: Mapping[str, Any]) -> Rendition:
    """The file, from the account's server, else from the server that it was first on.

    A server that still processes a file, or keeps no copy of another's, has no address of its own.
    """
    addresses = [item.get("url"), item.get("remote_url")]
    url = next((url for address in addresses if (url := url_of(address))), None)
    if url is None:
        odd = next((text for address in addresses if (text := text_of(address))), None)
        if odd is not None:
            return Rendition("original", url=odd, absent="address_not_understood")
        return Rendition("original", absent="not_offered")
    mime = text_of(item.get("mime")) or text_of(object_of(item.get("pleroma")).get("mime_type"))
    return Rendition(
        "original",
        url=url,
        content_type=mime,
        width=size_of(shape.get("width")),
        height=size_of(shape.get("height")),
        bitrate=size_of(shape.get("bitrate")),
    )


def _still(
    item: Mapping[str, Any], shape: Mapping[str, Any], original: str | None
) -> tuple[Rendition, ...]:
    """The thumbnail, where it is another file."""
    role: Role = "thumbnail"
    addresses = (item.get("preview_url"), item.get("preview_remote_url"))
    url = next((url for address in addresses if (url := url_of(address))), None)
    if url is None or url == original:
        return ()
    width, height = size_of(shape.get("width")), size_of(shape.get("height"))
    return (Rendition(role, url=url, width=width, height=height),)
