"""The history as it was known at a time."""

from pathlib import Path

import pytest

from support.nights import Nights, nights
from support.serve.serving import Asking, served

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def night_ends(lived: Nights) -> list[str]:
    """When each of the four nights was over."""
    return lived.column("SELECT finished_at FROM runs ORDER BY id")


def text_of(asking: Asking, lived: Nights, platform: str, first_text: str, as_of: str) -> str:
    """The text of the post that had this one at first."""
    (platform_id,) = lived.column(
        "SELECT DISTINCT platform_id FROM posts JOIN revisions ON post_id = posts.id "
        "WHERE platform = ? AND number = 1 AND revisions.raw LIKE ?", platform, f"%{first_text}%",
    )  # fmt: skip
    records = asking.history(platform, limit=500, asOf=as_of)["posts"]
    (record,) = (record for record in records if record["id"] == platform_id)
    text: str = record["post"]
    return text


def test_each_revision_answers_for_its_time(
    archive: Asking, lived: Nights, night_ends: list[str]
) -> None:
    texts = [text_of(archive, lived, "facebook", "Oepn on Monday", night) for night in night_ends]
    assert texts == [
        "Oepn on Monday",
        "Open on Monday",
        "Open on Monday and on Tuesday",
        "Open on Monday and on Tuesday",
    ]


def test_nothing_was_known_before_the_first_run(archive: Asking) -> None:
    assert archive.ids("facebook", asOf="2001-01-01") == []
    assert archive.history("facebook", asOf="2001-01-01")["lastUpdated"] < "2001-01-02"


def test_a_post_is_listed_until_it_was_known_as_removed(
    archive: Asking, lived: Nights, night_ends: list[str]
) -> None:
    (gone,) = lived.column("SELECT platform_id FROM posts WHERE removed_at IS NOT NULL")
    (noticed,) = lived.column("SELECT at FROM events WHERE what = 'removed'")
    there = [gone in archive.ids("twitter", asOf=night) for night in night_ends]
    assert there == [night < noticed for night in night_ends]
    assert gone in archive.ids("twitter", asOf=night_ends[-1], includeRemoved="True")


def test_a_post_is_absent_until_it_was_seen(archive: Asking, night_ends: list[str]) -> None:
    now = archive.ids("instagram", limit=3, asOf=night_ends[3])
    assert now == archive.ids("instagram")
    assert archive.ids("instagram", limit=3, asOf=night_ends[2]) == now[1:]


def test_a_day_stands_for_all_of_it(archive: Asking, night_ends: list[str]) -> None:
    day = night_ends[1][:10]
    assert (
        archive.history("facebook", limit=500, asOf=day)["posts"]
        == (archive.history("facebook", limit=500, asOf=night_ends[1])["posts"])
    )


def test_a_file_is_omitted_at_the_times_at_which_it_was(
    archive: Asking, lived: Nights, night_ends: list[str]
) -> None:
    given = []
    for night in night_ends:
        records = archive.history("instagram", limit=500, asOf=night)["posts"]
        (reel,) = (record for record in records if record["post"] == "A reel with a song")
        given.append("mediaUrl" in reel)
    assert given == [False, False, True, True]


def test_the_envelope_has_the_values_of_that_time(
    archive: Asking, lived: Nights, night_ends: list[str]
) -> None:
    looks = lived.column(
        "SELECT source_updated_at FROM run_accounts WHERE name = 'facebook' ORDER BY run_id"
    )
    shown = [archive.history("facebook", asOf=night)["lastUpdated"] for night in night_ends]
    assert shown == looks


def test_a_cursor_is_good_for_its_time_only(archive: Asking, night_ends: list[str]) -> None:
    page = archive.history("facebook", limit=3, asOf=night_ends[1])
    cursor = page["meta"]["pagination"]["next"]
    assert archive.get("history/facebook", {"next": cursor, "limit": 3}).status_code == 400


def test_what_was_known_by_its_id_only_is_served_so(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        post = world.account("instagram").populate(1)[0]
        world.settings["archive"] = 'keep_responses = "all"'
        world.extra = world.extra.rstrip() + "\nskip_analytics = true\n"
        world.backup()
        (first,) = world.column("SELECT finished_at FROM runs")
        world.extra = world.extra.replace("skip_analytics = true", "")
        world.next_night()
        world.backup(full=True)
        with served(world.directory) as asking:
            assert asking.history("instagram", asOf=first)["posts"] == [{"id": post.id}]
            assert len(asking.history("instagram")["posts"][0]) > 1
