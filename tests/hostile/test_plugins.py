"""Plugins that raise, give junk, leave, or never end: one account's failure, never a crash."""

import asyncio
import contextlib
import math
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import make_dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from archiver.cli.shell import Shell
from archiver.clock import DemoClock
from archiver.errors import UsageError
from archiver.models import (
    Alias,
    Attachment,
    Identity,
    Metric,
    Page,
    Post,
    Record,
    Relation,
    Rendition,
)
from archiver_ayrshare.demo.specs import photo
from support.hostile.strangers import Strangers
from support.loop_time import running_loop
from support.nights import Nights, nights
from support.plugin_samples import shelf_plugins
from support.running import Cli

GOOD = Post(platform_id="1", text="Good morning", created_at="2026-03-01T09:00:00.000Z")
RECORD = Record('{"id": "1"}', {"id": "1"})


class Odd(BaseException):
    """Nobody expects this one."""


ERRORS: list[BaseException] = [
    ValueError("wrong"), SystemExit(0), Odd(), StopIteration(), StopAsyncIteration(),
    OSError(28, "full"), asyncio.CancelledError(), BaseExceptionGroup("many", [Odd()]),
]  # fmt: skip
"""One of each kind; `tests/test_plugin_calls.py` has more."""


def breaking(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def replaced(world: Nights, patch: pytest.MonkeyPatch, name: str, function: Any) -> None:
    """Put a function in place of a method of the platform of the account `threads`."""
    patch.setattr(world.plugins.platform("threads", "ayrshare"), name, function)


def backup_beside_another(world: Nights, exit_code: int = 3) -> Any:
    """The account `threads` suffers, `bluesky` does not; the report on the first."""
    world.account("bluesky").publish("All is well")
    world.account("threads").publish("Good morning")
    report = world.backup()
    assert report.exit_code == exit_code
    suffering, other = sorted(report.accounts, key=lambda found: found.platform != "threads")
    assert (other.outcome, other.counts.new) == ("done", 1)
    assert world.column("SELECT count(*) FROM runs WHERE outcome = 'running'") == [0]
    return suffering


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("method", ["identify", "pages", "next page", "read"])
def test_a_plugin_that_raises_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, error: BaseException
) -> None:
    async def pages(*_: Any) -> AsyncIterator[Page]:
        if error:
            raise error
        yield Page(())

    with nights(tmp_path, "threads", "bluesky") as world:
        name = (method.partition(" ")[2] and "pages") or method
        function = pages if method == "next page" else breaking(error)
        replaced(world, monkeypatch, name, function)
        account = backup_beside_another(world)
        if method == "read":
            assert account.outcome == "partial"
            assert "Good morning" in world.column("SELECT raw FROM quarantine")[0]
        elif isinstance(error, StopAsyncIteration) and method == "next page":
            assert account.error.code == "plugin"
        else:
            assert (account.outcome, account.error.code) == ("failed", "plugin")


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("method", ["settings", "options", "check_options", "open"])
def test_a_plugin_that_fails_before_it_is_asked_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, error: BaseException
) -> None:
    with nights(tmp_path, "threads", "bluesky") as world:
        source = world.plugins.source("ayrshare")
        platform = world.plugins.platform("threads", "ayrshare")
        if method == "open":
            monkeypatch.setattr(source, "open", breaking(error))
            report = world.backup()
            assert report.exit_code == 2
            assert {account.error and account.error.code for account in report.accounts} == {
                "plugin"
            }
            return
        owner = source if method == "settings" else platform
        if method == "check_options":
            monkeypatch.setattr(platform, method, breaking(error))
        else:
            checking = make_dataclass(
                "Checking", [], bases=(getattr(owner, method),), frozen=True,
                namespace={"__post_init__": breaking(error)},
            )  # fmt: skip
            monkeypatch.setattr(owner, method, checking)
        config = world.config()
        with pytest.raises(UsageError) as caught:
            config.check(world.plugins)
        said = str(caught.value)
        assert said.startswith("archive.toml, line")
        assert type(error).__name__ in said or isinstance(error, ValueError)


@pytest.mark.parametrize("error", [*ERRORS, None], ids=repr)
def test_a_plugin_that_fails_to_say_what_is_linked_is_named(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, error: BaseException | None
) -> None:
    async def linked(*_: Any) -> Any:
        if error:
            raise error
        return [Identity("cards", 5)]  # type: ignore[arg-type]  # on purpose  # that is the point

    plugins = shelf_plugins()
    monkeypatch.setattr(plugins.source("shelf"), "discover", linked)
    Path("archive.toml").write_text("[archive]\n")
    done = cli("accounts", "--discover", "--source", "shelf", shell=Shell(_plugins=plugins))
    assert done.exit_code == 2
    assert "The plugin for shelf failed" in done.stderr


async def forever(*_: Any) -> Any:
    running_loop().skip(3 * 3600.0)
    await anyio.sleep_forever()


def test_a_plugin_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").publish("Good morning")
        replaced(world, monkeypatch, "identify", forever)
        report = world.backup()
        assert report.exit_code == 4
        assert "TimeoutError" in str(report.accounts[0].error)


BLOCKING = {
    "waits": "time.sleep(3600)",
    "turns": "while True: pass",
}


class Watch(DemoClock):
    """A clock whose seconds pass when a test says so."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


def test_a_plugin_that_is_slow_at_a_record_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nights(tmp_path, "threads") as world:
        for text in ("Good morning", "Good night"):
            world.account("threads").publish(text)
        world.machine = watch = Watch()
        read = world.plugins.platform("threads", "ayrshare").read

        def slow(*given: Any) -> Post:
            watch.seconds += 90
            return read(*given)

        replaced(world, monkeypatch, "read", slow)
        report = world.backup()
        assert (report.exit_code, report.counts.new) == (0, 2)
        (note,) = [note for note in report.accounts[0].notes if "seconds" in note]
        assert "The plugin for threads took 90 seconds to read one record" in note


@pytest.mark.parametrize("deed", BLOCKING)
def test_a_run_that_a_plugin_blocks_ends_when_it_is_asked_twice(
    tmp_path: Path, clean_environment: None, deed: str
) -> None:
    pages = {deed: 'print("now", flush=True)\n' + BLOCKING[deed]}
    process = Strangers(tmp_path, pages, {}).start("backup", "--no-media")
    assert process.stderr is not None
    assert process.stderr.readline() == "now\n"
    process.send_signal(signal.SIGTERM)
    while process.poll() is None:  # what comes at once is taken for the same request
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
        process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == -signal.SIGTERM


JUNK: list[Any] = [None, 17, "page", b"", [], {}, object(), Page, Page("ab"), Page((1,)),  # type: ignore[arg-type]  # on purpose  # that is the point
    Page((Record(None, {}),)), Page(None), Page((RECORD,), cursor=5), Page((), notes=(None,)),  # type: ignore[arg-type]  # on purpose
    Page((), response="x"), Page((), updated_at=3), Page((), notes=7)]  # type: ignore[arg-type]  # on purpose  # fmt: skip


@pytest.mark.parametrize("junk", JUNK[1:], ids=map(str, range(1, len(JUNK))))
def test_a_page_that_is_none_fails_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, junk: Any
) -> None:
    async def pages(*_: Any) -> AsyncIterator[Any]:
        yield junk

    with nights(tmp_path, "threads", "bluesky") as world:
        replaced(world, monkeypatch, "pages", pages)
        account = backup_beside_another(world)
        assert (account.outcome, account.error.code) == ("failed", "plugin")


@pytest.mark.parametrize("junk", [17, "me", object(), Identity("threads", ""),
                                  Identity("threads", 5), Identity("threads", "1", b"x")],  # type: ignore[arg-type]  # on purpose
                         ids=["0", "1", "2", "3", "4", "5"])  # fmt: skip
def test_an_identity_that_is_none_fails_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, junk: Any
) -> None:
    async def identify(*_: Any) -> Any:
        return junk

    with nights(tmp_path, "threads", "bluesky") as world:
        replaced(world, monkeypatch, "identify", identify)
        assert backup_beside_another(world).error.code == "plugin"


def of(**changes: Any) -> Post:
    return replace(GOOD, **changes)


def with_attachment(**changes: Any) -> Post:
    return of(attachments=(replace(Attachment("image"), **changes),))


def with_rendition(**changes: Any) -> Post:
    return with_attachment(renditions=(replace(Rendition("original", "http://a/b"), **changes),))


NO_POSTS: list[Any] = [
    None, 17, "post", Post, of(platform_id=5), of(platform_id=None), of(platform_id=""),
    of(kind="poem"), of(kind=[]), of(text=5), of(text=b"x"), of(created_at="yesterday"),
    of(created_at=17), of(edited_at="2026"), of(url=[]), of(aliases=None), of(aliases=("x",)),
    of(aliases=(Alias("a", 5),)), of(relations=(Relation("likes"),)),  # type: ignore[arg-type]  # on purpose
    of(relations=(Relation("quotes", 5),)), of(metrics=(Metric("likes", math.nan),)),  # type: ignore[arg-type]  # on purpose
    of(metrics=(Metric("likes", 2**63),)), of(metrics=(Metric("likes", True),)),
    of(metrics=(Metric("likes", "many"),)), of(metrics=(Metric(5, 5),)),  # type: ignore[arg-type]  # on purpose
    of(content=None), of(content={5: 6}), of(content={"a": object()}), of(content={"a": {1: 2}}),
    of(unmapped=(5,)), of(attachments=17), of(attachments=("x",)), with_attachment(kind="poem"),
    with_attachment(width="wide"), with_attachment(width=2**63), with_attachment(height=-1),
    with_attachment(duration_ms=1.5), with_attachment(alt_text=5), with_attachment(renditions=5),
    with_attachment(metrics=(5,)), with_rendition(role="poem"), with_rendition(url=5),
    with_rendition(absent="gone"), with_rendition(bitrate="much"), with_rendition(media_key=5),
]  # fmt: skip


def test_what_is_no_post_goes_to_quarantine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    junk = iter(NO_POSTS)
    with nights(tmp_path, "threads", "bluesky") as world:
        for number in range(len(NO_POSTS) - 1):
            world.account("threads").publish(f"Good morning {number}")
        replaced(world, monkeypatch, "read", lambda *_: next(junk))
        account = backup_beside_another(world)
        assert (account.outcome, account.counts.new) == ("partial", 0)
        assert next(junk, "all were read") == "all were read"
        kept = world.column("SELECT raw FROM quarantine")
        assert len(kept) == len(NO_POSTS)
        assert all("Good morning" in raw for raw in kept)


def test_text_that_no_column_holds_is_made_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = "a\x00b\ud800c"
    post = replace(
        with_rendition(url=f"http://10.0.0.1/{odd}", media_key=odd, content_type=odd),
        platform_id=odd, text=odd, title=odd, author=odd, visibility=odd,
        aliases=(Alias(odd, odd),), relations=(Relation("quotes", odd, odd),),
        content={"text": odd},
    )  # fmt: skip
    with nights(tmp_path, "threads", "bluesky") as world:
        replaced(world, monkeypatch, "read", lambda *_: post)
        assert backup_beside_another(world).counts.new == 1
        rows = world.dump("posts", "revisions", "renditions", "relations", "post_aliases")
        world.next_night()
        report = world.backup(full=True)
        assert (report.counts.new, report.counts.edited) == (0, 0)
        assert world.dump("posts", "revisions", "renditions", "relations", "post_aliases") == rows


@pytest.mark.parametrize("error", ERRORS[:3], ids=repr)
def test_a_failing_refetch_fails_the_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").publish("Good morning", media=[photo()])
        world.media_fault(status=403, times=None)
        replaced(world, monkeypatch, "refetch", breaking(error))
        assert world.backup().exit_code == 3
        assert set(world.column("SELECT state FROM renditions")) == {"failed"}


def test_pages_for_ever_without_news_come_to_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pages(*_: Any) -> AsyncIterator[Page]:
        while True:
            yield Page((RECORD, Record("[]", [])), cursor="on")

    with nights(tmp_path, "threads", "bluesky") as world:
        replaced(world, monkeypatch, "pages", pages)
        account = backup_beside_another(world)
        assert account.counts.new == 1
        assert "repeats itself" in " ".join(account.warnings)


def test_plugins_in_an_archive_are_never_run(tmp_path: Path) -> None:
    trap = "from pathlib import Path\nPath(__file__).with_suffix('.sprung').touch()\n"
    with nights(tmp_path, "threads") as world:
        world.account("threads").publish("Good morning")
        for folder in (world.directory, world.directory / "plugins", world.folder / "plugins"):
            folder.mkdir(exist_ok=True)
            for name in ("evil", "archiver_evil", "sitecustomize", "conftest", "json"):
                (folder / f"{name}.py").write_text(trap)
        for name in ("metadata.json", "datasette.yaml", "settings.json"):
            (world.directory / name).write_text("{}")
        assert world.backup().exit_code == 0
        assert list(tmp_path.rglob("*.sprung")) == []
