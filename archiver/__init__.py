"""The face that plugins see: the nouns, the errors, the mark for hooks. Nothing else.

from archiver import Page, Post, Record, hookimpl
"""

from pluggy import HookimplMarker

from archiver.errors import (
    AccessRefused,
    ArchiverError,
    ConfigError,
    PluginError,
    RateLimited,
    RecordError,
    SourceDown,
    SourceError,
)
from archiver.hookspecs import Http, Platform, Source
from archiver.jsontext import BadJson, read_json, read_records, write_json
from archiver.models import (
    Account,
    Alias,
    Attachment,
    AttachmentKind,
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
    Stream,
    Window,
    timestamp,
)
from archiver.secrets import Secret

hookimpl = HookimplMarker("archiver")
"""Marks a function in a plugin as the implementation of a hook."""

__all__ = [
    "AccessRefused",
    "Account",
    "Alias",
    "ArchiverError",
    "Attachment",
    "AttachmentKind",
    "BadJson",
    "ConfigError",
    "Http",
    "Identity",
    "Kind",
    "Metric",
    "Page",
    "Platform",
    "PluginError",
    "Post",
    "RateLimited",
    "Record",
    "RecordError",
    "Relation",
    "RelationKind",
    "Rendition",
    "Response",
    "Role",
    "Secret",
    "Source",
    "SourceDown",
    "SourceError",
    "Stream",
    "Window",
    "hookimpl",
    "read_json",
    "read_records",
    "timestamp",
    "write_json",
]
