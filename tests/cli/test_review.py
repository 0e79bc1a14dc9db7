"""archiver review: who reviewed what, for people and programs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.actors import actor
from archiver.archive.database import reader
from support.running import Cli
from support.saver import POST, saving


@pytest.fixture
def archive(cli: Cli) -> None:
    """An archive of two posts in the current folder."""
    Path("archive.toml").write_text('[archive]\ndirectory = "archive"\n')
    with saving(Path()) as saver:
        saver.save(POST, replace(POST, platform_id="p2"))


@pytest.mark.usefixtures("archive")
def test_posts_are_marked_with_a_note_that_their_history_shows(cli: Cli) -> None:
    done = cli("review", "p1", "2", "--note", "Approved by legal")
    assert (done.exit_code, done.stdout) == (0, f"2 posts marked as reviewed by {actor()}.\n")
    shown = cli("history", "p1").stdout
    assert "Reviews:" in shown
    assert "Approved by legal" in shown
    (review,) = json.loads(cli("history", "2", "--json").stdout)["reviews"]
    assert (review["post_id"], review["actor"], review["note"]) == (2, actor(), "Approved by legal")


@pytest.mark.usefixtures("archive")
def test_one_unknown_post_and_none_is_marked(cli: Cli) -> None:
    done = cli("review", "p1", "p9", "--json")
    assert done.exit_code == 2
    with reader(Path("archive")) as connection:
        assert connection.execute("SELECT count(*) FROM actions").fetchone() == (0,)
    (review,) = json.loads(cli("review", "p1", "--json").stdout)["reviews"]
    assert review["note"] is None
