"""Served and backed up again, an archive is the same archive."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from support.nights import PLATFORMS, Nights
from support.serve.serving import TOKEN, Asking, served

pytestmark = pytest.mark.slow

NEWEST = "(SELECT max(number) FROM revisions WHERE post_id = posts.id)"
POSTS = "posts JOIN accounts ON accounts.id = posts.account_id"
OF_POSTS = f"JOIN {POSTS.replace('posts JOIN', 'posts ON posts.id = post_id JOIN')}"
SHOWN = "removed_at IS NULL"

EQUAL = {
    "accounts": "SELECT name, platform, platform_id, handle, title, url FROM accounts",
    "posts": f"""
        SELECT name, posts.platform, posts.platform_id, created_at, text, posts.title, posts.url,
               kind, visibility, author, alt_texts FROM {POSTS} WHERE {SHOWN}
    """,
    "contents": f"""
        SELECT name, posts.platform_id, content_version, content_sha256
          FROM revisions {OF_POSTS} WHERE {SHOWN} AND number = {NEWEST}
    """,
    "attachments": f"""
        SELECT name, posts.platform_id, position, key, attachments.kind, attachments.platform_id,
               alt_text, width, height, duration_ms, omitted
          FROM attachments {OF_POSTS} WHERE {SHOWN} AND last_revision = {NEWEST}
    """,
    "renditions": f"""
        SELECT name, posts.platform_id, key, role, media_key, state, reason_code, media_sha256
          FROM renditions JOIN attachments ON attachments.id = attachment_id {OF_POSTS}
         WHERE {SHOWN} AND last_revision = {NEWEST}
    """,
    "relations": f"""
        SELECT name, posts.platform_id, relations.kind, relations.platform_id, relations.url
          FROM relations {OF_POSTS} WHERE {SHOWN}
    """,
}
"""What is compared, as far as posts are not gone."""

ALIASES = f"SELECT name, posts.platform_id, scheme, value FROM post_aliases {OF_POSTS}"

REPLAYED = {
    "posts": f"""
        SELECT name, posts.platform_id, text, removed_at IS NOT NULL FROM {POSTS}
    """,
    "revisions": f"""
        SELECT name, posts.platform_id, number, content_sha256 FROM revisions {OF_POSTS}
    """,
    "aliases": ALIASES,
    "media": "SELECT sha256, path, size, content_type, width, height, duration_ms FROM media",
}
"""What is equal besides, when the archive was served as of each of its nights."""


class Second(Nights):
    """An archive that is made from a served one."""

    def __init__(self, folder: Path, source: Nights) -> None:
        super().__init__(folder, PLATFORMS)
        folder.mkdir()
        self.clock = source.clock
        self.api_key = TOKEN

    def backup_from(self, asking: Asking, **asked: Any) -> None:
        self.base_url = asking.base_url
        report = self.backup(**asked)
        assert report.exit_code == 0, report


def rows(world: Nights, query: str) -> Sequence[tuple[Any, ...]]:
    return sorted(world.query(query), key=repr)


@pytest.fixture(scope="module")
def second(lived: Nights, tmp_path_factory: pytest.TempPathFactory) -> Second:
    second = Second(tmp_path_factory.mktemp("round") / "trip", lived)
    with served(lived.directory, media=True) as asking:
        second.backup_from(asking)
    return second


@pytest.fixture(scope="module")
def replayed(lived: Nights, tmp_path_factory: pytest.TempPathFactory) -> Second:
    replayed = Second(tmp_path_factory.mktemp("round") / "replay", lived)
    for night in lived.column("SELECT finished_at FROM runs ORDER BY id"):
        as_of = datetime.fromisoformat(night)
        with served(lived.directory, media=True, as_of=as_of) as asking:
            replayed.backup_from(asking, full=True, now=True)
    return replayed


@pytest.mark.parametrize("what", EQUAL)
def test_an_archive_made_from_a_served_one_is_equal(
    second: Second, lived: Nights, what: str
) -> None:
    expected = rows(lived, EQUAL[what])
    assert expected
    assert rows(second, EQUAL[what]) == expected


def test_only_aliases_of_earlier_contents_are_left_behind(second: Second, lived: Nights) -> None:
    past = set(rows(lived, ALIASES)) - set(rows(second, ALIASES))
    edited = lived.column("SELECT platform_id FROM posts JOIN revisions ON post_id = posts.id "
                          "WHERE number > 1")  # fmt: skip
    gone = lived.column("SELECT platform_id FROM posts WHERE removed_at IS NOT NULL")
    assert set(rows(second, ALIASES)) <= set(rows(lived, ALIASES))
    assert {platform_id for _, platform_id, _, _ in past} <= {*edited, *gone}


def test_what_is_omitted_stays_omitted(second: Second, lived: Nights) -> None:
    query = f"SELECT count(*) FROM attachments {OF_POSTS} WHERE omitted AND {SHOWN}"
    (count,) = lived.column(query)
    assert count > 0
    assert second.column(query) == [count]


def test_every_file_came_from_the_served_archive(second: Second, lived: Nights) -> None:
    addresses = second.column("SELECT url FROM renditions WHERE state = 'stored'")
    assert addresses
    assert all("?archived=" in address for address in addresses)


@pytest.mark.parametrize("what", REPLAYED)
def test_served_night_by_night_it_is_equal_in_its_history_too(
    replayed: Second, lived: Nights, what: str
) -> None:
    expected = rows(lived, REPLAYED[what])
    assert expected
    assert rows(replayed, REPLAYED[what]) == expected


def test_a_second_backup_of_the_same_state_changes_nothing(second: Second, lived: Nights) -> None:
    tables = ("posts", "revisions", "attachments", "renditions", "events", "metrics", "media")
    before = second.dump(*tables)
    with served(lived.directory, media=True) as asking:
        second.backup_from(asking, now=True, full=True)
    assert second.dump(*tables) == before
