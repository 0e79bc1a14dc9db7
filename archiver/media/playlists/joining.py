"""Fetches the segments of a film and makes one file of them.

Segments are kept in a folder of `tmp/` until the film is made: a run that is stopped, or a segment
that cannot be had today, costs only what is missing. RFC 8216 section 6.2.1 forbids a server to
change a segment, so what was fetched for the same list of segments is still right.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import anyio
from anyio import to_thread
from msgspec import Struct

from archiver.errors import MediaError, MediaGone, MediaRefused, StorageError
from archiver.media.disk import make_directory, storage_error
from archiver.media.download import Download, Downloader, FetchedPart, finish_download
from archiver.media.playlists.decrypting import can_decrypt
from archiver.media.playlists.hls import read_hls
from archiver.media.playlists.making import FilmMaker
from archiver.media.playlists.plan import (
    MOST_SEGMENTS,
    FilmPlan,
    FilmTrack,
    LeftOut,
    MediaSegment,
    NotJoinable,
    SubtitleOffer,
    Variant,
    choose_variant,
    refuse_length,
    refuse_playlist,
)
from archiver.media.playlists.remuxing import INSTALL, can_remux
from archiver.media.playlists.segments import (
    FOLDER,
    film_identity,
    kept_name,
    kept_parts,
    remove_segments,
    segment_identity,
)
from archiver.media.playlists.webvtt import join_webvtt
from archiver.media.temp_file import TempFile
from archiver.media.transfer import LARGEST_PLAYLIST, refuse_size

_KEY_SIZE = 16
_VARIANT = "variant="
_SUBTITLES = "subtitles="
_MOST_TEXT = 32 << 20  # bytes of one file of subtitles


def joiner_version() -> str:
    """What films can be made of here: it changes with this program and with what is installed.

    A playlist that no film could be made of is tried again when it is another.
    """
    extras = (("av", can_remux()), ("aes", can_decrypt()))
    return "+".join(("3", *(name for name, there in extras if there)))


class PlaylistText(Struct, frozen=True):
    """A playlist as it was served, and where."""

    url: str
    text: str

    def as_json(self) -> dict[str, str]:
        """For the record; the parameters of the address, which may sign it, are left out."""
        return {"url": without_query(self.url), "text": self.text}


class FilmOrigin(Struct, frozen=True):
    """How a film was made: the segments `joined` as they were served, or `remuxed`.

    `left_out` is what the playlist lists besides, and the film does not have. Of a file of
    subtitles, `subtitles` says which they are.
    `tool` is what remuxed it, with its version. `segments` have `url` (without parameters),
    `offset` (in its file, where it is a part of one), `size` and `sha256` of what was served.
    """

    how: Literal["joined", "remuxed"]
    tool: str | None
    playlists: tuple[PlaylistText, ...]
    segments: tuple[Mapping[str, object], ...]
    left_out: tuple[LeftOut, ...] = ()
    subtitles: SubtitleOffer | None = None


class JoinedFilm(Struct, frozen=True):
    """The file of a film, how it was made, which other variants there are, and which subtitles.

    Each of these has the address under which this program finds it.
    """

    download: Download
    origin: FilmOrigin
    others: tuple[tuple[Variant, str], ...] = ()
    subtitles: tuple[tuple[SubtitleOffer, str], ...] = ()


class _Reading(Struct, frozen=True):
    """What was read of a film: what it is made of, by which playlists, and its other variants."""

    film: FilmPlan
    playlists: tuple[PlaylistText, ...]
    others: tuple[tuple[Variant, str], ...]
    left_out: tuple[LeftOut, ...] = ()
    subtitles: tuple[tuple[SubtitleOffer, str], ...] = ()


@dataclass(slots=True)
class FilmJoiner:
    """Makes films of playlists. `tmp` is on the disk of the store; `videos` is the setting."""

    downloader: Downloader
    tmp: Path
    videos: str
    _locks: dict[str, anyio.Lock] = field(default_factory=dict)

    async def join(self, playlist: Download, wanted: str, *, expects: str) -> JoinedFilm:
        """The film that a playlist lists; the playlist's own file is left as it is.

        `wanted` is the address that was asked for, whose fragment may name a variant, or subtitles.
        Raises NotJoinable, MediaError and its kinds, StorageError.
        """
        text = await to_thread.run_sync(_read_playlist, playlist.path)
        source = PlaylistText(playlist.answered_by or wanted, text)
        fragment = wanted.partition("#")[2]
        if fragment.startswith(_SUBTITLES):
            return await self._join_subtitles(source, fragment.removeprefix(_SUBTITLES))
        name = fragment.removeprefix(_VARIANT) if fragment.startswith(_VARIANT) else None
        reading = await self._read(source, name, wanted)
        film = reading.film
        count = sum(1 for _ in film.segments)
        if count > MOST_SEGMENTS:
            refuse_length()
        _check_extras(film)
        folder = self.tmp / f"{FOLDER}{film_identity(film)}"
        async with self._locks.setdefault(folder.name, anyio.Lock()):
            return await self._make(reading, folder, expects)

    async def _read(self, source: PlaylistText, name: str | None, wanted: str) -> _Reading:
        found = await to_thread.run_sync(_parsed, source)
        if isinstance(found, FilmTrack):
            return _Reading(FilmPlan((found,)), (source,), ())
        variant = choose_variant(found, self.videos, name)
        tracks: list[FilmTrack] = []
        playlists = [source]
        for track in variant.tracks:
            if isinstance(track, FilmTrack):
                tracks.append(track)
                continue
            media = await self._fetch_playlist(track)
            playlists.append(media)
            tracks.append(await to_thread.run_sync(_read_media_playlist, media))
        others: dict[str, tuple[Variant, str]] = {}
        subtitles: list[tuple[SubtitleOffer, str]] = []
        if name is None:
            base = wanted.partition("#")[0]
            for other in found:
                others.setdefault(other.name, (other, f"{base}#{_VARIANT}{other.name}"))
            others.pop(variant.name, None)
            subtitles = [(each, f"{base}#{_SUBTITLES}{each.name}") for each in variant.subtitles]
        return _Reading(
            FilmPlan(tuple(tracks)), tuple(playlists), tuple(others.values()), variant.left_out,
            tuple(subtitles),
        )  # fmt: skip

    async def _join_subtitles(self, source: PlaylistText, name: str) -> JoinedFilm:
        """The subtitles of that name. Raises MediaError and its kinds, StorageError."""
        try:
            found = await to_thread.run_sync(_parsed, source)
            variants = [] if isinstance(found, FilmTrack) else found
            offers = {each.name: each for variant in variants for each in variant.subtitles}
            if name not in offers:
                raise NotJoinable("its playlist no longer has these subtitles")
            offer, playlists, track = offers[name], [source], offers[name].track
            if isinstance(track, str):
                playlists.append(await self._fetch_playlist(track))
                track = await to_thread.run_sync(_read_media_playlist, playlists[-1])
            if any(segment.key for period in track.periods for segment in period.all):
                raise NotJoinable("its subtitles are encrypted")
        except NotJoinable as why:  # the film has a row of its own, which says what it is
            refuse_playlist(f"There is no file of these subtitles: {why}")
        plan = FilmPlan((track,))
        if sum(1 for _ in plan.segments) > MOST_SEGMENTS:
            refuse_length()
        folder = self.tmp / f"{FOLDER}{film_identity(plan)}"
        async with self._locks.setdefault(folder.name, anyio.Lock()):
            parts = await self._fetch_into(plan, folder, most=_MOST_TEXT, any_bytes=True)
            try:
                download = await to_thread.run_sync(_joined_text, plan, parts, self.tmp)
            except MediaError:
                remove_segments(folder)
                raise
            try:
                remove_segments(folder)
            except StorageError:
                download.discard()
                raise
        rows = tuple(_segment_rows(plan, parts))
        return JoinedFilm(
            download, FilmOrigin("joined", None, tuple(playlists), rows, subtitles=offer)
        )

    async def _fetch_playlist(self, url: str) -> PlaylistText:
        with _naming("one of its playlists"):
            part = await self.downloader.fetch_part(url, self.tmp, max_size=LARGEST_PLAYLIST)
        try:
            text = await to_thread.run_sync(_read_playlist, part.path)
        finally:
            part.path.unlink(missing_ok=True)
        return PlaylistText(part.answered_by, text)

    async def _make(self, reading: _Reading, folder: Path, expects: str) -> JoinedFilm:
        film = reading.film
        parts = await self._fetch_into(film, folder, most=self.downloader.max_size)
        keys = await self._fetch_keys(film, folder)
        made = FilmMaker(film, parts, keys, folder, self.downloader.max_size)
        try:
            download, how, tool = await made.make(self.tmp, expects)
        except (NotJoinable, MediaError):  # one of its segments may be what is wrong
            remove_segments(folder)
            raise
        rows = tuple(_segment_rows(film, parts))
        origin = FilmOrigin(how, tool, reading.playlists, rows, reading.left_out)
        try:
            remove_segments(folder)
        except StorageError:
            download.discard()
            raise
        return JoinedFilm(download, origin, reading.others, reading.subtitles)

    async def _fetch_into(
        self, film: FilmPlan, folder: Path, *, most: int, any_bytes: bool = False
    ) -> dict[str, FetchedPart]:
        """Every segment in a folder, with those that an earlier try has left there."""
        try:
            make_directory(folder)
            kept = await to_thread.run_sync(kept_parts, folder)
        except OSError as error:
            raise storage_error(error, f"write into {self.tmp}") from error
        try:
            return await self._fetch(film, folder, kept, most, any_bytes=any_bytes)
        except MediaRefused:
            remove_segments(folder)
            raise

    async def _fetch(
        self, film: FilmPlan, folder: Path, kept: Mapping[str, FetchedPart], most: int, *,
        any_bytes: bool,
    ) -> dict[str, FetchedPart]:  # fmt: skip
        """Every segment, by its identity. What is named twice is fetched once, and counts twice.

        With `any_bytes` they may be text; all together have `most` bytes at most.
        """
        total = 0
        parts: dict[str, FetchedPart] = {}
        count = sum(1 for _ in film.segments)
        for number, segment in enumerate(film.segments, 1):
            identity = segment_identity(segment)
            part = parts.get(identity) or kept.get(identity)
            if part is None:
                if segment.span is not None and segment.span.length > most - total:
                    refuse_size(most)
                with _naming(f"segment {number:,} of {count:,}"):
                    part = await self._fetch_segment(
                        segment, folder, most - total,
                        any_bytes=any_bytes or segment.key is not None,
                    )  # fmt: skip
            parts[identity] = part
            total += part.size
            if total > most:
                refuse_size(most)
        return parts

    async def _fetch_segment(
        self, segment: MediaSegment, folder: Path, most: int, *, any_bytes: bool
    ) -> FetchedPart:
        part = await self.downloader.fetch_part(
            segment.url, folder, max_size=most, span=segment.span, any_bytes=any_bytes
        )
        try:
            path = part.path.rename(folder / kept_name(segment, part))
        except OSError as error:
            raise storage_error(error, f"write into {folder}") from error
        return FetchedPart(path, part.sha256, part.size, part.head, part.answered_by)

    async def _fetch_keys(self, film: FilmPlan, folder: Path) -> dict[str, bytes]:
        keys: dict[str, bytes] = {}
        for segment in film.segments:
            if segment.key is None or segment.key.url in keys:
                continue
            with _naming("the key of its segments"):
                part = await self.downloader.fetch_part(
                    segment.key.url, folder, max_size=1024, any_bytes=True
                )
            try:
                key = await to_thread.run_sync(part.path.read_bytes)
            finally:
                part.path.unlink(missing_ok=True)
            if len(key) != _KEY_SIZE:
                refuse_playlist(f"The key of its segments has {len(key)} bytes, not {_KEY_SIZE}")
            keys[segment.key.url] = key
        return keys


@contextmanager
def _naming(what: str) -> Iterator[None]:
    """Say in an error which part of the film it is about; a part that is gone is no film gone."""
    try:
        yield
    except MediaGone as error:
        why = f"{what[0].upper()}{what[1:]}: {error.what}"
        raise MediaError(
            "The file could not be fetched", why=why, code="segment_missing"
        ) from error
    except MediaError as error:
        error.why = f"{what[0].upper()}{what[1:]}: {error.why or error.what}"
        raise


def without_query(url: str) -> str:
    """An address without the parameters that may sign it."""
    return url.partition("#")[0].partition("?")[0]


def _check_extras(film: FilmPlan) -> None:
    """Raise NotJoinable where the film can be made only with what is not installed."""
    if any(segment.key for segment in film.segments) and not can_decrypt():
        raise NotJoinable(f"its segments are encrypted (AES-128): {INSTALL}")
    if not can_remux() and not film.is_plain:
        what = "its sound is apart" if len(film.tracks) > 1 else "its parts differ in time"
        raise NotJoinable(f"{what}, which takes more than joining: {INSTALL}")


def _parsed(source: PlaylistText) -> list[Variant] | FilmTrack:
    """The variants of a playlist, or its track. Raises NotJoinable, MediaError."""
    if "<MPD" not in source.text[:4096]:
        return read_hls(source.text, source.url)
    from archiver.media.playlists.dash import read_dash  # noqa: PLC0415 — few films need a parser of XML

    return read_dash(source.text, source.url)


def _joined_text(film: FilmPlan, parts: Mapping[str, FetchedPart], tmp: Path) -> Download:
    """The segments of subtitles as one file."""
    files = [parts[segment_identity(segment)].path for segment in film.segments]
    with TempFile(tmp) as target:
        target.write(join_webvtt(path.read_bytes() for path in files))
        target.flush()
        return finish_download(target, "subtitles", {}, proven=True)


def _read_media_playlist(source: PlaylistText) -> FilmTrack:
    found = read_hls(source.text, source.url)
    if not isinstance(found, FilmTrack):
        raise NotJoinable("its playlists lead to further playlists")
    return found


def _read_playlist(path: Path) -> str:
    size = path.stat().st_size
    if size > LARGEST_PLAYLIST:
        refuse_playlist(f"The playlist has {size:,} bytes")
    text = path.read_bytes().decode("utf-8", "replace").removeprefix("\ufeff")
    if not text.lstrip().startswith(("#EXTM3U", "<")):
        refuse_playlist("Something else came in place of a playlist")
    return text


def _segment_rows(
    film: FilmPlan, parts: Mapping[str, FetchedPart]
) -> Iterator[Mapping[str, object]]:
    for segment in film.segments:
        part = parts[segment_identity(segment)]
        row: dict[str, object] = {"url": without_query(segment.url)}
        if segment.span is not None:
            row["offset"] = segment.span.start
        yield {**row, "size": part.size, "sha256": part.sha256}
