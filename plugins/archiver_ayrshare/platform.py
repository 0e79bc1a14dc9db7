"""What the ten platforms have in common: how they are asked, and how a record becomes a post.

A platform is a table of fields and the few functions where a table will not do.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from archiver import (
    Account,
    Alias,
    Attachment,
    Identity,
    Kind,
    Listing,
    Page,
    Post,
    Record,
    RecordError,
    Relation,
    Stream,
    Window,
)
from archiver_ayrshare import accounts, refetch
from archiver_ayrshare.client import AyrshareClient
from archiver_ayrshare.fields import Fields
from archiver_ayrshare.options import ProfileOptions
from archiver_ayrshare.pager import HistoryPager
from archiver_ayrshare.reader import Reader
from archiver_ayrshare.values import comparable, id_of, object_of

SOURCE = "ayrshare"


class AyrsharePlatform:
    """One network, read through the Ayrshare history API.

    A subclass names it, gives its table, and says in code what a table cannot: `kind`, `author`,
    `relations`, `attachments`.
    """

    name: str
    source: str = SOURCE
    options: type[ProfileOptions] = ProfileOptions
    streams: Sequence[Stream] = ("posts",)
    content_version: int = 2
    listing: Listing = "all"
    usual_kind: Kind = "post"
    absence_note: str | None = None
    setup_note: str | None = None
    fields: Fields = Fields()

    @cached_property
    def reader(self) -> Reader:
        """Made where records are read: all commands are given all platforms."""
        return Reader(self.fields)

    def check_options(self, options: Any) -> None:
        """Check a combination of options.

        Raises ConfigError.
        """
        options.check()

    async def identify(self, client: AyrshareClient, account: Account) -> Identity | None:
        """The identity of the account, or None where the API does not give it.

        Raises SourceError, SecretError.
        """
        return await accounts.identify(client, self.name, account.options)

    def pages(
        self, client: AyrshareClient, account: Account, window: Window
    ) -> AsyncIterator[Page]:
        """The account's records, newest first.

        Raises SourceError, SecretError.
        """
        return HistoryPager(client, self.name, account.options, window).pages()

    async def refetch(
        self, client: AyrshareClient, account: Account, platform_id: str
    ) -> Record | None:
        """The post's record as of now.

        Raises SourceError, SecretError.
        """
        return await refetch.refetch(client, self.name, account.options, platform_id)

    def record_id(self, record: Mapping[str, Any]) -> str | None:
        """The id of the post in a record."""
        return id_of(record.get("id"))

    def read(self, record: Mapping[str, Any], account: Account) -> Post:  # noqa: ARG002 — for those that override it — contract
        """The post in a record.

        Raises RecordError when it has no usable id.
        """
        data = object_of(record)
        platform_id = id_of(data.get("id"))
        if platform_id is None:
            raise RecordError(
                f"A record of {self.name} has no usable id",
                why="Without its id, a post cannot be recognised",
                kept="The whole record is in the quarantine",
            )
        reader = self.reader
        created_at, edited_at = reader.created_at(data), reader.edited_at(data)
        text, title, visibility = self.text(data), reader.title(data), self.visibility(data)
        url = reader.url(data)
        relations = self.relations(data)
        content: dict[str, Any] = {}
        id_only = self.is_id_only(data)
        if not id_only:
            content = self.content(data)
            columns = {"text": text, "title": title, "visibility": visibility}
            content |= {name: comparable(value) for name, value in columns.items() if value}
            if relations:
                content["relations"] = [
                    [r.kind, r.platform_id or comparable(r.url or "")] for r in relations
                ]
        return Post(
            platform_id=platform_id,
            created_at=created_at,
            kind=self.kind(data),
            text=text,
            title=title,
            url=url,
            visibility=visibility,
            author=self.author(data, url),
            edited_at=edited_at if edited_at != created_at else None,
            aliases=self.aliases(data),
            relations=relations,
            metrics=reader.metrics(data),
            attachments=() if id_only else tuple(self.attachments(data)),
            content=content,
            id_only=id_only,
            unmapped=reader.unmapped(data),
        )

    def is_id_only(self, record: Mapping[str, Any]) -> bool:
        """Whether the record has an id and no content."""
        return self.reader.is_id_only(record)

    def text(self, record: Mapping[str, Any]) -> str | None:
        """What was written, as published."""
        return self.reader.text(record)

    def visibility(self, record: Mapping[str, Any]) -> str | None:
        """Who may see it, in lower case."""
        return self.reader.visibility(record)

    def content(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of what was published besides text, title and visibility."""
        return self.reader.content(record)

    def kind(self, record: Mapping[str, Any]) -> Kind:  # noqa: ARG002 — for those that override it — for those with several
        """What kind of post it is."""
        return self.usual_kind

    def author(self, record: Mapping[str, Any], url: str | None) -> str | None:  # noqa: ARG002 — for those that override it
        """The handle of who wrote it; some platforms have it only in the post's URL."""
        return self.reader.author(record)

    def aliases(self, record: Mapping[str, Any]) -> tuple[Alias, ...]:
        """The ids that the post is known by."""
        return self.reader.aliases(record)

    def with_alias_in_url(
        self, record: Mapping[str, Any], scheme: str, pattern: re.Pattern[str]
    ) -> tuple[Alias, ...]:
        """The ids that the table knows, and another that a pattern finds in the post's URL."""
        found = self.reader.aliases(record)
        match = pattern.search(self.reader.url(record) or "")
        if match is None or match[1] == id_of(record.get("id")):
            return found
        return tuple(dict.fromkeys((*found, Alias(scheme, match[1]))))

    def relations(self, record: Mapping[str, Any]) -> tuple[Relation, ...]:  # noqa: ARG002 — for those that override it
        """The other posts that it answers, quotes, reposts or shares."""
        return ()

    def attachments(
        self,
        record: Mapping[str, Any],  # noqa: ARG002 — for those that override it
    ) -> Sequence[Attachment]:
        """What is attached, in order."""
        return ()
