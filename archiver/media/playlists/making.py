"""Makes one file of the segments of a film: remuxed where that can be done, else joined."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from anyio import to_thread
from msgspec import Struct
from msgspec.structs import replace

from archiver.errors import MediaError
from archiver.media.download import Download, FetchedPart, finish_download, refuse_short
from archiver.media.playlists.decrypting import decrypt
from archiver.media.playlists.plan import FilmPlan, MediaSegment, NotJoinable
from archiver.media.playlists.remuxer import PACKED
from archiver.media.playlists.remuxing import INSTALL, RemuxFailed, can_remux, remux
from archiver.media.playlists.segments import check_segments, segment_identity
from archiver.media.temp_file import TempFile


class FilmMaker(Struct, frozen=True):
    """Makes the film in `folder`, of segments that were all fetched.

    `parts` maps the identity of a segment to its file, `keys` the address of a key to its bytes.
    `max_size` is in bytes.
    """

    film: FilmPlan
    parts: Mapping[str, FetchedPart]
    keys: Mapping[str, bytes]
    folder: Path
    max_size: int

    async def make(
        self, tmp: Path, expects: str
    ) -> tuple[Download, Literal["joined", "remuxed"], str | None]:
        """The file, how it was made, and with what."""
        files = await to_thread.run_sync(self._plain_files)
        formats = await to_thread.run_sync(check_segments, self.film, files)
        if can_remux():
            target = self.folder / "film.mp4"
            try:
                tool = await self._remux(files, formats, target)
                return await to_thread.run_sync(self._adopt, target, tmp, expects), "remuxed", tool
            except RemuxFailed as failure:
                if not self.film.is_plain or not PACKED.isdisjoint(formats):
                    raise NotJoinable(f"it cannot be one file: {failure}") from failure
            finally:
                target.unlink(missing_ok=True)
        if not PACKED.isdisjoint(formats):
            raise NotJoinable(f"its sound is in a format without times: {INSTALL}")
        download = await to_thread.run_sync(self._concatenate, files, tmp, expects)
        return download, "joined", None

    def _plain_files(self) -> dict[MediaSegment, Path]:
        """The file of each segment, decrypted."""
        files = {}
        for segment in self.film.segments:
            part = self.parts[segment_identity(segment)]
            if segment.key is None or _is_clear(segment, part):
                files[segment] = part.path
                continue
            iv = segment.key.iv
            target = self.folder / f"{segment_identity(segment)}-{iv.hex()}.clear"
            decrypt(part.path, target, self.keys[segment.key.url], iv)
            files[segment] = target
        return files

    async def _remux(
        self, files: Mapping[MediaSegment, Path], formats: Sequence[str], target: Path
    ) -> str:
        job = {
            "tracks": [
                [
                    {"paths": [str(files[each]) for each in period.all],
                     "seconds": period.seconds}
                    for period in track.periods
                ]
                for track in self.film.tracks
            ],
            "formats": formats, "target": str(target), "max_size": self.max_size,
        }  # fmt: skip
        return await remux(job)

    def _adopt(self, target: Path, tmp: Path, expects: str) -> Download:
        """The remuxed file, checked; it must play about as long as the playlist says."""
        with TempFile.adopt(target, tmp) as file:
            download = finish_download(file, expects, {}, proven=True)
        try:
            refuse_short(download, self.film.seconds, what="The film")
        except MediaError:
            download.discard()
            raise
        return download

    def _concatenate(self, files: Mapping[MediaSegment, Path], tmp: Path, expects: str) -> Download:
        with TempFile(tmp) as target:
            for segment in self.film.segments:
                with files[segment].open("rb") as source:
                    while data := source.read(1 << 20):
                        target.write(data)
            target.flush()
            download = finish_download(target, expects, {}, proven=True)
        if download.duration_ms:
            return download
        return replace(download, duration_ms=round(self.film.seconds * 1000) or None)


def _is_clear(segment: MediaSegment, part: FetchedPart) -> bool:
    """Whether an initialization was served as it is: many servers do not encrypt it."""
    return not segment.seconds and part.head[4:8] in {b"ftyp", b"moov", b"styp"}
