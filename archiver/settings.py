"""The settings in the tables of `archive.toml`; their help makes the configuration page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from archiver.binding import CalendarPeriod, CheckpointTarget, ProxyAddress, Size
from archiver.errors import ConfigError
from archiver.minimisation import LeftOut
from archiver.models import Kind
from archiver.secrets import Secret
from archiver.urls import BaseUrl


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """Where the archive is, and how it is kept."""

    directory: Path = field(
        default=Path("archive"),
        metadata={"help": "The folder of the archive, relative to this file."},
    )
    full_every: timedelta = field(
        default=timedelta(days=7),
        metadata={
            "help": "How often a run scans all posts, not only the newest, so that edits, removals "
            "and metrics of old posts are seen.",
            "min": timedelta(),
        },
    )
    posts_every: timedelta = field(
        default=timedelta(days=1),
        metadata={
            "help": "How often archiver backup --due looks for new posts.",
            "min": timedelta(minutes=30),
        },
    )
    stories_every: timedelta = field(
        default=timedelta(hours=8),
        metadata={
            "help": "How often it does on platforms with stories, which are shown for 24 hours.",
            "min": timedelta(minutes=30),
        },
    )
    keep_responses: Literal["all", "changed", "none"] = field(
        default="changed",
        metadata={
            "help": "Which responses of the source are kept whole beside the posts: all of them, "
            "those that brought something new, or none."
        },
    )
    leave_out: tuple[LeftOut, ...] = field(
        default=(),
        metadata={
            "help": "What is not kept of new posts and of their records. numbers: likes, views and "
            "the like. people: names and addresses of others, but for those in texts. With either, "
            "no responses are kept.",
            "example": '["numbers", "people"]',
        },
    )
    reserve: Size = field(
        default=Size(500_000_000),
        metadata={
            "help": "How much of its disk is not used for files: with less space, a run fetches "
            "none and says so. Of a disk smaller than twenty times that, it is a twentieth.",
            "min": 0,
        },
    )
    tokens: Literal["file", "keyring"] = field(
        default="file",
        metadata={
            "help": "Where archiver login keeps what servers hand out: a private file beside this "
            "one, or the system's keyring."
        },
    )
    actor: str | None = field(
        default=None,
        metadata={
            "help": "Who runs, verifies, copies and exports are attributed to, such as the name of "
            "a service account; without it, the system's user and host.",
            "example": '"nightly-backup@records"',
        },
    )


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Which pictures and videos are fetched, and how many at once."""

    videos: Literal["best", "all", "smallest", "none"] = field(
        default="best",
        metadata={"help": "Which sizes of a video are fetched."},
    )
    thumbnails: bool = field(
        default=True,
        metadata={"help": "Whether stills are fetched also where the original is stored."},
    )
    leave_out: tuple[Literal["image", "video", "gif", "audio"], ...] = field(
        default=(),
        metadata={
            "help": "Kinds of media whose files are not fetched, their stills included. That there "
            "is one, and its description, are kept.",
            "example": '["video", "audio"]',
        },
    )
    resolve: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "Platforms whose videos a resolver may fetch from their pages, of accounts "
            "with `own = true`. The terms of most platforms forbid downloads by other ways than "
            "their own, and exports come first: see the page on films.",
            "example": '["youtube", "tiktok"]',
        },
    )
    resolve_per_day: int = field(
        default=20,
        metadata={
            "help": "How many videos of a platform a resolver tries within a day.",
            "min": 1,
            "max": 1000,
        },
    )
    max_size: Size = field(
        default=Size(4_000_000_000),
        metadata={
            "help": "Larger files are refused. KB, MB, GB and TB count in thousands; KiB, MiB, GiB "
            "and TiB in 1024s.",
            "min": 1,
        },
    )
    connections: int = field(
        default=16, metadata={"help": "How many files are fetched at once.", "min": 1, "max": 256}
    )
    per_host: int = field(
        default=8,
        metadata={"help": "How many of them from one host.", "min": 1, "max": 256},
    )


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Where media may be fetched from, and by which way everything is."""

    allow: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "Private hosts or networks that media may be fetched from, on any port and "
            "without https. Everything private is refused otherwise.",
            "example": '["127.0.0.0/8", "media.example.internal"]',
        },
    )
    https_only: bool = field(
        default=False, metadata={"help": "Refuse media that is offered over plain http."}
    )
    proxy: ProxyAddress | None = field(
        default=None,
        metadata={
            "help": "An HTTP proxy that every connection goes through, to the source and to media. "
            "Those of the environment are ignored."
        },
    )
    proxy_credentials: Secret | None = field(
        default=None,
        metadata={
            "help": "Credentials for the proxy: user:password.",
            "example": '"env:PROXY_USER_PASSWORD"',
        },
    )
    ca_bundle: Path | None = field(
        default=None,
        metadata={
            "help": "A file of certificate authorities (PEM) to trust besides the public "
            "ones: that of a proxy which intercepts TLS, or of a company's own servers.",
            "example": '"company-ca.pem"',
        },
    )

    def __post_init__(self) -> None:
        """Raises ConfigError for credentials without a proxy, and for two of them."""
        if self.proxy_credentials is None:
            return
        if self.proxy is None:
            raise ConfigError('"proxy_credentials" is set in [network], but no "proxy"')
        if self.proxy.credentials is not None:
            text = '"proxy" in [network] holds credentials, and "proxy_credentials" is set too'
            raise ConfigError(text, hint="Leave them out of the address")


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """When `archiver status --check` warns."""

    late_after: timedelta = field(
        default=timedelta(days=2),
        metadata={
            "help": "How old the last good run of an account may be before it is a warning; twice "
            "as old is critical.",
            "min": timedelta(hours=1),
        },
    )
    min_free: Size = field(
        default=Size(1_000_000_000),
        metadata={
            "help": "How much space the disk of the archive should have. Less is critical, less "
            "than three times as much a warning.",
            "min": 0,
        },
    )


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Who gets which messages, after a backup."""

    on_failure: tuple[Secret, ...] = field(
        default=(),
        metadata={
            "help": "Apprise addresses that get a message when something is wrong, "
            "and when it is over; https://github.com/caronc/apprise lists its services.",
            "example": '["env:NTFY_URL"]',
        },
    )
    changes: bool = field(
        default=True,
        metadata={"help": "Whether messages also count removed posts and omitted files."},
    )
    digest: bool = field(
        default=False, metadata={"help": "Whether they get the counts of each week."}
    )
    ping: Secret | None = field(
        default=None,
        metadata={
            "help": "A URL of healthchecks.io or one like it, which tells you when no ping comes.",
            "example": '"env:PING_URL"',
        },
    )


@dataclass(frozen=True, slots=True)
class CareSettings:
    """What a backup does afterwards to look after the archive."""

    verify: timedelta = field(
        default=timedelta(),
        metadata={
            "help": "How long files are read back and checked, once a day, those first that were "
            "not read for the longest time; the rows besides, of a large archive a part of them "
            "each day. With 0, never.",
            "min": timedelta(),
            "example": '"20m"',
        },
    )
    copy_to: Path | None = field(
        default=None,
        metadata={
            "help": "A folder, best on another disk, in which a second copy is kept up to date.",
            "example": '"/mnt/usb/archive"',
        },
    )
    copy_every: timedelta = field(
        default=timedelta(days=7),
        metadata={"help": "How often it is brought up to date.", "min": timedelta(hours=1)},
    )
    thumbnails: timedelta = field(
        default=timedelta(),
        metadata={
            "help": "How long the small pictures of archiver browse are made ahead, once a day. "
            "With 0, each is made when it is first looked at.",
            "min": timedelta(),
            "example": '"10m"',
        },
    )


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """Who signs checkpoints of the ledger, and who gets them."""

    key: Secret | None = field(
        default=None,
        metadata={
            "help": "The key that signs checkpoints, such as a file on another disk. Without it, a "
            "file beside this one. A file is made at its first use.",
            "example": '"file:/mnt/key/archive.signing-key"',
        },
    )
    checkpoint_copies: tuple[CheckpointTarget, ...] = field(
        default=(),
        metadata={
            "help": "Who gets each checkpoint: folders, repositories of git (`git:PATH`), commands "
            "that read it (`cmd:COMMAND`).",
            "example": '["/mnt/other/checkpoints", "git:~/checkpoints", "cmd:mail me"]',
        },
    )
    timestamp: tuple[BaseUrl, ...] = field(
        default=(),
        metadata={
            "help": "Time stamp authorities (RFC 3161) that say of each checkpoint when it was "
            "there. They get nothing but its hash.",
            "example": '["https://tsa.example.com/tsr"]',
        },
    )
    timestamp_roots: Path | None = field(
        default=None,
        metadata={
            "help": "A PEM file of the root certificates of these authorities, former ones too. "
            "Without it, those that TLS trusts.",
            "example": '"authorities.pem"',
        },
    )


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """One `[[retention]]` rule: how long which posts are kept, and what is done then."""

    name: str = field(
        metadata={"help": "What the rule is called, as in your schedule.", "example": '"stories"'}
    )
    period: CalendarPeriod = field(metadata={"help": "How long posts are kept."})
    basis: str = field(
        metadata={
            "help": "The law or the schedule that says so; it is in the certificate.",
            "example": '"Records schedule 4.2"',
        }
    )
    accounts: tuple[str, ...] = field(
        default=(),
        metadata={"help": "The accounts that it is for, by their names; without them, all."},
    )
    kinds: tuple[Kind, ...] = field(
        default=(), metadata={"help": "The kinds of post that it is for; without them, all."}
    )
    trigger: Literal["published", "first_seen", "removed"] = field(
        default="published",
        metadata={
            "help": "What the period begins with. The rule is for posts that have this date only."
        },
    )
    action: Literal["erase", "review"] = field(
        default="erase",
        metadata={
            "help": "What is done with posts that are due. erase: archiver retention --dispose "
            "erases them. review: they are only listed, for a person to decide."
        },
    )


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """One `[[accounts]]` entry. `options` are the platform's own, as they were written.

    `source` is None where the entry names none; `Config.source_of` says which one is meant.
    """

    name: str
    platform: str
    source: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    line: int | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class EntryHead:
    """The keys of every `[[accounts]]` entry; the rest are its platform's options."""

    name: str = field(
        metadata={
            "help": "A label of your own. Commands and the archive use it. Several entries may "
            "have the same one where they are one account, read through several sources.",
            "example": '"acme-instagram"',
        }
    )
    platform: str = field(
        metadata={
            "help": "The network: bluesky, facebook, instagram …; archiver plugins lists them.",
            "example": '"instagram"',
        }
    )
    own: bool = field(
        default=False,
        metadata={
            "help": "Whether the account is your own: only then may its videos be fetched from "
            "their pages, for platforms that `resolve` in `[media]` lists."
        },
    )
    source: str | None = field(
        default=None,
        metadata={
            "help": "Where its history is read from; without it, the one source of that platform "
            "whose table is in this file, else the one that needs no key."
        },
    )
