"""Posts from `posts.jsonl`, as `jsonl` and `bagit` exports write it.

A line has less than the rows of an archive: of numbers the newest ones, of events none but edits
and removals, of other sources' contents their revisions. What is here is made of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import msgspec

from archiver.archive.merging import MERGED_COLUMNS, content_json
from archiver.archive.search import folded_column
from archiver.archive.transfer import TransferredAccount, TransferredPost
from archiver.errors import PackageError
from archiver.imports.package import OpenPackage
from archiver.imports.transfer_accounts import accounts_told, refuse_newer_format
from archiver.saved_posts import PostAlias, PostRelation, SavedSource

LINES = "posts.jsonl"
_LONGEST = 256 << 20  # bytes of a line
_NONE: Mapping[str, Any] = {}


class _File(msgspec.Struct):
    role: str
    state: str
    reason_code: str | None
    reason: str | None
    content_type: str | None
    width: int | None
    height: int | None
    bitrate: int | None
    sha256: str | None
    path: str | None
    media_key: str
    source: str


class _Attached(msgspec.Struct):
    position: int
    kind: str
    alt_text: str | None
    omitted: int
    first_revision: int | None
    last_revision: int | None
    key: str
    source: str
    platform_id: str | None
    files: list[_File]


class _Number(msgspec.Struct):
    name: str
    seen_at: str
    value: int | float


class _Revision(msgspec.Struct):
    number: int
    why: str
    seen_at: str
    source_time: str | None
    source: str
    content_version: int
    content_sha256: str
    record: msgspec.Raw


class _Line(msgspec.Struct):
    account: str
    account_platform_id: str | None
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
    first_seen_at: str
    edited_at: str | None
    removed_at: str | None
    attachments: list[_Attached]
    metrics: list[_Number]
    relations: list[PostRelation]
    aliases: list[PostAlias]
    sources: list[SavedSource]
    revisions: list[_Revision]


_decode = msgspec.json.Decoder(_Line).decode


def lines_in(package: OpenPackage) -> str | None:
    """The name of the lines of an export in a package; None where there are none.

    Raises PackageError for those of a newer version.
    """
    refuse_newer_format(package)
    for name in package.find(LINES):
        with package.open(name) as file:
            line = file.readline(_LONGEST)
        try:
            found = msgspec.json.decode(line) if line.strip() else _NONE
        except (msgspec.DecodeError, RecursionError):
            continue
        if isinstance(found, dict) and {"account", "platform_id", "revisions"} <= found.keys():
            return name
    return None


class ExportedLines:
    """The posts of lines; see `TransferContent`."""

    title = "posts from archiver export jsonl"

    def __init__(self, package: OpenPackage, name: str) -> None:
        self._package = package
        self._name = name
        self._folder = name[: -len(LINES)]

    def accounts(self) -> Sequence[TransferredAccount]:
        """The accounts that the lines name, with what is told of them.

        Of an export of the first format that is when their first post was seen.
        """
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for line in self._lines():
            row = found.setdefault(
                (line.account, line.platform),
                {"name": line.account, "platform": line.platform, "title": None, "url": None,
                 "first_seen_at": line.first_seen_at},
            )  # fmt: skip
            row |= {"platform_id": line.account_platform_id, "handle": line.handle}
            row["first_seen_at"] = min(row["first_seen_at"], line.first_seen_at)
        told = accounts_told(self._package, self._folder)
        return [
            replace(told.get(name, TransferredAccount(number, row)), id=number)
            for number, (name, row) in enumerate(found.items(), 1)
        ]

    def posts(self) -> Iterator[TransferredPost]:
        """The posts, in the order of the lines: by time, whatever their account."""
        ids = {(each.name, each.row["platform"]): each.id for each in self.accounts()}
        for line in self._lines():
            yield _post(line, ids[line.account, line.platform], self._folder)

    def _lines(self) -> Iterator[_Line]:
        with self._package.open(self._name) as file:
            for number in range(1, 1 << 62):
                text = file.readline(_LONGEST)
                if not text:
                    return
                try:
                    yield _decode(text)
                except (msgspec.DecodeError, RecursionError) as error:
                    raise PackageError(
                        f"Line {number:,} of {self._name} cannot be read",
                        why=str(error),
                        kept="Nothing was imported",
                        hint="Write the export again with this version of archiver; if it is "
                        "damaged, its manifest-sha256.txt tells",
                        code="damaged",
                    ) from error


def _post(line: _Line, account: int, folder: str) -> TransferredPost:
    attachments, renditions, files = _attached(line, folder)
    revisions = _revisions(line)
    rows: dict[str, Sequence[Mapping[str, Any]]] = {
        "post_sources": _sources(line),
        "post_aliases": [asdict(each) for each in line.aliases],
        "relations": [asdict(each) for each in line.relations],
        "revisions": revisions,
        "events": list(_events(line)),
        "metrics": [msgspec.structs.asdict(each) | {"attachment_id": 0} for each in line.metrics],
        "attachments": attachments,
        "renditions": renditions,
    }
    alts = _alt_texts(line)
    seen = (each.seen_at for each in line.revisions)
    times = [line.first_seen_at, line.edited_at, line.removed_at, *seen]
    names = (
        "platform", "platform_id", "kind", "visibility", "author", "created_at", "title", "text",
        "url", "first_seen_at", "edited_at", "removed_at",
    )  # fmt: skip
    row = {name: getattr(line, name) for name in names} | {
        "raw": revisions[-1]["raw"] if revisions else "{}",
        "last_seen_at": max(time for time in times if time),
        "alt_texts": "\n".join(alts) or None,
        "search_text": folded_column((line.title, line.text, *alts)),
        "earlier_text": None,
    }
    return TransferredPost(account, row, rows, files)


def _alt_texts(line: _Line) -> list[str]:
    """Those that the post has now."""
    newest = max((each.number for each in line.revisions), default=0)
    return [each.alt_text for each in line.attachments
            if each.alt_text and each.last_revision in {None, newest}]  # fmt: skip


def _revisions(line: _Line) -> list[dict[str, Any]]:
    found, edit = [], 0
    for each in sorted(line.revisions, key=lambda each: each.number):
        edit += each.why == "edited"
        row = msgspec.structs.asdict(each)
        raw = bytes(row.pop("record")).decode()
        found.append({**row, "raw": raw, "edit": edit, "wording_sha256": None})
    return found


def _sources(line: _Line) -> list[dict[str, Any]]:
    """The row of each source. Of several, each has its newest record; the post's is that of one."""
    said = {name: getattr(line, name, None) for name in MERGED_COLUMNS}
    said["alt_texts"] = "\n".join(_alt_texts(line)) or None
    newest = {each.source: bytes(each.record).decode() for each in line.revisions}
    rows = []
    for each in line.sources:
        row = asdict(each) | {
            "matched_by": None, "fingerprint": b"", "missing_updated_at": None, "view": "{}",
            "record_sha256": None, "unsigned_sha256": None, "reader": None, "unmapped": None,
            "extra": None, "said": None, "raw": None,
        }  # fmt: skip
        if len(line.sources) > 1:
            row |= {"said": content_json(said), "raw": newest.get(each.source)}
        rows.append(row)
    return rows


def _events(line: _Line) -> Iterator[dict[str, Any]]:
    """That the post was seen, edited and removed: all that a line says of what happened."""
    source = line.sources[0].source if line.sources else None
    shared = {"attachment_id": None, "reason_code": None, "reason": None}
    yield {"at": line.first_seen_at, "what": "seen", "source": source, **shared}
    for each in line.revisions:
        if each.why == "edited":
            yield {"at": each.seen_at, "what": "edited", "source": each.source, **shared}
    if line.removed_at:
        yield {"at": line.removed_at, "what": "removed", "source": source, **shared}


def _attached(
    line: _Line, folder: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, str]]:
    """The rows of attachments and renditions, numbered from 1, and the files that are here."""
    attachments: list[dict[str, Any]] = []
    renditions: list[dict[str, Any]] = []
    files: dict[str, str] = {}
    for number, each in enumerate(line.attachments, 1):
        row = msgspec.structs.asdict(each)
        del row["files"]
        nothing = {"width": None, "height": None, "duration_ms": None}
        attachments.append({**row, **nothing, "id": number})
        for file in each.files:
            if file.sha256 and file.path:
                files[file.sha256] = f"{folder}{file.path}"
            renditions.append(
                {
                    **msgspec.structs.asdict(file), "id": len(renditions) + 1, "setting": None,
                    "attachment_id": number, "url": None, "expected_sha256": None,
                    "expected_size": None, "media_sha256": file.sha256, "tries": 0,
                    "next_try_at": None, "published_at": line.created_at,
                }
            )  # fmt: skip
    return attachments, renditions, files
