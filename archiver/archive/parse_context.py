"""How the records of an account are parsed while they are saved."""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from msgspec import Struct, field

from archiver.models import Attachment, Post, Record
from archiver.reasons import Choice


class ParseContext(Struct, frozen=True):
    """How the records of one account are parsed, and which of their files to fetch.

    `content_version` is the number of the platform's list of content fields; `reread` parses
    a stored record with the current code; `choose` says which renditions of an attachment to fetch;
    `view` are the account's options that choose what is shown: a post can be missing only from
    scans under the options that last showed it. `reader` identifies the current parsing code, where
    that is known. `ranks` are those of all sources that are installed, by their names.
    `as_of` is when the export was made that the records are from; None for a source that is asked
    now. An export that is older than what is known of a post changes nothing of it, and two exports
    may write one post in different forms: only another wording is an edit.
    `record_text` is the text of a record that is stored.
    """

    source: str
    content_version: int
    reread: Callable[[Mapping[str, Any]], Post]
    choose: Callable[[Attachment], Sequence[Choice]]
    view: str = "{}"
    reader: bytes | None = None
    ranks: Mapping[str, str] = field(default_factory=dict)
    as_of: str | None = None
    record_text: Callable[[Record], str] = attrgetter("raw")
