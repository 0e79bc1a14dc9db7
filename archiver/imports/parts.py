"""The parts of a package: a zip, a tar, a folder or a single file, whichever its content shows.

Every part is read where it is: nothing of it is unpacked, except that a compressed tar becomes a
temporary plain one, since it can be read from its beginning only.
"""

import bz2
import gzip
import hashlib
import lzma
import os
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BufferedReader, FileIO, RawIOBase
from math import isnan, nan
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from archiver.errors import PackageError
from archiver.imports.names import confined_name, decoded_name
from archiver.imports.part_files import PartFile, PartFiles
from archiver.models import timestamp

_MOST_FILES = 5_000_000
_BOMB_SIZE = 100 << 20  # bytes; less cannot do harm
_BOMB_RATIO = 400  # files of posts are packed 20 times at most
_CHUNK = 1 << 20
_ENCRYPTED = 0x1
_UTF8 = 0x800
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field with a name in UTF-8
_IGNORED = ("__MACOSX/", ".DS_Store")
_OPENERS: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_BAD = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError)
_ENDS = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
_TIMES = ("2004-01-01", "2100-01-01")  # before, there was no platform

OpenFile = Callable[[PartFile], BinaryIO]
OnBytes = Callable[[int], object]


@dataclass(eq=False, slots=True)  # a part is itself, whatever it holds
class DownloadedPart:
    """One part of a package as it was downloaded.

    `files` are by their confined names, and `open_file` opens one. `modified_at` is the time of its
    newest file, where that is known. `close` releases what is open.
    """

    path: Path
    size: int
    open_file: OpenFile
    files: PartFiles = field(default_factory=PartFiles)
    modified_at: str | None = None
    close: Callable[[], None] = lambda: None
    is_folder: bool = False

    def file(self, name: str) -> PartFile:
        """The file of that name. Raises KeyError."""
        found = self.files.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def time_of(self, name: str) -> str | None:
        """The time of a file, where that is told. Raises KeyError."""
        return _time(self.file(name).seconds)

    def sha256(self, on_bytes: OnBytes) -> str:
        """The hash of the part: of a folder that of what `sha256sum` prints for its files.

        `on_bytes` is called with the size of each piece that was read.
        """
        with _damage(self.path):
            if not self.is_folder:
                with self.path.open("rb") as file:
                    return _hash(file, on_bytes)
            whole = hashlib.sha256()
            for name in self.files:
                with self.open_file(self.file(name)) as file:
                    line = f"{_hash(file, on_bytes)}  {name}\n"
                whole.update(line.encode("utf-8", "surrogateescape"))
            return whole.hexdigest()

    def take(self, files: Iterable[PartFile]) -> None:
        """Take these as its files, but for those that no export has. Raises PackageError."""
        self.files = PartFiles(self._counted(files))

    def _counted(self, files: Iterable[PartFile]) -> Iterator[PartFile]:
        newest = 0.0  # a time before there was any platform
        for number, file in enumerate(files, 1):
            if number > _MOST_FILES:
                raise refusal(self.path, f"It names more than {_MOST_FILES:,} files", code="bomb")
            if file.seconds > newest and _time(file.seconds):
                newest = file.seconds
            if not _is_ignored(file.name):
                yield file
        self.modified_at = _time(newest)


def _is_ignored(name: str) -> bool:
    return name.startswith(_IGNORED[0]) or name.rpartition("/")[2] == _IGNORED[1]


def open_part(path: Path, scratch: Path | None = None) -> DownloadedPart:
    """A part by its path; `scratch` is a folder for temporary files. Raises PackageError."""
    with _damage(path):
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            return _folder(path)
        if not stat.S_ISREG(found.st_mode):
            raise refusal(path, "It is neither a file nor a folder")
        with path.open("rb") as file:
            head = file.read(512)
        if not head:
            raise refusal(path, "The file is empty", code="empty")
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
            return _zip(path, found.st_size)
        for magic in _OPENERS:
            if head.startswith(magic):
                return _compressed_tar(path, found.st_size, magic, scratch)
        if head[257:262] == b"ustar":
            return _tar(path, found.st_size, path.open("rb"))
        part = DownloadedPart(path, found.st_size, lambda _: _open_plain(path))
        part.take([PartFile(confined_name(path.name), found.st_size, found.st_mtime)])
        return part


def parts_in(folder: Path) -> list[Path]:
    """The zips and tars that lie in a folder: parts that were downloaded into it."""
    return sorted(
        each for each in folder.iterdir() if each.name.lower().endswith(_ENDS) and each.is_file()
    )


def refusal(
    path: Path, why: str, *, hint: str | None = None, code: str = "package"
) -> PackageError:
    """The error for a part that is not read."""
    return PackageError(
        f"{path} cannot be imported",
        why=why,
        kept="Nothing was imported",
        hint=hint or "Download the export again, all its parts, and import it as it is",
        code=code,
    )


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Errors of the formats and of the disk as errors of the package."""
    try:
        yield
    except FileNotFoundError as error:
        raise refusal(path, "There is no such file") from error
    except PermissionError as error:
        raise refusal(path, "It cannot be read: permission denied") from error
    except _BAD as error:
        raise refusal(path, f"The file is damaged or cut off: {error}", code="damaged") from error
    except (UnicodeDecodeError, NotImplementedError, RuntimeError) as error:
        raise refusal(path, f"It cannot be unpacked: {error}", code="damaged") from error


def _hash(file: IO[bytes], on_bytes: OnBytes) -> str:
    digest = hashlib.sha256()
    while data := file.read(_CHUNK):
        digest.update(data)
        on_bytes(len(data))
    return digest.hexdigest()


def _time(seconds: float) -> str | None:
    if isnan(seconds):
        return None
    try:
        found = timestamp(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None
    return found if found and _TIMES[0] <= found < _TIMES[1] else None


def _folder(path: Path) -> DownloadedPart:
    part = DownloadedPart(
        path, 0, lambda file: _open_plain(path / file.original), is_folder=True
    )  # fmt: skip
    part.take(_files_in(path))
    part.size = part.files.size
    return part


def _files_in(path: Path) -> Iterator[PartFile]:
    """The files below a folder. Raises PackageError for what is neither a file nor a folder."""
    for folder, folders, names in os.walk(path):
        for name in (*folders, *names):
            place = Path(folder, name)
            found = place.lstat()
            if stat.S_ISLNK(found.st_mode):
                raise refusal(
                    path, f"It contains a link: {place.relative_to(path)}", code="link",
                    hint="Import the export as it was downloaded, or take the link away",
                )  # fmt: skip
            if name in folders:
                continue
            if not stat.S_ISREG(found.st_mode):
                raise refusal(path, f"It contains something that is no file: {place}")
            own = place.relative_to(path).as_posix()
            inner = confined_name(own, str(path))
            yield PartFile(inner, found.st_size, found.st_mtime, original=own)


def _open_plain(path: Path) -> BinaryIO:
    with _damage(path):
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
        return cast("BinaryIO", BufferedReader(FileIO(os.open(path, flags))))


def _zip(path: Path, size: int) -> DownloadedPart:
    package = zipfile.ZipFile(path)
    try:
        part = DownloadedPart(path, size, _zip_opener(path, package), close=package.close)
        part.take(_files_of_zip(path, package.filelist))
        _refuse_overlaps(path, package.filelist)
        # what it keeps of each file is large, and the part has what it needs of that
        package.filelist.clear()
        package.NameToInfo.clear()
    except BaseException:
        package.close()
        raise
    return part


def _files_of_zip(path: Path, infos: Iterable[zipfile.ZipInfo]) -> Iterator[PartFile]:
    for info in infos:
        _check_entry(path, info)
        if not info.is_dir():
            yield PartFile(
                confined_name(_name_of(info), str(path)), info.file_size, _zip_seconds(info),
                info.header_offset, info.compress_size, info.CRC, info.compress_type,
                info.flag_bits, info.orig_filename,
            )  # fmt: skip


def _check_entry(path: Path, info: zipfile.ZipInfo) -> None:
    """Raise PackageError for an entry that no platform makes, or that needs a password."""
    if info.flag_bits & _ENCRYPTED:
        raise refusal(
            path, "It is encrypted with a password", code="encrypted",
            hint="Unpack it with the password first, and import the folder",
        )  # fmt: skip
    if stat.S_ISLNK(info.external_attr >> 16):
        raise refusal(path, f"It contains a link: {info.filename[:200]!r}", code="link")
    if info.file_size > _BOMB_SIZE and info.file_size > _BOMB_RATIO * info.compress_size:
        why = f"{info.filename[:200]!r} would be {info.file_size:,} bytes, a zip bomb"
        raise refusal(path, why, code="bomb")


def _refuse_overlaps(path: Path, infos: list[zipfile.ZipInfo]) -> None:
    """Raise PackageError where entries share bytes: a bomb without a suspicious ratio."""
    end = 0
    for info in sorted(infos, key=lambda each: each.header_offset):
        if info.header_offset < end:
            raise refusal(path, "Its files overlap each other, as in a zip bomb", code="bomb")
        end = info.header_offset + 30 + info.compress_size


def _name_of(info: zipfile.ZipInfo) -> str:
    """The name of an entry: by the Unicode field if it has one, else by its bytes."""
    if info.flag_bits & _UTF8:
        return info.filename
    raw = info.orig_filename.encode("cp437", "replace")
    at = 0
    while at + 4 <= len(info.extra):
        kind = int.from_bytes(info.extra[at : at + 2], "little")
        length = int.from_bytes(info.extra[at + 2 : at + 4], "little")
        body = info.extra[at + 4 : at + 4 + length]
        if kind == _UNICODE_PATH and int.from_bytes(body[1:5], "little") == zlib.crc32(raw):
            return body[5:].decode("utf-8", "replace")
        at += 4 + length
    return decoded_name(raw)


def _zip_seconds(info: zipfile.ZipInfo) -> float:
    try:
        return datetime(*info.date_time, tzinfo=UTC).timestamp()
    except ValueError:
        return nan


def _zip_opener(path: Path, package: zipfile.ZipFile) -> OpenFile:
    def open_entry(file: PartFile) -> BinaryIO:
        info = zipfile.ZipInfo(file.original)
        info.orig_filename, info.flag_bits = file.original, file.flags
        info.file_size, info.compress_size, info.CRC = file.size, file.packed, file.crc
        info.header_offset, info.compress_type = file.offset, file.method
        with _damage(path):
            return cast("BinaryIO", BufferedReader(_Checked(package.open(info), path), _CHUNK))

    return open_entry


class _Checked(RawIOBase):
    """Reads a file of a part; damage of the part becomes a PackageError."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        with _damage(self._path):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _compressed_tar(path: Path, size: int, magic: bytes, scratch: Path | None) -> DownloadedPart:
    """A part whose plain tar is in a temporary file, which has no name."""
    plain = cast("BinaryIO", tempfile.TemporaryFile(dir=scratch))  # noqa: SIM115 — the part closes it
    try:
        with path.open("rb") as packed, _OPENERS[magic](packed) as file:
            written = 0
            while data := file.read(_CHUNK):
                written += len(data)
                if written > _BOMB_SIZE and written > _BOMB_RATIO * size:
                    raise refusal(path, "It unpacks to far more than it can hold", code="bomb")
                plain.write(data)
        plain.flush()
        return _tar(path, size, plain)
    except BaseException:
        plain.close()
        raise


def _tar(path: Path, size: int, file: BinaryIO) -> DownloadedPart:
    part = DownloadedPart(path, size, _tar_opener(path, file), close=file.close)
    try:
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:") as package:
            part.take(_files_of_tar(path, package))
    except BaseException:
        file.close()
        raise
    return part


def _files_of_tar(path: Path, package: tarfile.TarFile) -> Iterator[PartFile]:
    for entry in package:
        if not entry.isdir():
            if entry.issym() or entry.islnk():
                raise refusal(path, f"It contains a link: {entry.name[:200]!r}", code="link")
            if not entry.isreg() or entry.issparse():
                raise refusal(path, f"It contains something that is no file: {entry.name!r}")
            name = decoded_name(entry.name.encode("utf-8", "surrogateescape"))
            inner = confined_name(name, str(path))
            yield PartFile(inner, entry.size, entry.mtime, entry.offset_data)
        package.members = []  # type: ignore[attr-defined]  # it would keep all that it has read


def _tar_opener(path: Path, file: BinaryIO) -> OpenFile:
    return lambda entry: cast(
        "BinaryIO", BufferedReader(_Slice(path, file.fileno(), entry.offset, entry.size), _CHUNK)
    )


class _Slice(RawIOBase):
    """Some bytes of an open file, read without moving in it: several threads may read it."""

    def __init__(self, path: Path, descriptor: int, start: int, size: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._at = start
        self._end = start + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        wanted = min(len(buffer), self._end - self._at)
        data = os.pread(self._descriptor, wanted, self._at)
        if wanted and not data:
            raise refusal(self._path, "The file is cut off", code="damaged")
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def archives_among(names: Iterable[str]) -> list[str]:
    """Those files that hold others, by their endings: nothing is looked for inside of them."""
    return sorted(name for name in names if name.lower().endswith(_ENDS))


def names_shown(names: Iterable[str], most: int = 6) -> str:
    """Some names of files, for a message: those that are least deep first."""
    ordered = sorted(names, key=lambda name: (name.count("/"), name))
    rest = len(ordered) - most
    return ", ".join(ordered[:most]) + (f" and {rest:,} more" if rest > 0 else "")
