"""Rules of retention: which posts are due, by which rule, and that only what is free goes."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree

import pytest

from archiver.archive.database import transaction, writer
from archiver.archive.holds import place_hold
from archiver.archive.post_scope import PostScope
from archiver.archive.rows import update
from archiver.binding import CalendarPeriod
from archiver.errors import UsageError
from archiver.retention import rules as retention
from archiver.retention.erasure import erasures
from archiver.retention.rules import (
    check_accounts,
    dispose,
    due_counts,
    due_posts,
    posts_without_rule,
)
from archiver.settings import RetentionRule
from support.saver import POST, saving

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
YEAR = RetentionRule("a year", CalendarPeriod(1, "year"), "4.1")
DATES = ("2020-05-01", "2025-11-28", "2025-11-29", "2026-11-01", None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with a post of each date; the last one is a story without any."""
    folder = tmp_path_factory.mktemp("rules")
    with saving(folder) as saver:
        saver.save(
            *(
                replace(POST, platform_id=f"p{number}", aliases=(), kind="post" if day else "story",
                        created_at=day and f"{day}T12:00:00.000Z")
                for number, day in enumerate(DATES, 1)
            )
        )  # fmt: skip
    return folder / "archive"


@contextmanager
def opened(directory: Path) -> Iterator[sqlite3.Connection]:
    with writer(directory, create=False) as connection:
        yield connection


@pytest.fixture
def archive(made: Path, tmp_path: Path) -> Path:
    copytree(made, tmp_path / "archive")
    return tmp_path / "archive"


def due(directory: Path, *rules: RetentionRule) -> dict[str, tuple[int, ...]]:
    with opened(directory) as connection:
        return {each.rule.name: each.free for each in due_posts(connection, rules, NOW)}


def test_posts_are_due_when_their_period_has_passed(archive: Path) -> None:
    assert due(archive, YEAR) == {"a year": (1, 2)}
    assert due(archive, replace(YEAR, period=CalendarPeriod(18, "month"))) == {"a year": (1,)}
    assert due(archive, replace(YEAR, period=CalendarPeriod(27, "day"))) == {"a year": (1, 2, 3, 4)}
    assert due(archive, replace(YEAR, period=CalendarPeriod(999_999, "day"))) == {"a year": ()}
    assert due(archive, replace(YEAR, period=CalendarPeriod(9_999, "year"))) == {"a year": ()}


def test_a_later_rule_never_shortens_an_earlier_one(archive: Path) -> None:
    long = replace(YEAR, name="long", period=CalendarPeriod(6, "year"), accounts=("acme",))
    assert due(archive, long, YEAR) == {"long": (1,), "a year": ()}
    elsewhere = replace(long, accounts=("other",))
    assert due(archive, elsewhere, YEAR) == {"long": (), "a year": (1, 2)}


def test_a_rule_is_for_kinds_and_for_posts_that_have_its_date(archive: Path) -> None:
    with opened(archive) as connection, transaction(connection):
        update(connection, "posts", "id IN (1, 4)", (), removed_at="2026-03-01T00:00:00.000Z")
        update(connection, "posts", "TRUE", (), first_seen_at="2024-03-01T00:00:00.000Z")
    removed = RetentionRule("gone", CalendarPeriod(30, "day"), "4.3", trigger="removed")
    assert due(archive, removed, YEAR) == {"gone": (1, 4), "a year": (2,)}
    seen = replace(YEAR, name="seen", trigger="first_seen", kinds=("story",))
    assert due(archive, YEAR, seen) == {"a year": (1, 2), "seen": (5,)}
    with opened(archive) as connection:
        assert posts_without_rule(connection, [YEAR]) == 1
        assert posts_without_rule(connection, [YEAR, seen]) == 0
        (found,) = due_posts(connection, [YEAR], NOW)
        assert found.under == 4


def test_the_counts_are_those_of_the_posts(archive: Path) -> None:
    rules = [
        RetentionRule("stories", CalendarPeriod(1, "day"), "4.2", kinds=("story",)),
        replace(YEAR, name="six", period=CalendarPeriod(6, "year"), accounts=("acme",)),
        replace(YEAR, name="seen", trigger="first_seen", period=CalendarPeriod(1, "day")),
        YEAR,
    ]
    for held in ((), (1,)):
        with opened(archive) as connection:
            if held:
                scope = PostScope(posts=held)
                place_hold(connection, "2026/17", "A claim", scope, "counsel", "2026-11-01")
            found = list(due_counts(connection, rules, NOW))
            posts = list(due_posts(connection, rules, NOW))
        assert [(each.rule, each.free, each.held) for each in found] == [
            (each.rule, len(each.free), len(each.held)) for each in posts
        ]
        assert sum(each.held for each in found) == len(held)


def test_what_is_due_is_erased_with_its_rule_as_basis(archive: Path) -> None:
    with opened(archive) as connection:
        (done,) = dispose(connection, archive, [YEAR], ["a year"], "clerk", NOW)
        assert (done.kind, done.count, done.state) == ("disposal", 2, "done")
        assert done.basis == "a year: 4.1 (1 year since published)"
        assert connection.execute("SELECT count(*) FROM posts").fetchone() == (3,)
        assert dispose(connection, archive, [YEAR], ["a year"], "clerk", NOW) == []


def test_only_the_named_rules_that_erase_dispose(archive: Path) -> None:
    with opened(archive) as connection:
        review = replace(YEAR, action="review")
        assert dispose(connection, archive, [review], ["a year"], "clerk", NOW) == []
        assert dispose(connection, archive, [YEAR], ["other"], "clerk", NOW) == []
        assert connection.execute("SELECT count(*) FROM posts").fetchone() == (5,)


def test_what_is_held_stays_and_that_it_was_due_is_on_record(archive: Path) -> None:
    with opened(archive) as connection:
        place_hold(connection, "2026/17", "A claim", PostScope(posts=(1,)), "counsel", "2026-11-01")
        (found,) = due_posts(connection, [YEAR], NOW)
        assert (found.free, found.held) == ((2,), (1,))
        (done,) = dispose(connection, archive, [YEAR], ["a year"], "clerk", NOW)
        assert done.count == 1
        refused, _ = erasures(connection)
        assert (refused.kind, refused.state) == ("disposal", "refused")
        assert refused.reason == "1 post under legal hold for 2026/17"
        assert connection.execute("SELECT id FROM posts WHERE id < 3").fetchall() == [(1,)]


@pytest.mark.parametrize("step", ["carry_out", "plan_erasure"])
def test_what_was_interrupted_is_finished_by_the_next_disposal(
    archive: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    real = getattr(retention, step)

    def killed(*args: object, **named: object) -> None:
        if step == "plan_erasure":
            real(*args, **named)
        raise KilledError

    with opened(archive) as connection:
        monkeypatch.setattr(retention, step, killed)
        with pytest.raises(KilledError):
            dispose(connection, archive, [YEAR], ["a year"], "clerk", NOW)
        monkeypatch.setattr(retention, step, real)
        (done,) = dispose(connection, archive, [YEAR], ["a year"], "clerk", NOW)
        assert done.count == 2
        assert [each.state for each in erasures(connection)] == ["withdrawn", "done"]


def test_nothing_is_disposed_of_while_the_clock_is_behind_the_archive(archive: Path) -> None:
    with opened(archive) as connection, pytest.raises(UsageError, match="behind the last run"):
        dispose(connection, archive, [YEAR], ["a year"], "clerk", datetime(2020, 1, 1, tzinfo=UTC))


def test_an_account_that_nobody_knows_is_an_error(archive: Path) -> None:
    with opened(archive) as connection:
        check_accounts(connection, [replace(YEAR, accounts=("acme", "new"))], {"new"})
        with pytest.raises(UsageError, match="for acmee, which is no account"):
            check_accounts(connection, [replace(YEAR, accounts=("acmee",))], {"new"})
