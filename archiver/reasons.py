"""Why something is in its state: a code for the program, a sentence for people.

A code is one of `REASON_CODES` and decides what happens next; nothing compares or parses
the sentence, which may be reworded or translated at any time.
"""

from typing import Literal, NamedTuple

State = Literal[
    "pending", "stored", "skipped", "omitted", "not_offered", "gone", "failed", "refused"
]
"""The states of a rendition, see docs/schema.md."""

REASON_CODES: dict[str, str] = {
    # what the source says of a file
    "copyright": "The platform withholds the file, for copyright or because it flagged it",
    "not_offered": "The source never gives this file",
    "manifest_only": "Only a playlist (HLS, DASH) is offered, of which no film could be made",
    "live": "A broadcast that goes on: its playlist has no end yet; asked again a day later",
    "drm": "Encrypted, with keys that the platform gives to its own players only",
    "no_address": "The source names the file and gives no address for it",
    "address_not_understood": "The source gives an address that this program cannot read",
    "other_source": "The same file is available from another source",
    "given_elsewhere": "The source never gives this file, and another source does: an export",
    "replaced": "The source offers another file in this role now",
    # why a video behind its page could not be fetched
    "private": "Its page shows the video to its owner only",
    "age_restricted": "Its page asks for a login that proves an age",
    "members_only": "Its page shows the video to members or subscribers only",
    "region": "Its page does not show the video where this machine is",
    "removed": "Its page says that the video is there no more",
    "bot_check": "The platform takes this machine for a robot; the others of it wait too",
    "runtime_missing": "A program is missing that the resolver needs; the reason says which",
    "resolver_missing": "The resolver is not installed; the reason says how to install it",
    "resolver_outdated": "The resolver is too old to be used; the reason says how to update it",
    "resolver_failed": "The resolver could not get it, for another reason",
    "no_sound": "What came has no sound, while its page says that there is some",
    # what the settings say of it; the column `setting` has the value that decided
    "setting_videos": "Not the file that the setting `videos` wants",
    "setting_thumbnails": "A still whose original is wanted, with `thumbnails = false`",
    "setting_leave_out": "Of a kind of media that the setting `leave_out` leaves out",
    "playlist": "A playlist, while the video itself is offered",
    "link_target": "What a link leads to, which is never fetched",
    "too_large": "Larger than the setting `max_size` allows",
    "address_not_allowed": "The address is private, or its scheme or port is not allowed",
    # what the server says of it
    "not_found": "404: the server has no such file (yet, or any more)",
    "gone": "410: the server had the file and has it no more",
    "expired": "The signature of the address has expired, or 403",
    "http_error": "Another status than that of success",
    "network": "No connection, or one that broke",
    "certificate": "The server's certificate is not valid",
    "redirects": "The server redirects in a loop, or too often",
    "encoding": "The answer is compressed in a way that cannot be decoded",
    "too_slow": "The server sends too slowly",
    "host_silent": "Not asked: the host has not answered for other files in this run",
    # what was received
    "incomplete": "Fewer bytes came than the file has",
    "wrong_kind": "An error page, a placeholder, nothing, or another kind of file came",
    "segment_missing": "A playlist names a segment that its server does not have",
    "bad_playlist": "A playlist that cannot be read, or that contradicts itself",
    "playlist_too_long": "A playlist with more segments or bytes than a film has",
    "other_bytes": "The bytes do not match the hash or size that the source states",
    "unproven": "Stored; without a declared length, and its format has no recognisable end",
    "not_in_package": "The export names the file and does not have it: a part may be missing",
    "unreadable": "A file of an import cannot be read",
    # what happened here
    "lost": "The file was stored, and lost or damaged here; it is downloaded again",
    "bug": "A bug in archiver",
    # why a range of history reaches no further back
    "asked_limit": "`--limit` was reached",
    "asked_since": "`--since` was reached",
    "source_limit": "The source shows no older posts",
    "no_more_pages": "The source ended its pages without a reason",
    "repeated_pages": "The source sent the same posts again and again",
    "cursor_lost": "The source no longer knows the cursor of an interrupted scan",
    "stories_expire": "Stories are shown for a day; earlier ones had expired before the scan",
    # what an event may say
    "matched": "Another source shows this post; it was matched by a rule, not by an id",
    "film_assigned": "A single film was given to this post by its title and length, not by an id",
    "separated": "It had been matched with another post; the match was undone",
    "id_only": "The source showed the id of a post, without its content",
}
"""Every code that `reason_code` can be, and what it means; printed in docs/schema.md."""


class Reason(NamedTuple):
    """A code of `REASON_CODES`, the text for people, and the value of a setting that decided."""

    code: str
    text: str
    setting: str | None = None


Choice = tuple[State, Reason | None]
"""The first state of a rendition, and the reason for any but `pending`."""


def columns(reason: Reason | None) -> dict[str, str | None]:
    """The columns of a rendition that hold a reason."""
    code, text, setting = reason or (None, None, None)
    return {"reason_code": code, "setting": setting, "reason": text}
