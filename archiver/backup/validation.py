"""Validating what plugins return, before the core uses it.

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

from archiver.archive.hashed_rows import clean_text
from archiver.errors import RecordError
from archiver.models import (
    SHORTCODE,
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
    SourceProfile,
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
_MAX_INTEGER = 2**63 - 1  # the largest integer of SQLite
_PLAIN = frozenset({str, int, bool, float, type(None)})


def validate_page(page: object) -> Page | None:
    """A valid page with cleaned text, or None for the end. Raises ContractViolation."""
    if page is None:
        return None
    if not isinstance(page, Page):
        raise ContractViolation(f"It returned {_type_of(page)} instead of a Page")
    for record in _items(page.records, Record):
        if not isinstance(record.raw, str):
            raise ContractViolation("A record of its page is not text")
    texts = (page.cursor, page.end_reason, page.updated_at, page.fresh_until, page.version)
    _items(page.notes, str)
    if not _are_texts(texts):
        raise ContractViolation("The cursor, end_reason, times or version of its page are not text")
    if type(page.authoritative) is not bool or type(page.ordered) is not bool:
        raise ContractViolation("authoritative or ordered of its page is not a boolean")
    _check_response(page.response)
    for response in _items(page.evidence, Response):
        _check_response(response)
    identity = validate_identity(page.identity)
    cleaned: Page = _clean(page, "records", "response", "evidence", "identity")
    evidence = tuple(map(_redacted, page.evidence))
    response = None if page.response is None else _redacted(page.response)
    return replace(cleaned, response=response, evidence=evidence, identity=identity)


def validate_identity(identity: object) -> Identity | None:
    """A valid identity with cleaned text. Raises ContractViolation."""
    if identity is None:
        return None
    if not isinstance(identity, Identity) or not isinstance(identity.platform_id, str):
        raise ContractViolation(f"It returned {_type_of(identity)} instead of an Identity")
    texts = (
        identity.handle, identity.title, identity.url, identity.description, identity.moved_to,
    )  # fmt: skip
    if not identity.platform_id or not _are_texts(texts):
        raise ContractViolation("Its Identity has an empty platform_id, or names that are not text")
    for picture in (identity.avatar, identity.banner):
        _check_picture(picture)
    cleaned: Identity = _clean(identity)
    return cleaned


def validate_profiles(profiles: object) -> list[SourceProfile]:
    """The profiles that a source lists, with cleaned text. Raises ContractViolation."""
    found: list[SourceProfile] = []
    for profile in _items(profiles, SourceProfile):
        if not isinstance(profile.ref, str) or not isinstance(profile.title, str):
            raise ContractViolation("A profile of its list has an id or a title that is not text")
        _items(profile.platforms, str)
        found.append(_clean(profile))
    return found


def validate_versions(versions: object) -> list[Version]:
    """Valid versions of a post. Raises ContractViolation."""
    found: list[Version] = []
    for version in _items(versions, Version):
        if not isinstance(version.record, Record) or not isinstance(version.record.raw, str):
            raise ContractViolation("A version of a post has no record")
        if version.source_time is not None and not _TIME.fullmatch(str(version.source_time)):
            raise ContractViolation(
                f"{version.source_time!r} is not in the form of archiver.timestamp"
            )
        found.append(version)
    return found


def validate_metrics(batch: object) -> Mapping[str, Sequence[Metric]] | None:
    """Valid metrics of posts by their ids. Raises ContractViolation."""
    if batch is None:
        return None
    if not isinstance(batch, Mapping) or not all(isinstance(name, str) for name in batch):
        raise ContractViolation(f"It returned {_type_of(batch)} instead of metrics by id")
    for metrics in batch.values():
        _check_metrics(metrics)
    return {clean_text(name): tuple(metrics) for name, metrics in batch.items()}


def _check_picture(picture: object) -> None:
    if picture is None:
        return
    if not isinstance(picture, Rendition) or not _are_texts(_check_rendition(picture)):
        raise ContractViolation(f"Its Identity has {_type_of(picture)} instead of a picture")


def validate_post(post: object) -> Post:
    """A valid post with cleaned text. Raises RecordError."""
    try:
        if not isinstance(post, Post):
            raise ContractViolation(f"It returned {_type_of(post)} instead of a Post")
        texts = _check_post(post)
        joined = "".join(text for text in texts if text is not None)
    except (ContractViolation, TypeError, AttributeError) as error:
        raise RecordError("The record was parsed into an invalid post", why=str(error)) from error
    except RecursionError as error:
        raise RecordError("The record is nested too deeply") from error
    if not post.platform_id:
        raise RecordError("The record has no id")
    if joined == clean_text(joined):
        return post
    cleaned: Post = _clean(post, "content", "extra", "emoji")
    return cleaned


def _check_post(post: Post) -> list[str | None]:
    """Check everything but the texts, which are returned. Raises ContractViolation, TypeError."""
    if post.kind not in _KINDS:
        raise ContractViolation(f"{post.kind!r} is not a kind of post")
    for moment in (post.created_at, post.edited_at, post.removed_at):
        if moment is not None and not _TIME.fullmatch(moment):
            raise ContractViolation(f"{moment!r} is not in the form of archiver.timestamp")
    texts = [post.platform_id, post.text, post.title, post.url, post.visibility, post.author]
    if post.platform_id is None:
        raise ContractViolation("It has no platform_id")
    for alias in _items(post.aliases, Alias):
        texts += (alias.scheme + alias.value,)
    for relation in _items(post.relations, Relation):
        if relation.kind not in _RELATION_KINDS:
            raise ContractViolation(f"{relation.kind!r} is not a kind of relation")
        texts += (relation.platform_id, relation.url)
    _check_metrics(post.metrics)
    for attachment in _items(post.attachments, Attachment):
        texts += _check_attachment(attachment)
    if not isinstance(post.content, Mapping):
        raise ContractViolation("Its content is not a mapping")
    _check_content(dict(post.content))
    _check_extra(post.extra)
    _check_emoji(post.emoji)
    texts += _items(post.unmapped, str)
    return texts


def _check_extra(extra: object) -> None:
    names = []
    for each in _items(extra, Extra):
        if not isinstance(each.name, str) or not _EXTRA_NAME.fullmatch(each.name):
            raise ContractViolation(
                "The name of an extra field is not lower-case words joined by _"
            )
        if type(each.is_content) is not bool:
            raise ContractViolation(f"is_content of the extra field {each.name} is not a boolean")
        names.append(each.name)
        _check_content(each.value)
    if len(names) != len(set(names)):
        raise ContractViolation("It has two extra fields of one name")


def _check_emoji(emoji: object) -> None:
    if not isinstance(emoji, Mapping):
        raise ContractViolation("Its emoji are not a mapping")
    for shortcode, url in emoji.items():
        if not isinstance(shortcode, str) or not SHORTCODE.fullmatch(shortcode):
            raise ContractViolation("A custom emoji has no shortcode of letters, digits and _.+-")
        if not isinstance(url, str) or url != clean_text(url):
            raise ContractViolation(f"The custom emoji {shortcode} has no address that is text")


def _check_attachment(attachment: Attachment) -> list[str | None]:
    if attachment.kind not in _ATTACHMENT_KINDS:
        raise ContractViolation(f"{attachment.kind!r} is not a kind of attachment")
    _check_sizes(attachment.width, attachment.height, attachment.duration_ms)
    _check_metrics(attachment.metrics)
    texts = [attachment.platform_id, attachment.alt_text]
    for rendition in _items(attachment.renditions, Rendition):
        texts += _check_rendition(rendition)
    return texts


def _check_rendition(rendition: Rendition) -> list[str | None]:
    if rendition.role not in _ROLES or rendition.absent not in _ABSENCES:
        raise ContractViolation(
            f"{rendition.role!r} is not a role, or {rendition.absent!r} not an absence"
        )
    _check_sizes(
        rendition.width, rendition.height, rendition.bitrate, rendition.size, rendition.duration_ms
    )
    if rendition.sha256 is not None and not _SHA256.fullmatch(rendition.sha256):
        raise ContractViolation(f"{rendition.sha256!r} is no SHA-256 in lower-case hex")
    return [rendition.url, rendition.member, rendition.media_key, rendition.content_type]


def _check_sizes(*sizes: object) -> None:
    for size in sizes:
        if size is not None and not (type(size) is int and 0 <= size <= _MAX_INTEGER):
            raise ContractViolation(f"{size!r} is not a size, bitrate or duration")


def _check_metrics(metrics: Iterable[Metric]) -> None:
    for metric in _items(metrics, Metric):
        value: object = metric.value
        fits = type(value) is int and -_MAX_INTEGER <= value <= _MAX_INTEGER
        if not fits and not (type(value) is float and math.isfinite(value)):
            raise ContractViolation(
                f"The metric {metric.name} is not a number that SQLite can hold"
            )
        if not isinstance(metric.name, str) or not metric.name.isprintable():
            raise ContractViolation("The name of a metric is not printable text")


def _check_content(value: object) -> None:
    """Raise ContractViolation for values that JSON does not have, which cannot be hashed."""
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
        raise ContractViolation(f"Its content has {_type_of(value)}")


def _check_response(response: object) -> None:
    if response is None:
        return
    if not isinstance(response, Response) or not isinstance(response.body, bytes):
        raise ContractViolation("The response of its page is not a Response with a body of bytes")
    texts = (response.source, response.url, response.received_at)
    if not _are_texts((*texts, *response.headers, *response.headers.values())) or None in texts:
        raise ContractViolation("The url, source, time or headers of its response are not text")
    if type(response.status) is not int:
        raise ContractViolation("The status of its response is not a whole number")


def _redacted(response: Response) -> Response:
    headers = {redact(name): redact(value) for name, value in response.headers.items()}
    return replace(response, url=redact(response.url), headers=headers)


def _items(items: object, kind: type[Any]) -> tuple[Any, ...] | list[Any]:
    if not isinstance(items, tuple | list):
        raise ContractViolation(
            f"It returned {_type_of(items)} instead of a list or tuple of {kind.__name__}"
        )
    for item in items:
        if not isinstance(item, kind):
            raise ContractViolation(f"It returned {_type_of(item)} instead of {kind.__name__}")
    return items


def _are_texts(values: Iterable[object]) -> bool:
    return all(value is None or isinstance(value, str) for value in values)


def _clean(value: Any, *except_fields: str) -> Any:
    """The same value, with all its text cleaned and redacted."""
    if isinstance(value, str):
        return redact(clean_text(value))
    if isinstance(value, tuple | list):
        return tuple(map(_clean, value))
    if is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in fields(value) if field.name not in except_fields)
        return replace(value, **{name: _clean(getattr(value, name)) for name in names})
    return value


def _type_of(value: object) -> str:
    return f"a value of type {type(value).__name__}"
