"""A title that YouTube puts in place of a video's own says who may see it, and is no edit."""

from functools import partial
from pathlib import Path

import pytest

from archiver_ayrshare.demo.networks.base import JsonObject
from archiver_ayrshare.demo.posts import WorldPost
from support.nights import Nights, nights, rewrite

VISIBLE = "SELECT title, visibility, edited_at, removed_at FROM posts"


def hide(title: str, _post: WorldPost, record: JsonObject) -> None:
    """Write a record as YouTube does of a video that is private or was deleted."""
    record["title"] = title
    for name in ("post", "description", "thumbnailUrl", "privacyStatus", "visibility"):
        record.pop(name, None)


def look(world: Nights) -> None:
    report = world.backup(full=True, now=True)
    assert (report.exit_code, report.counts.edited, report.counts.removed) == (0, 0, 0)
    world.next_night()


@pytest.mark.parametrize(
    ("placeholder", "visibility"), [("Private video", "private"), ("Deleted video", "removed")]
)
def test_a_video_that_is_hidden_for_some_nights_keeps_its_title(
    tmp_path: Path, placeholder: str, visibility: str
) -> None:
    with nights(tmp_path, "youtube") as world:
        world.cache = None
        account = world.account("youtube")
        account.publish("How bowls are made", title="Bowls")
        look(world)
        ((title, public, *_),) = world.query(VISIBLE)
        assert (title, public) == ("Bowls", "public")
        shown = account.network

        rewrite(account, partial(hide, placeholder))
        for _ in range(3):
            look(world)
            assert world.query(VISIBLE) == [("Bowls", visibility, None, None)]
        found = "SELECT count(*) FROM posts_fts WHERE posts_fts MATCH ?"
        assert world.column(found, "bowls") == [1]

        account.network = shown
        for _ in range(2):
            look(world)
            assert world.query(VISIBLE) == [("Bowls", "public", None, None)]
        assert world.query("SELECT what, reason FROM events") == [
            ("seen", None), ("visibility_changed", f"public → {visibility}"),
            ("visibility_changed", f"{visibility} → public"),
        ]  # fmt: skip
        assert world.column("SELECT number FROM revisions") == [1]


def test_a_title_that_a_video_had_from_the_first_night_is_kept(tmp_path: Path) -> None:
    with nights(tmp_path, "youtube") as world:
        world.cache = None
        world.account("youtube").publish("Not for everybody", title="Private video")
        for _ in range(3):
            look(world)
            assert world.column("SELECT title FROM posts") == ["Private video"]
        assert world.column("SELECT what FROM events") == ["seen"]
