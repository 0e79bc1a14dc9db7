"""The suite that every plugin runs, run on a small platform of another source, and on bad ones."""

import json
import unittest
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, ClassVar

import pytest

from archiver import (
    Account,
    Attachment,
    BadJson,
    Identity,
    Kit,
    Listing,
    Metric,
    Page,
    Post,
    Rank,
    Record,
    RecordError,
    Rendition,
    Response,
    Source,
    SourceError,
    Stream,
    Version,
    Window,
    read_json,
)
from archiver.testing import FakeHttp, FakeKit, SourceContract

KNOWN = {"id", "text", "likes", "photo"}


@dataclass(frozen=True)
class DiaryOptions:
    """What an account of a diary may say."""

    shelf: str = field(default="top", metadata={"help": "Where it stands"})


class Diary:
    """A source without HTTP: its client is a list of records, or an error."""

    name = "diary"
    source = "shelf"
    options: type[Any] = DiaryOptions
    streams: Sequence[Stream] = ("posts",)
    content_version = 1
    listing: Listing = "all"

    def check_options(self, options: Any) -> None:
        """All are fine."""

    async def identify(self, client: Any, account: Account) -> Identity | None:
        return None

    async def pages(self, client: Any, account: Account, window: Window) -> AsyncIterator[Page]:
        if isinstance(client, SourceError):
            raise client
        at = int(window.cursor or 0)
        while True:
            records = tuple(Record(str(record), record) for record in client[at : at + 60])
            at += 60
            last = at >= len(client)
            yield Page(records, cursor=None if last else str(at), reached_start=last)
            if last:
                return

    async def refetch(self, client: Any, account: Account, platform_id: str) -> Record | None:
        return None

    def record_id(self, record: Mapping[str, Any]) -> str | None:
        name = record.get("id")
        return name if isinstance(name, str) else None

    def read(self, record: Mapping[str, Any], account: Account) -> Post:
        data: Mapping[str, Any] = record if isinstance(record, dict) else {}
        name = data.get("id")
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise RecordError("A page without a name")
        text = data.get("text")
        text = text if isinstance(text, str) and text.isprintable() else None
        likes = data.get("likes")
        counted = type(likes) is int and abs(likes) < 2**62
        photo = data.get("photo")
        usable = isinstance(photo, str) and photo.isprintable() and photo.startswith("https://")
        return Post(
            name,
            text=text,
            content={"text": text} if text else {},
            metrics=(Metric("likes", likes),) if counted and likes is not None else (),
            attachments=(Attachment("image", renditions=(Rendition("original", url=str(photo)),)),)
            if usable
            else (),
            unmapped=tuple(self._strange(data)),
        )

    def _strange(self, data: Mapping[str, Any]) -> list[str]:
        unknown = [key for key in data if key not in KNOWN]
        return [f"{key}.deep[].er" if key == "notYetKnown" else key for key in unknown]


class DiaryContract(SourceContract):
    platform = Diary()
    account: ClassVar[Account] = Account("mine", "diary", "shelf", DiaryOptions())
    samples: ClassVar[Sequence[Mapping[str, Any]]] = [
        {"id": "1", "text": "Hello", "likes": 3, "photo": "https://s.example/a.jpg?oe=1"},
        {"id": "2", "text": "Just words"},
    ]

    def client(self, history: Sequence[Mapping[str, Any]]) -> Any:
        return list(history)

    def failing(self, status: int, body: bytes) -> Any:
        return SourceError(f"It answered {status}")


class TestDiary(DiaryContract):
    """A good platform passes."""


Change = Callable[[Post, Mapping[str, Any]], Post]


def bad(change: Change) -> DiaryContract:
    """The suite, for a diary whose posts are changed so."""

    class Bad(Diary):
        def read(self, record: Mapping[str, Any], account: Account) -> Post:
            return change(super().read(record, account), record)

    return of(Bad())


def of(platform: Diary) -> DiaryContract:
    """The suite for another diary."""
    contract: DiaryContract = type("Contract", (DiaryContract,), {"platform": platform})()
    return contract


def forget_an_error(post: Post, record: Mapping[str, Any]) -> Post:
    return replace(post, title=record["text"].title())


def count_as_content(post: Post, record: Mapping[str, Any]) -> Post:
    return replace(post, content={"likes": [metric.value for metric in post.metrics]})


def publish_an_address(post: Post, record: Mapping[str, Any]) -> Post:
    urls = [r.url for a in post.attachments for r in a.renditions]
    return replace(post, content={"photos": urls})


def measure_in_content(post: Post, record: Mapping[str, Any]) -> Post:
    return replace(post, content={"score": 0.5})


def lose_a_photo(post: Post, record: Mapping[str, Any]) -> Post:
    return replace(post, attachments=tuple(replace(a, renditions=()) for a in post.attachments))


def say_when_loosely(post: Post, record: Mapping[str, Any]) -> Post:
    return replace(post, created_at="2026-11-23")


def know_everything(post: Post, record: Mapping[str, Any]) -> Post:
    return replace(post, unmapped=())


def grow_the_record(post: Post, record: Mapping[str, Any]) -> Post:
    if isinstance(record, dict):
        record["seen"] = True
    return post


@pytest.mark.parametrize(
    ("change", "test"),
    [
        (forget_an_error, "test_hostile_records_are_read_or_refused"),
        (count_as_content, "test_counters_are_not_content"),
        (publish_an_address, "test_rotated_addresses_are_not_content"),
        (publish_an_address, "test_every_sample_is_a_sound_post"),
        (measure_in_content, "test_every_sample_is_a_sound_post"),
        (lose_a_photo, "test_every_sample_is_a_sound_post"),
        (say_when_loosely, "test_every_sample_is_a_sound_post"),
        (know_everything, "test_every_path_of_the_samples_is_known"),
        (grow_the_record, "test_reading_is_pure"),
    ],
)
def test_what_breaks_the_contract_is_caught(change: Change, test: str) -> None:
    with pytest.raises(AssertionError):
        getattr(bad(change), test)()


class Endless(Diary):
    """One that never says where it ends."""

    async def pages(self, client: Any, account: Account, window: Window) -> AsyncIterator[Page]:
        async for page in super().pages(client, account, window):
            yield replace(page, reached_start=False)


def test_an_end_that_is_not_explained_is_caught() -> None:
    contract = of(Endless())
    with pytest.raises(AssertionError, match="the end is not explained"):
        contract.test_pages_hold_every_record()


class Deaf(DiaryContract):
    """A suite that brings no client."""

    def client(self, history: Sequence[Mapping[str, Any]]) -> Any:
        return None

    def failing(self, status: int, body: bytes) -> Any:
        return None


@pytest.mark.parametrize(
    "test",
    [
        "test_pages_hold_every_record",
        "test_a_scan_resumes_from_every_cursor",
        "test_an_empty_history_has_a_start",
        "test_a_scan_may_stop_after_any_page",
        "test_failures_are_errors_of_the_source",
    ],
)
def test_a_case_that_does_not_apply_is_skipped_with_a_reason(test: str) -> None:
    with pytest.raises(unittest.SkipTest, match="not tested"):
        getattr(Deaf(), test)()


# Other kinds of sources


@dataclass(frozen=True)
class DiaryClient:
    """A diary on two servers: the one that was configured names the one that has the pages."""

    kit: Kit

    async def records(self) -> tuple[str, list[dict[str, Any]], Response]:
        """Its version, its records, and the answer that they came in. Raises SourceError."""
        asked = await self.kit.http("https://index.example").get("/where")
        where = read_json(asked.body)
        if not isinstance(where, dict) or "host" not in where:
            raise SourceError("The index names no host")
        answer = await self.kit.http(where["host"], trust="discovered").get("/all")
        found = read_json(answer.body)
        if not isinstance(found, dict) or signature(found.get("records")) != found.get("signed"):
            raise SourceError("The signature of the diary does not fit")
        return found["signed"], found["records"], answer


def signature(records: Any) -> str:
    return sha256(json.dumps(records).encode()).hexdigest()


@dataclass(frozen=True)
class Index:
    """The source of a diary that is signed."""

    name: str = "shelf"
    settings: type[Any] = DiaryOptions
    rank: Rank = "native"

    def open(self, settings: Any, account: Account, kit: Kit) -> DiaryClient:
        return DiaryClient(kit)


class SignedDiary(Diary):
    """A diary that proves what it holds, in an order of its own, with versions and numbers."""

    async def pages(self, client: Any, account: Account, window: Window) -> AsyncIterator[Page]:
        try:
            version, records, answer = await client.records()
        except BadJson as error:
            raise SourceError("Not a diary") from error
        if window.version == version and not window.is_full:
            yield Page((), version=version)
            return
        yield Page(
            tuple(Record(json.dumps(raw), raw) for raw in sorted(records, key=str)), answer,
            reached_start=True, version=version, authoritative=True, ordered=False,
            evidence=(answer,),
        )  # fmt: skip

    async def history(self, client: Any, account: Account, platform_id: str) -> list[Version]:
        _, records, _ = await client.records()
        return [
            Version(Record(str(raw), {**raw, "text": "before"}), "2026-01-01T00:00:00.000Z")
            for raw in records if raw["id"] == platform_id
        ]  # fmt: skip

    async def metrics(
        self, client: Any, account: Account, platform_ids: Sequence[str]
    ) -> AsyncIterator[Mapping[str, Sequence[Metric]]]:
        for start in range(0, len(platform_ids), 100):
            yield {name: (Metric("likes", 1),) for name in platform_ids[start : start + 100]}


class SignedDiaryContract(DiaryContract):
    platform = SignedDiary()
    samples: ClassVar[Sequence[Mapping[str, Any]]] = [
        {"id": "1", "text": "Hello", "likes": 3, "photo": "https://s.example/a.jpg?oe=1"},
        {"id": "2", "text": "Just words"},
    ]
    source: ClassVar[Source | None] = Index()
    settings: ClassVar[Any] = DiaryOptions()
    discovered: ClassVar[Sequence[str]] = ("https://pages.example",)

    def kit(self, history: Sequence[Mapping[str, Any]]) -> FakeKit | None:
        return self.served(list(history))

    def client(self, history: Sequence[Mapping[str, Any]]) -> Any:
        return SourceContract.client(self, history)

    def tampered(self, history: Sequence[Mapping[str, Any]]) -> Any:
        kit = self.served(list(history)[1:], signed=signature(list(history)))
        return Index().open(self.settings, self.account, kit)

    def failing(self, status: int, body: bytes) -> Any:
        kit = FakeKit(FakeHttp(lambda _request: (status, body)))
        return Index().open(self.settings, self.account, kit)

    def served(self, records: list[Mapping[str, Any]], signed: str | None = None) -> FakeKit:
        body = {"records": records, "signed": signed or signature(records)}
        return FakeKit({
            "https://index.example": lambda _request: (200, {"host": "https://pages.example"}),
            "https://pages.example": lambda _request: (200, body),
        })  # fmt: skip


class TestSignedDiary(SignedDiaryContract):
    """One of another kind passes too, and no case is skipped for it but that of resuming."""

    def test_only_what_cannot_be_is_skipped(self) -> None:
        skipped = []
        for name in dir(SourceContract):
            if name.startswith("test_"):
                try:
                    getattr(SignedDiaryContract(), name)()
                except unittest.SkipTest:
                    skipped.append(name)
        assert skipped == ["test_a_scan_resumes_from_every_cursor"]


def with_pages(change: Callable[[Page, Window], Page]) -> SignedDiaryContract:
    """The suite, for a signed diary whose pages are changed so."""

    class Bad(SignedDiary):
        async def pages(self, client: Any, account: Account, window: Window) -> AsyncIterator[Page]:
            async for page in super().pages(client, account, window):
                yield change(page, window)

    class BadContract(SignedDiaryContract):
        platform = Bad()

    return BadContract()


@pytest.mark.parametrize(
    ("case", "change", "says"),
    [
        ("the_same_version_says_that_nothing_changed",
         lambda page, _: replace(page, version="always"), "records came"),
        ("the_same_version_says_that_nothing_changed",
         lambda page, window: replace(page, records=()) if window.version else page,
         "was overlooked"),
        ("what_is_proved_is_whole", lambda page, _: replace(page, partial=True), "is partial"),
        ("what_is_proved_is_whole",
         lambda page, _: replace(page, reached_start=False, end_reason="some"), "to the start"),
        ("pages_hold_every_record", lambda page, _: replace(page, records=page.records[1:]),
         "not every record"),
        ("pages_hold_every_record",
         lambda page, _: replace(page, reached_start=False, end_reason="some"),
         "has to reach the start"),
    ],
)  # fmt: skip
def test_a_source_that_breaks_its_contract_is_reported(
    case: str, change: Callable[[Page, Window], Page], says: str
) -> None:
    with pytest.raises(AssertionError, match=says):
        getattr(with_pages(change), f"test_{case}")()


def test_a_host_without_a_guard_and_a_source_that_requests_too_early_are_reported() -> None:
    @dataclass(frozen=True)
    class Trusting(DiaryClient):
        async def records(self) -> tuple[str, list[dict[str, Any]], Response]:
            self.kit.http("https://pages.example")
            return await super().records()

    class TrustingIndex(Index):
        def open(self, settings: Any, account: Account, kit: Kit) -> DiaryClient:
            return Trusting(kit)

    class Contract(SignedDiaryContract):
        source = TrustingIndex()

    with pytest.raises(AssertionError, match="unguarded"):
        Contract().test_discovered_hosts_are_asked_as_such()


def test_a_source_that_does_not_check_its_proofs_fails() -> None:
    class Believing(SignedDiaryContract):
        def tampered(self, history: Sequence[Mapping[str, Any]]) -> Any:
            return self.client(history)

    with pytest.raises(AssertionError, match="tampered"):
        Believing().test_tampered_answers_are_refused()


def test_cases_that_do_not_apply_say_so() -> None:
    for case in (
        "opening_a_client_asks_nothing", "discovered_hosts_are_asked_as_such",
        "the_same_version_says_that_nothing_changed", "what_is_proved_is_whole",
        "tampered_answers_are_refused", "earlier_versions_are_sound_posts",
        "numbers_are_those_of_the_posts_that_were_asked_for",
    ):  # fmt: skip
        with pytest.raises(unittest.SkipTest):
            getattr(DiaryContract(), f"test_{case}")()
