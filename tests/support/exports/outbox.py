"""The archive that a Mastodon server makes of an account of `support.mastodon.world`."""

import json
from datetime import UTC
from typing import Any

from support.mastodon.world import FediAccount, FediMedia, FediStatus
from support.mastodon.writing import as_html

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
_MIMES = {"image": "image/png", "video": "video/mp4", "gifv": "video/mp4", "audio": "audio/mpeg"}


def archive_of(account: FediAccount) -> dict[str, bytes | str]:
    """The files of its archive; the posts in no order, private messages among them."""
    items = [_activity(status) for status in account.statuses]
    outbox = {
        "@context": "https://www.w3.org/ns/activitystreams", "id": "outbox.json",
        "type": "OrderedCollection", "totalItems": len(items) + 3,
        "orderedItems": [*items[1::2], *items[::2]],
    }  # fmt: skip
    actor = {
        "type": "Person", "id": account.uri, "preferredUsername": account.user,
        "name": account.user.title(), "url": account.url, "summary": "<p>Hello</p>",
    }  # fmt: skip
    files: dict[str, bytes | str] = {
        "actor.json": json.dumps(actor), "outbox.json": json.dumps(outbox),
        "likes.json": "{}", "bookmarks.json": "{}",
    }  # fmt: skip
    files |= {
        path_of(medium).lstrip("/"): medium.body
        for status in account.statuses for medium in status.media
    }  # fmt: skip
    return files


def path_of(medium: FediMedia) -> str:
    """Where a file is: its number in groups of three digits."""
    number = medium.media_id.rjust(9, "0")
    groups = "/".join(number[at : at + 3] for at in range(0, len(number), 3))
    return f"/media_attachments/files/{groups}/original/{medium.media_id}f.png"


def _activity(status: FediStatus) -> dict[str, Any]:
    to, cc = _audience(status)
    about = {"id": f"{status.uri}/activity", "actor": status.author.uri, "to": to, "cc": cc,
             "published": _time(status.created_at)}  # fmt: skip
    if status.boosts is not None:
        return about | {"type": "Announce", "object": status.boosts.uri}
    return about | {"type": "Create", "object": _note(status, to, cc)}


def _note(status: FediStatus, to: list[str], cc: list[str]) -> dict[str, Any]:
    html = as_html(status.text)
    note: dict[str, Any] = {
        "id": status.uri, "type": "Question" if status.poll else "Note", "url": status.url,
        "published": _time(status.created_at), "content": html, "summary": status.warning or None,
        "contentMap": {status.language: html} if status.language else {},
        "sensitive": bool(status.warning), "to": to, "cc": cc, "tag": [],
        "inReplyTo": status.answers.uri if status.answers else None,
        "likes": {"totalItems": status.counts.get("favourites", 0)},
        "attachment": [
            {"type": "Document", "mediaType": _MIMES[medium.kind], "url": path_of(medium),
             "name": medium.description, "width": 64, "height": 48}
            for medium in status.media
        ],
    }  # fmt: skip
    if status.edited_at is not None:
        note["updated"] = _time(status.edited_at)
    if status.quotes is not None:
        note["quote"] = status.quotes.uri
    if status.poll:
        note["oneOf"] = [{"type": "Note", "name": title, "replies": {"totalItems": 2}}
                         for title in status.poll]  # fmt: skip
    return note


def _audience(status: FediStatus) -> tuple[list[str], list[str]]:
    followers = f"{status.author.uri}/followers"
    match status.visibility:
        case "public":
            return [PUBLIC], [followers]
        case "unlisted":
            return [followers], [PUBLIC]
        case "private":
            return [followers], []
    return ["https://other.example/users/bob"], []


def _time(moment: Any) -> str:
    return str(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
