"""The resolver: two runs of yt-dlp at most, one that asks and one that fetches."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from archiver import BadJson, ProgramResult, ResolvedVideo, ResolverJob, Unresolved, read_json
from archiver_ytdlp.failures import failure_of
from archiver_ytdlp.formats import VideoChoice, choose_formats, subtitles_of
from archiver_ytdlp.installed import check_installed, installed_version, notice, runtime

EXTRACTORS: Mapping[str, str] = {
    "facebook": "facebook.*", "instagram": "instagram.*", "pinterest": "pinterest",
    "snapchat": "snapchat.*", "tiktok": "tiktok", "twitter": "twitter", "youtube": "youtube",
}  # fmt: skip
"""The extractors that may be used for a platform: any other page ends before a request."""

_ALWAYS = (
    "--ignore-config", "--no-plugin-dirs", "--no-cache-dir", "--no-remote-components",
    "--no-update", "--no-cookies", "--no-cookies-from-browser", "--no-playlist", "--no-exec",
    "--no-progress", "--socket-timeout", "20", "--retries", "3", "--extractor-retries", "1",
    "--sleep-requests", "1",
)  # fmt: skip
_FETCH = (
    "--no-simulate", "--restrict-filenames", "--abort-on-unavailable-fragments",
    "--fragment-retries", "3", "--downloader", "m3u8:native", "--downloader", "dash:native",
    "--limit-rate", "8M",
)  # fmt: skip
_MOST_SECONDS = 60 * 60 * 24


@dataclass(frozen=True, slots=True)
class YtDlp:
    """Gets videos by yt-dlp. `extra` are further arguments, for tests against a local site."""

    extractors: Mapping[str, str] = field(default_factory=lambda: EXTRACTORS)
    extra: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the resolver."""
        return "ytdlp"

    @property
    def version(self) -> str | None:
        """The version of yt-dlp."""
        return installed_version()

    @property
    def platforms(self) -> Sequence[str]:
        """The networks that have an extractor."""
        return sorted(self.extractors)

    def notice(self, platform: str, now: datetime) -> str | None:
        """What is missing, or older than two months."""
        return notice(platform, now.date())

    async def resolve(self, job: ResolverJob) -> ResolvedVideo:
        """Ask for the formats; give the address of a whole file, or let yt-dlp fetch its parts."""
        check_installed(job.platform)
        info = _info_of(await self._run(job, "--simulate", "--write-subs"))  # which it names then
        if info.get("is_live"):
            raise Unresolved("live", "it is being broadcast")
        choice = choose_formats(info, job.videos)
        if choice is None:
            raise Unresolved("resolver_failed", "its page offers no video")
        seconds = _seconds_of(info)
        subtitles = subtitles_of(info)
        details = {**choice.details, "extractor": str(info.get("extractor", ""))}
        if choice.url is not None:
            return ResolvedVideo(
                choice.url, seconds=seconds, has_sound=choice.has_sound, details=details,
                subtitles=subtitles,
            )  # fmt: skip
        await self._fetch(job, choice)
        found = {path.name.partition(".")[0]: path for path in job.folder.iterdir()}
        files = tuple(found[name] for name in _names(choice) if name in found)
        if len(files) < len(choice.ids):
            raise Unresolved("resolver_failed", "it ended without an error, and without a file")
        return ResolvedVideo(
            None, files, seconds=seconds, has_sound=choice.has_sound,
            details={**details, "arguments": [*_ALWAYS, *_FETCH]}, subtitles=subtitles,
        )  # fmt: skip

    async def _fetch(self, job: ResolverJob, choice: VideoChoice) -> None:
        """One run for each format: joining them would take a program that is not needed here."""
        for format_id, name in zip(choice.ids, _names(choice), strict=True):
            limit = str(job.max_size)
            target = ("--paths", str(job.folder), "--output", f"{name}.%(ext)s")
            await self._run(job, *_FETCH, "--max-filesize", limit, *target, "--format", format_id)

    async def _run(self, job: ResolverJob, *arguments: str) -> ProgramResult:
        python = [sys.executable, "-I", "-m", "yt_dlp"]
        command = [
            *python, *_ALWAYS, "--use-extractors", self.extractors[job.platform],
            "--proxy", job.proxy, *self.extra, *arguments, "--dump-single-json", "--", job.page_url,
        ]  # fmt: skip
        deno = runtime()
        variables = {"YTDLP_NO_PLUGINS": "1"}
        if deno is not None:
            variables["PATH"] = str(deno.parent)
        result = await job.run(command, variables)
        if result.status != 0:
            raise failure_of(result.errors)
        return result


def _names(choice: VideoChoice) -> tuple[str, ...]:
    return ("picture", "sound")[: len(choice.ids)]


def _info_of(result: ProgramResult) -> Mapping[str, Any]:
    try:
        info = read_json(result.output)
    except BadJson as error:
        raise Unresolved("resolver_failed", "what it says of the page cannot be read") from error
    if not isinstance(info, dict):
        raise Unresolved("resolver_failed", "what it says of the page cannot be read")
    entries = info.get("entries")
    if isinstance(entries, list):
        if len(entries) != 1 or not isinstance(entries[0], dict):
            raise Unresolved("resolver_failed", f"its page has {len(entries)} videos")
        return entries[0]
    return info


def _seconds_of(info: Mapping[str, Any]) -> float | None:
    seconds = info.get("duration")
    if isinstance(seconds, int | float) and 0 < seconds < _MOST_SECONDS:
        return float(seconds)
    return None
