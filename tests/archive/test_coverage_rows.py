"""A coverage range is written as a row, read back the same, and joined with others in one step."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.archive import coverage_rows, runs
from archiver.archive.coverage import CoverageRange, Decision
from archiver.archive.coverage_rows import coverage_ranges, save_decision, save_range
from archiver.reasons import Reason
from support.saver import Saver, saving


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as saver:
        runs.begin_run(saver.connection, "2026-03-01T00:00:00.000Z", "test", {})
        yield saver


def between(newest: str, oldest: str) -> CoverageRange:
    return CoverageRange(newest=f"2026-03-{newest}", oldest=f"2026-03-{oldest}")


def save(saver: Saver, range_: CoverageRange, stream: str = "posts") -> CoverageRange:
    save_range(saver.connection, saver.account_id, "ayrshare", stream, range_, 1)
    return range_


def ranges(saver: Saver, stream: str = "posts") -> list[CoverageRange]:
    return coverage_ranges(saver.connection, saver.account_id, "ayrshare", stream)


def test_a_range_is_read_back_as_it_was_saved(saver: Saver) -> None:
    unfinished = between("09", "07")
    unfinished.next = "cursor-1"
    unfinished.reason = Reason("source_limit", "it shows no older posts")
    finished = between("05", "01")
    finished.reached_start = True
    empty = CoverageRange(newest=None, oldest=None)
    for range_ in (finished, unfinished, empty):
        assert save(saver, range_).id
    assert ranges(saver) == [unfinished, finished, empty], "newest first"


def test_a_range_that_has_a_row_changes_that_row(saver: Saver) -> None:
    range_ = save(saver, between("05", "04"))
    range_.oldest, range_.reached_start = "2026-03-01", True
    save(saver, range_)
    assert ranges(saver) == [range_]


def test_a_reason_that_no_longer_holds_is_taken_out_with_its_code(saver: Saver) -> None:
    range_ = between("05", "04")
    range_.reason = Reason("asked_limit", "--limit was reached")
    save(saver, range_)
    range_.reason = None
    save(saver, range_)
    assert saver.rows("SELECT reason_code, reason FROM coverage") == [(None, None)]


def test_streams_and_sources_are_apart(saver: Saver) -> None:
    save(saver, between("05", "04"))
    save(saver, between("03", "02"), "stories")
    save_range(saver.connection, saver.account_id, "export", "posts", between("09", "08"), 1)
    assert [range_.newest for range_ in ranges(saver)] == ["2026-03-05"]
    assert [range_.newest for range_ in ranges(saver, "stories")] == ["2026-03-03"]


def test_ranges_that_a_page_joined_go_with_it(saver: Saver) -> None:
    newer, older = save(saver, between("09", "07")), save(saver, between("06", "01"))
    newer.oldest = older.oldest
    decision = Decision(range_=newer, merged_ids=(older.id,))
    save_decision(saver.connection, saver.account_id, "ayrshare", decision, 1)
    assert ranges(saver) == [newer]


def test_where_saving_fails_no_joined_range_is_lost(
    saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer, older = save(saver, between("09", "07")), save(saver, between("06", "01"))
    before = ranges(saver)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(coverage_rows, "update_row", fail)
    newer.oldest = older.oldest
    decision = Decision(range_=newer, merged_ids=(older.id,))
    with pytest.raises(OSError, match="No space"):
        save_decision(saver.connection, saver.account_id, "ayrshare", decision, 1)
    assert ranges(saver) == before


def test_a_page_that_changes_no_range_writes_nothing(saver: Saver) -> None:
    before = saver.connection.total_changes
    save_decision(saver.connection, saver.account_id, "ayrshare", Decision(range_=None), 1)
    assert saver.connection.total_changes == before
