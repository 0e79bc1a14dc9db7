"""Accounts are backed up from servers that others made."""

import threading
from pathlib import Path

import httpx
import pytest

from archiver.clock import SystemClock
from archiver.tokens import Login, Token
from support.mastodon.nights import AccountNights
from support.mastodon.peers import MOCK_TOKEN, mastodon_mock, snac
from support.media.samples import picture
from support.running import Cli

pytestmark = pytest.mark.peers


def test_mastodon_mock_is_read_to_its_start(tmp_path: Path) -> None:
    with mastodon_mock(tmp_path) as server:
        boat = server.upload(picture("JPEG"), "A boat")
        server.publish("Look https://example.org/a", media_ids=[boat], spoiler_text="boats")
        ids = [server.publish(f"Number {number}")["id"] for number in range(84)]
        for number in range(10):
            server.publish(f"For followers {number}", visibility="private")
        origin = server.origin
        nights = AccountNights(
            tmp_path, f"testuser@{origin.removeprefix('http://')}", origin, SystemClock()
        )
        report = nights.backup()
        assert report.exit_code == 0, report.accounts[0].error
        assert list(report.accounts[0].unmapped_paths) == []
        assert report.accounts[0].counts.new == 85
        assert nights.column("SELECT reached_start FROM coverage") == [1]
        assert "stored" in nights.column("SELECT state FROM renditions WHERE role = 'original'")
        assert nights.column("SELECT alt_text FROM attachments") == ["A boat"]
        assert "Look https://example.org/a" in nights.column("SELECT text FROM posts")

        nights.store().save("mastodon", "press", Token(Login(origin, user="testuser"), MOCK_TOKEN))
        assert nights.backup().accounts[0].counts.new == 10

        server.edit(ids[-1], "Edited")
        server.delete(ids[0])
        report = nights.backup(full=True)
        assert report.accounts[0].counts.edited == 1
        nights.backup(full=True)
        removed = "SELECT platform_id FROM posts WHERE removed_at IS NOT NULL"
        assert nights.column(removed) == [ids[0]]


def test_a_login_at_mastodon_mock_brings_a_token(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its page has a button for each account; the browser presses the first."""
    pressing: list[threading.Thread] = []

    def press_the_button(url: str) -> int:
        asked = httpx.URL(url)
        form = {**asked.params, "username": "testuser"}
        page = f"{asked.scheme}://{asked.netloc.decode()}/oauth/authorize"
        sent = {"data": form, "follow_redirects": True}
        pressing.append(threading.Thread(target=httpx.post, args=(page,), kwargs=sent))
        pressing[0].start()
        return 0

    with mastodon_mock(tmp_path) as server:
        server.publish("For followers", visibility="private")
        host = server.origin.removeprefix("http://")
        nights = AccountNights(Path(), f"testuser@{host}", server.origin, SystemClock())
        nights.config()
        monkeypatch.setenv("DISPLAY", ":0")
        monkeypatch.setattr("click.launch", press_the_button)
        done = cli("login", "press")
        pressing[0].join(60)
        assert done.exit_code == 0, done.stderr
        assert "as testuser" in done.stdout
        assert nights.backup().accounts[0].counts.new == 1
        assert cli("login", "press", "--forget").exit_code == 0
        assert nights.store().logins() == {}


def test_snac_shows_its_newest_posts_and_that_is_said(tmp_path: Path) -> None:
    server = snac(tmp_path)
    nights = AccountNights(tmp_path, f"press@localhost:{server.port}", server.origin, SystemClock())
    boat = tmp_path / "boat.jpg"
    boat.write_bytes(picture("JPEG"))
    for number in range(270):
        server.publish(f"Number {number}")
    server.publish("Look https://example.org/a", boat)
    with server.running():
        report = nights.backup()
    assert report.exit_code == 3
    assert list(report.accounts[0].unmapped_paths) == []
    assert "the server shows only its newest 256 posts" in " ".join(report.accounts[0].warnings)
    assert len(nights.column("SELECT id FROM posts")) == 256
    assert "Look https://example.org/a" in nights.column("SELECT text FROM posts")
    assert "stored" in nights.column("SELECT state FROM renditions WHERE role = 'original'")

    for number in range(10):
        server.publish(f"Later {number}")
    with server.running():
        for _ in range(3):
            assert nights.backup(full=True).accounts[0].error is None
    assert len(nights.column("SELECT id FROM posts")) == 266
    assert set(nights.column("SELECT removed_at FROM posts")) == {None}
