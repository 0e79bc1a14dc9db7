"""`eml`: an e-mail message for each post (RFC 5322), with its files attached.

    messages/2026-11-02_my-instagram_post-17.eml

`From` is the account, at a domain that no mail reaches (RFC 2606); `Date` is when the post was
published; `In-Reply-To` names the message of a post that it answers. Files are written piece by
piece, so a film of any size needs no memory.
"""

import base64
import re
from collections.abc import Iterator
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256

from archiver.errors import StorageError
from archiver.export.file_names import file_name
from archiver.export.folder import ExportFolder
from archiver.export.formats.form import ExportFormat
from archiver.export.package_files import LOST, PackageFile, files_of, open_saved
from archiver.export.snapshot import Snapshot
from archiver.human import parse_time
from archiver.saved_posts import SavedPost

_LINE = 57  # bytes that make a line of 76 characters in base64 (RFC 2045 section 6.8)
_PIECE = _LINE * 8192
_LONGEST_SUBJECT = 70
_WORD = re.compile(r"[^a-z0-9.-]+")
_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def write(snapshot: Snapshot, folder: ExportFolder) -> None:
    """Write a message for each post. Raises StorageError."""
    for post in snapshot.posts():
        folder.count_posts()
        name = file_name(post.account, post.created_at, ".eml", role=f"post-{post.id}")
        folder.write(f"messages/{name}", _message(post, folder))


def _message(post: SavedPost, folder: ExportFolder) -> Iterator[bytes]:
    boundary = f"={sha256(_message_id(post.platform, post.platform_id).encode()).hexdigest()[:40]}="
    yield _head(post, boundary)
    files = list(files_of(post))
    yield f"--{boundary}\r\n".encode() + _text_part(post, files)
    for one in files:
        if one.why:
            folder.note_missing(f"{one.name}: {one.why}")
        elif one.file is not None:
            yield from _attached(one, folder, boundary)
    yield f"--{boundary}--\r\n".encode()


def _head(post: SavedPost, boundary: str) -> bytes:
    """The header section, with the empty line that ends it."""
    head = EmailMessage(SMTP)
    local = (
        _WORD.sub("-", (post.handle or post.account).lower().lstrip("@")).strip("-.") or "account"
    )
    shown = _one_line(post.author or post.handle or post.account)
    head["From"] = Address(shown, local[:64], f"{_domain(post.platform)}")
    if moment := parse_time(post.created_at):
        head["Date"] = format_datetime(moment.astimezone(UTC))
    head["Subject"] = _subject(post)
    head["Message-ID"] = _message_id(post.platform, post.platform_id)
    for relation in post.relations:
        if relation.kind == "reply_to" and relation.platform_id and "In-Reply-To" not in head:
            head["In-Reply-To"] = _message_id(post.platform, relation.platform_id)
    for name, value in (
        ("X-Archive-Platform", post.platform), ("X-Archive-Account", post.account),
        ("X-Archive-Post-ID", post.platform_id), ("X-Archive-Kind", post.kind),
        ("X-Archive-First-Seen", post.first_seen_at), ("X-Archive-Removed", post.removed_at),
    ):  # fmt: skip
        if value:
            head[name] = _one_line(value)
    head["MIME-Version"] = "1.0"
    head["Content-Type"] = f'multipart/mixed; boundary="{boundary}"'
    return head.as_bytes().partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def _text_part(post: SavedPost, files: list[PackageFile]) -> bytes:
    lines = [post.title, post.text, post.url]
    lines += [f"Alt text: {one.attachment.alt_text}" for one in files if one.attachment.alt_text]
    lines += [f"Not included: {one.attachment.kind}, {one.why}" for one in files if one.why]
    text = "\n\n".join(_CONTROL.sub("\ufffd", line) for line in lines if line)
    part = EmailMessage(SMTP)
    part.set_content(text, charset="utf-8", cte="base64")
    del part["MIME-Version"]
    return part.as_bytes() + b"\r\n"


def _attached(one: PackageFile, folder: ExportFolder, boundary: str) -> Iterator[bytes]:
    """A file in base64; one whose bytes are damaged is said to be, in a part of its own."""
    file = one.file
    stream = open_saved(folder.store, file) if file is not None else None
    name = one.name.removeprefix("media/")
    part = EmailMessage(SMTP)
    if file is None or stream is None:
        folder.damaged += 1
        folder.note_missing(f"{one.name}: {LOST}")
        part.set_content(f"{name}: {LOST}", charset="utf-8", cte="base64")
        del part["MIME-Version"]
        yield f"--{boundary}\r\n".encode() + part.as_bytes() + b"\r\n"
        return
    kind = file.content_type or ""
    part["Content-Type"] = kind if _TYPE.fullmatch(kind) else "application/octet-stream"
    part["Content-Transfer-Encoding"] = "base64"
    part.add_header("Content-Disposition", "attachment", filename=name)
    yield f"--{boundary}\r\n".encode() + part.as_bytes()
    digest, left = sha256(), b""
    with stream:
        try:
            while piece := stream.read(_PIECE):
                digest.update(piece)
                left += piece
                whole = len(left) - len(left) % _LINE
                yield base64.encodebytes(left[:whole]).replace(b"\n", b"\r\n")
                left = left[whole:]
        except OSError as error:
            raise StorageError(f"{one.name} cannot be read", why=str(error)) from error
    yield base64.encodebytes(left).replace(b"\n", b"\r\n")
    if digest.hexdigest() != file.sha256:
        folder.damaged += 1
        folder.note_missing(f"{one.name}: its bytes are damaged: see archiver verify")
        return
    folder.files += 1
    folder.size += file.size or 0


def _subject(post: SavedPost) -> str:
    text = " ".join(_one_line(post.title or post.text or f"{post.kind} {post.platform_id}").split())
    return text if len(text) <= _LONGEST_SUBJECT else text[: _LONGEST_SUBJECT - 1] + "…"


def _one_line(text: str) -> str:
    """A text that a header can have: no end of a line, no half character."""
    return _CONTROL.sub("\ufffd", " ".join(text.splitlines())).strip() or "-"


def _message_id(platform: str, platform_id: str) -> str:
    """The same for the same post in every export, so that mail readers know it again."""
    digest = sha256(f"{platform}\n{platform_id}".encode("utf-8", "backslashreplace")).hexdigest()
    return f"<{digest[:32]}@{_domain(platform)}>"


def _domain(platform: str) -> str:
    return f"{_WORD.sub('-', platform.lower()).strip('-.') or 'platform'}.invalid"


FORMAT = ExportFormat(
    "eml",
    (
        "messages/      a message for each post, with its files attached; From is the account,",
        "               at a domain that no mail reaches",
    ),
    write,
)
