"""An archive with something of everything that a report says."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive import runs
from archiver.archive.actions import add_action, record_settings
from archiver.archive.checkpoints import add_checkpoint
from archiver.archive.rows import insert
from archiver.archive.runs import Counts
from archiver.unattended.care_log import CareEntry, add_care
from support.saver import POST, saving

NIGHT = "2026-03-0{}T21:00:00.000Z"


@pytest.fixture
def audited(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Two posts, an edit, a gap, a failed run, a verify, a review, an export, changed settings."""
    with saving(tmp_path) as saver:
        connection = saver.connection
        later = replace(POST, platform_id="p2", created_at="2026-03-20T09:00:00.000Z", text="Later")
        saver.save(POST, later)
        saver.save(replace(POST, text="Good <morning>", content={"text": "Good <morning>"}), later)
        account = {"account_id": saver.account_id, "source": "ayrshare", "run_id": 2}
        for oldest, newest, reason in (
            ("2026-03-15", "2026-03-20", "the source gives no more than 100 posts"),
            ("2026-02-01", "2026-03-01", None),
        ):
            insert(
                connection, "coverage", stream="posts", oldest=f"{oldest}T09:00:00.000Z",
                newest=f"{newest}T09:00:00.000Z", reached_start=reason is None, reason=reason,
                reason_code="source_limit" if reason else None, **account,
            )  # fmt: skip
        failed = runs.begin_run(connection, NIGHT.format(3), "test", {}, "nightly@records")
        runs.begin_account(connection, failed, "acme", "ayrshare", NIGHT.format(3))
        runs.end_account(
            connection, failed, "acme", "ayrshare",
            {"account_id": saver.account_id, "outcome": "failed", "error_code": "down", "got": 7,
             "message": "The source answered with status 503"},
        )  # fmt: skip
        runs.end_run(
            connection, failed, NIGHT.format(3), outcome="failed", exit_code=4, received=0,
            accounts={("acme", "ayrshare"): Counts()},
        )  # fmt: skip
        for night, videos in ((1, "best"), (2, "none")):
            record_settings(connection, {"media.videos": videos}, NIGHT.format(night), "clerk")
        add_care(connection, CareEntry("verify", NIGHT.format(3), "damaged", 9, 90, 2))
        add_action(connection, "review", NIGHT.format(3), "legal", post_id=1, note="<Approved>")
        add_action(
            connection, "export", NIGHT.format(4), "clerk",
            details={"format": "csv", "selection": "acme", "posts": 2, "manifest_sha256": "ab12"},
        )  # fmt: skip
        insert(connection, "accounts", name="other", platform="threads", first_seen_at="2026")
        add_checkpoint(connection, NIGHT.format(4), failed)
        yield connection
