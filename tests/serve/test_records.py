"""Records of an account in pages that stay where they are while posts come and go."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.models import Post
from archiver.serve.records import find_records
from archiver.served_records import HistoryAccount, HistoryQuery
from support.saver import POST, Saver, saving

ACCOUNT = HistoryAccount(1, "acme", "threads", None, None, None, None, "2026-03-01")
QUERY = HistoryQuery(ACCOUNT)


def post(name: str, day: int | None, **values: object) -> Post:
    at = None if day is None else f"2026-02-{day:02d}T09:00:00.000Z"
    return replace(POST, platform_id=name, created_at=at, attachments=(), **values)  # type: ignore[arg-type]  # its own


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as saver:
        saver.save(
            post("old", 1), post("twin 1", 2), post("twin 2", 2), post("new", 3),
            post("undated 1", None), post("undated 2", None), post("story", 3, kind="story"),
        )  # fmt: skip
        yield saver


ALL = ["new", "story", "twin 1", "twin 2", "old", "undated 1", "undated 2"]


def ids(saver: Saver, **values: object) -> list[str]:
    found = find_records(saver.connection, replace(QUERY, **values))  # type: ignore[arg-type]  # its own
    return [record.platform_id for record in found]


def test_the_newest_come_first_and_those_without_a_time_last(saver: Saver) -> None:
    assert ids(saver) == ALL


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_hold_every_post_once(saver: Saver, size: int) -> None:
    found: list[str] = []
    after = None
    while True:
        query = replace(QUERY, after=after)
        page = list(find_records(saver.connection, query))[:size]
        if not page:
            break
        found += [record.platform_id for record in page]
        after = page[-1].mark
    assert found == ALL


def test_a_mark_stays_good_while_posts_come_and_go(saver: Saver) -> None:
    first, second, *_ = find_records(saver.connection, QUERY)
    saver.save(post("newest", 28), post("twin 3", 2))
    saver.connection.execute("UPDATE posts SET removed_at = 'x' WHERE platform_id = 'twin 1'")
    assert ids(saver, after=second.mark) == ["twin 2", "twin 3", "old", "undated 1", "undated 2"]
    assert first.mark != second.mark


def test_since_and_until_are_inclusive_and_leave_out_what_has_no_time(saver: Saver) -> None:
    day = datetime(2026, 2, 2, 9, tzinfo=UTC)
    assert ids(saver, since=day) == ["new", "story", "twin 1", "twin 2"]
    assert ids(saver, until=day) == ["twin 1", "twin 2", "old"]
    assert ids(saver, since=day, until=day) == ["twin 1", "twin 2"]


def test_the_kind_decides_the_stream(saver: Saver) -> None:
    assert ids(saver, stream="stories") == ["story"]
    assert ids(saver, stream="posts") == [name for name in ALL if name != "story"]


def test_one_post_is_found_by_its_own_id(saver: Saver) -> None:
    assert ids(saver, platform_id="twin 2") == ["twin 2"]
    assert ids(saver, platform_id="twin") == []


def test_another_account_has_no_part_in_it(saver: Saver) -> None:
    assert ids(saver, account=replace(ACCOUNT, id=99)) == []


def test_as_of_a_time_only_what_was_seen_by_then_is_there(saver: Saver) -> None:
    saver.save(post("late", 3))
    first_night = datetime(2026, 3, 1, 22, tzinfo=UTC)
    assert ids(saver, as_of=first_night) == ALL
    assert "late" in ids(saver, as_of=datetime(2026, 3, 3, tzinfo=UTC))
    assert ids(saver, as_of=datetime(2026, 2, 28, tzinfo=UTC)) == []


def test_a_post_known_by_its_id_only_has_no_record_then(saver: Saver) -> None:
    saver.save(Post("by id", id_only=True))
    (found,) = find_records(saver.connection, replace(QUERY, platform_id="by id", as_of=NOW))
    assert found.raw is None or found.raw == '{"text": null}'


NOW = datetime(2026, 4, 1, tzinfo=UTC)
