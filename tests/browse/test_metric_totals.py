"""Sums of metrics, the best posts, and what moved since last week."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.browse import metric_totals
from archiver.browse.metric_totals import ACCOUNTS, BEST, METRICS, KeptTotals, MetricChange, count
from archiver.models import Metric, Post
from support.saver import POST, saving

LATER = datetime(2026, 3, 10, tzinfo=UTC)


def post(number: int, likes: float, **metrics: float) -> Post:
    found = [Metric("likes", likes), *(Metric(name, value) for name, value in metrics.items())]
    return replace(POST, platform_id=f"p{number}", metrics=tuple(found), attachments=())


def test_sums_are_of_the_newest_values(tmp_path: Path) -> None:
    with saving(tmp_path) as saver:
        saver.save(post(1, 3, views=0.5), post(2, 10))
        saver.save(post(1, 5, views=1.5))
        totals = count(saver.connection, LATER)
    key = (saver.account_id, "likes")
    assert (totals.sums[key], totals.posts[key]) == (15, 2)
    assert totals.sums[saver.account_id, "views"] == 1.5
    assert totals.best_posts([saver.account_id], "likes") == [(2, 10), (1, 5)]
    assert totals.best_posts([], "likes") == []


def test_what_moved_is_compared_with_the_value_of_a_week_ago(tmp_path: Path) -> None:
    with saving(tmp_path) as saver:  # the first night is 1 March, the second 2 March, …
        saver.save(post(1, 3), post(2, 10), post(3, 7))
        saver.save(post(1, 4))
        saver.night = 6
        saver.save(post(1, 9), post(2, 6), post(4, 100))
        totals = count(saver.connection, LATER)
    moved = totals.most_moved([saver.account_id], "likes")
    assert moved == [MetricChange(1, 4, 9), MetricChange(2, 10, 6)]
    assert totals.sums_before[saver.account_id, "likes"] == 4 + 10 + 7
    assert totals.since == "2026-03-03T00:00:00.000Z"


def test_only_the_first_are_kept_however_many_there_are(tmp_path: Path) -> None:
    with saving(tmp_path) as saver:
        saver.save(*[post(number, number) for number in range(300)])
        saver.night = 6
        saver.save(*[post(number, number * 2) for number in range(300)])
        totals = count(saver.connection, LATER)
    best = totals.best_posts([saver.account_id], "likes")
    assert [value for _, value in best] == [2 * number for number in range(299, 299 - BEST, -1)]
    moved = totals.most_moved([saver.account_id], "likes")
    assert [one.now - one.before for one in moved] == list(range(299, 299 - BEST, -1))


def test_values_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    with saving(tmp_path) as saver:
        saver.save(post(1, 3))
        saver.connection.execute("UPDATE metrics SET value = 'many'")
        assert not count(saver.connection, LATER).posts


def test_counting_sorts_nothing_and_reads_no_post(tmp_path: Path) -> None:
    with saving(tmp_path) as saver:
        plans = [
            " ".join(row[3] for row in saver.connection.execute(f"EXPLAIN QUERY PLAN {query}"))
            for query in (METRICS, ACCOUNTS)
        ]
    assert "TEMP B-TREE" not in plans[0]
    assert "COVERING INDEX" in plans[1]


@contextmanager
def connected(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    address = f"{(tmp_path / 'archive' / 'archive.db').as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as connection:
        yield connection


def test_they_are_counted_again_behind_the_page_after_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_totals, "_SHARE", 0)
    kept = KeptTotals()
    with saving(tmp_path) as saver, connected(tmp_path) as connection:
        saver.save(post(1, 3))
        key = (saver.account_id, "likes")

        def total() -> float:
            return kept.get(connection, lambda: connected(tmp_path)).sums[key]

        assert total() == 3
        saver.save(post(1, 8))
        assert total() == 3
        assert kept._counting
        kept._counting.join()
        assert total() == 8
        assert total() == 8
        assert (kept._counting is None) or not kept._counting.is_alive()
