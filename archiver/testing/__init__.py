"""The contract of a platform, executable: the suite that every plugin runs, theirs and ours.

    class TestExample(SourceContract):
        platform = ExamplePlatform()
        account = Account("me", "example", "example", ExampleOptions())
        samples = [{"id": "1", "text": "Hello"}]

        def client(self, history):
            return ExampleClient(FakeHttp(lambda request: (200, {"posts": history})))

pytest finds its tests by their names; this module itself needs no pytest.
"""

# ruff: noqa: S101 — these assertions are the product

import asyncio
import copy
import dataclasses
import re
import unittest
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, get_args

from archiver.canonical import attachment_keys, content_sha256, media_key
from archiver.errors import RecordError, SourceError
from archiver.hookspecs import Platform, Source
from archiver.models import (
    Account,
    Listing,
    Metric,
    Page,
    Post,
    Rank,
    Response,
    Stream,
    Version,
    Window,
    stream_of,
    timestamp,
)
from archiver.testing.checks import check_end, check_post
from archiver.testing.http import FakeHttp, FakeKit, Request
from archiver.testing.package import FakePackage
from archiver.testing.records import (
    HOSTILE,
    TreePath,
    dotted,
    leaves,
    paths,
    places,
    rotated,
    turned,
    value_at,
    with_value,
    without,
)
from archiver.testing.store import StoreContract

__all__ = [
    "FakeHttp",
    "FakeKit",
    "FakePackage",
    "Request",
    "SourceContract",
    "StoreContract",
    "TreePath",
    "check_post",
    "dotted",
    "leaves",
    "paths",
    "places",
    "value_at",
    "with_value",
    "without",
]

_MANY = 250  # records in a history: more than one page of any source
_PAGES = 1000  # no scan of a test's history takes more
_FAILURES: tuple[tuple[int, bytes], ...] = (
    (500, b"Internal Server Error"),
    (429, b"Too Many Requests"),
    (401, b'{"status": "error", "message": "no"}'),
    (403, b'{"status": "error", "message": "no"}'),
    (404, b'{"status": "error", "message": "no"}'),
    (200, b"<html>Log in to this network</html>"),
    (200, b""),
    (200, b'{"posts": [{"id"'),
    (200, b"42"),
)


class SourceContract:
    """What every platform keeps. Subclass it, name it `Test…`, and say what is tested.

    `samples` are records as the source gives them, of every shape that is known. The other members
    are only needed for some kinds of sources; without them, the cases that need them are skipped,
    and say so:

    - where the platform reads from a server: `client`, or a `source` with its `settings` and the
      `kit` that it opens clients with; and `failing`
    - where a server names the addresses of others: `discovered`, the base URLs of those
    - where answers are signed: `tampered`
    """

    platform: ClassVar[Platform]
    account: ClassVar[Account]
    samples: ClassVar[Sequence[Mapping[str, Any]]]
    source: ClassVar[Source | None] = None
    settings: ClassVar[Any] = None
    discovered: ClassVar[Sequence[str]] = ()

    def kit(self, history: Sequence[Mapping[str, Any]]) -> FakeKit | None:  # noqa: ARG002 — for subclasses
        """What the source is lent to read these records, newest first, from its servers."""
        return None

    def client(self, history: Sequence[Mapping[str, Any]]) -> Any:
        """A client of a source that holds these records, newest first."""
        kit = self.kit(history)
        if self.source is None or kit is None:
            return None
        return self.source.open(self.settings, self.account, kit)

    def tampered(self, history: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ARG002 — for subclasses
        """A client of a source whose answers were changed on their way."""
        return None

    def failing(self, status: int, body: bytes) -> Any:  # noqa: ARG002 — for subclasses
        """A client of a source that answers so, whatever it is asked."""
        return None

    def record(self, number: int) -> Mapping[str, Any]:
        """The record with this number in a history; a higher number is older."""
        return {**self.samples[0], "id": str(10_000 - number)}

    # What a platform says of itself

    def test_it_describes_itself(self) -> None:
        """Names are plain words, and every option has a default and help."""
        platform = self.platform
        assert re.fullmatch(r"[a-z][a-z0-9_]*", platform.name)
        assert re.fullmatch(r"[a-z][a-z0-9_]*", platform.source)
        assert set(platform.streams) <= set(get_args(Stream))
        assert "posts" in platform.streams
        assert platform.content_version >= 1
        for option in dataclasses.fields(platform.options):
            assert option.metadata.get("help"), f"the option {option.name} has no help"
            needed = option.default is option.default_factory is dataclasses.MISSING
            assert not needed, f"the option {option.name} has no default"
        assert platform.listing in get_args(Listing)
        if (check := getattr(platform, "check_options", None)) is not None:
            check(self.account.options)

    # Reading

    def test_every_sample_is_a_sound_post(self) -> None:
        """Ids are text, times have one form, files are named, numbers are numbers."""
        assert self.samples, "there are no samples"
        for sample in self.samples:
            post = self._read(sample)
            check_post(post)
            assert stream_of(post.kind) in self.platform.streams

    def test_the_id_of_a_record_is_that_of_its_post(self) -> None:
        """What is said without reading is what reading says, or nothing."""
        for sample in self.samples:
            found = self.platform.record_id(sample)
            assert found is None or found == self._read(sample).platform_id

    def test_reading_is_pure(self) -> None:
        """The same record gives the same post, in any order of its keys, and stays as it was."""
        for sample in self.samples:
            before = copy.deepcopy(dict(sample))
            post = self._read(sample)
            assert sample == before, "reading changed the record"
            assert self._read(before) == post
            again = dataclasses.replace(self._read(turned(before)), unmapped=post.unmapped)
            assert again == post, "the order of keys changed the post"

    def test_every_path_of_the_samples_is_known(self) -> None:
        """Nothing is lost because it is unknown: a path is read, on a list, or unmapped."""
        for sample in self.samples:
            unmapped = self._read(sample).unmapped
            assert unmapped == (), f"on no list: {unmapped}"
            stranger = self._read({**sample, "notYetKnown": {"deep": [{"er": 1}]}})
            assert stranger.unmapped == ("notYetKnown.deep[].er",), stranger.unmapped

    def test_counters_are_not_content(self) -> None:
        """A number that is a metric moves without making a revision."""
        for sample in self.samples:
            post = self._read(sample)
            for path, value in leaves(sample):
                if isinstance(value, bool) or not isinstance(value, int | float):
                    continue
                moved = self._read(with_value(sample, path, value + 1))
                if _numbers(moved) != _numbers(post):
                    assert content_sha256(moved) == content_sha256(post), _said(path)

    def test_rotated_addresses_are_not_content(self) -> None:
        """Other hosts and signatures name the same files, and make no revision."""
        for sample in self.samples:
            post = self._read(sample)
            offered = {r.url for a in post.attachments for r in a.renditions if r.url}
            elsewhere = copy.deepcopy(dict(sample))
            for path, value in leaves(sample):
                if value in offered:
                    elsewhere = with_value(elsewhere, path, rotated(value))
            again = self._read(elsewhere)
            assert content_sha256(again) == content_sha256(post), "an address is content"
            names = attachment_keys(again.attachments)
            assert names == attachment_keys(post.attachments), "attachments changed their names"
            keys = [[media_key(r) for r in a.renditions] for a in post.attachments]
            again_keys = [[media_key(r) for r in a.renditions] for a in again.attachments]
            assert again_keys == keys, f"files changed their names: {keys}, then {again_keys}"

    def test_hostile_records_are_read_or_refused(self) -> None:
        """Whatever stands in a record, there is a sound post or a RecordError, nothing else."""
        for sample, path in places(self.samples, at_most=2):
            for value in HOSTILE:
                self._read_or_refuse(with_value(sample, path, value), path)
            self._read_or_refuse(without(sample, path), path)
        no_records: tuple[Any, ...] = (None, [], "x", 5, {})
        for nothing in no_records:
            self._read_or_refuse(nothing, ())

    # Paging

    def test_pages_hold_every_record(self) -> None:
        """Every record of a history comes, newest first, and the end is said."""
        history = [self.record(number) for number in range(_MANY)]
        client = self._client(history)
        pages = asyncio.run(self._scan(client, Window()))
        expected = [self._read(record).platform_id for record in history]
        found = self._ids_of(pages)
        if all(page.ordered for page in pages):
            assert found == expected, "not every record came, newest first"
        else:
            assert sorted(found) == sorted(expected), "not every record came"
            assert pages[-1].reached_start, "without an order, a scan has to reach the start"
        check_end(pages)

    def test_a_scan_resumes_from_every_cursor(self) -> None:
        """From any page's cursor, a new client finds everything that is older."""
        history = [self.record(number) for number in range(_MANY)]
        client = self._client(history)
        pages = asyncio.run(self._scan(client, Window()))
        if not all(page.ordered for page in pages):
            raise unittest.SkipTest("its pages have no order, so a scan is not resumed")
        for index, page in enumerate(pages[:-1]):
            assert page.cursor, "a page before the last has no cursor"
            rest = asyncio.run(self._scan(self.client(history), Window(cursor=page.cursor)))
            check_end(rest)
            missed = set(self._ids_of(pages[index + 1 :])) - set(self._ids_of(rest))
            assert not missed, f"resuming from {page.cursor!r} misses {len(missed)} records"

    def test_an_empty_history_has_a_start(self) -> None:
        """An account without posts is complete, not an error."""
        client = self._client([])
        pages = asyncio.run(self._scan(client, Window()))
        assert self._ids_of(pages) == []
        assert pages[-1].reached_start, "an empty history has no start"

    def test_a_scan_may_stop_after_any_page(self) -> None:
        """Nobody has to read to the end."""
        client = self._client([self.record(number) for number in range(_MANY)])

        async def first() -> Page:
            scan = self.platform.pages(client, self.account, Window(limit=5))
            page = await anext(scan)
            if close := getattr(scan, "aclose", None):
                await close()
            return page

        assert asyncio.run(first()).records

    def test_failures_are_errors_of_the_source(self) -> None:
        """A server that fails, refuses or babbles raises SourceError and its kin, nothing else."""
        for status, body in _FAILURES:
            if (client := self.failing(status, body)) is None:
                raise unittest.SkipTest(
                    "failing() gives no client: what this platform does when its source fails is "
                    "not tested"
                )
            try:
                asyncio.run(self._scan(client, Window()))
            except SourceError:
                continue
            raise AssertionError(f"an answer {status} {body[:40]!r} was taken for a history")

    # What some kinds of sources promise

    def test_opening_a_client_asks_nothing(self) -> None:
        """A client is opened for every account of a run before the first is asked for."""
        kit = self.kit([self.record(0)])
        if self.source is None or kit is None:
            raise unittest.SkipTest(
                "source and kit() are not given: how its source opens clients is not tested"
            )
        assert self.source.rank in get_args(Rank)
        assert self.source.name == self.platform.source
        self.source.open(self.settings, self.account, kit)
        assert not kit.requests, "opening a client asked a server"

    def test_discovered_hosts_are_asked_as_such(self) -> None:
        """An address that a server named is guarded; only the operator's are not."""
        kit = self.kit([self.record(0)])
        if self.source is None or kit is None or not self.discovered:
            raise unittest.SkipTest(
                "discovered and kit() are not given: it is taken to ask configured hosts only"
            )
        client = self.source.open(self.settings, self.account, kit)
        asyncio.run(self._scan(client, Window()))
        trusted = {url for url, trust in kit.opened if trust == "configured"}
        assert not trusted & set(self.discovered), f"unguarded: {trusted & set(self.discovered)}"
        guarded = {url for url, trust in kit.opened if trust == "discovered"}
        assert guarded == set(self.discovered), f"guarded were {guarded}"

    def test_the_same_version_says_that_nothing_changed(self) -> None:
        """A version is that of one state: with it no record comes, after a change all do."""
        history = [self.record(number) for number in range(3, 9)]
        first = self._with_version(history)
        version, account = first[-1].version, self._known_by(first)

        def scan(history: Sequence[Mapping[str, Any]], version: str | None) -> list[Page]:
            window = Window(version=version)
            return asyncio.run(self._scan(self._client(history), window, account))

        again = scan(history, version)
        assert not self._ids_of(again), "records came though nothing had changed"
        assert [page.version for page in again] == [version], "it does not confirm the version"
        for changed in ([self.record(2), *history], history[1:]):
            pages = scan(changed, version)
            assert len(self._ids_of(pages)) == len(changed), "a change was overlooked"
            assert pages[-1].version not in {None, version}, "another state has the same version"
        pages = scan(history, "of no state")
        assert len(self._ids_of(pages)) == len(history), "an unknown version hides records"

    def test_what_is_proved_is_whole(self) -> None:
        """Who proves what is not there has read everything, and keeps the proof."""
        pages = self._proving([self.record(number) for number in range(5)])
        assert all(page.authoritative for page in pages), "some pages are proved, others are not"
        assert not any(page.partial for page in pages), "what is partial proves nothing"
        assert pages[-1].reached_start, "what is proved goes down to the start"
        for page in pages:
            for response in page.evidence:
                assert isinstance(response, Response)
                assert response.body, "evidence without a body"

    def test_tampered_answers_are_refused(self) -> None:
        """What does not fit its signature is no history, and no absence."""
        history = [self.record(number) for number in range(5)]
        self._proving(history)
        if (client := self.tampered(history)) is None:
            raise unittest.SkipTest("tampered() gives no client: its proofs are not tested")
        try:
            asyncio.run(self._scan(client, Window()))
        except SourceError:
            return
        raise AssertionError("a tampered answer was taken for a history")

    def test_earlier_versions_are_sound_posts(self) -> None:
        """What the source keeps of a post is read as the post itself is."""
        history = getattr(self.platform, "history", None)
        if history is None:
            raise unittest.SkipTest("its source keeps no earlier versions")
        record = self.record(0)
        post = self._read(record)
        versions = asyncio.run(history(self._client([record]), self.account, post.platform_id))
        for version in versions:
            assert isinstance(version, Version)
            check_post(found := self._read(version.record.data))
            assert found.platform_id == post.platform_id, "a version is of another post"
            moment = version.source_time
            assert moment is None or timestamp(moment) == moment, f"{moment!r} is no time"

    def test_numbers_are_those_of_the_posts_that_were_asked_for(self) -> None:
        """Numbers that come apart from the posts have names and ids that are known."""
        metrics = getattr(self.platform, "metrics", None)
        if metrics is None:
            raise unittest.SkipTest("its numbers come with its records")
        records = [self.record(number) for number in range(_MANY)]
        ids = [self._read(record).platform_id for record in records]

        async def ask() -> list[Mapping[str, Sequence[Metric]]]:
            return [batch async for batch in metrics(self._client(records), self.account, ids)]

        for batch in asyncio.run(ask()):
            assert set(batch) <= set(ids), "numbers of posts that nobody asked for"
            for found in batch.values():
                check_post(Post("1", metrics=tuple(found)))

    # What the tests are made of

    def _with_version(self, history: Sequence[Mapping[str, Any]]) -> list[Page]:
        """The pages of a history, the last with a version. Raises SkipTest where it has none."""
        pages = asyncio.run(self._scan(self._client(history), Window()))
        if pages[-1].version is None:
            raise unittest.SkipTest("its pages have no version: every scan reads them")
        return pages

    def _known_by(self, pages: Sequence[Page]) -> Account:
        """The account as the archive knows it after a scan."""
        identities = (page.identity for page in pages if page.identity is not None)
        identity = next(identities, None)
        known = identity.platform_id if identity else self.account.platform_id
        return dataclasses.replace(self.account, platform_id=known)

    def _proving(self, history: Sequence[Mapping[str, Any]]) -> list[Page]:
        """The pages of a history that is proved. Raises SkipTest where it is not."""
        pages = asyncio.run(self._scan(self._client(history), Window()))
        if not any(page.authoritative for page in pages):
            raise unittest.SkipTest(
                "it proves nothing: what is missing is removed at a second scan"
            )
        return pages

    def _client(self, history: Sequence[Mapping[str, Any]]) -> Any:
        """A client of a source with this history. Raises SkipTest where there is none."""
        if (client := self.client(history)) is None:
            raise unittest.SkipTest(
                "client() gives none: how this platform goes through a history is not tested"
            )
        return client

    def _read(self, record: Any) -> Post:
        return self.platform.read(record, self.account)

    def _read_or_refuse(self, record: Any, path: TreePath) -> None:
        try:
            post = self._read(record)
        except RecordError:
            return
        except Exception as error:
            raise AssertionError(f"{error!r} for {_said(path)} in {record!r}") from error
        check_post(post)

    async def _scan(
        self, client: Any, window: Window, account: Account | None = None
    ) -> list[Page]:
        pages: list[Page] = []
        async for page in self.platform.pages(client, account or self.account, window):
            pages.append(page)
            assert len(pages) < _PAGES, "the scan does not end"
        return pages

    def _ids_of(self, pages: Sequence[Page]) -> list[str]:
        """The ids of all records in the order in which they first come."""
        ids = (self._read(record.data).platform_id for page in pages for record in page.records)
        return list(dict.fromkeys(ids))


def _numbers(post: Post) -> list[Any]:
    return [post.metrics, [attachment.metrics for attachment in post.attachments]]


def _said(path: TreePath) -> str:
    return dotted(path) or "the record"
