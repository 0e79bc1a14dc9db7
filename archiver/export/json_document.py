"""Posts as one JSON document: all that the archive has of them but the media themselves.

Records stand in it exactly as the source sent them, with numbers digit by digit. How many posts
there are stands at the end, so a document that was cut off is no JSON.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from typing import Any

from archiver.export.heading import ExportHeading
from archiver.export.snapshot import Snapshot
from archiver.saved_posts import PostRevision, SavedPost
from archiver.version import version

_INTERNAL = frozenset({"id", "post_id", "attachment_id"})


def json_document(snapshot: Snapshot, heading: ExportHeading) -> Iterator[bytes]:
    """The document, in pieces."""
    about = {"made_by": f"archiver {version()}", **asdict(heading)}
    yield (_dumped(about)[:-1] + ', "posts": [').encode()
    count = 0
    for _, text in json_posts(snapshot):
        # a lone surrogate has no bytes: it stays escaped
        yield (",\n" if count else "\n").encode() + text.encode("utf-8", "backslashreplace")
        count += 1
    yield f'\n], "posts_count": {count}}}\n'.encode()


def json_posts(snapshot: Snapshot) -> Iterator[tuple[SavedPost, str]]:
    """Every post, and the JSON object that has all of it, on one line."""
    for post, revisions in _with_revisions(snapshot):
        yield post, _post(post, revisions)


def _with_revisions(snapshot: Snapshot) -> Iterator[tuple[SavedPost, list[PostRevision]]]:
    """Posts and their revisions: both come in the order of the selection."""
    groups = groupby(snapshot.revisions(), attrgetter("post_id"))
    ahead = next(groups, None)
    for post in snapshot.posts():
        revisions = []
        if ahead and ahead[0] == post.id:
            revisions = list(ahead[1])
            ahead = next(groups, None)
        yield post, revisions


def _post(post: SavedPost, revisions: list[PostRevision]) -> str:
    found = asdict(post)
    del found["revisions"]  # their number
    for attachment in found["attachments"]:
        _drop_internal(attachment)
        for file in attachment["files"]:
            _drop_internal(file)
    texts = ", ".join(_revision(one) for one in revisions)
    return f'{_dumped(found)[:-1]}, "revisions": [{texts}]}}'


def _drop_internal(found: dict[str, Any]) -> None:
    for name in _INTERNAL & found.keys():
        del found[name]


def _revision(revision: PostRevision) -> str:
    found = asdict(revision)
    raw = found.pop("raw")
    _drop_internal(found)
    return _dumped(found) if raw is None else f'{_dumped(found)[:-1]}, "record": {_exact(raw)}}}'


def _exact(raw: str) -> str:
    """The record's own text where it is JSON; a damaged one as a string."""
    try:
        json.loads(raw, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _dumped(raw)
    return raw


def _refuse(name: str) -> None:
    raise ValueError(name)  # NaN and the infinities are not JSON


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
