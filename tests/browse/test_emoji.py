"""Custom emoji stand in the texts of posts as pictures, each post with those of its account."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.database import writer
from archiver.archive.rows import update
from archiver.browse.emoji import custom_emoji
from support.browsing import browsing
from support.mastodon.nights import fedi_nights

SHOWN = '<img class="emoji" src="/archive/-/media/{}" alt=":star:" title=":star:" loading="lazy">'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with fedi_nights(tmp_path) as nights:
        address = f"{nights.origin}/custom_emojis/images/star.png"
        emoji = [{"shortcode": "star", "url": address}]
        nights.press.publish("Good :star: and :moon:", emojis=emoji)
        nights.backup()
    return tmp_path / "archive"


@pytest.mark.parametrize("path", ["timeline", "post/1"])
def test_a_text_has_its_emoji_as_pictures(folder: Path, path: str) -> None:
    with browsing(folder / "archive.db") as client:
        page = client.get(f"/archive/-/{path}").text
        with closing(sqlite3.connect(folder / "archive.db")) as connection:
            (digest,) = connection.execute(
                "SELECT media_sha256 FROM account_pictures WHERE kind = 'emoji'"
            ).fetchone()
        assert f"Good {SHOWN.format(digest)} and :moon:" in page
        assert client.get(f"/archive/-/media/{digest}").status_code == 200


def test_a_picture_that_is_not_stored_leaves_its_shortcode(folder: Path) -> None:
    with writer(folder) as connection:
        update(connection, "account_pictures", "kind = ?", ("emoji",), state="failed")
        assert custom_emoji(connection, [1]) == {}


@pytest.mark.parametrize("extra", ["{", "[]", '{"custom_emoji": 5}', '{"custom_emoji": {}}'])
def test_damaged_fields_name_no_emoji(folder: Path, extra: str) -> None:
    with writer(folder) as connection:
        update(connection, "post_sources", "post_id = ?", (1,), extra=extra)
        assert custom_emoji(connection, [1]) == {}
