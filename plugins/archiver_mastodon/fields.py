"""The known fields of statuses and their forms; all others are unmapped.

Paths join keys by dots; `[]` stands for each item of a list, `.*` for everything below. Sources:
https://docs.joinmastodon.org/entities/Status/ and the API documentation of Pleroma, GoToSocial and
Pixelfed, whose own fields stand apart below.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from archiver_mastodon.values import count_of, id_of, time_of, url_of

_MAX_UNMAPPED = 100
_MAX_DEPTH = 12
_WHOLE = "*"
_ITEM = "[]"
_LEAF = ""

Form = Callable[[object], object]


def _is_text(value: object) -> object:
    return True if isinstance(value, str) else None


def _is_flag(value: object) -> object:
    return True if isinstance(value, bool) else None


def _is_plain(value: object) -> object:
    return None if isinstance(value, dict | list) else True


def _file(value: object) -> object:
    return url_of(value) or (True if value == "" else None)


_FORMS: dict[str, Form] = {
    "id": id_of,
    "uri": id_of,
    "url": url_of,
    "created_at": time_of,
    "edited_at": time_of,
    "visibility": _is_text,
    "content": _is_text,
    "spoiler_text": _is_text,
    "sensitive": _is_flag,
    "language": _is_text,
    "in_reply_to_id": id_of,
    "in_reply_to_account_id": id_of,
    "replies_count": count_of,
    "reblogs_count": count_of,
    "favourites_count": count_of,
    "quotes_count": count_of,
    "media_attachments[].id": id_of,
    "media_attachments[].type": _is_text,
    "media_attachments[].url": _file,
    "media_attachments[].preview_url": _file,
    "media_attachments[].remote_url": _file,
    "media_attachments[].description": _is_text,
    "poll.options[].title": _is_text,
    "poll.options[].votes_count": count_of,
    "poll.votes_count": count_of,
    "poll.voters_count": count_of,
    "poll.multiple": _is_flag,
    "mentions[].acct": _is_text,
    "mentions[].url": _is_text,
    "tags[].name": _is_text,
    "emojis[].shortcode": _is_text,
    "emojis[].url": url_of,
    "quote_id": id_of,
}
"""The paths that are read, and the form that their value must have; null is always accepted."""

_RAW_ONLY = (
    # the preview of a link, of which the texts and the picture are read
    "card.*",
    # what the record alone keeps: about other people, about who asks, or the server's own doing
    "reblog.*", "account.*", "application.*", "quote.*", "quote_approval.*",
    "quote_approval_policy", "filtered.*",
    "favourited", "reblogged", "muted", "bookmarked", "pinned", "text", "local_only",
    "content_type", "tagged_collections.*", "source.*",
    "media_attachments[].preview_remote_url", "media_attachments[].text_url",
    "media_attachments[].blurhash", "media_attachments[].meta.*",
    "poll.id", "poll.expires_at", "poll.expired", "poll.voted", "poll.own_votes[]",
    "poll.emojis[].*", "mentions[].id", "mentions[].username",
    "tags[].id", "tags[].url", "tags[].following", "tags[].featuring", "tags[].history.*",
    "emojis[].static_url", "emojis[].visible_in_picker", "emojis[].category", "emojis[].id",
    # Pleroma and Akkoma
    "pleroma.*", "akkoma.*", "emoji_reactions.*", "bookmark_folder", "quote_url",
    "media_attachments[].pleroma.*", "poll.pleroma.*",
    # GoToSocial
    "interaction_policy.*", "interaction_policies.*", "poll.emojis", "reactions.*",
    # Pixelfed
    "_v", "content_text", "shortcode", "parent.*", "place.*", "taggedPeople.*", "label.*",
    "liked_by.*", "replies.*", "comments_disabled", "pf_type", "media_attachments_count", "thread",
    "collection_id", "liked_count", "comments_count", "reply_count", "license.*", "local", "type",
    "media_attachments[].mime", "media_attachments[].is_nsfw", "media_attachments[].license.*",
    "media_attachments[].orientation", "media_attachments[].filter_name",
    "media_attachments[].filter_class", "media_attachments[].optimized_url",
    "media_attachments[].cw",
)  # fmt: skip


def steps_of(path: str) -> tuple[str, ...]:
    """A path's steps: `a[].b.*` is `a`, `[]`, `b`, `*`."""
    return tuple(path.replace("[]", ".[]").split("."))


def _tree() -> dict[str, Any]:
    root: dict[str, Any] = {}
    for path, form in {**dict.fromkeys(_RAW_ONLY, _is_plain), **_FORMS}.items():
        node = root
        for step in steps_of(path):
            node = node.setdefault(step, {})
        node[_LEAF] = form
    return root


_KNOWN = _tree()


def unmapped_paths(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths of a status that are not known, each once; at most a hundred."""
    found: dict[str, None] = {}
    for path in _unknown(record, _KNOWN, "", 0):
        found[path] = None
        if len(found) >= _MAX_UNMAPPED:
            break
    return tuple(found)


def _unknown(value: object, node: Mapping[str, Any] | None, path: str, depth: int) -> Iterator[str]:
    if node is not None and _WHOLE in node:
        return
    if isinstance(value, dict) and value and depth < _MAX_DEPTH:
        for key, item in value.items():
            below = (
                node.get(key) if node is not None and key not in {_LEAF, _WHOLE, _ITEM} else None
            )
            yield from _unknown(item, below, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list) and value and depth < _MAX_DEPTH:
        below = node.get(_ITEM) if node is not None else None
        for item in value:
            yield from _unknown(item, below, f"{path}[]", depth + 1)
    elif node is None or not _is_understood(value, node):
        yield path


def _is_understood(value: object, node: Mapping[str, Any]) -> bool:
    if value is None or (isinstance(value, list | dict) and not value):
        return True
    form = node.get(_LEAF)
    return form is not None and form(value) is not None
