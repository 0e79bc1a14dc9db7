"""Segments in files: what names them, which of an earlier try are intact, and what they hold."""

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from archiver.disks import sync_directory
from archiver.errors import MediaError
from archiver.media.disk import open_file, storage_error
from archiver.media.download import PART_HEAD, FetchedPart
from archiver.media.kinds import HEAD, sniff
from archiver.media.playlists.plan import FilmPlan, FilmTrack, MediaSegment, Period
from archiver.media.playlists.remuxer import PACKED
from archiver.media.store import hash_stream
from archiver.media_keys import address_key

FOLDER = "film-"
"""Begins the name of a film's folder in `tmp/`."""

_KEPT_SECONDS = 8 * 24 * 3600.0  # a failed file is tried again a day later
_KEPT_NAME = re.compile(r"([0-9a-f]{32})-([0-9a-f]{64})-(\d{1,15})\.segment", re.ASCII)
_TS_PACKET = 188
_ID3_HEAD = 10  # bytes
_ID3_SHIFTS = (21, 14, 7, 0)
_NEWEST_AC3 = 10  # the newest version of a bit stream that is AC-3; E-AC-3 has 11 to 16


def kept_name(segment: MediaSegment, part: FetchedPart) -> str:
    """The name of a segment's file, by which a later run knows it."""
    return f"{segment_identity(segment)}-{part.sha256}-{part.size}.segment"


def film_identity(film: FilmPlan) -> str:
    """What names the film in `tmp/`: the same segments have the same folder."""
    digest = sha256()
    for segment in film.segments:
        digest.update(segment_identity(segment).encode())
    return digest.hexdigest()[:32]


def segment_identity(segment: MediaSegment) -> str:
    """What names a segment across runs, whatever signs its address."""
    span = segment.span
    part = "" if span is None else f"{span.start}-{span.end}"
    return sha256(f"{address_key(segment.url)} {part}".encode()).hexdigest()[:32]


def kept_parts(folder: Path) -> dict[str, FetchedPart]:
    """The segments of an earlier try, each read and found intact; everything else is removed."""
    kept = {}
    for path in folder.iterdir():
        match = _KEPT_NAME.fullmatch(path.name)
        if match is not None and (part := _intact(path, match[2], int(match[3]))):
            kept[match[1]] = part
        else:
            path.unlink(missing_ok=True)
    return kept


def _intact(path: Path, digest: str, size: int) -> FetchedPart | None:
    with os.fdopen(open_file(path), "rb", buffering=0) as file:
        head = file.read(PART_HEAD)
        file.seek(0)
        if hash_stream(file) != (digest, size):
            return None
    return FetchedPart(path, digest, size, head, "")


def remove_segments(folder: Path) -> None:
    """Remove the folder of a film, for good: no power cut brings it back. Raises StorageError.

    Once the row of the film has its final state, no run looks into this folder again, so what were
    left would stay for ever.
    """
    try:
        with suppress(FileNotFoundError):
            # on Windows, a virus scanner may hold a file for a while
            shutil.rmtree(folder, ignore_errors=os.name == "nt")
        sync_directory(folder.parent)
    except OSError as error:
        raise storage_error(error, f"write into {folder.parent}") from error


def remove_unfinished(tmp: Path, now: datetime) -> None:
    """Remove segments of films that were not finished within a week. Raises StorageError."""
    try:
        for folder in tmp.glob(f"{FOLDER}*"):
            if folder.stat().st_mtime < now.timestamp() - _KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise storage_error(error, f"use {tmp}") from error


def check_segments(film: FilmPlan, files: Mapping[MediaSegment, Path]) -> list[str]:
    """The format of the segments of each track: `mpegts`, `mp4`, `matroska`, or sound by itself.

    Raises MediaError where one is incomplete or of another format than the others of its track.
    """
    return [_common_format(track, files) for track in film.tracks]


def _common_format(track: FilmTrack, files: Mapping[MediaSegment, Path]) -> str:
    formats: set[str] = set()
    for period in track.periods:
        formats.update(_format_of(files[segment], period) for segment in period.all)
    if len(formats) > 1:
        _wrong_segment(f"Its segments have several formats: {', '.join(sorted(formats))}")
    return formats.pop()


def _format_of(path: Path, period: Period) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD)
    kind = sniff(head)
    if head[:1] == b"\x47" and (kind is None or kind.extension == "ts"):
        if size % _TS_PACKET:
            _wrong_segment("A segment is cut off", "short")
        return "mpegts"
    if kind is not None and kind.extension in {"webm", "mkv"}:
        return "matroska"
    is_matroska = head[:4] == b"\x1f\x43\xb6\x75"  # a cluster, which goes on after its beginning
    if is_matroska and period.initialization is not None:
        return "matroska"
    if kind is not None and kind.extension in {"mp4", "mov", "m4s", "m4a", "3gp"}:
        if not _has_whole_boxes(path, size):
            _wrong_segment("A segment is cut off", "short")
        return "mp4"
    packed = _packed_format(path)
    if packed is None:
        _wrong_segment("A segment is of an unknown format")
    return packed


def _packed_format(path: Path) -> str | None:
    """The format of sound by itself, by its first frame: behind the ID3 tag that gives its time."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        if head.startswith(b"ID3"):  # its size has 7 bits to a byte (ID3v2.4, 3.1)
            size = sum(
                (byte & 127) << shift for byte, shift in zip(head[6:], _ID3_SHIFTS, strict=False)
            )
            file.seek(_ID3_HEAD + size)
            head = file.read(HEAD)
    if head[:2] == b"\x0b\x77" and len(head) > 5:  # ATSC A/52, annex E
        return "ac3" if head[5] >> 3 <= _NEWEST_AC3 else "eac3"
    kind = None if head.startswith(b"ID3") else sniff(head)
    return kind.extension if kind is not None and kind.extension in PACKED else None


def _has_whole_boxes(path: Path, size: int) -> bool:
    """Whether its boxes (ISO/IEC 14496-12, 4.2) end where the file ends."""
    offset = 0
    with path.open("rb") as file:
        while offset < size:
            file.seek(offset)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            if length < 8:
                return False
            offset += length
    return offset == size


def _wrong_segment(why: str, code: str = "wrong_kind") -> NoReturn:
    raise MediaError("The file could not be fetched", why=why, code=code)
