"""Which files are wanted, by the settings: one answer for backups, imports and separated posts."""

from collections.abc import Callable
from functools import partial

from archiver.media.selection import select_renditions
from archiver.models import Attachment
from archiver.reasons import Choice
from archiver.settings import MediaSettings


def choose_by(media: MediaSettings) -> Callable[[Attachment], list[Choice]]:
    """What gives the state that each file of an attachment starts in, as the settings want it."""
    return partial(
        select_renditions, videos=media.videos, thumbnails=media.thumbnails,
        leave_out=media.leave_out,
    )  # fmt: skip
