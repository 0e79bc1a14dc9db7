"""Logins are listed with the time that their token is still valid."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archiver.cli.logins import KnownLogin, known_logins, logins_table
from archiver.config import load_config
from archiver.tokens import Login, Token, token_store

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LOGIN = KnownLogin(
    "press", "mastodon", "https://a.example", "press", "read", "", None, None, False, False
)


@pytest.mark.parametrize(
    ("left", "is_renewable", "words"),
    [
        (None, False, "until it is revoked"),
        (3 * 86400 + 5, False, "3 days more"),
        (7200, True, "2 hours more; renewed in time"),
        (-1, True, "no more; the next run renews it"),
        (0, False, "no more: run archiver login press"),
    ],
)
def test_the_time_left_is_written_out(left: int | None, is_renewable: bool, words: str) -> None:
    login = replace(LOGIN, seconds_left=left, is_renewable=is_renewable)
    assert words in logins_table([login])


def test_a_login_that_ends_soon_names_the_command() -> None:
    login = replace(LOGIN, seconds_left=3 * 86400, ends_soon=True)
    assert "3 days more; then run archiver login press" in logins_table([login])


def test_without_logins_there_is_no_table() -> None:
    assert logins_table([]) == ""


def test_only_logins_of_accounts_in_the_config_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "archive.toml"
    path.write_text('[[accounts]]\nname = "press"\nplatform = "mastodon"\n')
    config = load_config(path)
    warnings: list[str] = []
    store = token_store(config)
    end = (NOW + timedelta(days=1)).isoformat()
    for name in ("press", "removed from the config"):
        login = Login("https://a.example", user="press", expires_at=end)
        store.save("mastodon", name, Token(login, "t" * 40))
    (found,) = known_logins(config, NOW, warnings.append)
    assert (found.account, found.user, found.seconds_left) == ("press", "press", 86400)

    store.path.write_text("{")
    assert known_logins(config, NOW, warnings.append) == ()
    assert "damaged" in warnings[0]
