"""What two sources have in common that say the same of a post in different ways.

One writes links out and another shortens them, one sends HTML entities and another letters. So two
wordings are compared folded, without links and white space, with the kinds of what is attached:
never the names of files, which every source has its own of. A wording serves to compare, and is
never shown.
"""

import html
import re
from collections.abc import Iterable

from archiver.archive.search import fold
from archiver.canonical import sha256_of
from archiver.models import Post

MEDIA_KINDS = ("image", "video", "gif", "audio")

_LINK = re.compile(r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/\S*", re.IGNORECASE)


def wording_of(title: str | None, text: str | None) -> str:
    """Title and text as two sources are compared by.

    >>> wording_of(None, "Caf&eacute;,  open: https://a.example/b")
    'cafe, open:'
    """
    whole = html.unescape("\n".join(filter(None, (title, text))))
    return " ".join(fold(_LINK.sub(" ", whole)).split())


def comparable_kind(kind: str) -> str:
    """The kind of an attachment as two sources are compared by: a GIF is a video to many."""
    return "video" if kind == "gif" else kind


def media_kinds(kinds: Iterable[str]) -> list[str]:
    """The kinds of attachments that have a file, as two sources are compared by."""
    return [comparable_kind(kind) for kind in kinds if kind in MEDIA_KINDS]


def wording_sha256(post: Post) -> str:
    """The hash of a post's wording and of the kinds of its media."""
    kinds = media_kinds(attachment.kind for attachment in post.attachments)
    return hash_of(wording_of(post.title, post.text), kinds)


def hash_of(wording: str, kinds: Iterable[str]) -> str:
    """The same of a wording and kinds that are known already."""
    return sha256_of([wording, list(kinds)])
