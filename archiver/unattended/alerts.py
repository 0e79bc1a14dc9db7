"""Which messages are due: each concern is sent once, until it changes or is over.

What was sent is kept in a private file beside the config, and not in the archive: that the disk of
the archive is full, or not mounted, must be sent once too.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from archiver.disks import describe_error
from archiver.errors import StorageError
from archiver.human import parse_time
from archiver.private_files import replace_privately
from archiver.unattended.health import Concern

_FORMAT = 1
_WEEK = timedelta(days=7)
_CLOCK_SLACK = timedelta(days=1)


@dataclass(slots=True)
class SentAlerts:
    """What was sent: for each cause its state and text then; when the last digest was.

    `events` wait to be sent; `failed_at` is when a message could last not be delivered, None once
    one was.
    """

    causes: dict[str, tuple[str, str]] = field(default_factory=dict)
    digest_at: str | None = None
    events: list[str] = field(default_factory=list)
    failed_at: str | None = None

    def new_among(self, concerns: Sequence[Concern]) -> list[str]:
        """The texts of the concerns that are new, or have changed."""
        return [
            concern.text
            for concern in concerns
            if self.causes.get(concern.cause, ("",))[0] != concern.state
        ]

    def over_without(self, concerns: Sequence[Concern]) -> dict[str, str]:
        """The causes that are none of these concerns any more, with the text that was sent."""
        now = {concern.cause for concern in concerns}
        return {cause: text for cause, (_, text) in self.causes.items() if cause not in now}

    def mark_sent(self, concerns: Sequence[Concern], over: Collection[str]) -> None:
        """Save that these were sent, the causes that are over, and all events."""
        self.causes = {cause: was for cause, was in self.causes.items() if cause not in over}
        self.causes |= {concern.cause: (concern.state, concern.text) for concern in concerns}
        self.events = []
        self.failed_at = None

    def is_digest_due(self, now: datetime) -> bool:
        """Whether the last digest is a week old, or dated in the future by a wrong clock."""
        last = parse_time(self.digest_at)
        return last is None or not now - _WEEK < last <= now + _CLOCK_SLACK


def alerts_path(config: Path) -> Path:
    """The file for a config: `archive.alerts.json` beside `archive.toml`."""
    return config.with_name(f"{config.stem}.alerts.json")


def load_sent_alerts(path: Path) -> SentAlerts:
    """What was sent until now. A file that is missing or damaged counts as nothing."""
    with suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
        found: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
        causes = {
            str(cause): (str(entry["state"]), str(entry["text"]))
            for cause, entry in found["causes"].items()
        }
        return SentAlerts(
            causes, found.get("digest_at"), list(map(str, found["events"])), found.get("failed_at")
        )
    return SentAlerts()


def save_sent_alerts(path: Path, sent: SentAlerts) -> None:
    """Save what was sent. Raises StorageError."""
    causes = {cause: {"state": state, "text": text} for cause, (state, text) in sent.causes.items()}
    document = {
        "version": _FORMAT, "causes": causes, "digest_at": sent.digest_at,
        "events": sent.events, "failed_at": sent.failed_at,
    }  # fmt: skip
    try:
        replace_privately(path, (json.dumps(document, indent=2) + "\n").encode())
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written", why=describe_error(error),
            kept="What was sent today is sent again tomorrow",
        ) from error  # fmt: skip


def message_of(new: Sequence[str], over: Sequence[str], events: Sequence[str]) -> tuple[str, str]:
    """Title and text of one message about all that is to be sent."""
    counts = [
        f"{len(texts)} {word}"
        for texts, word in ((new, "to look at"), (over, "resolved"), (events, "new"))
        if texts
    ]
    lines = [*new, *(f"Resolved: {text}" for text in over), *events]
    return f"Social media backup: {', '.join(counts)}", "\n".join(map(_sentence, lines))


def _sentence(text: str) -> str:
    return f"{text}."
