"""Whatever a platform sends: no crash, nothing lost, and nothing of it steers a terminal."""

import gzip
import json
import random
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.clock import SystemClock
from archiver.jsontext import BadJson, read_records
from support.hostile import answers
from support.hostile.input import BROKEN, ODD_DATES, ODD_NUMBERS, ODD_TEXTS, ODD_URLS, Feeder, pages
from support.nights import PLATFORMS
from support.plugin_data import samples
from support.running import Cli
from support.transfer.faultserver import Talk
from support.transfer.worlds import Behind, behind

pytestmark = pytest.mark.slow

QUICK = settings(
    max_examples=3, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture,
                           HealthCheck.data_too_large],
)  # fmt: skip


def fed(world: Behind, *platforms: str) -> Feeder:
    for platform in platforms or PLATFORMS:
        world.world.account(platform)
    return Feeder(world)


def page(*items: Any) -> bytes:
    return json.dumps({"status": "success", "posts": list(items)}).encode()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_any_records_at_all(tmp_path: Path, platform: str) -> None:
    with behind(tmp_path, platform) as world:
        feeder = fed(world, platform)

        @QUICK
        @given(pages(platform), pages(platform))
        def property_(first: bytes, second: bytes) -> None:
            feeder.feed(platform, first, second)

        property_()
        assert feeder.fed >= 6


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_field_of_a_record_is_odd_in_every_way(tmp_path: Path, platform: str) -> None:
    odd = [*ODD_TEXTS, *ODD_NUMBERS, *ODD_DATES, *ODD_URLS, None, [], {}, [None], {"data": "x"}]
    sample = samples(platform)[0]
    items = [
        {**sample, "id": f"{key}-{number}", key: value}
        for place, key in enumerate(sample)
        if key != "id"
        for number, value in enumerate(odd)
        if (place + number) % 4 == 0 or isinstance(value, list | dict)
    ]
    items += [{**sample, "id": value} for value in odd]
    with behind(tmp_path, platform) as world:
        report = fed(world, platform).feed(platform, page(*items))
        assert report.counts.new >= len(items) - len(odd), "only odd ids may cost a post"


def test_each_broken_record_costs_itself_alone(tmp_path: Path) -> None:
    with behind(tmp_path, "threads") as world:
        feeder = fed(world, "threads")
        for number, broken in enumerate(BROKEN):
            good = json.dumps({"id": f"good-{number}", "post": "Good morning"})
            body = f'{{"status": "success", "posts": [{good}, {broken}, {good}]}}'
            feeder.feed("threads", body.encode())
        for number, no_text in enumerate((b'{"id": "u1", "post": "\xff"}', b'{"id": "\xc0\xaf"}')):
            good = json.dumps({"id": f"utf-{number}", "post": "Good morning"})
            feeder.feed("threads", b'{"posts": [' + good.encode() + b", " + no_text + b"]}")
        ids = world.world.column("SELECT platform_id FROM posts")
        assert {f"good-{number}" for number in range(len(BROKEN))} <= set(ids)
        assert {"utf-0", "utf-1"} <= set(ids)
        assert {"17833140557332933000000001", "b"} <= set(ids)


def test_ten_thousand_attachments(tmp_path: Path) -> None:
    media = [{"mediaUrl": f"http://10.0.0.1/{number}.jpg"} for number in range(10_000)]
    with behind(tmp_path, "instagram") as world:
        feeder = fed(world, "instagram")
        record = {"id": "1", "mediaType": "CAROUSEL_ALBUM", "post": "Many", "mediaUrls": media}
        assert feeder.feed("instagram", page(record)).counts.new == 1
        assert world.world.column("SELECT count(*) FROM attachments") == [10_000]


def test_two_pages_that_disagree_and_one_id_on_two_accounts(tmp_path: Path) -> None:
    first = {"id": "1", "post": "One", "created": "2026-03-01T09:00:00Z"}
    second = {**first, "post": "Another"}
    with behind(tmp_path, "threads", "bluesky") as world:
        feeder = fed(world, "threads", "bluesky")
        feeder.feed("threads", page(first, second))
        feeder.feed("bluesky", page(first))
        texts = world.world.column("SELECT text FROM posts ORDER BY text")
        assert texts == ["Another", "One"]
        contents = "SELECT count(DISTINCT content_sha256) FROM revisions GROUP BY post_id"
        assert sorted(world.world.column(contents)) == [1, 2]


def test_a_page_of_100_megabytes_is_capped(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="measures memory as POSIX does")
    with behind(tmp_path, "threads") as world:
        feeder = fed(world, "threads")
        packed = gzip.compress(b'{"posts": ["' + bytes(100_000_000), compresslevel=1)

        def bomb(talk: Talk) -> bool:
            talk.answer(packed, {"content-encoding": "gzip"})
            return True

        world.faults.rule("/api/history/", bomb)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        report = feeder.world.backup()
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert report.exit_code == 4
        assert "too large" in str(report.accounts[0].error)
        assert after - before < 200_000  # KiB


STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def test_nothing_that_was_sent_steers_a_terminal(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\r\n\u202eFAKE: all is well\x9b31m\x00\b"
    with behind(tmp_path, "threads", "instagram") as world:
        fed(world, "threads", "instagram")
        monkeypatch.setattr(SystemClock, "now", lambda _: world.world.clock.now())
        world.world.folder = world.tested
        world.world.config()
        config = world.tested / "archive.toml"
        shown = []
        for night, text in enumerate((evil, f"{evil} edited")):
            record = {"id": f"1{evil}", "post": text, "postUrl": f"https://h/{evil}",
                      "username": evil, "mediaType": "IMAGE", "mediaUrl": f"http://10.0.0.1/{evil}",
                      "created": "2026-03-01T09:00:00Z"}  # fmt: skip
            failure = {"status": "error", "code": evil, "action": "x", "message": evil}
            body = page(record, failure, {"id": "", "x": evil})

            def answer(talk: Talk, body: bytes = body) -> bool:
                talk.answer(body)
                return True

            world.faults.clear()
            world.faults.rule("/api/history/", answer)
            for command in (("backup", "-vv", "--now", "--full"), ("status",), ("status", "--json"),
                            ("backup", "--json", "--now")):  # fmt: skip
                done = cli(*command, "--config", config)
                assert done.exit_code in {0, 3}, done.output
                shown.append(done.output)
            world.world.clock.advance(days=1 + night)
        error = json.dumps({"status": "error", "code": evil, "message": evil}).encode()
        world.faults.clear()
        world.faults.rule("/api/", lambda talk: talk.answer(error, status=400))
        done = cli("backup", "-vv", "--now", "--config", config)
        assert done.exit_code == 4, done.output
        shown.append(done.output)
        assert [text for text in shown if STEERING.search(text)] == []
        assert "FAKE" in "".join(shown)


@QUICK
@given(st.binary(max_size=200))
def test_bytes_that_are_no_answer(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    for text in (body, b'{"posts": [' + body + b"]}"):
        with suppress(BadJson):
            read_records(text, "posts")


def test_answers_of_a_media_server_are_files_or_errors(tmp_path: Path) -> None:
    outcomes = anyio.run(answers.download, tmp_path, random.Random(5), 400)
    assert {"stored", "refused", "network", "http_418"} <= set(outcomes)
    assert list(tmp_path.iterdir()) == []
