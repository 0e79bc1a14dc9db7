"""Posts that a complete scan did not show: missing, then removed, and never for another id."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive.absence import Scan, mark_absent
from archiver.archive.row_marks import RowMarks
from archiver.models import Alias
from support.saver import POST, Saver, saving

NOW = "2026-04-01T00:00:00.000Z"


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as found:
        yield found


def scan(saver: Saver, *shown: str, updated_at: str | None = None) -> tuple[int, int]:
    """How many posts a complete scan that showed these ids found missing, and removed."""
    seen = Scan("ayrshare", set(shown), floor=None, updated_at=updated_at)
    absent = mark_absent(saver.connection, saver.account_id, 1, seen, NOW)
    return absent.missing, absent.removed


def test_a_post_is_missing_at_first_and_removed_when_another_scan_agrees(saver: Saver) -> None:
    saver.save(POST)
    assert scan(saver, "p1") == (0, 0)
    assert scan(saver, updated_at="1") == (1, 0)
    assert scan(saver, updated_at="1") == (0, 0), "the same answer of the source is one scan"
    assert scan(saver, updated_at="2") == (0, 1)


def test_of_posts_whose_rows_the_scan_recognised_none_is_missing(saver: Saver) -> None:
    saver.save(POST, replace(POST, platform_id="p2"))
    seen = Scan("ayrshare", {"p1"}, floor=None, updated_at="1", recognised=RowMarks([1]))
    assert mark_absent(saver.connection, saver.account_id, 1, seen, NOW).missing == 1
    query = "SELECT post_id FROM post_sources WHERE missing_at IS NOT NULL"
    assert saver.connection.execute(query).fetchall() == [(2,)]


def test_a_scan_that_ended_early_asks_for_no_post_below_its_end(
    saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be a million of them."""
    saver.save(POST, replace(POST, platform_id="p2", created_at="2019-01-01T00:00:00.000Z"))
    asked: list[int] = []

    def unmarked(_: RowMarks, ids: Iterable[int]) -> Iterator[int]:
        asked.extend(ids)
        return iter(asked)

    monkeypatch.setattr(RowMarks, "unmarked", unmarked)
    seen = Scan("ayrshare", set(), floor="2020-01-01T00:00:00.000Z", updated_at="1")
    mark_absent(saver.connection, saver.account_id, 1, seen, NOW)
    assert asked == [1]


@pytest.mark.parametrize(("held", "shown"), [("55_66", "66"), ("66", "55_66")])
def test_a_post_that_is_shown_under_another_of_its_ids_is_not_missing(
    saver: Saver, held: str, shown: str
) -> None:
    saver.save(replace(POST, platform_id=held, aliases=(Alias("post_id", shown),)))
    assert scan(saver, shown) == (0, 0)
    assert scan(saver, "another") == (1, 0)


def test_a_post_whose_id_another_one_names_as_its_earlier_id_is_not_missing(saver: Saver) -> None:
    saver.save(replace(POST, platform_id="100"))
    saver.save(
        replace(POST, platform_id="101"),
        replace(POST, platform_id="101", aliases=(Alias("edit_history", "100"),)),
    )
    assert scan(saver, "101") == (0, 0)


def test_a_shared_file_makes_no_post_present(saver: Saver) -> None:
    saver.save(replace(POST, platform_id="1", aliases=(Alias("media_id", "2"),)))
    assert scan(saver, "2") == (1, 0)
