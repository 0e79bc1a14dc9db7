"""The contract of resolvers: plugins that get the video which a source names but does not give.

A resolver is asked only for platforms that the setting `resolve` lists, and for accounts that their
owner has declared as their own. It opens nothing itself: programs are run for it, with nothing of
the environment, and all their connections go through a proxy that refuses private addresses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

UnresolvedCode = Literal[
    "private", "age_restricted", "members_only", "region", "removed", "bot_check", "drm", "live",
    "runtime_missing", "resolver_missing", "resolver_outdated", "resolver_failed",
]  # fmt: skip
"""Why a resolver has no video; what each means is in `archiver.reasons`."""


class Unresolved(Exception):
    """A resolver could not get a video; the message says why, for people."""

    def __init__(self, code: UnresolvedCode, why: str) -> None:
        super().__init__(why)
        self.code: UnresolvedCode = code


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """How a program ended: its exit status, and the bytes that it wrote."""

    status: int
    output: bytes
    errors: bytes


class ResolverJob(Protocol):
    """One video to get, and what may be used for that."""

    @property
    def page_url(self) -> str:
        """The page that the video is behind."""

    @property
    def platform(self) -> str:
        """The network that it is on."""

    @property
    def videos(self) -> str:
        """The setting `videos`: `best`, `smallest` or `all`."""

    @property
    def folder(self) -> Path:
        """An empty, private folder; everything in it is removed afterwards."""

    @property
    def max_size(self) -> int:
        """How many bytes the video may have."""

    @property
    def proxy(self) -> str:
        """The address of the proxy that all connections go through; a program must be given it."""

    async def run(
        self, command: Sequence[str], variables: Mapping[str, str] | None = None
    ) -> ProgramResult:
        """Run a program in the folder, with limits on time, output and the size of files.

        Its environment is `HOME` (an empty folder), `LANG`, and these variables. Raises Unresolved
        where it takes too long, or receives more than `max_size` allows.
        """


@dataclass(frozen=True, slots=True)
class ResolvedSubtitles:
    """Subtitles that a page has: the address of a WebVTT file; the words are the page's."""

    url: str
    language: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ResolvedVideo:
    """What a resolver found: an address of the whole file, or files in the job's folder.

    Of two files, the first has the picture and the second one the sound. `seconds` and `has_sound`
    are what the page says of the video. `details` go on record: formats, codecs, what was used.
    `subtitles` are those that people have made, none that a machine has.
    """

    url: str | None = None
    files: tuple[Path, ...] = ()
    seconds: float | None = None
    has_sound: bool = True
    details: Mapping[str, object] = field(default_factory=dict)
    subtitles: tuple[ResolvedSubtitles, ...] = ()


class Resolver(Protocol):
    """Gets videos from behind their pages."""

    @property
    def name(self) -> str:
        """One lower-case word."""

    @property
    def version(self) -> str | None:
        """The version of the program that it uses; None where that is not installed."""

    @property
    def platforms(self) -> Sequence[str]:
        """The networks whose pages it understands."""

    def notice(self, platform: str, now: datetime) -> str | None:
        """What its user should know before it is used for a platform: what is missing, or old.

        One sentence that says what to do; None where all is well. It asks no network.
        """

    async def resolve(self, job: ResolverJob) -> ResolvedVideo:
        """Get a video. Raises Unresolved."""
