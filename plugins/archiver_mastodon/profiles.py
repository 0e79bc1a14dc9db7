"""Parsing accounts: https://docs.joinmastodon.org/entities/Account/."""

from collections.abc import Iterator, Mapping
from typing import Any

from archiver import Identity, Rendition
from archiver_mastodon.handles import Handle
from archiver_mastodon.html_text import plain_text
from archiver_mastodon.values import object_of, objects_of, text_of, url_of

_PLACEHOLDERS = ("/avatars/original/missing.png", "/headers/original/missing.png")


def identity_of(profile: Mapping[str, Any], actor_uri: str, handle: Handle) -> Identity:
    """The identity of an account. Its id is its ActivityPub id, the same on all servers."""
    return Identity(
        "mastodon",
        actor_uri,
        handle=str(handle),
        title=text_of(profile.get("display_name")),
        url=url_of(profile.get("url")) or url_of(actor_uri),
        description="\n\n".join(_paragraphs(profile)) or None,
        avatar=_picture(profile.get("avatar")),
        banner=_picture(profile.get("header")),
        moved_to=_moved_to(profile),
    )


def _moved_to(profile: Mapping[str, Any]) -> str | None:
    """The handle or address of the account that this one has moved to."""
    other = object_of(profile.get("moved"))
    return text_of(other.get("acct")) or text_of(other.get("url")) or text_of(other.get("uri"))


def _paragraphs(profile: Mapping[str, Any]) -> Iterator[str]:
    """The description of an account, then its fields, one per line."""
    note = profile.get("note")
    if isinstance(note, str) and (words := plain_text(note).text):
        yield words
    lines = []
    for item in objects_of(profile.get("fields")):
        name, value = text_of(item.get("name")), item.get("value")
        words = plain_text(value).text if isinstance(value, str) else ""
        if name and words:
            lines.append(f"{plain_text(name).text}: {words}")
    if lines:
        yield "\n".join(lines)


def _picture(value: object) -> Rendition | None:
    """A picture; None for a server's placeholder."""
    url = url_of(value)
    if url is None or url.endswith(_PLACEHOLDERS):
        return None
    return Rendition("original", url=url)
