"""What is said before a resolver is used: settings that do nothing, tools that are old."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from archiver.backup.resolver_notices import PROXY_NOTICE, resolver_notices
from archiver.config import load_config
from archiver_ytdlp import installed
from archiver_ytdlp.resolver import YtDlp

NOW = datetime(2026, 11, 28, tzinfo=UTC)
UPDATE = "pip install --upgrade 'yt-dlp[default]'"


def said(folder: Path, *accounts: str, head: str = "") -> list[tuple[str, str]]:
    """The notices of a config with accounts on TikTok, each with these lines."""
    entries = (
        f'[[accounts]]\nname = "a{number}"\nplatform = "tiktok"\nsource = "ayrshare"\n{lines}\n'
        for number, lines in enumerate(accounts)
    )
    path = folder / "archive.toml"
    path.write_text("\n".join([head, *entries]))
    return resolver_notices(load_config(path), [YtDlp()], NOW)


RESOLVE = '[media]\nresolve = ["tiktok"]'


@pytest.fixture(autouse=True)
def current(monkeypatch: pytest.MonkeyPatch) -> None:
    """A yt-dlp of last week."""
    monkeypatch.setattr(installed, "installed_version", lambda: "2026.11.21")


def test_where_all_is_well_or_nothing_is_wanted_nothing_is_said(tmp_path: Path) -> None:
    assert said(tmp_path, "") == []
    assert said(tmp_path, "own = true", "", head=RESOLVE) == []


def test_one_of_the_two_settings_alone_is_named(tmp_path: Path) -> None:
    text = 'own = true has no effect: resolve in [media] does not list "tiktok"'
    assert said(tmp_path, "own = true", "") == [("a0", text)]
    text = 'resolve in [media] lists "tiktok", and no account of it has own = true'
    assert said(tmp_path, "", head=RESOLVE) == [("a0", text)]


def test_videos_that_nobody_wants_are_not_resolved(tmp_path: Path) -> None:
    text = 'resolve in [media] has no effect: videos = "none" wants no video'
    assert said(tmp_path, "own = true", head=f'{RESOLVE}\nvideos = "none"') == [("a0", text)]


def test_a_proxy_which_no_resolver_uses_is_named(tmp_path: Path) -> None:
    head = f'{RESOLVE}\n[network]\nproxy = "http://proxy.example:3128"'
    assert said(tmp_path, "own = true", head=head) == [("a0", PROXY_NOTICE)]


@pytest.mark.parametrize(
    ("version", "notice"),
    [
        ("2026.9.29", None),
        ("2026.9.28", "yt-dlp 2026.9.28 is 61 days old"),
        ("2026.9.28.232933", "yt-dlp 2026.9.28.232933 is 61 days old"),
        ("2026.7.3", "yt-dlp 2026.7.3 is older than 2026.7.4"),
        ("2026.99", None),
    ],
)
def test_an_old_version_is_named_with_the_line_that_updates_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, notice: str | None
) -> None:
    monkeypatch.setattr(installed, "installed_version", lambda: version)
    found = said(tmp_path, "own = true", head=RESOLVE)
    assert [text.partition(notice or "-")[1] for _, text in found] == ([notice] if notice else [])
    assert all(text.endswith(UPDATE) for _, text in found)


def test_a_missing_tool_and_a_missing_runtime_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "runtime", lambda: None)
    assert "deno" in (installed.notice("youtube", date(2026, 11, 28)) or "")
    monkeypatch.setattr(installed, "installed_version", lambda: None)
    ((_, text),) = said(tmp_path, "own = true", head=RESOLVE)
    assert "pip install 'social-archiver[ytdlp]'" in text


def test_a_bug_of_a_resolver_is_said_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(YtDlp, "notice", fails)
    ((_, text),) = said(tmp_path, "own = true", head=RESOLVE)
    assert text == "A bug in the resolver ytdlp: ZeroDivisionError: by zero"
