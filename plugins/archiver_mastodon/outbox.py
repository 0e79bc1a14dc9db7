"""Archives that a Mastodon server makes of an account: `outbox.json` and the files that it names.

They are ActivityPub, not the API's JSON: https://docs.joinmastodon.org/user/moving/#export and the
server's source, `app/services/backup_service.rb`. Private messages are in the outbox too, and are
left out.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from archiver import (
    Account,
    ExportedPost,
    Identity,
    Package,
    PackageError,
    Post,
    Recognition,
    Record,
    write_json,
)
from archiver_mastodon.activity import audience_of, files_named, read_activity
from archiver_mastodon.html_text import plain_text
from archiver_mastodon.values import object_of, text_of, uri_of, url_of

_MEDIA = re.compile(r"media_attachments/.+$")
_ACTORS = frozenset({"Person", "Service", "Application", "Group", "Organization"})


class MastodonExport:
    """An `archiver.ExportReader`; see there."""

    name = "mastodon"
    title = "an archive of a Mastodon account"
    content_version = 1

    def recognize(self, package: Package) -> Recognition | None:
        """What it is: `outbox.json` and `actor.json` side by side, with what they have to be."""
        outboxes, actors = package.find("outbox.json"), package.find("actor.json")
        if not outboxes and not actors:
            return None
        if not outboxes or not actors:
            missing = ("outbox.json",) if actors else ("actor.json",)
            if actors and not _is_actor(package.json(actors[0])):
                return None
            if outboxes and not _is_outbox(package, outboxes[0]):
                return None
            raise PackageError(
                f"The archive of a Mastodon account has no {missing[0]}",
                why="Without it, nobody can tell whose posts these are, or what was posted",
                kept="Nothing was imported",
                hint="Download the archive again, and import it as it is",
                code="incomplete",
            )
        actor = package.json(actors[0])
        if not _is_actor(actor) or not _is_outbox(package, outboxes[0]):
            return None
        return Recognition(
            _identity(actor),
            layout="ActivityPub outbox",
            not_read=(
                "private messages: private",
                "likes.json and bookmarks.json: posts of others",
            ),
        )

    def records(self, package: Package, recognition: Recognition) -> Iterator[ExportedPost]:
        """All posts and boosts but private messages."""
        files = {
            match[0]: name for name in package.names if (match := _MEDIA.search(name))
        }  # by the part of their path that is the same on every server
        identity = recognition.identity
        host = urlsplit(identity.platform_id).hostname if identity else None
        seen: set[str] = set()
        for outbox in package.find("outbox.json"):
            for record in package.records(outbox, "orderedItems"):
                activity = object_of(record.data)
                number = text_of(activity.get("id"))
                if audience_of(activity) == "direct" or number in seen:
                    continue
                seen.add(number or "")
                yield ExportedPost(_with_files(record, files, host))

    def read(self, record: Mapping[str, Any], account: Account) -> Post:  # noqa: ARG002 — contract
        """The post of an activity. Raises RecordError."""
        return read_activity(record)


def _with_files(record: Record, files: Mapping[str, str], host: str | None) -> Record:
    """The record with its files in the package, by their addresses in it."""
    named = {}
    for address in files_named(object_of(record.data)):
        match = _MEDIA.search(address)
        if match and (name := files.get(match[0])):
            named[address] = name
    more = {"host": host, "files": named}
    added = "".join(f",{write_json(key)}:{write_json(value)}" for key, value in more.items())
    return Record(f'{{"activity":{record.raw}{added}}}', {"activity": record.data} | more)


def _is_actor(value: object) -> bool:
    actor = object_of(value)
    return actor.get("type") in _ACTORS and uri_of(actor.get("id")) is not None


def _is_outbox(package: Package, name: str) -> bool:
    with package.open(name) as file:
        return b"OrderedCollection" in file.read(4096)


def _identity(actor: Mapping[str, Any]) -> Identity:
    uri = str(actor["id"])
    user, host = text_of(actor.get("preferredUsername")), urlsplit(uri).hostname
    summary = actor.get("summary")
    return Identity(
        "mastodon",
        uri,
        handle=f"{user}@{host}" if user and host else None,
        title=text_of(actor.get("name")),
        url=url_of(actor.get("url")) or url_of(uri),
        description=plain_text(summary).text or None if isinstance(summary, str) else None,
    )
