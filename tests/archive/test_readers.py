"""What `archiver status` says, from the rows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive import runs
from archiver.archive.readers import (
    Gap,
    MissingMedia,
    OmittedFile,
    SourceOutcome,
    archive_status,
    omitted_media,
)
from archiver.archive.rows import insert
from archiver.models import Attachment, Rendition
from support.saver import POST, Saver, saving


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as saver:
        yield saver


def test_an_account_is_described_by_its_rows(saver: Saver) -> None:
    saver.save(POST, replace(POST, platform_id="p2", created_at="2026-03-02T09:00:00.000Z"))
    saver.save(replace(POST, text="Edited", content={"text": "Edited"}))
    (account,) = archive_status(saver.connection).accounts
    assert (account.name, account.platform, account.handle) == ("acme", "threads", None)
    assert (account.posts, account.edits, account.removed) == (2, 1, 0)
    assert (account.oldest, account.newest) == (
        "2026-03-01T09:00:00.000Z", "2026-03-02T09:00:00.000Z",
    )  # fmt: skip
    assert (account.files, account.size, account.quarantined) == (0, 0, 0)
    assert account.missing == (MissingMedia("pending", "original", None, None, 2, None),)


def test_the_last_run_and_the_last_good_one_are_both_known(saver: Saver) -> None:
    for number, outcome in enumerate(["done", "failed"], 1):
        at = f"2026-03-0{number}T00:00:00.000Z"
        run_id = runs.begin_run(saver.connection, at, "test", {})
        runs.begin_account(saver.connection, run_id, "acme", "ayrshare", at)
        values = {"account_id": saver.account_id, "outcome": outcome, "finished_at": at}
        values |= {"message": f"it {outcome}"}
        runs.end_account(saver.connection, run_id, "acme", "ayrshare", values)
    (account,) = archive_status(saver.connection).accounts
    assert account.last_good_run == "2026-03-01T00:00:00.000Z"
    assert (account.last_outcome, account.last_message) == ("failed", "it failed")


def test_each_source_of_an_account_has_its_own_outcome(saver: Saver) -> None:
    for number, outcomes in enumerate([("done", "done"), ("failed", "done")], 1):
        at = f"2026-03-0{number}T00:00:00.000Z"
        run_id = runs.begin_run(saver.connection, at, "test", {})
        for source, outcome in zip(("ayrshare", "bluesky"), outcomes, strict=True):
            runs.begin_account(saver.connection, run_id, "acme", source, at)
            values = {"account_id": saver.account_id, "outcome": outcome, "finished_at": at}
            values |= {"message": "no credits left" if outcome == "failed" else None}
            runs.end_account(saver.connection, run_id, "acme", source, values)
    (account,) = archive_status(saver.connection).accounts
    at = "2026-03-02T00:00:00.000Z"
    assert account.sources == (
        SourceOutcome("ayrshare", "failed", "no credits left", at),
        SourceOutcome("bluesky", "done", None, at),
    )
    assert (account.last_outcome, account.last_message) == ("failed", "no credits left")


def test_coverage_says_how_far_back_and_where_a_gap_is(saver: Saver) -> None:
    run_id = runs.begin_run(saver.connection, "2026-03-09T00:00:00.000Z", "test", {})
    for newest, oldest, start in (("2026-03-05", "2026-03-04", 0), ("2026-03-02", "2026-03-01", 1)):
        insert(
            saver.connection, "coverage", account_id=saver.account_id, source="ayrshare",
            stream="posts", newest=newest, oldest=oldest, reached_start=start, run_id=run_id,
            reason_code=None if start else "source_limit", reason=None if start else "no more",
        )  # fmt: skip
    (account,) = archive_status(saver.connection).accounts
    assert (account.covered_since, account.reached_start) == ("2026-03-04", False)
    assert account.gaps == (Gap("posts", "2026-03-02", "2026-03-04", "source_limit", "no more"),)


def test_omitted_media_are_listed_with_their_posts(saver: Saver) -> None:
    reel = Attachment("video", renditions=(Rendition("original", absent="copyright"),))
    saver.save(replace(POST, url="https://threads.example/p1", attachments=(reel,)))
    assert omitted_media(saver.connection) == [
        OmittedFile("acme", POST.created_at or "", "https://threads.example/p1", "copyright")
    ]
