"""Which posts are known to be public today: what is published elsewhere holds no others."""

from datetime import UTC, datetime

from archiver.models import EXPIRING_KINDS, STORY_LIFE, timestamp

SHOWN_TO_ALL = "(kind <> 'memory' AND (visibility IS NULL OR lower(visibility) = 'public'))"
"""The SQL condition of posts that everybody could see; NULL: the platform has no other posts.

A memory was never published, whatever is told of it.
"""


def expired_condition() -> str:
    """The SQL condition of posts that have expired on the platform: stories."""
    kinds = ", ".join(f"'{kind}'" for kind in sorted(EXPIRING_KINDS))
    oldest = timestamp(datetime.now(UTC) - STORY_LIFE)
    return f"kind IN ({kinds}) AND coalesce(created_at, '') < '{oldest}'"


def public_condition() -> str:
    """The SQL condition of posts that everybody sees now: neither removed nor expired."""
    return f"{SHOWN_TO_ALL} AND removed_at IS NULL AND NOT ({expired_condition()})"
