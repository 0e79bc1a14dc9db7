"""Whether a file has a video track, by its list of tracks; nothing is decoded."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from archiver.media.inspect import boxes
from archiver.media.kinds import FileKind

_EBML = 0x1A45DFA3
_SEGMENT = 0x18538067
_TRACKS = 0x1654AE6B
_TRACK_ENTRY = 0xAE
_TRACK_TYPE = 0x83
_VIDEO_TRACK = 1
_AUDIO_TRACK = 2
_MAX_ELEMENTS = 2000
_OGG_VIDEO = (b"\x80theora", b"BBCD\x00", b"OVP80")


def has_video_track(path: Path, kind: FileKind, head: bytes) -> bool | None:
    """True or False where the file says which tracks it has, None where it does not say.

    `head` are its first bytes. Raises OSError.
    """
    if kind.extension == "flv":  # the flags of its header: 1 is video, 4 is audio
        return None if len(head) < 5 or not head[4] & 5 else bool(head[4] & 1)
    if kind.extension == "ogg":
        return any(codec in head for codec in _OGG_VIDEO)
    check = _CHECKS.get(kind.extension)
    if check is None:
        return False if kind.group == "audio" else None
    with path.open("rb") as file:
        return check(file, file.seek(0, 2))


def has_sound_track(path: Path, extension: str) -> bool | None:
    """Whether a file has sound, by its list of tracks; None without one. Raises OSError."""
    kinds = _TRACKS_OF.get(extension)
    if kinds is None:
        return None
    with path.open("rb") as file:
        found = kinds(file, file.seek(0, 2))
    return bool(found & {b"soun", _AUDIO_TRACK}) if found else None


def is_fragment(path: Path, kind: FileKind) -> bool:
    """Whether it is one segment of a video that is served in segments. Raises OSError.

    A segment has no index (`moov`), or nothing but an index (ISO/IEC 14496-12, 8.8 and 8.16).
    """
    if kind.group == "fragment":
        with path.open("rb") as file:
            return b"moov" not in _names(file, file.seek(0, 2))
    if kind.extension not in _ISO:
        return False
    with path.open("rb") as file:
        names = _names(file, file.seek(0, 2))
    if b"moov" not in names:
        return b"moof" in names
    return names <= {b"ftyp", b"moov", b"free", b"skip", b"uuid"}


def _names(file: BinaryIO, size: int) -> set[bytes]:
    return {name for name, _, _ in boxes(file, 0, size)}


def _iso_has_video(file: BinaryIO, size: int) -> bool | None:
    handlers = _iso_tracks(file, size)
    return b"vide" in handlers if handlers else None


def _iso_tracks(file: BinaryIO, size: int) -> set[bytes | int]:
    """The handlers of the tracks (ISO/IEC 14496-12, 8.4.3)."""
    handlers: set[bytes | int] = set()
    for name, start, stop in _inside(file, 0, size, b"moov"):
        if name != b"trak":
            continue
        for inner, inner_start, _ in _inside(file, start, stop, b"mdia"):
            if inner == b"hdlr":
                file.seek(inner_start + 8)
                handlers.add(file.read(4))
    return handlers


def _inside(file: BinaryIO, start: int, stop: int, name: bytes) -> Iterator[tuple[bytes, int, int]]:
    for found, body, end in boxes(file, start, stop):
        if found == name:
            yield from boxes(file, body, end)


def _matroska_has_video(file: BinaryIO, size: int) -> bool | None:
    types = _matroska_tracks(file, size)
    return _VIDEO_TRACK in types if types else None


def _matroska_tracks(file: BinaryIO, size: int) -> set[bytes | int]:
    """The types of the tracks (RFC 9559, 5.1.4)."""
    for name, start, stop in _elements(file, 0, size):
        if name == _SEGMENT:
            return _segment_tracks(file, start, stop)
    return set()


def _segment_tracks(file: BinaryIO, start: int, stop: int) -> set[bytes | int]:
    for name, body, end in _elements(file, start, stop):
        if name == _TRACKS:
            entries = [each for each in _elements(file, body, end) if each[0] == _TRACK_ENTRY]
            return {
                _number(file, inner, inner_end)
                for _, entry, entry_end in entries
                for found, inner, inner_end in _elements(file, entry, entry_end)
                if found == _TRACK_TYPE
            }
    return set()


def _elements(file: BinaryIO, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """The elements between two offsets (RFC 8794): id, where the content starts and ends."""
    at = start
    for _ in range(_MAX_ELEMENTS):
        if at + 2 > stop:
            return
        file.seek(at)
        head = file.read(12)
        id_length = _length(head[0])
        if not 1 <= id_length <= 4 or len(head) <= id_length:
            return
        name = int.from_bytes(head[:id_length], "big")
        size_length = _length(head[id_length])
        if not 1 <= size_length <= 8 or len(head) < id_length + size_length:
            return
        digits = head[id_length : id_length + size_length]
        size = int.from_bytes(digits, "big") & ((1 << 7 * size_length) - 1)
        body = at + id_length + size_length
        if body > stop:  # its head reaches beyond what it lies in
            return
        is_open = size == (1 << 7 * size_length) - 1  # a live stream does not know its length
        end = stop if is_open else min(body + size, stop)
        yield name, body, end
        at = end


def _length(first: int) -> int:
    """How many bytes a number of variable length has, from its first."""
    return 9 - first.bit_length()


def _number(file: BinaryIO, start: int, stop: int) -> int:
    file.seek(start)
    return int.from_bytes(file.read(min(8, stop - start)), "big")


_ISO = frozenset({"mp4", "mov", "3gp", "m4a"})
_CHECKS: dict[str, Callable[[BinaryIO, int], bool | None]] = {
    **dict.fromkeys(_ISO, _iso_has_video),
    "webm": _matroska_has_video,
    "mkv": _matroska_has_video,
}
_TRACKS_OF: dict[str, Callable[[BinaryIO, int], set[bytes | int]]] = {
    **dict.fromkeys(_ISO, _iso_tracks),
    "webm": _matroska_tracks,
    "mkv": _matroska_tracks,
}
