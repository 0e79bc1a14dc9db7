"""Single films, as YouTube Studio gives them: each becomes the file of its post, or is refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import PackageError
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.imports.report import ImportReport
from archiver_ayrshare.demo.posts import WorldPost
from support.exports.importing import ImportFolder, import_now
from support.exports.packing import write_folder, write_zip
from support.exports.takeout import TakeoutVideo, TakeoutWorld
from support.media.samples import movie
from support.nights import Nights, nights

pytestmark = pytest.mark.slow

MISSING = """
    SELECT platform_id FROM missing_media JOIN posts ON posts.id = post_id WHERE role = 'original'
"""
FILES = """
    SELECT posts.platform_id, renditions.role, renditions.source, state, how,
           details ->> 'assigned_by'
      FROM renditions JOIN attachments ON attachments.id = attachment_id
      JOIN posts ON posts.id = post_id
      JOIN media_origins ON media_origins.rendition_id = renditions.id
"""


@dataclass
class Channel:
    """A channel with two videos of seven seconds, backed up: their films are behind their pages."""

    world: Nights
    talk: WorldPost
    walk: WorldPost

    def film(self, name: str, seconds: int = 7, seed: int = 0) -> Path:
        """A file as it was downloaded; `seed` makes another one of the same length."""
        return write_folder(
            self.world.folder / "downloads",
            {name: movie(units=seconds * 1000) + bytes([0, 0, 0, 9]) + b"free" + bytes([seed])},
        ) / name  # fmt: skip

    def run(self, *files: Path, **asked: Any) -> ImportReport:
        return import_now(self.world.config(), *files, clock=self.world.clock, **asked)


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with nights(tmp_path, "youtube") as world:
        account = world.account("youtube")
        found = Channel(
            world,
            account.publish("About it", title="Talk: part 1?"),
            account.publish("Outside", title="A walk"),
        )
        world.backup(full=True, now=True)
        lengths = TakeoutWorld(
            [TakeoutVideo(post.id, post.title, post.text, post.at, seconds=7)
             for post in (found.talk, found.walk)],
            channel_title=account.title,
        )  # fmt: skip
        found.run(_without_films(world, lengths, account.platform_id))
        yield found


def _without_films(world: Nights, takeout: TakeoutWorld, channel: str) -> Path:
    """A Takeout with the lengths of the videos, and without their films."""
    files = {
        name: content.replace("UC" + "a" * 22, channel)
        for name, content in takeout.files().items()
        if isinstance(content, str)
    }
    return write_zip(world.folder / "takeout.zip", files)


def test_a_film_with_the_id_of_its_post_in_its_name_becomes_its_file(channel: Channel) -> None:
    (report,) = channel.run(channel.film(f"Whatever [{channel.talk.id}].mp4", seconds=5)).packages
    assert (report.account, report.outcome, report.counts.matched_by_id) == ("youtube", "done", 1)
    found = channel.world.query(FILES)
    assert found == [(channel.talk.id, "variant", "export", "stored", "imported",
                      "the id in its name")]  # fmt: skip
    assert channel.world.column(MISSING) == [channel.walk.id]
    channel.world.next_night()
    channel.world.backup(full=True, now=True)
    assert channel.world.column(MISSING) == [channel.walk.id], "a later scan leaves it so"
    assert verify(channel.world.directory, Scope(), "2026-12-28T00:00:00.000Z").findings == []


def test_a_film_named_as_studio_names_it_is_found_by_title_and_length(channel: Channel) -> None:
    film = channel.film("Talk_ part 1_ (2).mp4")
    dry = channel.run(film, dry_run=True)
    assert dry.packages[0].counts.files_new == 1
    assert channel.world.query(FILES) == []
    for expected in (1, 0):  # a second import adds nothing
        (report,) = channel.run(film).packages
        counts = report.counts
        assert (counts.matched_by_rule, counts.files_new, counts.files_held) == (
            1, expected, 1 - expected,
        )  # fmt: skip
    assert channel.world.query(FILES) == [
        (channel.talk.id, "variant", "export", "stored", "imported", "its title and length")
    ]
    event = "SELECT reason_code, reason FROM events WHERE what = 'imported'"
    assert channel.world.query(event) == [
        ("film_assigned", "the film Talk_ part 1_ (2).mp4, by its title and length")
    ]
    package = (
        "SELECT platform, layout, name FROM packages JOIN package_parts ON package_id = packages.id"
    )
    assert ("youtube", "single videos", "Talk_ part 1_ (2).mp4") in channel.world.query(package)


@pytest.mark.parametrize(
    ("name", "seconds", "why"),
    [
        ("Something else.mp4", 7, "no post with a video has this title"),
        ("A walk.mp4", 90, "its title fits, but it is 90 s long, not 7 s"),
    ],
)
def test_a_film_that_fits_no_post_is_refused_with_what_to_do(
    channel: Channel, name: str, seconds: int, why: str
) -> None:
    with pytest.raises(PackageError, match=f"1 video cannot be given.*{why}.*Rename each") as error:
        channel.run(channel.film(name, seconds))
    assert error.value.exit_code == 2
    assert channel.world.query(FILES) == []


def test_two_posts_or_two_films_of_one_title_and_length_are_refused(channel: Channel) -> None:
    films = [channel.film("A walk.mp4", seed=1), channel.film("A walk (1).mp4", seed=2)]
    with pytest.raises(PackageError, match="2 of the files have the title and length of one post"):
        channel.run(*films)
    channel.walk.edit(title=channel.talk.title)
    channel.world.next_night()
    channel.world.backup(full=True, now=True)
    with pytest.raises(PackageError, match="2 videos have this title and length"):
        channel.run(channel.film("Talk part 1.mp4"))


def test_a_folder_of_films_is_read_and_what_fits_is_imported(channel: Channel) -> None:
    for name in ("A walk.mp4", "Holiday.mp4"):
        channel.film(name)
    report = channel.run(channel.world.folder / "downloads")
    good, bad = report.packages
    assert (good.account, good.counts.files_new) == ("youtube", 1)
    assert bad.names == ["Holiday.mp4"]
    assert "Rename each" in str(bad.error)
    assert (report.outcome, report.exit_code) == ("partial", 3)


def test_a_film_beside_a_package_is_given_to_a_post_of_that_package(tmp_path: Path) -> None:
    archive = ImportFolder(tmp_path)
    film = write_folder(tmp_path / "films", {"aaaaaaaaaa1.mp4": movie(units=61_000)})
    with pytest.raises(PackageError, match="there is no archive yet"):
        archive.run(film)
    assert not archive.directory.exists()
    video = TakeoutVideo("aaaaaaaaaa1", "Talk")
    files = {name: each for name, each in TakeoutWorld([video]).files().items()
             if isinstance(each, str)}  # fmt: skip
    package = write_zip(tmp_path / "takeout.zip", files)
    report = import_now(archive.config(), package, film / "aaaaaaaaaa1.mp4", clock=archive.clock)
    assert [each.title for each in report.packages] == [
        "a Google Takeout of YouTube", "single videos",
    ]  # fmt: skip
    assert archive.media_of("aaaaaaaaaa1") == [movie(units=61_000)]
