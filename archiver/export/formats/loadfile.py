"""`loadfile`: a Concordance load file (DAT) with an Opticon one (OPT), as e-discovery tools read.

loadfile.dat       a document for each post, and for each of its files one that is attached to it
loadfile.opt       the pictures, one page each
TEXT/0001/…txt     the whole text of each post, exactly
NATIVES/0001/…     the files

In DAT, fields are in þ and apart by a character 20, and ® stands for the end of a line. Where a
text has these itself they are replaced, and REPLACED counts that; the file in TEXT has them.
"""

from collections.abc import Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO

from archiver.export.file_names import extension
from archiver.export.folder import ExportFolder
from archiver.export.formats.form import ExportFormat
from archiver.export.package_files import PackageFile, files_of
from archiver.export.snapshot import Snapshot
from archiver.human import parse_time
from archiver.saved_posts import SavedPost

COLUMNS = (
    "DOCID", "BEGATTACH", "ENDATTACH", "PARENTID", "CUSTODIAN", "DOCTYPE", "PLATFORM", "POSTID",
    "AUTHOR", "DATE", "TIME", "TITLE", "BODY", "ALTTEXT", "URL", "VISIBILITY", "VERSIONS",
    "FIRSTSEEN", "EDITED", "REMOVED", "FILENAME", "FILETYPE", "FILESIZE", "SHA256", "NOTINCLUDED",
    "NATIVEPATH", "TEXTPATH", "REPLACED",
)  # fmt: skip
VOLUME = "ARCHIVE"

_BOM = "\ufeff"  # by which tools know UTF-8
_QUOTE, _SEPARATOR, _LINE_END = "\xfe", "\x14", "\xae"
_REPLACED = {_QUOTE: "th", _SEPARATOR: " ", _LINE_END: "(R)"}
_IN_A_FOLDER = 1000
_PIECE = 1 << 18
_PAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/tiff"})
"""Types that tools show as a page."""


def write(snapshot: Snapshot, folder: ExportFolder) -> None:
    """Write the documents. Raises StorageError."""
    with SpooledTemporaryFile(_PIECE) as pages:
        folder.write("loadfile.dat", _documents(snapshot, folder, pages))
        pages.seek(0)
        folder.write("loadfile.opt", iter(lambda: pages.read(_PIECE), b""))


def _documents(snapshot: Snapshot, folder: ExportFolder, pages: "IO[bytes]") -> Iterator[bytes]:
    yield _BOM.encode() + _line(COLUMNS)
    number = 1
    for post in snapshot.posts():
        folder.count_posts()
        files = list(files_of(post))
        last = number + len(files)
        family = {"BEGATTACH": _id(number), "ENDATTACH": _id(last)} if files else {}
        yield _row(_of_post(post, number, folder) | family)
        for own, one in enumerate(files, number + 1):
            found = _of_file(one, own, folder) | family
            if found["NATIVEPATH"] and found["FILETYPE"] in _PAGES:
                line = f"{_id(own)},{VOLUME},{found['NATIVEPATH']},Y,,,1\r\n"
                pages.write(line.encode())
            yield _row(found | {"PARENTID": _id(number)})
        number = last + 1


def _of_post(post: SavedPost, number: int, folder: ExportFolder) -> dict[str, object]:
    path = f"TEXT/{_folder(number)}/{_id(number)}.txt"
    text = "\n\n".join(part for part in (post.title, post.text) if part)
    folder.write(path, [text.encode("utf-8", "backslashreplace")])
    return _common(post) | {
        "DOCID": _id(number), "DOCTYPE": post.kind, "AUTHOR": post.author or post.handle,
        "TITLE": post.title, "BODY": post.text, "URL": post.url, "VISIBILITY": post.visibility,
        "VERSIONS": post.revisions, "FIRSTSEEN": post.first_seen_at, "EDITED": post.edited_at,
        "REMOVED": post.removed_at, "TEXTPATH": _as_path(path),
    }  # fmt: skip


def _of_file(one: PackageFile, number: int, folder: ExportFolder) -> dict[str, object]:
    if one.why:
        folder.note_missing(f"{_id(number)}: {one.why}")
    found: dict[str, object] = _common(one.post) | {
        "DOCID": _id(number), "DOCTYPE": one.attachment.kind,
        "ALTTEXT": one.attachment.alt_text, "FILETYPE": "", "NATIVEPATH": "",
    }  # fmt: skip
    file = one.file
    path = f"NATIVES/{_folder(number)}/{_id(number)}{extension(one.name)}"
    if file is None or not folder.add_media(path, file):
        return found | {"NOTINCLUDED": one.why or "lost or damaged"}
    return found | {
        "FILENAME": one.name.removeprefix("media/"), "FILETYPE": file.content_type,
        "FILESIZE": file.size, "SHA256": file.sha256, "NATIVEPATH": _as_path(path),
    }  # fmt: skip


def _common(post: SavedPost) -> dict[str, object]:
    moment = parse_time(post.created_at)
    return {
        "CUSTODIAN": post.account, "PLATFORM": post.platform, "POSTID": post.platform_id,
        "DATE": f"{moment:%Y-%m-%d}" if moment else "",
        "TIME": f"{moment:%H:%M:%S}" if moment else "",
    }  # fmt: skip


def _row(values: dict[str, object]) -> bytes:
    """A line of DAT; how many characters of it had to be replaced stands in its last column."""
    cells = ["" if (value := values.get(name)) is None else str(value) for name in COLUMNS[:-1]]
    count = sum(cell.count(mark) for cell in cells for mark in _REPLACED)
    return _line([*cells, str(count or "")])


def _line(cells: Sequence[str]) -> bytes:
    text = _SEPARATOR.join(f"{_QUOTE}{_plain(cell)}{_QUOTE}" for cell in cells)
    return f"{text}\r\n".encode("utf-8", "backslashreplace")


def _plain(cell: str) -> str:
    for mark, instead in _REPLACED.items():
        cell = cell.replace(mark, instead)
    return _LINE_END.join(cell.splitlines())


def _id(number: int) -> str:
    return f"DOC{number:08}"


def _folder(number: int) -> str:
    return f"{(number - 1) // _IN_A_FOLDER + 1:04}"


def _as_path(path: str) -> str:
    """As load files write paths."""
    return ".\\" + path.replace("/", "\\")


FORMAT = ExportFormat(
    "loadfile",
    (
        "loadfile.dat   a document for each post and each file: UTF-8, fields in þ, apart by the",
        "               character 20, ® for the end of a line",
        "loadfile.opt   the pictures, one page each",
        "TEXT/          the whole text of each post",
        "NATIVES/       the files",
    ),
    write,
)
