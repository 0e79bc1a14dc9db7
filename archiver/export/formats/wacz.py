"""`wacz`: captured answers, records and media as WARC 1.1 in a WACZ 1.1.1, for ReplayWeb.page.

posts.wacz      archive/data.warc.gz, its index, a page for each post, a datapackage with hashes

An answer of a source whose status, headers and body are held is a `response` record; one answer
holds many posts, so those of an account are in it only where all its posts are chosen. All else is
a `resource` record: the media at the address where they were offered, without its signature; each
record of a post; and a page for each post that was made here, at an address that leads nowhere
(RFC 2606). Requests are not held. The first record says all that, and what was redacted.
"""

import hashlib
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from html import escape
from http import HTTPStatus
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

from archiver.errors import StorageError, UsageError
from archiver.export.folder import ExportFolder
from archiver.export.formats.form import ExportFormat
from archiver.export.heading import ExportHeading
from archiver.export.package_files import LOST, files_of, open_saved
from archiver.export.snapshot import Snapshot
from archiver.human import parse_time
from archiver.media.disk import storage_error
from archiver.media_keys import unsigned_address
from archiver.saved_posts import SavedAnswer, SavedFile, SavedPost
from archiver.version import version

FILE = "posts.wacz"
MADE_HERE = "https://archive.invalid"
"""Where pages and records are that have no address of their own: no server has this name."""
WACZ_VERSION = "1.1.1"
REDACTED = (
    "requests, with the keys and tokens in them, are not held; addresses are without the "
    "parameters that sign them; of the headers of answers, those are held that say when, what "
    "and how long"
)

_SCRATCH = "wacz.scratch"
_PIECE = 1 << 18
_YEAR_OF_ZIP = 1980
_LAYOUT = (
    ("archive/data.warc.gz", "data.warc.gz"), ("indexes/index.cdx", "index.cdx"),
    ("pages/pages.jsonl", "pages.jsonl"),
)  # fmt: skip
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}"
    "img,video{max-width:100%;height:auto}p{white-space:pre-wrap;overflow-wrap:anywhere}"
)


def require() -> None:
    """Raise UsageError where the library is not installed."""
    try:
        import warcio  # noqa: F401, PLC0415 — an extra
    except ImportError as error:
        raise UsageError(
            "This format needs the library warcio, which is not installed",
            hint="Install the extra: pip install 'social-archiver[export]', or pip install warcio",
        ) from error


def write(snapshot: Snapshot, folder: ExportFolder) -> None:
    """Write the WACZ. Raises StorageError."""
    scratch = folder.path / _SCRATCH
    try:
        scratch.mkdir(mode=0o700, exist_ok=True)
        for path in scratch.iterdir():
            path.unlink()
        with (
            closing(sqlite3.connect(scratch / "index.db", isolation_level=None)) as index,
            (scratch / "data.warc.gz").open("wb") as data,
            (scratch / "pages.jsonl").open("wb") as pages,
        ):
            _Capture(snapshot, folder, index, data, pages).write()
            (scratch / "index.cdx").write_bytes(b"")
            with (scratch / "index.cdx").open("wb") as cdx:
                for (line,) in index.execute("SELECT line FROM lines ORDER BY line"):
                    cdx.write(f"{line}\n".encode())
        folder.write(FILE, _package(scratch, folder.heading))
        for path in scratch.iterdir():
            path.unlink()
    except OSError as error:
        raise storage_error(error, f"write {scratch}") from error


class _Capture:
    """A WARC that is being written, with its index and its list of pages."""

    def __init__(
        self, snapshot: Snapshot, folder: ExportFolder, index: sqlite3.Connection,
        data: IO[bytes], pages: IO[bytes],
    ) -> None:  # fmt: skip
        from warcio.warcwriter import WARCWriter  # noqa: PLC0415 — an extra

        self._snapshot = snapshot
        self._folder = folder
        self._index = index
        self._data = data
        self._pages = pages
        self._writer = WARCWriter(data, gzip=True, warc_version="1.1")
        index.execute("PRAGMA journal_mode = OFF")
        index.execute("CREATE TABLE lines (line TEXT)")
        index.execute("CREATE TABLE files (sha256 TEXT PRIMARY KEY, address TEXT)")
        index.execute("BEGIN")

    def write(self) -> None:
        """Write all records."""
        self._write_info()
        self._pages.write(
            _line({"format": "json-pages-1.0", "id": "pages", "title": "Posts", "hasText": True})
        )
        for answer in self._snapshot.answers():
            self._write_answer(answer)
        for post in self._snapshot.posts():
            self._folder.count_posts()
            self._write_post(post)
        for revision in self._snapshot.revisions():
            if revision.raw is not None:
                address = f"{MADE_HERE}/post/{revision.post_id}/record/{revision.number}"
                data = revision.raw.encode("utf-8", "surrogatepass")
                self._write_resource(address, "application/json", revision.seen_at, data)
        self._index.execute("COMMIT")

    def _write_info(self) -> None:
        heading = self._folder.heading
        record = self._writer.create_warcinfo_record(
            "data.warc.gz",
            {
                "software": f"archiver {version()}", "format": "WARC File Format 1.1",
                "description": f"Posts from the archive {heading.archive}: {heading.selection}",
                "redacted": REDACTED,
                "made-here": f"what is below {MADE_HERE}/ was made for this file, not captured",
            },
        )  # fmt: skip
        self._writer.write_record(record)

    def _write_answer(self, answer: SavedAnswer) -> None:
        """An answer, as a response where all of it is held."""
        from warcio.statusandheaders import StatusAndHeaders  # noqa: PLC0415 — an extra

        headers = _headers(answer)
        if headers is None:
            self._write_resource(answer.url, "application/json", answer.received_at, answer.body)
            return
        kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
        kept.append(("Content-Length", str(len(answer.body))))  # as it is here: not compressed
        try:
            phrase = HTTPStatus(answer.status).phrase
        except ValueError:
            phrase = ""
        types = [value for name, value in kept if name.lower() == "content-type"]
        self._write_record(
            answer.url, "response", answer.received_at, BytesIO(answer.body), len(answer.body),
            (types or ["application/octet-stream"])[0].partition(";")[0],
            http_headers=StatusAndHeaders(f"{answer.status} {phrase}", kept, protocol="HTTP/1.1"),
            status=str(answer.status),
        )  # fmt: skip

    def _write_post(self, post: SavedPost) -> None:
        """The files of a post, and a page that shows them."""
        parts = []
        for one in files_of(post):
            if one.why:
                self._folder.note_missing(f"{one.name}: {one.why}")
            for file in one.attachment.files:
                if file.path is None or one.attachment not in post.attached:
                    continue
                address = self._write_file(file, post)
                if address and file is one.file:
                    parts.append(_element(file, address, one.attachment.alt_text or ""))
        address = f"{MADE_HERE}/post/{post.id}"
        title = f"{post.account}, {post.created_at or 'no date'}"
        data = _page(post, title, parts)
        moment = post.first_seen_at
        self._write_resource(address, "text/html", moment, data, charset="; charset=utf-8")
        text = "\n".join(part for part in (post.title, post.text) if part)
        self._pages.write(_line({
            "id": f"post-{post.id}", "url": address, "ts": _date(moment), "title": title,
            "text": text.encode("utf-8", "replace").decode(),
        }))  # fmt: skip

    def _write_file(self, file: SavedFile, post: SavedPost) -> str | None:
        """A media file, once; returns its address, None where its bytes are not here."""
        query = "SELECT address FROM files WHERE sha256 = ?"
        if (row := self._index.execute(query, (file.sha256,)).fetchone()) is not None:
            return str(row[0])
        address = self._address(file)
        if not self._copy_file(file, address, post.first_seen_at):
            self._folder.damaged += 1
            self._folder.note_missing(f"{file.path}: {LOST}")
            return None
        self._index.execute("INSERT INTO files VALUES (?, ?)", (file.sha256, address))
        self._folder.files += 1
        self._folder.size += file.size or 0
        return address

    def _copy_file(self, file: SavedFile, address: str, moment: str | None) -> bool:
        """Write the record of a media file; False where its bytes are not there or damaged."""
        stream = open_saved(self._folder.store, file)
        if stream is None:
            return False
        with closing(stream):
            if _sha256_of(stream) != file.sha256:
                return False
            stream.seek(0)
            self._write_record(
                address, "resource", moment, cast("IO[bytes]", stream), file.size or 0,
                file.content_type or "application/octet-stream", digest=file.sha256,
            )  # fmt: skip
        return True

    def _address(self, file: SavedFile) -> str:
        """Where a file was offered, without what signs that; else one made of its hash."""
        query = "SELECT url FROM renditions WHERE id = ?"
        (url,) = self._snapshot.connection.execute(query, (file.id,)).fetchone()
        address = unsigned_address(url) if url else ""
        taken = "SELECT 1 FROM files WHERE address = ?"
        if _surt(address) and not self._index.execute(taken, (address,)).fetchone():
            return address
        return f"{MADE_HERE}/{file.path}"

    def _write_resource(
        self, address: str, content_type: str, moment: str | None, data: bytes, charset: str = ""
    ) -> None:
        self._write_record(
            address, "resource", moment, BytesIO(data), len(data), content_type, charset=charset
        )

    def _write_record(
        self, address: str, kind: str, moment: str | None, payload: IO[bytes], length: int,
        content_type: str, *, charset: str = "", http_headers: Any = None, status: str = "",
        digest: str | None = None,
    ) -> None:  # fmt: skip
        """Write one record, and its line of the index."""
        digest = digest or hashlib.sha256(payload.read()).hexdigest()
        payload.seek(0)
        record = self._writer.create_warc_record(
            address, kind, payload=payload, length=length, http_headers=http_headers,
            warc_content_type="" if http_headers else f"{content_type}{charset}",
            warc_headers_dict={
                "WARC-Date": _date(moment), "WARC-Payload-Digest": f"sha256:{digest}",
            },
        )  # fmt: skip
        offset = self._data.tell()
        self._writer.write_record(record)
        about = {
            "url": address, "mime": content_type, "digest": f"sha256:{digest}",
            "offset": str(offset), "length": str(self._data.tell() - offset),
            "filename": "data.warc.gz",
        }  # fmt: skip
        if status:
            about["status"] = status
        if key := _surt(address):
            stamp = "".join(filter(str.isdigit, _date(moment)))[:14]
            line = f"{key} {stamp} {json.dumps(about)}"
            self._index.execute("INSERT INTO lines VALUES (?)", (line,))


def _headers(answer: SavedAnswer) -> list[tuple[str, str]] | None:
    """The headers of an answer that can be one in HTTP; None where they are not held."""
    try:
        found = json.loads(answer.headers)
    except ValueError:
        return None
    pairs = found.items() if isinstance(found, dict) else found
    try:
        headers = [(str(name), " ".join(str(value).split())) for name, value in pairs]
    except (TypeError, ValueError):
        return None
    return headers if headers and all(name.isascii() for name, _ in headers) else None


def _element(file: SavedFile, address: str, alt: str) -> str:
    kind = (file.content_type or "").partition("/")[0]
    place = escape(address)
    if kind == "image":
        return f'<img src="{place}" alt="{escape(alt)}">'
    if kind in {"video", "audio"}:
        return f'<{kind} controls src="{place}"></{kind}>'
    return f'<a href="{place}">{escape(file.content_type or "file")}</a>'


def _page(post: SavedPost, title: str, parts: list[str]) -> bytes:
    texts = "".join(f"<p dir=auto>{escape(text)}</p>" for text in (post.title, post.text) if text)
    where = f"<p>{escape(post.url)}</p>" if post.url else ""
    page = (
        f"<!DOCTYPE html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{texts}{''.join(parts)}{where}"
        "<footer><small>Made by archiver from the post's record; not a page of the platform."
        "</small></footer></html>"
    )
    return page.encode("utf-8", "xmlcharrefreplace")


def _surt(address: str) -> str | None:
    """The key of an address in an index: its host from the back, its path; None for others."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or not address.isascii():
        return None
    if any(one <= " " for one in address):
        return None
    query = f"?{parts.query}" if parts.query else ""
    shown_port = f":{port}" if port else ""
    return f"{','.join(host.split('.')[::-1])}{shown_port}){parts.path or '/'}{query}".lower()


def _date(moment: str | None) -> str:
    """A time as WARC writes it."""
    parsed = parse_time(moment) or datetime(_YEAR_OF_ZIP, 1, 1, tzinfo=UTC)
    return f"{parsed:%Y-%m-%dT%H:%M:%SZ}"


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _sha256_of(stream: RawIOBase) -> str | None:
    digest = hashlib.sha256()
    try:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    except (OSError, StorageError):
        return None
    return digest.hexdigest()


# the package


def _package(scratch: Path, heading: ExportHeading) -> Iterator[bytes]:
    """The ZIP, in pieces. Nothing in it is compressed again, so that it can be read in place."""
    outlet = _Pieces()
    resources = []
    with zipfile.ZipFile(outlet, "w", allowZip64=True) as package:
        for name, own in _LAYOUT:
            digest, size = hashlib.sha256(), 0
            # ReplayWeb.page takes the lengths of extra fields to be the same in both of a ZIP's
            # headers: of a file that is known to be small, zipfile writes none in either
            is_large = (scratch / own).stat().st_size > zipfile.ZIP64_LIMIT
            with (
                (scratch / own).open("rb") as file,
                package.open(_entry(name), "w", force_zip64=is_large) as target,
            ):
                while piece := file.read(_PIECE):
                    digest.update(piece)
                    size += len(piece)
                    target.write(piece)
                    yield outlet.taken()
            resources.append({
                "name": own, "path": name, "hash": f"sha256:{digest.hexdigest()}", "bytes": size,
            })  # fmt: skip
        about = json.dumps({
            "profile": "data-package", "wacz_version": WACZ_VERSION,
            "title": f"Posts from the archive {heading.archive}",
            "description": f"{heading.selection}. Redacted: {REDACTED}.",
            "created": heading.made_at, "software": f"archiver {version()}",
            "resources": resources,
        }, indent=2).encode()  # fmt: skip
        package.writestr(_entry("datapackage.json"), about)
        of_it = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(about).hexdigest()}"}
        package.writestr(_entry("datapackage-digest.json"), json.dumps(of_it))
    yield outlet.taken()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (_YEAR_OF_ZIP, 1, 1, 0, 0, 0))
    entry.external_attr = 0o100600 << 16
    return entry


class _Pieces(RawIOBase):
    """Where a ZIP is written to: a file without a position, emptied as it fills."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, piece: Any) -> int:
        """Take some bytes."""
        self._held += piece
        return len(piece)

    def taken(self) -> bytes:
        """What was written since the last time."""
        taken = bytes(self._held)
        self._held.clear()
        return taken


FORMAT = ExportFormat(
    "wacz",
    (
        "posts.wacz     a web archive: open it with ReplayWeb.page or any tool for WARC. It has",
        "               captured answers and files, and a page for each post that was made here",
    ),
    write,
    require,
)
