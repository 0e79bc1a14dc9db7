"""What kind of document a file is, recognised by its bytes: PDF, office files old and new.

New office files are ZIP archives, recognised by the names of their members; old ones are OLE
compound files, recognised by the names of their streams. Nothing is unpacked.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from archiver.media.kinds import FileKind

_PDF = FileKind("application/pdf", "pdf", "document")
_RTF = FileKind("application/rtf", "rtf", "document")
_POSTSCRIPT = FileKind("application/postscript", "ps", "document")
_EPUB = FileKind("application/epub+zip", "epub", "document")
_OFFICE = "application/vnd.openxmlformats-officedocument"
_DOCX = FileKind(f"{_OFFICE}.wordprocessingml.document", "docx", "document")
_PPTX = FileKind(f"{_OFFICE}.presentationml.presentation", "pptx", "document")
_XLSX = FileKind(f"{_OFFICE}.spreadsheetml.sheet", "xlsx", "document")
_ODF = "application/vnd.oasis.opendocument"
_DOC = FileKind("application/msword", "doc", "document")
_PPT = FileKind("application/vnd.ms-powerpoint", "ppt", "document")
_XLS = FileKind("application/vnd.ms-excel", "xls", "document")

_SIGNATURES = ((b"%PDF-", _PDF), (b"{\\rtf", _RTF), (b"%!PS", _POSTSCRIPT))
_BY_MIMETYPE = {
    b"application/epub+zip": _EPUB,
    f"{_ODF}.text".encode(): FileKind(f"{_ODF}.text", "odt", "document"),
    f"{_ODF}.presentation".encode(): FileKind(f"{_ODF}.presentation", "odp", "document"),
    f"{_ODF}.spreadsheet".encode(): FileKind(f"{_ODF}.spreadsheet", "ods", "document"),
    f"{_ODF}.graphics".encode(): FileKind(f"{_ODF}.graphics", "odg", "document"),
}
"""OpenDocument and EPUB: the first member is called `mimetype`, stored as it is."""

_BY_MEMBER = {b"word/": _DOCX, b"ppt/": _PPTX, b"xl/": _XLSX}
"""Office Open XML (ECMA-376): the folder of the package that a member is in."""

_BY_STREAM = {"WordDocument": _DOC, "PowerPoint Document": _PPT, "Workbook": _XLS, "Book": _XLS}
"""OLE compound files ([MS-CFB]): the name of a stream in the first sector of the directory."""

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END_OF_ZIP = b"PK\x05\x06"
_LARGEST_END = 22 + 0xFFFF  # the record that ends a ZIP archive, with the longest comment
_LARGEST_DIRECTORY = 4 << 20
_LARGEST_SECTOR = 4096


def document_kind(path: Path, head: bytes) -> FileKind | None:
    """The kind of a document, or None where it is none that is known.

    `head` are its first bytes. Raises OSError.
    """
    for start, kind in _SIGNATURES:
        if head.startswith(start):
            return kind
    if not head.startswith((_ZIP, _OLE)):
        return None
    with path.open("rb") as file:
        return _zipped(file, head) if head.startswith(_ZIP) else _compound(file, head)


def _zipped(file: BinaryIO, head: bytes) -> FileKind | None:
    if head[30:38] == b"mimetype":
        skip = 38 + int.from_bytes(head[28:30], "little")
        for mimetype, kind in _BY_MIMETYPE.items():
            end = skip + len(mimetype)
            if head[skip:end] == mimetype and head[end : end + 2] in {b"PK", b""}:
                return kind
    names = list(_member_names(file))
    if b"[Content_Types].xml" not in names:
        return None
    for folder, kind in _BY_MEMBER.items():
        if any(name.startswith(folder) for name in names):
            return kind
    return None


def _member_names(file: BinaryIO) -> Iterator[bytes]:
    """The names in the central directory (APPNOTE.TXT 4.3.12), as far as they make sense."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _LARGEST_END))
    tail = file.read()
    at = tail.rfind(_END_OF_ZIP)
    if at == -1 or len(tail) < at + 22:
        return
    length, offset = struct.unpack("<II", tail[at + 12 : at + 20])
    if length > _LARGEST_DIRECTORY:
        return
    file.seek(offset)
    directory = file.read(length)
    at = 0
    while directory[at : at + 4] == b"PK\x01\x02" and at + 46 <= len(directory):
        name, extra, comment = struct.unpack("<HHH", directory[at + 28 : at + 34])
        yield directory[at + 46 : at + 46 + name]
        at += 46 + name + extra + comment


def _compound(file: BinaryIO, head: bytes) -> FileKind | None:
    """From the directory's first sector ([MS-CFB] 2.2 and 2.6)."""
    if len(head) < 52:
        return None
    sector = 1 << min(int.from_bytes(head[30:32], "little"), 12)
    first = int.from_bytes(head[48:52], "little")
    file.seek((first + 1) * sector)
    entries = file.read(_LARGEST_SECTOR)
    for at in range(0, len(entries) - 127, 128):
        length = int.from_bytes(entries[at + 64 : at + 66], "little")
        name = entries[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
        if name in _BY_STREAM:
            return _BY_STREAM[name]
    return None
