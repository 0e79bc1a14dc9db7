"""The normalised wording of a post, by which the contents of two sources are compared.

One source writes links in full and another shortens them, one sends HTML entities and another
letters. So two texts are compared folded, without links and white space, together with the kinds of
the attachments: never with the names of files, which differ in every source. A wording is only
compared, never shown.
"""

import html
import re
from collections.abc import Iterable

from archiver.archive.search import fold
from archiver.canonical import sha256_of_plain
from archiver.models import Post

MEDIA_KINDS = ("image", "video", "gif", "audio")

_ELLIPSIS = "..."  # folding makes this of the character too
_LEAST_BEGINNING = 20  # characters

_LINK = re.compile(r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/\S*", re.IGNORECASE)


def wording_of(title: str | None, text: str | None) -> str:
    """Title and text, normalised so that two sources can be compared.

    >>> wording_of(None, "Caf&eacute;,  open: https://a.example/b")
    'cafe, open:'
    """
    whole = html.unescape("\n".join(filter(None, (title, text))))
    if "/" in whole or "www." in whole.lower():  # else there is no link, which is found out slowly
        whole = _LINK.sub(" ", whole)
    return " ".join(fold(whole).split())


def is_same_wording(one: str, other: str) -> bool:
    """Whether two normalised wordings are of one post.

    Of two sources, one may cut a long text and end it with an ellipsis: then the other begins as it
    does, for twenty characters at least.
    """
    if one == other:
        return True
    return any(
        (beginning := cut.removesuffix(_ELLIPSIS).rstrip()) != cut
        and len(beginning) >= _LEAST_BEGINNING
        and whole.startswith(beginning)
        for cut, whole in ((one, other), (other, one))
    )


def comparable_kind(kind: str) -> str:
    """The kind of an attachment for comparing sources: to many of them a GIF is a video."""
    return "video" if kind == "gif" else kind


def media_kinds(kinds: Iterable[str]) -> list[str]:
    """The kinds of those attachments that have a file, for comparing sources."""
    return [comparable_kind(kind) for kind in kinds if kind in MEDIA_KINDS]


def wording_sha256(post: Post) -> str:
    """The hash of a post's wording and of the kinds of its media."""
    kinds = media_kinds(attachment.kind for attachment in post.attachments)
    return hash_of_wording(wording_of(post.title, post.text), kinds)


def hash_of_wording(wording: str, kinds: Iterable[str]) -> str:
    """The hash of a wording and kinds of media that are known already."""
    return sha256_of_plain([wording, list(kinds)])
