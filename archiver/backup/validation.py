"""What plugins give, checked before the core believes it.

The types of the contract are only promises: a plugin may give anything. What has the wrong shape
is refused here, so that it is one account's failure, or one record in quarantine, and neither a
crash nor a row that no reader expects. Text is made fit for a column: well-formed Unicode without
NUL; the record keeps what was really sent. What a plugin says about a page holds no key: an answer
that it made by itself has not passed our client, which blanks keys out.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args

from archiver.archive.rows import clean_text
from archiver.errors import RecordError
from archiver.models import (
    Absence,
    Alias,
    Attachment,
    AttachmentKind,
    Extra,
    Identity,
    Kind,
    Metric,
    Page,
    Post,
    Record,
    Relation,
    RelationKind,
    Rendition,
    Response,
    Role,
    Version,
)
from archiver.plugin_calls import ContractViolation
from archiver.secrets import redact

_KINDS = frozenset(get_args(Kind))
_ATTACHMENT_KINDS = frozenset(get_args(AttachmentKind))
_RELATION_KINDS = frozenset(get_args(RelationKind))
_ROLES = frozenset(get_args(Role))
_ABSENCES = frozenset({None, *get_args(Absence)})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_EXTRA_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_LARGEST = 2**63 - 1  # what a column of whole numbers holds
_PLAIN = frozenset({str, int, bool, float, type(None)})


def validate_page(page: object) -> Page | None:
    """A page as the contract has it, or None for the end. Raises ContractViolation."""
    if page is None:
        return None
    if not isinstance(page, Page):
        raise ContractViolation(f"It gave {_kind_of(page)} where a Page belongs")
    for record in _all(page.records, Record):
        if not isinstance(record.raw, str):
            raise ContractViolation("A record of its page is not text")
    texts = (page.cursor, page.end_reason, page.updated_at, page.fresh_until, page.version)
    _all(page.notes, str)
    if not _are_texts(texts):
        raise ContractViolation("What its page says about itself is not text")
    if type(page.authoritative) is not bool or type(page.ordered) is not bool:
        raise ContractViolation("What its page says about its order is not true or false")
    _check_response(page.response)
    for response in _all(page.evidence, Response):
        _check_response(response)
    identity = validate_identity(page.identity)
    cleaned: Page = _clean(page, "records", "response", "evidence", "identity")
    evidence = tuple(map(_without_keys, page.evidence))
    response = None if page.response is None else _without_keys(page.response)
    return replace(cleaned, response=response, evidence=evidence, identity=identity)


def validate_identity(identity: object) -> Identity | None:
    """Who an account is, as the contract has it. Raises ContractViolation."""
    if identity is None:
        return None
    if not isinstance(identity, Identity) or not isinstance(identity.platform_id, str):
        raise ContractViolation(f"It gave {_kind_of(identity)} where an Identity belongs")
    texts = (identity.handle, identity.title, identity.url, identity.description)
    if not identity.platform_id or not _are_texts(texts):
        raise ContractViolation("Its Identity has no id, or names that are not text")
    for picture in (identity.avatar, identity.banner):
        _check_picture(picture)
    cleaned: Identity = _clean(identity)
    return cleaned


def validate_versions(versions: object) -> list[Version]:
    """The versions of a post, as the contract has them. Raises ContractViolation."""
    found: list[Version] = []
    for version in _all(versions, Version):
        if not isinstance(version.record, Record) or not isinstance(version.record.raw, str):
            raise ContractViolation("A version of a post has no record")
        if version.source_time is not None and not _TIME.fullmatch(str(version.source_time)):
            raise ContractViolation(f"{version.source_time!r} is not a time in the archive's form")
        found.append(version)
    return found


def validate_metrics(batch: object) -> Mapping[str, Sequence[Metric]] | None:
    """Numbers of posts by their ids, as the contract has them. Raises ContractViolation."""
    if batch is None:
        return None
    if not isinstance(batch, Mapping) or not all(isinstance(name, str) for name in batch):
        raise ContractViolation(f"It gave {_kind_of(batch)} where numbers by ids belong")
    for metrics in batch.values():
        _check_metrics(metrics)
    return {clean_text(name): tuple(metrics) for name, metrics in batch.items()}


def _check_picture(picture: object) -> None:
    if picture is None:
        return
    if not isinstance(picture, Rendition) or not _are_texts(_check_rendition(picture)):
        raise ContractViolation(f"Its Identity has {_kind_of(picture)} where a picture belongs")


def validate_post(post: object) -> Post:
    """A post as the contract has it. Raises RecordError."""
    try:
        if not isinstance(post, Post):
            raise ContractViolation(f"It gave {_kind_of(post)} where a Post belongs")
        texts = _check_post(post)
        joined = "".join(text for text in texts if text is not None)
    except (ContractViolation, TypeError, AttributeError) as error:
        raise RecordError("The record was read into what is no post", why=str(error)) from error
    except RecursionError as error:
        raise RecordError("The record is nested too deep to be read") from error
    if not post.platform_id:
        raise RecordError("The record has no id")
    if joined == clean_text(joined):
        return post
    cleaned: Post = _clean(post, "content", "extra")
    return cleaned


def _check_post(post: Post) -> list[str | None]:
    """Check everything but the texts, which are returned. Raises ContractViolation, TypeError."""
    if post.kind not in _KINDS:
        raise ContractViolation(f"There is no kind {post.kind!r} of posts")
    for moment in (post.created_at, post.edited_at):
        if moment is not None and not _TIME.fullmatch(moment):
            raise ContractViolation(f"{moment!r} is not a time in the archive's form")
    texts = [post.platform_id, post.text, post.title, post.url, post.visibility, post.author]
    if post.platform_id is None:
        raise ContractViolation("It has no platform_id")
    for alias in _all(post.aliases, Alias):
        texts += (alias.scheme + alias.value,)
    for relation in _all(post.relations, Relation):
        if relation.kind not in _RELATION_KINDS:
            raise ContractViolation(f"There is no relation {relation.kind!r}")
        texts += (relation.platform_id, relation.url)
    _check_metrics(post.metrics)
    for attachment in _all(post.attachments, Attachment):
        texts += _check_attachment(attachment)
    if not isinstance(post.content, Mapping):
        raise ContractViolation("Its content is not a mapping")
    _check_content(dict(post.content))
    _check_extra(post.extra)
    texts += _all(post.unmapped, str)
    return texts


def _check_extra(extra: object) -> None:
    names = []
    for each in _all(extra, Extra):
        if not isinstance(each.name, str) or not _EXTRA_NAME.fullmatch(each.name):
            raise ContractViolation("The name of an extra is not words joined by _")
        if type(each.is_content) is not bool:
            raise ContractViolation(f"The extra {each.name} does not say whether it is content")
        names.append(each.name)
        _check_content(each.value)
    if len(names) != len(set(names)):
        raise ContractViolation("It has an extra twice")


def _check_attachment(attachment: Attachment) -> list[str | None]:
    if attachment.kind not in _ATTACHMENT_KINDS:
        raise ContractViolation(f"There is no kind {attachment.kind!r} of attachments")
    _check_sizes(attachment.width, attachment.height, attachment.duration_ms)
    _check_metrics(attachment.metrics)
    texts = [attachment.platform_id, attachment.alt_text]
    for rendition in _all(attachment.renditions, Rendition):
        texts += _check_rendition(rendition)
    return texts


def _check_rendition(rendition: Rendition) -> list[str | None]:
    if rendition.role not in _ROLES or rendition.absent not in _ABSENCES:
        raise ContractViolation(f"There is no role {rendition.role!r}, or no such absence")
    _check_sizes(rendition.width, rendition.height, rendition.bitrate, rendition.size)
    if rendition.sha256 is not None and not _SHA256.fullmatch(rendition.sha256):
        raise ContractViolation(f"{rendition.sha256!r} is no SHA-256 in lower-case hex")
    texts = [rendition.url, rendition.media_key, rendition.content_type]
    if rendition.path is not None:
        texts.append(str(rendition.path))
    return texts


def _check_sizes(*sizes: object) -> None:
    for size in sizes:
        if size is not None and not (type(size) is int and 0 <= size <= _LARGEST):
            raise ContractViolation(f"{size!r} is not a size")


def _check_metrics(metrics: Iterable[Metric]) -> None:
    for metric in _all(metrics, Metric):
        value: object = metric.value
        fits = type(value) is int and -_LARGEST <= value <= _LARGEST
        if not fits and not (type(value) is float and math.isfinite(value)):
            raise ContractViolation(f"The metric {metric.name} is not a number that can be kept")
        if not isinstance(metric.name, str) or not metric.name.isprintable():
            raise ContractViolation("A metric has no proper name")


def _check_content(value: object) -> None:
    """Only what JSON has, so that it can be hashed."""
    if type(value) in _PLAIN:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ContractViolation("A key of its content is not text")
            _check_content(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_content(item)
    else:
        raise ContractViolation(f"Its content has {_kind_of(value)}")


def _check_response(response: object) -> None:
    if response is None:
        return
    if not isinstance(response, Response) or not isinstance(response.body, bytes):
        raise ContractViolation("The response of its page is not a Response")
    texts = (response.source, response.url, response.received_at)
    if not _are_texts((*texts, *response.headers, *response.headers.values())) or None in texts:
        raise ContractViolation("What the response of its page says is not text")
    if type(response.status) is not int:
        raise ContractViolation("The response of its page has no status")


def _without_keys(response: Response) -> Response:
    headers = {redact(name): redact(value) for name, value in response.headers.items()}
    return replace(response, url=redact(response.url), headers=headers)


def _all(items: object, kind: type[Any]) -> tuple[Any, ...] | list[Any]:
    if not isinstance(items, tuple | list):
        raise ContractViolation(
            f"It gave {_kind_of(items)} where several of {kind.__name__} belong"
        )
    for item in items:
        if not isinstance(item, kind):
            raise ContractViolation(f"It gave {_kind_of(item)} where {kind.__name__} belongs")
    return items


def _are_texts(values: Iterable[object]) -> bool:
    return all(value is None or isinstance(value, str) for value in values)


def _clean(value: Any, *but: str) -> Any:
    """The same, with text that a column can hold everywhere."""
    if isinstance(value, str):
        return redact(clean_text(value))
    if isinstance(value, tuple | list):
        return tuple(map(_clean, value))
    if is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in fields(value) if field.name not in but)
        return replace(value, **{name: _clean(getattr(value, name)) for name in names})
    return value


def _kind_of(value: object) -> str:
    return f"a value of type {type(value).__name__}"
