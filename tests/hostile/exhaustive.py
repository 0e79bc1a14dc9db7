"""The long part of these proofs, for a given time: prints rows of the scoreboard.

    python tests/hostile/exhaustive.py --minutes 10 [--write docs/reliability.md]

The time is shared out; every part runs at least once. Exits with 1 when anything was found.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.extend(str(Path(__file__).parents[number]) for number in (1, 2))

import anyio
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from archiver.jsontext import BadJson, read_records
from archiver.media.kinds import recognize_non_media, sniff
from docs.figures import put_figures
from net.test_guard import SPELLINGS
from support.hostile import answers
from support.hostile.addresses import WAYS, attempt
from support.hostile.input import PLATFORMS, Feeder, pages
from support.transfer.behaviours import broken_then, rest
from support.transfer.convergence import live_through, schedules
from support.transfer.worlds import behind
from transfer.test_api_faults import CASES
from transfer.test_faults import FILE_CASES

Row = tuple[str, str]
_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def until(seconds: float, work: Callable[[int], int]) -> int:
    """Do it again and again, each time with another number; the sum of what it counts."""
    end = time.monotonic() + seconds
    total, number = 0, random.SystemRandom().randrange(1 << 30)
    while True:
        total += work(number)
        number += 1
        if time.monotonic() >= end:
            return total


def fuzzed_json(seconds: float) -> Row:
    """Mutated answers through the parser: refused or read, nothing else."""
    honest = b'{"status": "success", "posts": [{"id": "1", "post": "\\u00e9 [x]"}, {"n": [1.5e3]}]}'

    def thousand(number: int) -> int:
        dice = random.Random(number)
        for _ in range(1000):
            body = bytearray(honest)
            for _ in range(dice.randrange(1, 6)):
                at = dice.randrange(len(body))
                body[at : at + dice.randrange(3)] = dice.randbytes(dice.randrange(3))
            with suppress(BadJson):
                read_records(bytes(body), "posts")
        return 1000

    return "Fuzzed JSON answers without a traceback", f"{until(seconds, thousand):,}"


def fuzzed_heads(seconds: float) -> Row:
    """Random and mutated first bytes through the judgement of what a file is."""
    heads = [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP",
             b"\0\0\0\x18ftypmp42", b"\x1a\x45\xdf\xa3", b"<svg", b"#EXTM3U"]  # fmt: skip

    def thousand(number: int) -> int:
        dice = random.Random(number)
        for _ in range(1000):
            head = bytearray(dice.choice(heads) + dice.randbytes(dice.randrange(300)))
            head[dice.randrange(len(head))] = dice.randrange(256)
            sniff(bytes(head))
            recognize_non_media(bytes(head))
        return 1000

    return "Fuzzed media heads without a traceback", f"{until(seconds, thousand):,}"


def fuzzed_answers(seconds: float) -> Row:
    """Answers put together at random through downloads: a file or an error, nothing else."""

    def some(number: int) -> int:
        with TemporaryDirectory() as folder:
            anyio.run(answers.download, Path(folder), random.Random(number), 500)
            assert not any(Path(folder).iterdir())
        return 500

    return "Fuzzed answers of media servers without a traceback", f"{until(seconds, some):,}"


def _hypothesis(number: int, examples: int, strategy: st.SearchStrategy[object],
                check: Callable[[object], None]) -> None:  # fmt: skip
    @seed(number)
    @settings(max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=_CHECKS)  # fmt: skip
    @given(strategy)
    def property_(value: object) -> None:
        check(value)

    property_()


def hostile_pages(seconds: float) -> Row:
    """Odd pages through whole backups, platform after platform."""

    def some(number: int) -> int:
        platform = PLATFORMS[number % len(PLATFORMS)]
        with TemporaryDirectory() as folder, behind(Path(folder), platform) as world:
            world.world.account(platform)
            feeder = Feeder(world)
            _hypothesis(number, 25, pages(platform), lambda body: _feed(feeder, platform, body))
            return feeder.fed

    count = until(seconds, some)
    return "Hostile pages through a whole backup, every record kept", f"{count:,}"


def _feed(feeder: Feeder, platform: str, body: object) -> None:
    assert isinstance(body, bytes)
    feeder.feed(platform, body)


def converging(seconds: float) -> Row:
    """Random schedules of faults over several nights."""
    failures = 0

    def one(number: int) -> int:
        nonlocal failures

        def check(schedule: object) -> None:
            nonlocal failures
            with TemporaryDirectory() as folder:
                difference = live_through(Path(folder), schedule)  # type: ignore[arg-type]  # drawn as one
                if difference:
                    failures += 1
                    sys.stderr.write(f"  {schedule}: {difference[:500]}\n")

        _hypothesis(number, 2, schedules, check)
        return 2

    count = until(seconds, one)
    assert not failures, f"{failures} of {count} fault schedules do not converge"
    return "Random fault schedules that converge", f"{count} / {count}"


def resumed(seconds: float) -> Row:
    """Transfers that break off at a random place and go on: whole, byte for byte."""

    def some(number: int) -> int:
        with TemporaryDirectory() as folder, behind(Path(folder), "threads") as world:
            from archiver_ayrshare.demo.specs import photo

            for post in range(40):
                media = [photo(f"{number}-{post}-{place}") for place in range(5)]
                world.world.account("threads").publish(f"Night {post}", media=media)
            world.faults.rule(".jpg", broken_then(rest()))
            report = world.backup()
            world.check_sound()
            assert report.exit_code == 0, report.file_failures
            return report.counts.stored

    return "Broken and resumed transfers, byte-equal", f"{until(seconds, some):,}"


def addresses(_: float) -> Row:
    """Every address, every way, through whole backups."""
    tried = sent = 0
    for way in WAYS:
        with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            outcome = attempt(Path(folder), patch, way)
            tried += outcome.tried
            sent += len(outcome.strays)
    name = f"Private addresses × ways ({len(SPELLINGS)} spellings), packets sent"
    return name, f"{tried}, {sent}"


def catalogue(_: float) -> Row:
    """How many ways to misbehave the table tests go through."""
    return "HTTP misbehaviours: of media servers, of the API", f"{len(FILE_CASES)}, {len(CASES)}"


PARTS = (fuzzed_json, fuzzed_heads, fuzzed_answers, hostile_pages, converging, resumed, addresses,
         catalogue)  # fmt: skip


def main() -> int:
    """Run all parts; see the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--write", type=Path, help="a page whose figures are replaced")
    asked = parser.parse_args()
    seconds = asked.minutes * 60 / 6
    lines = ["| Figure | Measured |", "|---|---|"]
    failed = 0
    for part in PARTS:
        try:
            name, measured = part(seconds)
        except Exception as error:  # noqa: BLE001 — the other parts are worth their time
            failed += 1
            name, measured = part.__name__, f"FAILED: {type(error).__name__}: {str(error)[:300]}"
        lines.append(f"| {name} | {measured} |")
        sys.stdout.write(f"{name}: {measured}\n")
        sys.stdout.flush()
    if asked.write is not None:
        lines.append(f"\n`python tests/hostile/exhaustive.py --minutes {asked.minutes:g}`")
        put_figures(asked.write, "hostile", "\n".join(lines))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
