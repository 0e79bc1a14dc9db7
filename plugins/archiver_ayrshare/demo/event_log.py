"""The changes in a world, in order, so that tests can compare an archive with them."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

WorldEventKind = Literal[
    "published", "edited", "media_edited", "removed", "restored", "pinned", "unpinned",
    "withheld", "released", "media_lost", "media_found",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class WorldEvent:
    """One change of one post.

    `old` and `new` are its text before and after, for edits of media the media ids, joined by
    spaces. `child` is the attachment that was withheld, released, lost or found; None is all.
    """

    at: datetime
    platform: str
    profile: str
    post_id: str
    what: WorldEventKind
    old: str | None = None
    new: str | None = None
    child: int | None = None


class WorldEventLog:
    """All events, in order."""

    def __init__(self) -> None:
        self.events: list[WorldEvent] = []
        self._by_post: dict[tuple[str, str], list[WorldEvent]] = defaultdict(list)

    def note(self, event: WorldEvent) -> None:
        """Add an event."""
        self.events.append(event)
        self._by_post[event.platform, event.post_id].append(event)

    def of(self, platform: str, post_id: str) -> list[WorldEvent]:
        """The events of one post."""
        return list(self._by_post.get((platform, post_id), ()))

    def of_kinds(self, *kinds: WorldEventKind) -> list[WorldEvent]:
        """The events of some kinds."""
        return [event for event in self.events if event.what in kinds]
