"""Parsing the earlier versions of an edited status.

A version (https://docs.joinmastodon.org/entities/StatusEdit/) holds what can be edited and nothing
else, not even the status's id. So that one function reads all versions, the rest is taken from the
status as it is now.
"""

from collections.abc import Mapping
from typing import Any

from archiver import Record, Version, write_json
from archiver_mastodon.values import time_of

_UNCHANGING = (
    "id", "uri", "url", "created_at", "in_reply_to_id", "in_reply_to_account_id", "visibility",
    "language", "account", "quote",
)  # fmt: skip
"""The fields that an edit does not change, or that not every server gives for its versions."""

_EDITED = (
    "content", "spoiler_text", "sensitive", "media_attachments", "poll", "emojis", "quote",
)  # fmt: skip


def version_of(edit: Mapping[str, Any], status: Mapping[str, Any], *, is_first: bool) -> Version:
    """A version, completed to a whole status, and its time."""
    made_at = edit.get("created_at")
    data: dict[str, Any] = {key: status[key] for key in _UNCHANGING if key in status}
    data |= {key: edit[key] for key in _EDITED if key in edit}
    data["edited_at"] = None if is_first else made_at
    return Version(Record(raw=write_json(data), data=data), time_of(made_at))
