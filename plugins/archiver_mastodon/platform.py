"""The platform Mastodon, and servers with its API: Pleroma, Akkoma, GoToSocial, Pixelfed, snac2."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archiver import (
    Account,
    BaseUrl,
    ConfigError,
    Identity,
    Listing,
    Page,
    Post,
    Record,
    Response,
    Stream,
    Version,
    Window,
)
from archiver_mastodon.client import MastodonClient
from archiver_mastodon.handles import Handle, handle_of
from archiver_mastodon.links import next_cursor, parameters_of
from archiver_mastodon.profiles import identity_of
from archiver_mastodon.reader import is_direct, read_status
from archiver_mastodon.values import count_of, id_of
from archiver_mastodon.versions import version_of

PAGE_SIZE = 40
"""The most statuses that Mastodon returns per page."""


@dataclass(frozen=True, slots=True)
class MastodonOptions:
    """The options of an account."""

    handle: str = field(
        default="",
        metadata={
            "help": "The account, as user@host or as the address of its profile",
            "example": '"press@social.example"',
        },
    )
    server: BaseUrl | None = field(
        default=None,
        metadata={
            "help": "Where its server's API is, if that is neither on the handle's host nor found "
            "from there.",
            "example": '"https://social.example"',
        },
    )


def required_handle(options: MastodonOptions) -> Handle:
    """The account's handle. Raises ConfigError."""
    handle = handle_of(options.handle)
    if handle is None:
        said = f'"{options.handle}" is not a handle' if options.handle else '"handle" is missing'
        raise ConfigError(said, hint='Write for example: handle = "press@social.example"')
    return handle


class Mastodon:
    """The platform."""

    name: str = "mastodon"
    source: str = "mastodon"
    options: type[MastodonOptions] = MastodonOptions
    streams: Sequence[Stream] = ("posts",)
    content_version: int = 2
    listing: Listing = "all"
    absence_note: str = "its audience may have been made smaller, or the login sees less"

    def check_options(self, options: MastodonOptions) -> None:
        """Check the handle. Raises ConfigError."""
        required_handle(options)

    async def identify(self, client: MastodonClient, account: Account) -> Identity:  # noqa: ARG002 — contract
        """Who the account is. Raises SourceError."""
        return identity_of(await client.profile(), await client.actor_uri(), client.handle)

    async def pages(
        self,
        client: MastodonClient,
        account: Account,  # noqa: ARG002 — contract
        window: Window,
    ) -> AsyncIterator[Page]:
        """All statuses, newest first. Raises SourceError."""
        cursor = window.cursor
        seen: set[str] = set()
        while True:
            response, records = await client.statuses(_parameters(cursor))
            following = next_cursor(response.headers.get("link", ""))
            ids = [status_id for record in records if (status_id := _id_of(record))]
            if records and seen.issuperset(ids):
                yield Page((), response, end_reason=_newest_only(len(seen)))
                return
            seen.update(ids)
            is_last = following is None
            end_reason = None
            if is_last and records and "link" not in response.headers:
                following, end_reason = await self._cursor_after_last_id(client, ids, seen)
                is_last = following is None
            yield Page(
                _public(records),
                _without_direct(response, records),
                cursor=following,
                reached_start=is_last and end_reason is None,
                end_reason=end_reason,
            )
            if following is None:
                return
            cursor = following

    async def _cursor_after_last_id(
        self, client: MastodonClient, ids: Sequence[str], seen: set[str]
    ) -> tuple[str | None, str | None]:
        """A cursor after the last id, for servers without next links; or the reason for the end.

        Some servers show only their newest statuses, whatever they are asked; others have more
        behind the oldest one.
        """
        total = count_of((await client.profile()).get("statuses_count"))
        if not ids or (total and total <= len(seen)):
            return None, None
        cursor = f"max_id={ids[-1]}"
        _, older = await client.statuses(_parameters(cursor))
        if not older:
            return None, None
        if all(_id_of(record) in seen for record in older):
            return None, _newest_only(len(seen))
        return cursor, None

    def record_id(self, record: Mapping[str, Any]) -> str | None:
        """The id that `read` gives the post."""
        return id_of(record.get("id"))

    def read(self, record: Mapping[str, Any], account: Account) -> Post:
        """The post of a status. Raises RecordError."""
        handle = handle_of(account.options.handle)
        return read_status(record, handle.host if handle else "")

    async def refetch(
        self,
        client: MastodonClient,
        account: Account,  # noqa: ARG002 — contract
        platform_id: str,
    ) -> Record | None:
        """The current status. Raises SourceError."""
        record = await client.status(platform_id)
        return None if record is None or is_direct(record.data) else record

    async def history(
        self,
        client: MastodonClient,
        account: Account,  # noqa: ARG002 — contract
        platform_id: str,
    ) -> Sequence[Version]:
        """All versions of a status, oldest first. Raises SourceError."""
        edits = await client.edits(platform_id)
        now = await client.status(platform_id) if edits else None
        if now is None:
            return ()
        return [version_of(edit, now.data, is_first=index == 0) for index, edit in enumerate(edits)]


def _parameters(cursor: str | None) -> dict[str, str]:
    return {"limit": str(PAGE_SIZE), **(parameters_of(cursor) if cursor else {})}


def _id_of(record: Record) -> str | None:
    return id_of(record.data.get("id")) if isinstance(record.data, dict) else None


def _newest_only(count: int) -> str:
    return f"the server shows only its newest {count} posts"


def _public(records: Sequence[Record]) -> tuple[Record, ...]:
    """The records without private messages, which a login would show."""
    return tuple(record for record in records if not is_direct(record.data))


def _without_direct(response: Response, records: Sequence[Record]) -> Response:
    """The answer without private messages; its headers have the number that was removed."""
    kept = _public(records)
    left_out = len(records) - len(kept)
    if not left_out:
        return response
    body = "[" + ",".join(record.raw for record in kept) + "]"
    headers = {**response.headers, "archiver-left-out": f"{left_out} private messages"}
    return replace(response, body=body.encode("utf-8", "backslashreplace"), headers=headers)
