"""`activitystreams`: ActivityStreams 2.0, laid out as an export of Mastodon is.

actor.json              the account
outbox.json             an activity for each post: Create, or Announce for what was reposted
likes.json              empty, as is bookmarks.json: an archive has what people published
media_attachments/…     the files, at the path that the attachments in outbox.json give
avatar.…, header.…      the pictures of the account

Of several accounts, each has a folder of its own. An activity's ids are the post's address, else
its id where that is a URI, else a tag URI (RFC 4151) made of platform and id.
"""

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any
from urllib.parse import quote

from archiver.export.file_names import extension, plain_name
from archiver.export.folder import ExportFolder
from archiver.export.formats.form import ExportFormat
from archiver.export.package_files import files_of
from archiver.export.snapshot import Snapshot
from archiver.saved_posts import PostRelation, SavedAccount, SavedPost

CONTEXT = [
    "https://www.w3.org/ns/activitystreams",
    {
        "sensitive": "as:sensitive",
        "quoteUri": "http://fedibird.com/ns#quoteUri",
        "archive": "https://archiver.invalid/ns#",
        "platform": "archive:platform",
        "removed": "archive:removed",
    },
]
"""What the names in these documents mean (JSON-LD 1.1)."""
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"

_URI = re.compile(r"(?:https?|at)://[^\s\x00-\x20\"<>\\^`{|}]+", re.ASCII)
_HASHTAG = re.compile(r"(?<!\w)#(\w*[^\W\d]\w*)")
_EVERYBODY = frozenset({"", "public"})
_FOLLOWERS = frozenset({"private", "followers", "friends", "connections", "unlisted"})


def write(snapshot: Snapshot, folder: ExportFolder) -> None:
    """Write the documents of each account. Raises StorageError."""
    accounts = list(snapshot.accounts())
    for account in accounts:
        root = f"{account.id}-{plain_name(account.name)}/" if len(accounts) > 1 else ""
        outbox = _Outbox(account, root, folder)
        folder.write(f"{root}actor.json", [_document(outbox.actor())])
        folder.write(f"{root}outbox.json", outbox.pieces(snapshot.of_account(account.id)))
        for name in ("likes.json", "bookmarks.json"):
            empty: dict[str, Any] = {
                "id": name,
                "type": "OrderedCollection",
                "totalItems": 0,
                "orderedItems": [],
            }
            folder.write(f"{root}{name}", [_document({"@context": CONTEXT} | empty)])


class _Outbox:
    """What one account has published, as activities."""

    def __init__(self, account: SavedAccount, root: str, folder: ExportFolder) -> None:
        self._account = account
        self._root = root
        self._folder = folder
        self._actor = _id(account.url, account.platform, account.platform_id or account.name)

    def actor(self) -> dict[str, Any]:
        """The account."""
        account = self._account
        found: dict[str, Any] = {
            "@context": CONTEXT, "id": self._actor, "type": "Person",
            "preferredUsername": (account.handle or account.name).lstrip("@"),
            "name": account.title or account.handle or account.name,
            "summary": _html(account.description or ""), "url": _link(account.url),
            "platform": account.platform, "followers": f"{self._actor}/followers",
            "outbox": "outbox.json", "likes": "likes.json", "bookmarks": "bookmarks.json",
        }  # fmt: skip
        for field, name, file in (
            ("icon", "avatar", account.avatar), ("image", "header", account.banner)
        ):  # fmt: skip
            if file is not None and file.path:
                file_name = f"{name}{extension(file.path)}"
                if self._folder.add_media(f"{self._root}{file_name}", file):
                    found[field] = {
                        "type": "Image", "mediaType": file.content_type, "url": file_name
                    }  # fmt: skip
        return found

    def pieces(self, snapshot: Snapshot) -> Iterator[bytes]:
        """The document outbox.json."""
        head = {"@context": CONTEXT, "id": "outbox.json", "type": "OrderedCollection"}
        yield _dumped(head)[:-1].encode() + b',"orderedItems":['
        count = 0
        for post in snapshot.posts():
            self._folder.count_posts()
            yield (",\n" if count else "\n").encode() + _dumped(self._activity(post)).encode()
            count += 1
        yield f'\n],"totalItems":{count}}}\n'.encode()

    def _activity(self, post: SavedPost) -> dict[str, Any]:
        post_id = _id(post.url, post.platform, post.platform_id)
        to, cc = self._audience(post.visibility)
        found: dict[str, Any] = {
            "id": f"{post_id}/activity" if _URI.fullmatch(post_id) else f"{post_id}:activity",
            "type": "Create", "actor": self._actor, "published": post.created_at, "to": to,
            "cc": cc,
        }  # fmt: skip
        reposted = next((one for one in post.relations if one.kind == "reposts"), None)
        if reposted is not None and not post.text:
            return found | {"type": "Announce", "object": _other(reposted, post.platform)}
        return found | {"object": self._note(post, post_id, to, cc)}

    def _note(self, post: SavedPost, post_id: str, to: list[str], cc: list[str]) -> dict[str, Any]:
        related = {one.kind: _other(one, post.platform) for one in post.relations}
        found: dict[str, Any] = {
            "id": post_id, "type": "Note", "summary": None, "attributedTo": self._actor,
            "inReplyTo": related.get("reply_to"), "published": post.created_at,
            "url": _link(post.url), "to": to, "cc": cc, "sensitive": False,
            "content": _html(post.text or ""), "attachment": list(self._attachments(post)),
            "tag": [
                {"type": "Hashtag", "name": f"#{name}"}
                for name in dict.fromkeys(_HASHTAG.findall(post.text or ""))
            ],
        }  # fmt: skip
        numbers = {metric.name: int(metric.value) for metric in post.metrics}
        optional = {
            "name": post.title, "updated": post.edited_at, "removed": post.removed_at,
            "quoteUri": related.get("quotes"),
            "replies": _count(numbers, "replies", "comments"), "likes": _count(numbers, "likes"),
            "shares": _count(numbers, "reposts", "shares"),
        }  # fmt: skip
        return found | {name: value for name, value in optional.items() if value is not None}

    def _attachments(self, post: SavedPost) -> Iterator[dict[str, Any]]:
        attached = post.attached
        for one in files_of(post):
            if one.attachment not in attached:
                continue
            file = one.file
            if one.why:
                self._folder.note_missing(f"{one.name}: {one.why}")
            if file is None or file.path is None:
                continue
            path = f"media_attachments/files/{file.path.removeprefix('media/')}"
            if self._folder.add_media(f"{self._root}{path}", file):
                found = {
                    "type": "Document", "mediaType": file.content_type, "url": f"/{path}",
                    "name": one.attachment.alt_text, "width": file.width, "height": file.height,
                }  # fmt: skip
                if file.duration_ms:
                    found["duration"] = f"PT{file.duration_ms / 1000:g}S"
                yield {name: value for name, value in found.items() if value is not None}

    def _audience(self, visibility: str | None) -> tuple[list[str], list[str]]:
        """Whom a post is for, `to` and `cc`. What is not known to be wider is for nobody else."""
        word, followers = (visibility or "").lower(), f"{self._actor}/followers"
        if word in _EVERYBODY:
            return [PUBLIC], [followers]
        return [followers] if word in _FOLLOWERS else [], [PUBLIC] if word == "unlisted" else []


def _id(url: str | None, platform: str, own: str) -> str:
    if url and _URI.fullmatch(url):
        return url
    if _URI.fullmatch(own):
        return own
    return f"tag:{platform}.invalid,2026:{quote(own.encode('utf-8', 'backslashreplace'), safe='')}"


def _other(relation: PostRelation, platform: str) -> str:
    """The id of another post."""
    return _id(relation.url, platform, relation.platform_id or relation.url or "unknown")


def _link(url: str | None) -> str | None:
    return url if url and re.match(r"https?://", url) else None


def _html(text: str) -> str:
    """A text as HTML: paragraphs and line breaks, everything else escaped."""
    paragraphs = [part for part in re.split(r"\n{2,}", text.strip()) if part]
    return "".join(
        f"<p>{escape(part, quote=False).replace(chr(10), '<br />')}</p>" for part in paragraphs
    )


def _count(numbers: dict[str, int], *names: str) -> dict[str, Any] | None:
    found = next((numbers[name] for name in names if name in numbers), None)
    return None if found is None else {"type": "Collection", "totalItems": found}


def _document(value: object) -> bytes:
    return _dumped(value).encode() + b"\n"


def _dumped(value: object) -> str:
    """JSON; a lone surrogate, which has no bytes, becomes the replacement character."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text


FORMAT = ExportFormat(
    "activitystreams",
    (
        "actor.json     the account; of several accounts, each has a folder",
        "outbox.json    an activity of ActivityStreams 2.0 for each post, as in Mastodon's exports",
        "media_attachments/  the files, at the path that outbox.json gives",
    ),
    write,
    is_public=True,
)
