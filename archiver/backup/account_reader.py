"""Reading one account through its plugin: all calls of a platform, with validated results."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, fields
from typing import Any

import anyio

from archiver.archive.hashed_rows import clean_text
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
from archiver.minimisation import Minimiser
from archiver.models import Account, Identity, Metric, Page, Post, Record, Version, Window
from archiver.plugin_calls import cause_of, plugin_errors
from archiver.report import AccountReport
from archiver.secrets import Secret

_TIMEOUT = 2 * 3600.0  # seconds for one page: longer than a source may ask to wait
_SLOW = 5.0  # seconds for one record


@dataclass(slots=True)
class AccountReader:
    """Calls a plugin for one account.

    What the plugin raises, and what breaks the contract, becomes a SourceError with the code
    `plugin`: the failure of this account alone. A record that it cannot read is a RecordError.
    """

    account: Account
    platform: Platform
    client: Any
    clock: Clock
    report: AccountReport
    login: str | None = None
    minimiser: Minimiser = field(default_factory=Minimiser)
    _has_reported_slow_read: bool = field(default=False, init=False)

    async def identify(self) -> Identity | None:
        """Who the account is, if the source says so. Raises SourceError."""
        identify = self._optional("identify")
        if identify is None:
            return None
        identity = await self._call(lambda: identify(self.client, self.account))
        with plugin_errors(self._plugin_error):
            return validate_identity(identity)

    @asynccontextmanager
    async def pages(self, window: Window) -> AsyncIterator[Callable[[], Awaitable[Page | None]]]:
        """A function that gives the next page, and None after the last. Raises SourceError.

        The plugin's iterator is closed at the end, where it has `aclose`.
        """

        async def begin() -> AsyncIterator[Any]:
            return aiter(self.platform.pages(self.client, self.account, window))

        async def next_page() -> Page | None:
            page = await self._call(lambda: anext(pages, None))
            with plugin_errors(self._plugin_error):
                return validate_page(page)

        pages = await self._call(begin)
        try:
            yield next_page
        finally:
            with anyio.CancelScope(shield=True):
                if close := getattr(pages, "aclose", None):
                    await self._call(close)

    async def refetch(self, platform_id: str) -> Post | None:
        """The current version of a post; None where the source cannot fetch single posts.

        Raises SourceError, RecordError.
        """
        refetch = self._optional("refetch")
        if refetch is None:
            return None
        record = await self._call(lambda: refetch(self.client, self.account, platform_id))
        return self.read(record.data) if isinstance(record, Record) else None

    @property
    def has_history(self) -> bool:
        """Whether the source keeps earlier versions of its posts."""
        return self._optional("history") is not None

    async def history(self, platform_id: str) -> list[tuple[Version, Post]]:
        """The versions of a post that the source has, oldest first, each with its parsed post.

        One that cannot be read is left out. Raises SourceError.
        """
        history = self._optional("history")
        if history is None:
            return []
        found = await self._call(lambda: history(self.client, self.account, platform_id))
        with plugin_errors(self._plugin_error):
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
        """A function that gives the next metrics of these posts, by id; None after the last.

        Only for a platform that `has_separate_metrics`. Raises SourceError.
        """
        metrics = self.platform.metrics  # type: ignore[attr-defined]  # it is one that CountsApart

        async def begin() -> AsyncIterator[Any]:
            return aiter(metrics(self.client, self.account, platform_ids))

        async def next_batch() -> Mapping[str, Sequence[Metric]] | None:
            batch = await self._call(lambda: anext(batches, None))
            with plugin_errors(self._plugin_error):
                return validate_metrics(batch)

        batches = await self._call(begin)
        try:
            yield next_batch
        finally:
            with anyio.CancelScope(shield=True):
                if close := getattr(batches, "aclose", None):
                    await self._call(close)

    @property
    def has_separate_metrics(self) -> bool:
        """Whether the metrics of posts are fetched separately from the posts."""
        return self._optional("metrics") is not None and not self.minimiser.leaves_numbers_out

    def read(self, data: Any) -> Post:
        """The post that a record is parsed into.

        Raises RecordError, also where the plugin fails on it: the record is quarantined, and the
        run goes on.
        """
        if not isinstance(data, dict):
            raise RecordError("The record is not a JSON object")
        begin = self.clock.monotonic()
        with plugin_errors(self._parse_error):
            post = self.platform.read(data, self.account)
        self._report_slow_read(self.clock.monotonic() - begin)
        return self.minimiser.reduce_post(validate_post(post))

    def record_text(self, record: Record) -> str:
        """The text of a record that is stored, without what the settings leave out."""
        return self.minimiser.record_text(record, self.read)

    def record_ids(self, records: Sequence[Record]) -> list[str | None]:
        """The ids of the records' posts; None for each that only parsing the record can find."""
        try:
            with plugin_errors(self._parse_error):  # once for a page: it takes longer than an id
                return [self._id_of(record) for record in records]
        except ArchiverError:
            return [self.record_id(record) for record in records]

    def record_id(self, record: Record) -> str | None:
        """The id of a record's post; None where only parsing the record can find it."""
        try:
            with plugin_errors(self._parse_error):
                return self._id_of(record)
        except ArchiverError:
            return None

    def _id_of(self, record: Record) -> str | None:
        if not isinstance(record.data, dict):
            return None
        found: object = self.platform.record_id(record.data)
        return clean_text(found) if isinstance(found, str) and found else None

    @property
    def fingerprint(self) -> bytes | None:
        """A fingerprint of the code that parses this account's records; None where unknown."""
        return parser_fingerprint(self.platform, self.account)

    @property
    def absence_note(self) -> str | None:
        """Another possible cause, on this platform, of a post that is no longer shown."""
        note = getattr(self.platform, "absence_note", None)
        return note if isinstance(note, str) else None

    @property
    def view(self) -> str:
        """What decides which posts the source shows: options and login, as JSON.

        Keys are left out: they only identify the client.
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
        """An optional method of the platform; None where it does not have it."""
        return getattr(self.platform, name, None)

    async def _call(self, call: Callable[[], Awaitable[Any]]) -> Any:
        with plugin_errors(self._plugin_error), anyio.fail_after(_TIMEOUT):
            return await call()

    def _plugin_error(self, error: BaseException) -> SourceError:
        return SourceError(
            f"The plugin for {self.platform.name} failed",
            why=cause_of(error),
            kept="The pages before are saved",
            hint="Run with -v and report this to the author of the plugin",
            code="plugin",
        )

    def _parse_error(self, error: BaseException) -> RecordError:
        return RecordError(f"The {self.platform.name} reader failed: {type(error).__name__}")

    def _report_slow_read(self, seconds: float) -> None:
        """Report once that parsing a record blocked the event loop, and with it all accounts."""
        if seconds >= _SLOW and not self._has_reported_slow_read:
            self._has_reported_slow_read = True
            self.report.note(
                f"The plugin for {self.platform.name} took {seconds:.0f} seconds to read one "
                "record; all accounts wait meanwhile. Report this to the author of the plugin"
            )
