"""What was fetched of a file, on its way into the store and into its row."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from archiver.archive import playlists
from archiver.archive.origins import MediaOrigin
from archiver.archive.queue import FilmVariant, QueuedFile, Stored
from archiver.media.download import Download
from archiver.media.playlists.joining import FilmOrigin, JoinedFilm, joiner_version
from archiver.media.playlists.plan import NotJoinable
from archiver.media.store import stored_path
from archiver.reasons import Choice, Reason

UNPROVEN = Reason("unproven", "whether it is complete could not be checked")
"""For a stored file without a declared length, whose format has no recognisable end."""


class FetchedFile(Struct, frozen=True):
    """A file in `tmp/` that goes into the store, and what its row will say of it; see `Stored`."""

    download: Download
    reason: Reason | None = None
    next_try_at: str | None = None
    origin: MediaOrigin | None = None
    variants: tuple[FilmVariant, ...] = ()

    def stored(self, file: QueuedFile, recovered: Collection[str]) -> Stored:
        """What is to be written once the file is in the store."""
        download = self.download
        reason = self.reason
        if reason is None and not download.is_proven:
            reason = UNPROVEN
        return Stored(
            file, download.sha256, stored_path(download.sha256, download.extension),
            download.size, download.content_type, download.width, download.height,
            download.duration_ms, download.is_playlist, download.sha256 in recovered,
            reason, self.next_try_at, self.origin, self.variants,
        )  # fmt: skip


def kept_playlist(playlist: Download, why: NotJoinable, tomorrow: str) -> FetchedFile:
    """A playlist of which no film can be made: it is kept instead. A broadcast is asked again."""
    text = f"{playlists.MANIFEST_ONLY.text}: {why}"
    reason = Reason(why.code, text, joiner_version())
    return FetchedFile(playlist, reason, tomorrow if why.code == "live" else None)


def left_out_of(made: FilmOrigin) -> list[dict[str, Any]]:
    """What a film was made without, for its record."""
    return [asdict(each) for each in made.left_out]


def _details_of(made: FilmOrigin) -> dict[str, Any] | None:
    if made.subtitles is not None:
        return {"subtitles": {"language": made.subtitles.language, "name": made.subtitles.label}}
    return {"left_out": left_out} if (left_out := left_out_of(made)) else None


def joined_film(film: JoinedFilm, content_type: str, videos: str) -> FetchedFile:
    """The film of a playlist of this type, or its subtitles.

    With its other variants as the setting wants them, and all subtitles to be fetched.
    """
    choice: Choice = ("pending", None)
    if videos != "all":
        choice = ("skipped", Reason("setting_videos", f"videos={videos}", videos))
    variants = tuple(
        FilmVariant(
            variant.name, url, content_type, variant.width, variant.height, variant.bandwidth,
            choice,
        )
        for variant, url in film.others
    )  # fmt: skip
    variants += tuple(
        FilmVariant(
            url.rpartition("#")[2], url, content_type, None, None, None, ("pending", None),
            "subtitles",
        )
        for _, url in film.subtitles
    )  # fmt: skip
    made = film.origin
    origin = MediaOrigin(
        made.how, "playlist", made.tool,
        playlists=[playlist.as_json() for playlist in made.playlists], segments=made.segments,
        details=_details_of(made),
    )  # fmt: skip
    return FetchedFile(film.download, origin=origin, variants=variants)
