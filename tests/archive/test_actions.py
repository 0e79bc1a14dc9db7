"""Reviews, exports and changed settings are on record, each by whom, and in the ledger."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.archive.actions import (
    actions_between,
    add_action,
    log_export,
    record_settings,
    reviews_of,
    settings_on_record,
)
from archiver.archive.database import archive_lock, reader, writer

AT, LATER = "2026-03-01T09:00:00.000Z", "2026-03-02T09:00:00.000Z"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with writer(tmp_path) as connection:
        yield connection


def happened(connection: sqlite3.Connection) -> dict[str, int]:
    """What the newest entry of the ledger says."""
    (text,) = connection.execute("SELECT entry FROM ledger ORDER BY id DESC LIMIT 1").fetchone()
    found: dict[str, int] = json.loads(text)["happened"]
    return found


def test_a_review_is_of_a_post_and_has_its_reviewer_and_note(
    connection: sqlite3.Connection,
) -> None:
    add_action(connection, "review", AT, "legal@acme", post_id=7, note="Approved")
    add_action(connection, "review", LATER, "legal@acme", post_id=8)
    (review,) = reviews_of(connection, 7)
    assert (review.at, review.actor, review.note) == (AT, "legal@acme", "Approved")
    assert happened(connection) == {"review": 1}
    (text,) = connection.execute("SELECT group_concat(entry) FROM ledger").fetchone()
    assert "Approved" not in text
    assert "legal" not in text


def test_actions_are_listed_by_kind_and_time(connection: sqlite3.Connection) -> None:
    for at in (AT, LATER):
        add_action(connection, "export", at, details={"posts": 3})
    add_action(connection, "review", AT, post_id=1)
    (found,) = actions_between(connection, "export", AT, LATER)
    assert (found.at, found.details) == (AT, {"posts": 3})


def test_settings_are_on_record_when_they_have_changed_and_only_then(
    connection: sqlite3.Connection,
) -> None:
    assert settings_on_record(connection) is None
    assert record_settings(connection, {"media.videos": "best"}, AT)
    assert not record_settings(connection, {"media.videos": "best"}, LATER)
    assert record_settings(connection, {"media.videos": "none"}, LATER)
    assert happened(connection) == {"configuration_change": 1}
    assert settings_on_record(connection) == {"media.videos": "none"}


def test_an_export_is_on_record_where_the_archive_can_be_written_to(tmp_path: Path) -> None:
    with writer(tmp_path):
        pass
    assert log_export(tmp_path, AT, "clerk", {"format": "csv"})
    with archive_lock(tmp_path):
        assert not log_export(tmp_path, LATER, "clerk", {"format": "csv"})
    with reader(tmp_path) as connection:
        (found,) = actions_between(connection, "export", "", "9")
    assert (found.actor, found.details) == ("clerk", {"format": "csv"})
