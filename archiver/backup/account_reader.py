"""One account as its plugin reads it: every call of a platform, and the check of what it gives."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, fields
from typing import Any

import anyio

from archiver.archive.rows import clean_text
from archiver.backup.parser_fingerprint import parser_fingerprint
from archiver.backup.validation import (
    validate_identity,
    validate_metrics,
    validate_page,
    validate_post,
    validate_versions,
)
from archiver.clock import Clock
from archiver.errors import ArchiverError, RecordError, SourceError
from archiver.hookspecs import Platform
from archiver.models import Account, Identity, Metric, Page, Post, Record, Version, Window
from archiver.plugin_calls import cause_of, plugin_errors
from archiver.report import AccountReport
from archiver.secrets import Secret

_PATIENCE = 2 * 3600.0  # seconds for one page: longer than all waiting that a source may ask for
_SLOW = 5.0  # seconds for one record


@dataclass(slots=True)
class AccountReader:
    """Asks a plugin about one account.

    What the plugin raises, and what breaks the contract, becomes a SourceError with the code
    `plugin`: the failure of this account alone. A record that it cannot read is a RecordError.
    """

    account: Account
    platform: Platform
    client: Any
    clock: Clock
    report: AccountReport
    login: str | None = None
    _is_slow: bool = field(default=False, init=False)

    async def identify(self) -> Identity | None:
        """Who the account is, if the source says so. Raises SourceError."""
        identify = self._optional("identify")
        if identify is None:
            return None
        identity = await self._ask(lambda: identify(self.client, self.account))
        with plugin_errors(self._failed):
            return validate_identity(identity)

    @asynccontextmanager
    async def pages(self, window: Window) -> AsyncIterator[Callable[[], Awaitable[Page | None]]]:
        """A function that gives the next page, and None after the last. Raises SourceError.

        The plugin's pages are closed in the end, where they are something that can be closed.
        """

        async def begin() -> AsyncIterator[Any]:
            return aiter(self.platform.pages(self.client, self.account, window))

        async def next_page() -> Page | None:
            page = await self._ask(lambda: anext(pages, None))
            with plugin_errors(self._failed):
                return validate_page(page)

        pages = await self._ask(begin)
        try:
            yield next_page
        finally:
            with anyio.CancelScope(shield=True):
                if close := getattr(pages, "aclose", None):
                    await self._ask(close)

    async def refetch(self, platform_id: str) -> Post | None:
        """A post as the source has it now; None where it cannot say.

        Raises SourceError, RecordError.
        """
        refetch = self._optional("refetch")
        if refetch is None:
            return None
        record = await self._ask(lambda: refetch(self.client, self.account, platform_id))
        return self.read(record.data) if isinstance(record, Record) else None

    @property
    def keeps_history(self) -> bool:
        """Whether the source has the earlier versions of its posts."""
        return self._optional("history") is not None

    async def history(self, platform_id: str) -> list[tuple[Version, Post]]:
        """The versions of a post that the source has, oldest first, each read.

        One that cannot be read is left out. Raises SourceError.
        """
        history = self._optional("history")
        if history is None:
            return []
        found = await self._ask(lambda: history(self.client, self.account, platform_id))
        with plugin_errors(self._failed):
            versions = validate_versions(found)
        read = []
        for version in versions:
            with suppress(RecordError):
                read.append((version, self.read(version.record.data)))
        return read

    @asynccontextmanager
    async def metrics(
        self, platform_ids: Sequence[str]
    ) -> AsyncIterator[Callable[[], Awaitable[Mapping[str, Sequence[Metric]] | None]]]:
        """A function that gives the next numbers of these posts, by their ids; None after the last.

        Only for a platform that `counts_apart`. Raises SourceError.
        """
        metrics = self.platform.metrics  # type: ignore[attr-defined]  # it is one that CountsApart

        async def begin() -> AsyncIterator[Any]:
            return aiter(metrics(self.client, self.account, platform_ids))

        async def next_batch() -> Mapping[str, Sequence[Metric]] | None:
            batch = await self._ask(lambda: anext(batches, None))
            with plugin_errors(self._failed):
                return validate_metrics(batch)

        batches = await self._ask(begin)
        try:
            yield next_batch
        finally:
            with anyio.CancelScope(shield=True):
                if close := getattr(batches, "aclose", None):
                    await self._ask(close)

    @property
    def counts_apart(self) -> bool:
        """Whether the numbers of the posts are asked for apart from the posts."""
        return self._optional("metrics") is not None

    def read(self, data: Any) -> Post:
        """A record as a post.

        Raises RecordError, also where the plugin fails on it: the record is kept, not the run lost.
        """
        if not isinstance(data, dict):
            raise RecordError("The record is not a JSON object")
        begin = self.clock.monotonic()
        with plugin_errors(self._unreadable):
            post = self.platform.read(data, self.account)
        self._note_slowness(self.clock.monotonic() - begin)
        return validate_post(post)

    def record_id(self, record: Record) -> str | None:
        """The id of the post that a record tells of, where it can be had without reading it."""
        if not isinstance(record.data, dict):
            return None
        try:
            with plugin_errors(self._unreadable):
                found: object = self.platform.record_id(record.data)
        except ArchiverError:
            return None
        return clean_text(found) if isinstance(found, str) and found else None

    @property
    def fingerprint(self) -> bytes | None:
        """Which code reads this account's records; None where nobody knows."""
        return parser_fingerprint(self.platform, self.account)

    @property
    def absence_note(self) -> str | None:
        """What else it can mean on this platform that a post is not shown any more."""
        note = getattr(self.platform, "absence_note", None)
        return note if isinstance(note, str) else None

    @property
    def view(self) -> str:
        """What may choose what the source shows: options, and who is logged in.

        A key only says who asks.
        """
        options = self.account.options
        chosen = {
            option.name: value
            for option in fields(options)
            if not isinstance(value := getattr(options, option.name), Secret)
            and value not in (option.default, None)
        }
        if self.login is not None:
            chosen["login"] = self.login
        return json.dumps(chosen, sort_keys=True, default=str)

    def _optional(self, name: str) -> Callable[..., Any] | None:
        """A method that a platform may have."""
        return getattr(self.platform, name, None)

    async def _ask(self, question: Callable[[], Awaitable[Any]]) -> Any:
        with plugin_errors(self._failed), anyio.fail_after(_PATIENCE):
            return await question()

    def _failed(self, error: BaseException) -> SourceError:
        return SourceError(
            f"The plugin for {self.platform.name} failed",
            why=cause_of(error),
            kept="What it gave before is saved",
            hint="Run with -v and report this to whoever makes the plugin",
            code="plugin",
        )

    def _unreadable(self, error: BaseException) -> RecordError:
        return RecordError(f"The {self.platform.name} reader failed: {type(error).__name__}")

    def _note_slowness(self, seconds: float) -> None:
        """Say once that reading a record held up the event loop, and with it all accounts."""
        if seconds >= _SLOW and not self._is_slow:
            self._is_slow = True
            self.report.note(
                f"The plugin for {self.platform.name} took {seconds:.0f} seconds to read one "
                "record; all accounts wait meanwhile. Report this to whoever makes the plugin"
            )
