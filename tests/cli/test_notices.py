"""archiver backup pings and tells, around a run."""

from pathlib import Path

import pytest

from support.receivers import Received, http_receiver
from support.running import Cli

pytestmark = pytest.mark.slow

CONFIG = """
[archive]
directory = "archive"

[health]
min_free = 0

[bluesky]
plc = "http://127.0.0.1:1"
appview = "http://127.0.0.1:1"

[notify]
on_failure = ["env:HOOK"]
ping = "env:PING"

[[accounts]]
name = "acme"
platform = "bluesky"
source = "bluesky"
handle = "did:plc:z72i7hdynmk6r22z27h6tvur"
"""


def configure(received: Received, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("archive.toml").write_text(CONFIG)
    monkeypatch.setenv("HOOK", f"json://127.0.0.1:{received.port}/hook")
    monkeypatch.setenv("PING", f"http://127.0.0.1:{received.port}/ping/check-1")


def test_a_run_that_cannot_write_is_notified_once_and_pinged_each_time(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_receiver() as received:
        configure(received, monkeypatch)
        Path("archive").write_text("a file in place of the folder")
        for _ in range(2):
            assert cli("backup").exit_code == 6
    pings = ["/ping/check-1/start", "/ping/check-1/fail"]
    assert received.paths == [*pings, "/hook", *pings]
    hook = received.messages[received.paths.index("/hook")]
    assert b"the backup did not run: the archive cannot be written or read" in hook


@pytest.mark.slow
def test_a_message_that_could_not_be_sent_is_a_warning_and_sent_the_next_time(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_receiver() as received:
        configure(received, monkeypatch)
        Path("archive").write_text("a file in place of the folder")
        received.status = 500
        done = cli("backup", "-q")
        assert done.exit_code == 6
        assert "A notification failed. Address 1 did not take the message" in done.stderr
        assert "failed_at" in Path("archive.alerts.json").read_text()
        received.status = 200
        assert "notification" not in cli("backup", "-q").stderr
        assert received.paths.count("/hook") == 2
        assert '"failed_at": null' in Path("archive.alerts.json").read_text()


@pytest.mark.slow
def test_a_config_that_becomes_unreadable_is_notified_by_the_settings_of_the_last_run(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_receiver() as received:
        configure(received, monkeypatch)
        assert cli("backup").exit_code == 4, "the source is down"
        received.clear()
        good = Path("archive.toml").read_text()
        for broken in (good.replace("[health]", "[health"), good + "wrong = 1\n"):
            Path("archive.toml").write_text(broken)
            assert cli("backup", "--due").exit_code == 2
        Path("archive.toml").unlink()
        assert cli("--config", "archive.toml", "backup").exit_code == 2
        assert received.paths.count("/ping/check-1/fail") == 3
        assert received.paths.count("/hook") == 1, "one message per cause"
        assert (
            b"the configuration is wrong (config)"
            in received.messages[received.paths.index("/hook")]
        )
        received.clear()
        Path("archive.toml").write_text(good)
        cli("backup")
        assert (
            b"Resolved: the backup did not run" in received.messages[received.paths.index("/hook")]
        )


def test_before_the_first_run_a_broken_config_is_an_error_without_a_notification(cli: Cli) -> None:
    Path("archive.toml").write_text("[archive\n")
    done = cli("backup")
    assert (done.exit_code, "archive.toml" in done.stderr) == (2, True)
    assert not Path("archive.notify.json").exists()


def test_a_dry_run_sends_no_notification(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_receiver() as received:
        configure(received, monkeypatch)
        Path("archive").write_text("a file in place of the folder")
        assert cli("backup", "--dry-run").exit_code == 4, "the source is down"
    assert received.paths == []
