"""Posts and what belongs to them, as exports get them."""

from dataclasses import dataclass

LINES_FORMAT = 2
"""The format of `jsonl` and `bagit` exports, which their file of accounts names.

Exports of the first one had no such file.
"""

ACCOUNTS_FILE = "accounts.json"
"""The file of accounts, beside the lines of posts."""


@dataclass(frozen=True, slots=True)
class SavedFile:
    """One rendition: a file that the archive holds, or the reason why it does not.

    `sha256`, `path` (relative to the archive's folder) and `size` (bytes) are None where the file
    is not here. `width` and `height` are in pixels, as the file itself says where it is here.
    """

    id: int
    attachment_id: int
    role: str
    state: str
    reason_code: str | None
    reason: str | None
    content_type: str | None
    width: int | None
    height: int | None
    bitrate: int | None
    duration_ms: int | None
    sha256: str | None
    path: str | None
    size: int | None
    media_key: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class PostAttachment:
    """One thing attached to a post, now or to an earlier revision of it."""

    id: int
    post_id: int
    position: int
    kind: str
    alt_text: str | None
    omitted: int
    first_revision: int | None
    last_revision: int | None
    key: str | None = None
    source: str | None = None
    platform_id: str | None = None
    files: tuple[SavedFile, ...] = ()

    @property
    def main(self) -> SavedFile | None:
        """The file to give to people: the original, else the largest variant, else a still."""
        stored = [file for file in self.files if file.path is not None]
        return max(stored, key=_preference, default=None)


_ROLES = ("preview", "cover", "thumbnail", "variant", "original")  # the best comes last


def _preference(file: SavedFile) -> tuple[int, int]:
    return _ROLES.index(file.role) if file.role in _ROLES else -1, file.size or 0


@dataclass(frozen=True, slots=True)
class SavedAccount:
    """An account that chosen posts are of, as it was last seen, with its pictures."""

    id: int
    name: str
    platform: str
    platform_id: str | None
    handle: str | None
    title: str | None
    url: str | None
    description: str | None = None
    avatar: SavedFile | None = None
    banner: SavedFile | None = None


@dataclass(frozen=True, slots=True)
class LatestMetric:
    """The newest value of a metric of a post."""

    name: str
    seen_at: str
    value: float


@dataclass(frozen=True, slots=True)
class PostRelation:
    """Another post that a post answers, quotes, reposts or shares."""

    kind: str
    platform_id: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class PostAlias:
    """Another id of a post."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True)
class SavedSource:
    """What a source showed of a post, and since when it lacks it."""

    source: str
    record_id: str | None
    first_seen_at: str
    edit: int
    content_version: int | None
    content_sha256: str | None
    missing_at: str | None
    removed_at: str | None


@dataclass(frozen=True, slots=True)
class PostRevision:
    """One content of a post. `raw` is the record, exact JSON."""

    post_id: int
    number: int
    why: str
    seen_at: str
    source_time: str | None
    source: str | None
    run_id: int | None
    content_version: int | None
    content_sha256: str
    raw: str | None


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """An answer of a source, as it was received. `headers` is JSON, by name."""

    url: str
    status: int
    received_at: str
    headers: str
    body: bytes


@dataclass(frozen=True, slots=True)
class SavedPost:
    """One post as the archive has it, with all that hangs on it but its revisions."""

    id: int
    account: str
    handle: str | None
    platform: str
    platform_id: str
    kind: str
    visibility: str | None
    author: str | None
    created_at: str | None
    title: str | None
    text: str | None
    url: str | None
    first_seen_at: str | None
    edited_at: str | None
    removed_at: str | None
    revisions: int | None  # the number of the newest one
    account_platform_id: str | None = None
    attachments: tuple[PostAttachment, ...] = ()
    metrics: tuple[LatestMetric, ...] = ()
    relations: tuple[PostRelation, ...] = ()
    aliases: tuple[PostAlias, ...] = ()
    sources: tuple[SavedSource, ...] = ()

    @property
    def attached(self) -> tuple[PostAttachment, ...]:
        """What is attached to its newest revision, or that of the moment that is asked for."""
        return tuple(
            one
            for one in self.attachments
            if (one.last_revision is None or one.last_revision >= (self.revisions or 0))
            and (one.first_revision or 0) <= (self.revisions or 0)
        )
