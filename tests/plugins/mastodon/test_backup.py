"""Accounts are backed up from a server of our own that is strict, over real HTTP."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from archiver import timestamp
from archiver.archive.database import writer
from archiver.archive.rows import update
from support.mastodon.nights import FediNights, fedi_nights
from support.mastodon.world import FediMedia, JsonObject

pytestmark = pytest.mark.slow


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[FediNights]:
    with fedi_nights(tmp_path) as nights:
        yield nights


def publish(nights: FediNights, count: int) -> None:
    for number in range(count):
        nights.clock.advance(minutes=10)
        nights.press.publish(f"Number {number}")


def requests(nights: FediNights) -> list[str]:
    """The requests since the last look, but those for media."""
    asked = [line for line in nights.world.asked if "/api/" in line]
    nights.world.asked.clear()
    return [line.rpartition("/")[2] for line in asked]


def test_a_first_backup_holds_everything(nights: FediNights) -> None:
    bob = nights.world.sign_up("bob", host="other.example")
    nights.press.publish("Look", media=[FediMedia(description="A boat")], warning="food")
    nights.press.boost(bob.publish("Theirs"))
    publish(nights, 100)
    report = nights.backup()
    assert report.exit_code == 0
    assert report.accounts[0].counts.new == 102
    assert report.accounts[0].complete
    assert nights.query("SELECT platform_id, handle, title FROM accounts") == [
        ("https://social.example/users/press", "press@social.example", "Press office")
    ]
    assert nights.column("SELECT kind FROM posts WHERE kind <> 'post'") == ["repost"]
    assert nights.column("SELECT state FROM renditions") == ["stored", "stored"]
    assert nights.column("SELECT alt_text FROM attachments") == ["A boat"]
    assert nights.column("SELECT reached_start FROM coverage") == [1]
    assert requests(nights) == ["lookup", "statuses", "statuses", "statuses"]


def test_an_unchanged_night_asks_twice_and_writes_nothing(nights: FediNights) -> None:
    publish(nights, 100)
    nights.backup()
    before = nights.query("SELECT * FROM posts")
    requests(nights)
    nights.next_night()
    report = nights.backup()
    assert (report.accounts[0].counts.new, report.accounts[0].complete) == (0, True)
    assert requests(nights) == ["lookup", "statuses"]
    assert nights.query("SELECT * FROM posts") == before


def test_a_status_that_was_deleted_is_removed_after_two_full_scans(nights: FediNights) -> None:
    status = nights.press.publish("A mistake")
    publish(nights, 60)
    nights.backup()
    status.delete()
    for expected in (0, 1):
        nights.next_night(days=8)
        nights.backup()
        removed = nights.column("SELECT removed_at FROM posts WHERE removed_at IS NOT NULL")
        assert len(removed) == expected


def test_a_scan_of_a_busy_account_keeps_within_the_quota(nights: FediNights) -> None:
    """Mastodon names the time at which the count begins anew, and no Retry-After."""
    publish(nights, 200)
    nights.world.paging_quota = 3
    report = nights.backup()
    assert report.exit_code == 0
    assert report.accounts[0].counts.new == 200
    assert nights.clock.monotonic() >= 15 * 60


def test_private_posts_need_a_login_and_private_messages_are_never_kept(
    nights: FediNights,
) -> None:
    nights.press.publish("For all")
    nights.press.publish("For followers", visibility="private")
    nights.press.publish("For one person", visibility="direct")
    nights.backup()
    assert nights.column("SELECT visibility FROM posts") == ["public"]
    nights.log_in()
    nights.next_night()
    report = nights.backup()
    assert report.exit_code == 0
    assert sorted(nights.column("SELECT visibility FROM posts")) == ["private", "public"]
    for table in ("responses", "quarantine", "posts", "revisions"):
        assert b"For one person" not in repr(nights.query(f"SELECT * FROM {table}")).encode()
    everything = b"".join(
        path.read_bytes() for path in (nights.folder / "archive").rglob("*") if path.is_file()
    )
    assert b"For one person" not in everything


def test_who_logs_out_removes_nothing(nights: FediNights) -> None:
    nights.press.publish("For all")
    nights.press.publish("For followers", visibility="private")
    nights.log_in()
    nights.backup()
    nights.store().forget("mastodon", "press")
    for _ in range(3):
        nights.next_night(days=8)
        nights.backup()
    assert nights.column("SELECT removed_at FROM posts") == [None, None]


def test_a_login_that_ended_fails_the_account_and_names_the_command(nights: FediNights) -> None:
    nights.press.publish("For followers", visibility="private")
    nights.log_in()
    nights.backup()
    nights.world.tokens.clear()
    nights.next_night(days=8)
    report = nights.backup()
    assert report.exit_code == 5
    assert "archiver login press" in str(report.accounts[0].error)
    assert nights.column("SELECT removed_at FROM posts") == [None]


def test_a_server_that_wants_a_login_says_how(nights: FediNights) -> None:
    nights.world.needs_token = True
    report = nights.backup()
    assert report.exit_code == 5
    assert "only to those who are logged in" in str(report.accounts[0].error)
    assert "archiver login press" in str(report.accounts[0].error)
    nights.log_in()
    nights.press.publish("Hello")
    assert nights.backup().exit_code == 0


def test_a_token_is_in_no_table_and_no_file_but_its_own(nights: FediNights) -> None:
    nights.press.publish("Hello")
    nights.log_in()
    nights.backup()
    (token,) = nights.world.tokens
    holders = [
        path.name
        for path in nights.folder.rglob("*")
        if path.is_file() and token.encode() in path.read_bytes()
    ]
    assert holders == ["archive.tokens.json"]


def test_a_suspended_account_removes_nothing(nights: FediNights) -> None:
    publish(nights, 3)
    nights.backup()
    nights.press.suspended = True
    nights.next_night(days=8)
    report = nights.backup()
    assert report.exit_code == 5
    assert "suspended" in str(report.accounts[0].error)
    nights.next_night(days=8)
    report = nights.backup()
    assert (report.exit_code, report.accounts[0].outcome) == (0, "away"), "it is told once"
    assert set(nights.column("SELECT removed_at FROM posts")) == {None}


def test_a_deleted_account_removes_nothing(nights: FediNights) -> None:
    publish(nights, 3)
    nights.backup()
    nights.world.accounts.clear()
    nights.next_night(days=8)
    report = nights.backup()
    assert report.exit_code == 5
    assert "does not exist any more" in str(report.accounts[0].error)
    assert set(nights.column("SELECT removed_at FROM posts")) == {None}


def test_a_handle_that_never_was_is_no_account(nights: FediNights) -> None:
    nights.world.accounts.clear()
    report = nights.backup()
    assert report.exit_code == 5
    assert "spelt right" in str(report.accounts[0].error)


def test_an_account_that_moved_is_read_where_its_posts_are(nights: FediNights) -> None:
    publish(nights, 3)
    nights.press.moved = nights.world.sign_up("press", host="new.example")
    report = nights.backup()
    assert report.accounts[0].counts.new == 3
    assert "moved to press@new.example" in " ".join(report.accounts[0].notes)


def test_that_an_account_moved_is_reported_once(nights: FediNights) -> None:
    publish(nights, 3)
    nights.press.moved = nights.world.sign_up("press", host="new.example")
    told = []
    for _ in range(3):
        told.append(len(nights.backup().accounts[0].notes))
        nights.next_night()
    nights.press.moved = nights.world.sign_up("press", host="newest.example")
    for _ in range(2):
        told.append(len(nights.backup().accounts[0].notes))
        nights.next_night()
    assert told == [1, 0, 0, 1, 0]


def test_an_edited_status_has_its_versions_with_their_dates(nights: FediNights) -> None:
    status = nights.press.publish("One")
    for text in ("Two", "Three"):
        nights.clock.advance(hours=1)
        status.edit(text)
    nights.backup()
    nights.next_night()
    status.edit("Four")
    nights.backup(full=True)
    nights.next_night()
    nights.backup(full=True)
    rows = nights.query("SELECT source_time, raw FROM revisions ORDER BY number")
    texts = [json.loads(raw)["content"] for _, raw in rows]
    assert texts == ["<p>One</p>", "<p>Two</p>", "<p>Three</p>", "<p>Four</p>"]
    times = [version["created_at"] for version in status.versions]
    assert [time for time, _ in rows] == [None, *times[1:]], "the first is as old as the post"
    assert nights.column("SELECT text FROM posts") == ["Four"]


def test_another_account_behind_the_same_handle_is_refused(nights: FediNights) -> None:
    publish(nights, 3)
    nights.backup()
    nights.press.user = "imposter"
    nights.next_night(days=8)
    report = nights.backup()
    assert report.exit_code == 5
    assert len(nights.column("SELECT id FROM posts")) == 3


@pytest.mark.parametrize("count", [3, 20, 60])
def test_a_server_that_shows_only_its_newest_posts_ends_and_removes_nothing(
    nights: FediNights, count: int
) -> None:
    nights.world.dialect = "snac"
    publish(nights, count)
    nights.backup()
    assert len(nights.column("SELECT id FROM posts")) == min(count, 20)
    publish(nights, 5)
    for _ in range(3):
        nights.next_night(days=8)
        assert nights.backup().exit_code in {0, 3}
    assert set(nights.column("SELECT removed_at FROM posts")) == {None}


def test_a_server_that_links_no_pages_is_read_to_its_start(nights: FediNights) -> None:
    nights.world.dialect = "no links"
    publish(nights, 100)
    assert nights.backup().exit_code == 0
    assert len(nights.column("SELECT id FROM posts")) == 100


def test_the_preview_of_a_link_comes_later_and_is_no_edit(nights: FediNights) -> None:
    status = nights.press.publish("Read https://www.example.org/a/long/path")
    nights.backup()
    assert nights.query("SELECT kind, platform_id FROM attachments") == [
        ("link", "https://www.example.org/a/long/path")
    ]
    assert nights.column("SELECT state FROM renditions") == []
    picture = f"{nights.world.origin}/cache/preview_cards/images/1/original/a.png"
    status.fields = {"card": {"url": status.text[5:], "title": "A page", "image": picture}}
    for _ in range(2):
        nights.next_night()
        report = nights.backup(full=True)
        assert (report.exit_code, report.counts.edited) == (0, 0)
        assert nights.query("SELECT role, state FROM renditions") == [("preview", "stored")]
    assert nights.column("SELECT count(*) FROM revisions") == [1]
    assert not any("example.org/a" in line for line in nights.world.asked)


def test_votes_are_numbers_and_no_edits(nights: FediNights) -> None:
    status = nights.press.publish("Which?", poll=["This", "That"])
    nights.backup()
    status.counts["option This"] = 4
    nights.next_night()
    report = nights.backup()
    assert report.accounts[0].counts.edited == 0
    assert nights.column("SELECT value FROM metrics WHERE name = 'poll.option_1'") == [0, 4]


def test_a_run_says_that_a_login_ends_soon_where_nothing_renews_it(nights: FediNights) -> None:
    nights.press.publish("For followers", visibility="private")
    nights.log_in()
    token = nights.store().load("mastodon", "press")
    assert token is not None
    notes = []
    for days in (30, 13):
        end = timestamp(nights.clock.now() + timedelta(days=days))
        login = replace(token.login, expires_at=end, is_renewable=False)
        nights.store().save("mastodon", "press", replace(token, login=login))
        notes.append(" ".join(nights.backup().accounts[0].notes))
    assert "archiver login" not in notes[0]
    assert "cannot be renewed. Run: archiver login press" in notes[1]


def test_a_token_near_its_end_is_renewed_by_the_run(nights: FediNights) -> None:
    nights.press.publish("For followers", visibility="private")
    nights.world.token_life = timedelta(days=30)
    nights.log_in()
    for _ in range(12):
        assert nights.backup().exit_code == 0
        nights.next_night(days=7)
    assert nights.column("SELECT removed_at FROM posts") == [None]
    ((_, login),) = nights.store().logins().items()
    assert (login.expires_at or "") > "2026-05-20"


def emoji(nights: FediNights, *names: str) -> list[JsonObject]:
    address = f"{nights.origin}/custom_emojis/images"
    return [{"shortcode": name, "url": f"{address}/{name}.png"} for name in names]


def test_custom_emoji_are_fetched_once_for_all_posts(nights: FediNights) -> None:
    nights.press.publish("Good :star:", emojis=emoji(nights, "star"))
    nights.press.publish("A :star: and a :cat:", emojis=emoji(nights, "star", "cat"))
    nights.press.boost(nights.world.sign_up("bob").publish("x", emojis=emoji(nights, "bobs")))
    nights.backup()
    nights.next_night()
    nights.backup(full=True)
    asked = [line for line in nights.world.asked if "/custom_emojis/" in line]
    assert sorted(line.rpartition("/")[2] for line in asked) == ["cat.png", "star.png"]
    stored = "SELECT state FROM account_pictures WHERE kind = 'emoji'"
    assert nights.column(stored) == ["stored", "stored"]


def test_emoji_of_posts_that_an_older_version_read_come_with_a_full_scan(
    nights: FediNights, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights.press.publish("Good :star:", emojis=emoji(nights, "star"))
    with monkeypatch.context() as older:
        older.setattr("archiver.archive.post_rows.queue_emoji", lambda *_: None)
        nights.backup()
    with writer(nights.folder / "archive") as connection:
        update(connection, "post_sources", "post_id = ?", (1,), reader=b"older")
    nights.next_night()
    report = nights.backup(full=True)
    assert report.counts.edited == 0
    assert nights.column("SELECT state FROM account_pictures WHERE kind = 'emoji'") == ["stored"]
