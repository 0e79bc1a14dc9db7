"""Posts as they were at a moment, from the revisions that the archive has of them.

A revision counts from the time that its source gives it, else from when this archive saw it; the
first one counts from the beginning, since nothing is known of what was before. Its texts are read
from its record, by the platform that read it first; where that is not installed, they are looked up
in the record where the newest one has the newest texts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from archiver.archive.record_diff import text_at, text_path
from archiver.hookspecs import Platform
from archiver.jsontext import read_json
from archiver.models import Account
from archiver.plugin_calls import is_fault_of_plugin
from archiver.saved_posts import PostRevision, SavedPost


@dataclass(frozen=True, slots=True)
class Texts:
    """What a revision says."""

    title: str | None
    text: str | None


ReadTexts = Callable[[str], Texts | None]
"""Reads the texts of a record, which is JSON; None where that is not possible."""
Readers = Mapping[tuple[str, str], ReadTexts]
"""The reader of each platform and source."""
NO_READERS: Readers = MappingProxyType({})


def text_readers(platforms: Iterable[Platform]) -> Readers:
    """For each platform and source, what reads the title and text of a record."""
    return {(platform.name, platform.source): _reader(platform) for platform in platforms}


def _reader(platform: Platform) -> ReadTexts:
    account = Account("export", platform.name, platform.source, platform.options())

    def read(raw: str) -> Texts | None:
        try:
            post = platform.read(read_json(raw), account)
        except Exception as error:
            if not is_fault_of_plugin(error):
                raise
            return None
        return Texts(post.title, post.text)

    return read


def known_by(revisions: Sequence[PostRevision], moment: str) -> Sequence[PostRevision]:
    """Those of a post's revisions that there were then; `revisions` come the first one first."""
    return _until(moment, _in_order(revisions))


def _until(moment: str, ordered: list[PostRevision]) -> list[PostRevision]:
    then = [one for one in ordered if _time(one) <= moment]
    return then or ordered[:1]


def _in_order(revisions: Sequence[PostRevision]) -> list[PostRevision]:
    """Revisions in the order of what they say: an older one may have become known later."""
    ordered: list[PostRevision] = []
    for one in revisions:
        at = len(ordered)
        if one.why == "other_source":
            newer = (index for index, each in enumerate(ordered) if _time(each) > _time(one))
            at = next(newer, at)
        ordered.insert(at, one)
    return ordered


def _time(revision: PostRevision) -> str:
    return revision.source_time or revision.seen_at


def as_of(
    post: SavedPost, revisions: Sequence[PostRevision], moment: str, readers: Readers
) -> SavedPost:
    """A post as it was then; `revisions` are all of it, the first one first."""
    if not revisions:
        return post
    ordered = _in_order(revisions)
    then = _until(moment, ordered)[-1]
    edited_at = None if then is ordered[0] else _time(then)
    found = replace(post, revisions=then.number, edited_at=edited_at)
    if then is ordered[-1]:
        return found
    texts = _texts(post, then, ordered, readers)
    return replace(found, title=texts.title, text=texts.text)


def _texts(
    post: SavedPost, then: PostRevision, revisions: Sequence[PostRevision], readers: Readers
) -> Texts:
    raw = then.raw or ""
    read = readers.get((post.platform, then.source or ""))
    if read is not None and (texts := read(raw)) is not None:
        return texts
    same = [one for one in revisions if one.source == then.source and one.raw]
    newest = same[-1].raw or "" if same else ""
    return Texts(
        text_at(raw, text_path(newest, post.title)), text_at(raw, text_path(newest, post.text))
    )
