"""archiver separate undoes what a rule took for one post, and nothing that an id told."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from archiver import Account, Post, timestamp
from archiver.archive.database import DATABASE
from archiver.cli.shell import Shell
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.gazette import GazetteWorld, Kiosk, gazette
from support.running import Cli

pytestmark = pytest.mark.slow


class WithoutIds(Kiosk):
    """A source that does not know the ids of the network."""

    def record_id(self, record: Any) -> str | None:
        return f"export:t:{record['created']}"

    def read(self, record: Any, account: Account) -> Post:
        post = super().read(record, account)
        return replace(post, platform_id=f"export:t:{record['created']}", aliases=())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GazetteWorld]:
    """One post through both sources, which a rule took for the same."""
    with gazette(tmp_path) as found:
        found.kiosk = WithoutIds()
        found.publish("Good morning", pictures=1)
        found.backup("paper", "kiosk")
        yield found


def separate(world: GazetteWorld, cli: Cli, *args: str) -> Result:
    config = str(world.folder / "archive.toml")
    return cli("--config", config, "separate", *args, shell=Shell(_plugins=world.plugins()))


def rows(world: GazetteWorld, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(world.folder / "archive" / DATABASE)) as connection:
        return connection.execute(sql).fetchall()


def test_posts_without_ids_are_matched_by_a_rule_that_is_named(world: GazetteWorld) -> None:
    assert rows(world, "SELECT platform_id FROM posts") == [("g:1",)]
    assert rows(world, "SELECT source, matched_by FROM post_sources ORDER BY source") == [
        ("kiosk", "time, wording and kinds of media"), ("paper", None),
    ]  # fmt: skip
    ((reason,),) = rows(world, "SELECT reason FROM events WHERE what = 'merged'")
    assert "by time, wording and kinds of media" in reason


def test_what_was_matched_is_taken_apart_for_good(world: GazetteWorld, cli: Cli) -> None:
    done = separate(world, cli, "1", "kiosk", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["new_post"] == 2
    for _ in range(2):
        world.next_night()
        assert world.backup("paper", "kiosk", full=True).exit_code == 0
    ids = [name for (name,) in rows(world, "SELECT platform_id FROM posts ORDER BY id")]
    assert ids[0] == "g:1"
    assert ids[1].startswith("export:t:")
    assert rows(world, "SELECT post_id, source FROM post_sources ORDER BY post_id") == [
        (1, "paper"), (2, "kiosk"),
    ]  # fmt: skip
    assert rows(world, "SELECT post_id FROM events WHERE what = 'separated'") == [(1,), (2,)]
    assert rows(world, "SELECT url FROM posts WHERE id = 1") == [(None,)]
    assert rows(world, "SELECT count(*) FROM attachments") == [(2,)]
    assert verify(world.folder / "archive", Scope(), "2026-11-23T00:00:00.000Z").findings == []


@pytest.mark.parametrize(
    ("post", "source", "says"),
    [("1", "paper", "its id says so"), ("1", "loops", "has not shown post 1"),
     ("99", "kiosk", "There is no post of that id")],
)  # fmt: skip
def test_what_cannot_be_undone_is_refused(
    world: GazetteWorld, cli: Cli, post: str, source: str, says: str
) -> None:
    done = separate(world, cli, post, source)
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.split())


def test_where_two_posts_match_none_is_chosen(tmp_path: Path) -> None:
    with gazette(tmp_path) as world:
        world.kiosk = WithoutIds()
        first, second = world.publish("Again"), world.publish("Again")
        second.at = timestamp(datetime.fromisoformat(first.at) + timedelta(seconds=1)) or ""
        world.publish("Something else")
        world.backup("paper", "kiosk")
        matched = """
            SELECT text FROM post_sources JOIN posts ON id = post_id WHERE matched_by IS NOT NULL
        """
        assert world.column(matched) == ["Something else"]
        assert world.column("SELECT count(*) FROM posts") == [5]
