"""The face that plugins see: the nouns, the errors, the mark for hooks. Nothing else.

    from archiver import Page, Post, Record, hookimpl

Each name is fetched from where it lives when it is first asked for, so that `archiver --help`
pays for none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archiver.apis import (
        AnswerRequest,
        AsgiApp,
        AsgiReceive,
        AsgiScope,
        AsgiSend,
        Demo,
        DemoWorld,
        HistoryBackend,
        ServedApi,
    )
    from archiver.auth import OAuth
    from archiver.errors import (
        AccessRefused,
        AccountGone,
        ArchiverError,
        ConfigError,
        PackageError,
        PluginError,
        RateLimited,
        RecordError,
        SecretError,
        SourceDown,
        SourceError,
    )
    from archiver.export_writers import ExportTarget, ExportWriter, PostSnapshot
    from archiver.hookspecs import (
        ExportReader,
        FileResponse,
        Http,
        Kit,
        Package,
        Platform,
        Source,
        Tokens,
        hookimpl,
    )
    from archiver.jsontext import BadJson, read_json, read_records, write_json
    from archiver.media_keys import address_key
    from archiver.models import (
        EXPIRING_KINDS,
        STORY_LIFE,
        Account,
        Alias,
        Attachment,
        AttachmentKind,
        ExportedPost,
        Extra,
        Identity,
        Kind,
        Listing,
        Metric,
        Page,
        Post,
        Proof,
        Rank,
        RateLimitPolicy,
        Recognition,
        Record,
        Relation,
        RelationKind,
        Rendition,
        Response,
        Role,
        SourceProfile,
        Stream,
        Trust,
        Version,
        Window,
        timestamp,
    )
    from archiver.resolvers import (
        ProgramResult,
        ResolvedSubtitles,
        ResolvedVideo,
        Resolver,
        ResolverJob,
        Unresolved,
        UnresolvedCode,
    )
    from archiver.saved_posts import (
        LatestMetric,
        PostAttachment,
        PostRelation,
        PostRevision,
        SavedAccount,
        SavedFile,
        SavedPost,
    )
    from archiver.secrets import Secret
    from archiver.served_records import (
        ApiAnswer,
        ApiRequest,
        HistoryAccount,
        HistoryContent,
        HistoryFile,
        HistoryPost,
        HistoryQuery,
        SourceFreshness,
    )
    from archiver.urls import BadUrl, BaseUrl, normalize_url

_HOMES = {
    "apis": (
        "AnswerRequest", "AsgiApp", "AsgiReceive", "AsgiScope", "AsgiSend", "Demo", "DemoWorld",
        "HistoryBackend", "ServedApi",
    ),
    "auth": ("OAuth",),
    "errors": (
        "AccessRefused", "AccountGone", "ArchiverError", "ConfigError", "PackageError",
        "PluginError", "RateLimited", "RecordError", "SecretError", "SourceDown", "SourceError",
    ),
    "export_writers": ("ExportTarget", "ExportWriter", "PostSnapshot"),
    "hookspecs": (
        "ExportReader", "FileResponse", "Http", "Kit", "Package", "Platform", "Source", "Tokens",
        "hookimpl",
    ),
    "jsontext": ("BadJson", "read_json", "read_records", "write_json"),
    "media_keys": ("address_key",),
    "models": (
        "EXPIRING_KINDS", "STORY_LIFE", "Account", "Alias", "Attachment", "AttachmentKind",
        "ExportedPost", "Extra", "Identity", "Kind", "Listing", "Metric", "Page", "Post", "Proof",
        "Rank", "RateLimitPolicy", "Recognition", "Record", "Relation", "RelationKind",
        "Rendition", "Response", "Role", "SourceProfile", "Stream", "Trust", "Version", "Window",
        "timestamp",
    ),
    "resolvers": (
        "ProgramResult", "ResolvedSubtitles", "ResolvedVideo", "Resolver", "ResolverJob",
        "Unresolved", "UnresolvedCode",
    ),
    "saved_posts": (
        "LatestMetric", "PostAttachment", "PostRelation", "PostRevision", "SavedAccount",
        "SavedFile", "SavedPost",
    ),
    "secrets": ("Secret",),
    "served_records": (
        "ApiAnswer", "ApiRequest", "HistoryAccount", "HistoryContent", "HistoryFile",
        "HistoryPost", "HistoryQuery", "SourceFreshness",
    ),
    "urls": ("BadUrl", "BaseUrl", "normalize_url"),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """A name of the face, fetched from its home."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"archiver.{home}"), name)
    raise AttributeError(f"module 'archiver' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "EXPIRING_KINDS",
    "STORY_LIFE",
    "AccessRefused",
    "Account",
    "AccountGone",
    "Alias",
    "AnswerRequest",
    "ApiAnswer",
    "ApiRequest",
    "ArchiverError",
    "AsgiApp",
    "AsgiReceive",
    "AsgiScope",
    "AsgiSend",
    "Attachment",
    "AttachmentKind",
    "BadJson",
    "BadUrl",
    "BaseUrl",
    "ConfigError",
    "Demo",
    "DemoWorld",
    "ExportReader",
    "ExportTarget",
    "ExportWriter",
    "ExportedPost",
    "Extra",
    "FileResponse",
    "HistoryAccount",
    "HistoryBackend",
    "HistoryContent",
    "HistoryFile",
    "HistoryPost",
    "HistoryQuery",
    "Http",
    "Identity",
    "Kind",
    "Kit",
    "LatestMetric",
    "Listing",
    "Metric",
    "OAuth",
    "Package",
    "PackageError",
    "Page",
    "Platform",
    "PluginError",
    "Post",
    "PostAttachment",
    "PostRelation",
    "PostRevision",
    "PostSnapshot",
    "ProgramResult",
    "Proof",
    "Rank",
    "RateLimitPolicy",
    "RateLimited",
    "Recognition",
    "Record",
    "RecordError",
    "Relation",
    "RelationKind",
    "Rendition",
    "ResolvedSubtitles",
    "ResolvedVideo",
    "Resolver",
    "ResolverJob",
    "Response",
    "Role",
    "SavedAccount",
    "SavedFile",
    "SavedPost",
    "Secret",
    "SecretError",
    "ServedApi",
    "Source",
    "SourceDown",
    "SourceError",
    "SourceFreshness",
    "SourceProfile",
    "Stream",
    "Tokens",
    "Trust",
    "Unresolved",
    "UnresolvedCode",
    "Version",
    "Window",
    "address_key",
    "hookimpl",
    "normalize_url",
    "read_json",
    "read_records",
    "timestamp",
    "write_json",
]
