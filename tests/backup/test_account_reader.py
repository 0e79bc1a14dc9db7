"""Whatever a plugin does fails its own account, with an error that names the plugin."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from archiver.backup.account_reader import AccountReader
from archiver.clock import DemoClock
from archiver.errors import RecordError, SourceDown, SourceError
from archiver.models import Account, Identity, Metric, Page, Post, Record, Version, Window
from archiver.report import AccountReport
from archiver.secrets import Secret

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Options:
    """Options of which one is a key, and one chooses what is shown."""

    key: Secret | None = None
    stories: bool = False


class Plain:
    """A platform with what every platform has."""

    name, source, content_version, streams = "threads", "own", 1, ("posts",)

    def record_id(self, record: Mapping[str, Any]) -> str | None:
        return str(record["id"])

    def read(self, record: Mapping[str, Any], account: Account) -> Post:
        return Post(str(record["id"]), text="read")

    async def pages(self, *_: object) -> AsyncIterator[Page]:
        yield Page((Record("{}", {}),))


def reader(platform: Any, **more: Any) -> AccountReader:
    account = Account("acme", "threads", "own", more.pop("options", Options()))
    report = AccountReport("acme", "threads", "own")
    return AccountReader(account, platform, None, more.pop("clock", DemoClock()), report, **more)


async def test_pages_come_one_by_one_and_none_after_the_last() -> None:
    async with reader(Plain()).pages(Window()) as next_page:
        page = await next_page()
        assert page is not None
        assert [record.raw for record in page.records] == ["{}"]
        assert await next_page() is None


async def test_what_a_platform_does_not_have_is_not_called() -> None:
    plain = reader(Plain())
    assert await plain.identify() is None
    assert await plain.refetch("1") is None
    assert await plain.history("1") == []
    assert not plain.has_history
    assert not plain.has_separate_metrics


class Rich(Plain):
    """A platform that has everything."""

    async def identify(self, *_: object) -> Identity:
        return Identity("threads", "7")

    async def refetch(self, _client: Any, _account: Account, platform_id: str) -> Record:
        return Record("{}", {"id": platform_id})

    async def history(self, *_: object) -> list[Version]:
        return [Version(Record("{}", {"id": "1"})), Version(Record("[]", []))]

    async def metrics(self, *_: object) -> AsyncIterator[Mapping[str, list[Metric]]]:
        yield {"1": [Metric("likes", 3)]}


async def test_what_a_platform_has_is_called_and_what_cannot_be_read_is_left_out() -> None:
    rich = reader(Rich())
    assert await rich.identify() == Identity("threads", "7")
    post = await rich.refetch("5")
    assert post is not None
    assert post.platform_id == "5"
    assert [post.platform_id for _, post in await rich.history("1")] == ["1"]
    async with rich.metrics(["1"]) as next_batch:
        assert await next_batch() == {"1": (Metric("likes", 3),)}
        assert await next_batch() is None


class Failing(Plain):
    """A platform that raises an error of its own everywhere."""

    async def identify(self, *_: object) -> Identity:
        raise ZeroDivisionError("in the plugin")

    def read(self, record: Mapping[str, Any], account: Account) -> Post:
        raise ZeroDivisionError

    def record_id(self, record: Mapping[str, Any]) -> str | None:
        raise ZeroDivisionError


async def test_an_error_of_the_plugin_names_it() -> None:
    failing = reader(Failing())
    with pytest.raises(SourceError, match="The plugin for threads failed") as caught:
        await failing.identify()
    assert (caught.value.code, caught.value.why) == ("plugin", "ZeroDivisionError: in the plugin")
    with pytest.raises(RecordError, match="reader failed: ZeroDivisionError"):
        failing.read({})
    assert failing.record_id(Record("{}", {})) is None


async def test_an_error_of_ours_that_a_plugin_raises_stays_what_it_is() -> None:
    class Down(Plain):
        async def identify(self, *_: object) -> Identity:
            raise SourceDown("No connection")

    with pytest.raises(SourceDown):
        await reader(Down()).identify()


@pytest.mark.parametrize("data", [None, [], "text", 5])
async def test_what_is_no_object_is_not_read(data: Any) -> None:
    plain = reader(Plain())
    with pytest.raises(RecordError, match="not a JSON object"):
        plain.read(data)
    assert plain.record_id(Record("", data)) is None


@pytest.mark.parametrize("id_", [5, "", None, {}])
async def test_an_id_that_is_no_text_is_none(id_: Any) -> None:
    class Odd(Plain):
        def record_id(self, record: Mapping[str, Any]) -> Any:
            return record["id"]

    assert reader(Odd()).record_id(Record("", {"id": id_})) is None


async def test_slow_reading_is_reported_once() -> None:
    clock = DemoClock()

    class Slow(Plain):
        def read(self, record: Mapping[str, Any], account: Account) -> Post:
            clock._slept += 6
            return super().read(record, account)

    slow = reader(Slow(), clock=clock)
    slow.read({"id": 1})
    slow.read({"id": 2})
    (note,) = slow.report.notes
    assert "took 6 seconds to read one record" in note


async def test_the_view_is_made_of_options_and_the_login_and_never_of_a_key() -> None:
    assert reader(Plain()).view == "{}"
    options = Options(Secret("env:KEY"), stories=True)
    assert reader(Plain(), options=options, login="press").view == (
        '{"login": "press", "stories": true}'
    )
