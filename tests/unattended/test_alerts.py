"""An alert that was sent is sent again only when it changes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archiver.errors import StorageError
from archiver.models import time_text
from archiver.unattended.alerts import (
    SentAlerts,
    alerts_path,
    load_sent_alerts,
    message_of,
    save_sent_alerts,
)
from archiver.unattended.health import Concern, Severity

NOW = datetime(2026, 3, 3, tzinfo=UTC)
LATE = Concern("late:acme", Severity.WARNING, "acme had its last good run 3 days ago")
LATER = Concern("late:acme", Severity.WARNING, "acme had its last good run 4 days ago")
WORSE = Concern("late:acme", Severity.CRITICAL, "acme had its last good run 5 days ago")
DAMAGE = Concern("damage:verify", Severity.CRITICAL, "verify found 1 integrity error", "1")


def test_a_concern_is_new_once_and_again_when_it_gets_worse() -> None:
    sent = SentAlerts()
    assert sent.new_among([LATE]) == [LATE.text]
    sent.mark_sent([LATE], {})
    assert sent.new_among([LATER]) == [], "an age is no change"
    assert sent.new_among([WORSE, DAMAGE]) == [WORSE.text, DAMAGE.text]


def test_what_is_over_is_known_from_what_was_reported() -> None:
    sent = SentAlerts()
    sent.mark_sent([LATE, DAMAGE], {})
    over = sent.over_without([DAMAGE])
    assert over == {"late:acme": LATE.text}
    sent.mark_sent([DAMAGE], over)
    assert sent.over_without([DAMAGE]) == {}


def test_it_is_kept_in_a_private_file_beside_the_config(tmp_path: Path) -> None:
    path = alerts_path(tmp_path / "archive.toml")
    assert path == tmp_path / "archive.alerts.json"
    sent = SentAlerts(digest_at=time_text(NOW), events=["acme: 1 post removed"], failed_at="x")
    sent.causes["late:acme"] = (LATE.state, LATE.text)
    save_sent_alerts(path, sent)
    assert load_sent_alerts(path) == sent
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "[]", '{"causes": 1}', '{"causes": {"a": {}}}', "\x00"])
def test_a_damaged_file_counts_as_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "archive.alerts.json"
    path.write_text(text)
    assert load_sent_alerts(path) == SentAlerts()


def test_where_it_cannot_be_kept_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        save_sent_alerts(tmp_path / "none" / "archive.alerts.json", SentAlerts())


def test_a_digest_is_due_each_week_and_after_a_wrong_clock() -> None:
    assert SentAlerts().is_digest_due(NOW)
    sent = SentAlerts(digest_at=time_text(NOW))
    assert not sent.is_digest_due(NOW + timedelta(days=6))
    assert sent.is_digest_due(NOW + timedelta(days=7))
    assert sent.is_digest_due(NOW - timedelta(days=300))


def test_all_that_is_new_is_in_one_message() -> None:
    title, text = message_of([LATE.text], [DAMAGE.text], ["acme: 2 posts removed"])
    assert title == "Social media backup: 1 to look at, 1 resolved, 1 new"
    assert text.splitlines() == [
        f"{LATE.text}.", f"Resolved: {DAMAGE.text}.", "acme: 2 posts removed.",
    ]  # fmt: skip
