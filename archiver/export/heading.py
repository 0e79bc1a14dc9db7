"""What an export says of itself: of which archive it is, what was chosen, when it was made."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class ExportHeading:
    """The heading of an export. `made_at` is in UTC, ISO 8601."""

    archive: str
    selection: str  # in words: my-instagram, March 2025
    made_at: str


def time_now() -> str:
    """The time for a heading."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
