"""What holds for every post and every scan, whatever the platform."""

# ruff: noqa: S101 — these assertions are the product

import math
import re
from collections.abc import Sequence
from typing import Any, get_args

from archiver.canonical import content_sha256, fingerprint
from archiver.models import (
    Attachment,
    AttachmentKind,
    Kind,
    Metric,
    Page,
    Post,
    RelationKind,
    Role,
    timestamp,
)

_METRIC_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", re.ASCII)
_SIGNATURE = re.compile(
    r"[?&](oe|oh|expires|signature|sig|x-expires|x-signature|x-amz-signature)=", re.IGNORECASE
)
_WITH_FILES = frozenset({"image", "video", "gif", "audio"})
_LARGEST = 2**63


def check_post(post: Post) -> None:
    """What holds for every post, however odd the record was. Raises AssertionError."""
    assert isinstance(post.platform_id, str)
    assert post.platform_id
    for moment in (post.created_at, post.edited_at):
        assert moment is None or timestamp(moment) == moment, f"{moment!r} is not in the one form"
    assert post.kind in get_args(Kind)
    _check_texts(post)
    for relation in post.relations:
        assert relation.kind in get_args(RelationKind)
        assert relation.platform_id or relation.url
    _check_metrics(post.metrics)
    for attachment in post.attachments:
        _check_attachment(attachment)
    if post.id_only:
        assert not post.content, "an answer with ids only has content"
        assert not post.attachments, "an answer with ids only has attachments"
    _check_content(dict(post.content))
    content_sha256(post)
    fingerprint(post, 1)


def _check_texts(post: Post) -> None:
    """Everything that goes into a column of text can go there."""
    texts = [post.platform_id, post.text, post.title, post.url, post.visibility, post.author]
    texts += [part for alias in post.aliases for part in (alias.scheme, alias.value)]
    texts += [part for relation in post.relations for part in (relation.platform_id, relation.url)]
    for attachment in post.attachments:
        texts += [attachment.platform_id, attachment.alt_text]
        texts += [part for r in attachment.renditions for part in (r.url, r.content_type)]
    for text in texts:
        assert text is None or isinstance(text, str), f"{text!r} is not text"
        if text is not None:
            text.encode()


def _check_metrics(metrics: Sequence[Metric]) -> None:
    names = [metric.name for metric in metrics]
    assert len(names) == len(set(names)), f"a metric twice in {names}"
    for metric in metrics:
        assert _METRIC_NAME.fullmatch(metric.name), metric.name
        assert type(metric.value) in {int, float}, f"{metric.name} is {metric.value!r}"
        assert math.isfinite(metric.value)
        assert -_LARGEST <= metric.value < _LARGEST or isinstance(metric.value, float)


def _check_attachment(attachment: Attachment) -> None:
    assert attachment.kind in get_args(AttachmentKind)
    assert attachment.renditions or attachment.kind not in _WITH_FILES, "neither file nor reason"
    _check_metrics(attachment.metrics)
    sizes = [attachment.width, attachment.height, attachment.duration_ms]
    for rendition in attachment.renditions:
        assert rendition.role in get_args(Role)
        is_strange = rendition.absent == "address_not_understood"
        url = None if is_strange else rendition.url  # what is no address is shown there
        given = [url is not None, bool(rendition.member), bool(rendition.absent)]
        assert given.count(True) == 1, (
            f"{rendition} is not one of a URL, a file of a package and an absence"
        )
        assert rendition.absent is None or is_strange or rendition.role == "original"
        assert url is None or re.match(r"https?://[^/]", url, re.IGNORECASE), url
        sizes += [rendition.width, rendition.height, rendition.bitrate]
    for size in sizes:
        assert size is None or (type(size) is int and 0 < size < _LARGEST), f"a size of {size!r}"


def _check_content(value: Any) -> None:
    """Text, whole numbers, truth values, lists and mappings of these; no signed address."""
    if isinstance(value, dict):
        for key, item in value.items():
            assert isinstance(key, str)
            _check_content(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_content(item)
    else:
        assert value is None or isinstance(value, str | int), f"{value!r} cannot be content"
        is_url = isinstance(value, str) and re.match(r"https?://\S+$", value)
        assert not (is_url and _SIGNATURE.search(str(value))), f"{value} is signed"


def check_end(pages: Sequence[Page]) -> None:
    """What holds for the end of every scan. Raises AssertionError."""
    assert pages, "a scan has at least one page"
    last = pages[-1]
    is_explained = last.reached_start or last.end_reason
    assert last.cursor is None or last.end_reason, "the last page has a cursor"
    assert is_explained, "the end is not explained"
