"""What really happened in a world, to hold an archive against."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

What = Literal[
    "published", "edited", "media_edited", "removed", "restored", "pinned", "unpinned",
    "withheld", "released", "media_lost", "media_found",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that was done to one post.

    `old` and `new` are its text before and after, for edits of media the media ids, joined by
    spaces. `child` is the attachment that was withheld, released, lost or found; None is all.
    """

    at: datetime
    platform: str
    profile: str
    post_id: str
    what: What
    old: str | None = None
    new: str | None = None
    child: int | None = None


class Truth:
    """Every deed, in the order in which it was done."""

    def __init__(self) -> None:
        self.deeds: list[Deed] = []
        self._by_post: dict[tuple[str, str], list[Deed]] = defaultdict(list)

    def note(self, deed: Deed) -> None:
        """Write down one more."""
        self.deeds.append(deed)
        self._by_post[deed.platform, deed.post_id].append(deed)

    def of(self, platform: str, post_id: str) -> list[Deed]:
        """What was done to one post."""
        return list(self._by_post.get((platform, post_id), ()))

    def what(self, *kinds: What) -> list[Deed]:
        """The deeds of these kinds."""
        return [deed for deed in self.deeds if deed.what in kinds]
