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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BufferedReader, FileIO, RawIOBase
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from archiver.errors import PackageError
from archiver.imports.names import confined_name, decoded_name
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
_TIMES = ("2004-01-01", "2100-01-01")  # before, there was no platform

OpenFile = Callable[[], BinaryIO]
OnBytes = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class PartFile:
    """One file of a part: its size in bytes, how to open it, and its time where that is told."""

    size: int
    open: OpenFile
    modified_at: str | None = None


@dataclass(eq=False, slots=True)  # a part is itself, whatever it holds
class DownloadedPart:
    """One part of a package as it was downloaded.

    `files` are by their confined names. `modified_at` is the time of its newest file, where that
    is known. `close` releases what is open.
    """

    path: Path
    size: int
    files: dict[str, PartFile] = field(default_factory=dict)
    modified_at: str | None = None
    close: Callable[[], None] = lambda: None
    is_folder: bool = False

    def sha256(self, on_bytes: OnBytes) -> str:
        """The hash of the part: of a folder that of what `sha256sum` prints for its files.

        `on_bytes` is called with the size of each piece that was read.
        """
        with _damage(self.path):
            if not self.is_folder:
                with self.path.open("rb") as file:
                    return _hash(file, on_bytes)
            whole = hashlib.sha256()
            for name in sorted(self.files):
                with self.files[name].open() as file:
                    whole.update(f"{_hash(file, on_bytes)}  {name}\n".encode())
            return whole.hexdigest()

    def add(self, name: str, file: PartFile) -> None:
        """Add a file; of two with one name the later one counts, as in every ZIP program."""
        if name.startswith(_IGNORED[0]) or name.rpartition("/")[2] == _IGNORED[1]:
            return
        self.files[name] = file
        if len(self.files) > _MOST_FILES:
            raise refusal(self.path, f"It names more than {_MOST_FILES:,} files", code="bomb")


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
        part = DownloadedPart(path, found.st_size, modified_at=_time(found.st_mtime))
        part.add(confined_name(path.name), PartFile(found.st_size, lambda: _open_plain(path)))
        return part


def parts_in(folder: Path) -> list[Path]:
    """The zips and tars that lie in a folder: parts that were downloaded into it."""
    ends = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
    return sorted(
        each for each in folder.iterdir() if each.name.lower().endswith(ends) and each.is_file()
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
    try:
        found = timestamp(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None
    return found if found and _TIMES[0] <= found < _TIMES[1] else None


def _newest(times: Iterator[str | None]) -> str | None:
    return max((each for each in times if each), default=None)


def _folder(path: Path) -> DownloadedPart:
    part = DownloadedPart(path, 0, is_folder=True)
    times = []
    for folder, folders, names in os.walk(path):
        for name in (*folders, *names):
            place = Path(folder, name)
            found = place.lstat()
            if stat.S_ISLNK(found.st_mode):
                raise refusal(path, f"It contains a link: {place}", code="link")
            if name in folders:
                continue
            if not stat.S_ISREG(found.st_mode):
                raise refusal(path, f"It contains something that is no file: {place}")
            inner = confined_name(place.relative_to(path).as_posix())
            at = _time(found.st_mtime)
            part.add(inner, PartFile(found.st_size, _plain_opener(place), at))
            part.size += found.st_size
            times.append(_time(found.st_mtime))
    part.modified_at = _newest(iter(times))
    return part


def _plain_opener(path: Path) -> OpenFile:
    return lambda: _open_plain(path)


def _open_plain(path: Path) -> BinaryIO:
    with _damage(path):
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
        return cast("BinaryIO", BufferedReader(FileIO(os.open(path, flags))))


def _zip(path: Path, size: int) -> DownloadedPart:
    package = zipfile.ZipFile(path)
    try:
        part = DownloadedPart(path, size, close=package.close)
        infos = package.infolist()
        for info in infos:
            _check_entry(path, info)
            if not info.is_dir():
                name = confined_name(_name_of(info))
                opener = _zip_opener(path, package, info)
                part.add(name, PartFile(info.file_size, opener, _zip_time(info)))
        _refuse_overlaps(path, infos)
        part.modified_at = _newest(map(_zip_time, infos))
    except BaseException:
        package.close()
        raise
    return part


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


def _zip_time(info: zipfile.ZipInfo) -> str | None:
    try:
        return _time(datetime(*info.date_time, tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _zip_opener(path: Path, package: zipfile.ZipFile, info: zipfile.ZipInfo) -> OpenFile:
    def open_entry() -> BinaryIO:
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
    part = DownloadedPart(path, size, close=file.close)
    times = []
    try:
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:") as package:
            for entry in package:
                if entry.isdir():
                    continue
                if entry.issym() or entry.islnk():
                    raise refusal(path, f"It contains a link: {entry.name[:200]!r}", code="link")
                if not entry.isreg() or entry.issparse():
                    raise refusal(path, f"It contains something that is no file: {entry.name!r}")
                name = confined_name(decoded_name(entry.name.encode("utf-8", "surrogateescape")))
                place = (entry.offset_data, entry.size)
                opener = _tar_opener(path, file, *place)
                part.add(name, PartFile(entry.size, opener, _time(entry.mtime)))
                times.append(_time(entry.mtime))
    except BaseException:
        file.close()
        raise
    part.modified_at = _newest(iter(times))
    return part


def _tar_opener(path: Path, file: BinaryIO, start: int, size: int) -> OpenFile:
    return lambda: cast(
        "BinaryIO", BufferedReader(_Slice(path, file.fileno(), start, size), _CHUNK)
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


def names_shown(files: Mapping[str, PartFile], most: int = 6) -> str:
    """Some names of files, for a message: those that are least deep first."""
    names = sorted(files, key=lambda name: (name.count("/"), name))
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")
