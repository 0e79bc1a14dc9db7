"""The suite that every plugin runs, run on a small platform of another source, and on bad ones."""

import unittest
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest

from archiver import (
    Account,
    Attachment,
    Identity,
    Listing,
    Metric,
    Page,
    Post,
    Record,
    RecordError,
    Rendition,
    SourceError,
    Stream,
    Window,
)
from archiver.testing import SourceContract

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
