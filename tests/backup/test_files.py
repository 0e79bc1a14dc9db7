"""Pictures and videos: which are fetched, from where, how often, and what is said of the others."""

from pathlib import Path
from typing import Any

import pytest

from archiver.media.download import Download, Downloader
from archiver_ayrshare.demo.specs import photo, video
from support.nights import Nights, nights

pytestmark = pytest.mark.slow


def renditions(world: Nights, platform_id: str) -> list[tuple[str, str, str | None]]:
    """Role, state and reason of everything that is attached to a post."""
    return world.query(
        "SELECT role, state, reason FROM renditions JOIN attachments ON attachments.id = "
        "attachment_id JOIN posts ON posts.id = post_id WHERE posts.platform_id = ? "
        "ORDER BY position, role, coalesce(bitrate, 0)",
        platform_id,
    )


def test_the_best_of_three_bitrates_is_fetched_and_the_others_are_known(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        post = world.account("twitter").publish("A film", media=[video()])
        world.backup()
        assert renditions(world, post.id) == [
            ("original", "stored", None),
            ("preview", "stored", None),
            ("variant", "skipped", "playlist"),
            ("variant", "skipped", "videos=best"),
            ("variant", "skipped", "videos=best"),
        ]
        assert world.column("SELECT max(bitrate) FROM renditions") == world.column(
            "SELECT bitrate FROM renditions WHERE role = 'original'"
        )

        world.settings["media"] = 'videos = "all"'
        world.next_night()
        report = world.backup()

        assert report.counts.stored == 2
        assert [state for _, state, _ in renditions(world, post.id)].count("stored") == 4


def test_one_picture_published_twice_is_one_file(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram", "threads") as world:
        for platform in world.platforms:
            world.account(platform).publish("Twice", media=[photo("the same")])
        world.backup()
        stored = world.column("SELECT media_sha256 FROM renditions WHERE state = 'stored'")
        assert len(stored) > len(set(stored)) == world.column("SELECT count(*) FROM media")[0]


def test_an_expired_address_is_requested_again(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        world.account("instagram").populate(5)
        world.backup(media=False)
        world.clock.advance(days=30)
        world.account("instagram").linked = True
        world.clear_logs()
        world.fail("instagram", status=500, times=3, when=lambda query: query.limit == 100)

        report = world.backup()

        assert report.counts.failed == 0
        assert world.column("SELECT count(*) FROM renditions WHERE state = 'pending'") == [0]
        assert all(log.status == 200 for log in world.media_requests)


def test_a_revoked_signature_is_renewed_once(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        world.account("instagram").publish("Later", media=[photo()])
        world.cache = None
        world.backup(media=False)
        world.rotate(revoke=True)
        world.fail("instagram", status=400, times=1, when=lambda query: query.limit == 100)

        report = world.backup(now=True)

        assert report.counts.failed == 0
        assert {log.status for log in world.media_requests} == {403, 200}


def test_a_missing_picture_is_tried_on_three_days_and_is_gone_then(tmp_path: Path) -> None:
    with nights(tmp_path, "linkedin") as world:
        post = world.account("linkedin").publish("Gone", media=[photo()])
        post.lose_media()
        exit_codes, requests = [], []
        for _ in range(5):
            world.clear_logs()
            exit_codes.append(world.backup().exit_code)
            requests.append(len(world.media_requests))
            world.next_night()

        assert exit_codes == [3, 3, 3, 0, 0]
        assert requests == [1, 1, 1, 0, 0]
        assert renditions(world, post.id) == [("original", "gone", "not found (404)")]


def test_410_is_gone_at_once(tmp_path: Path) -> None:
    with nights(tmp_path, "linkedin") as world:
        post = world.account("linkedin").publish("Gone", media=[photo()])
        post.lose_media(status=410)
        world.backup()
        assert renditions(world, post.id) == [("original", "gone", "gone (410)")]


def test_a_web_page_in_place_of_a_picture_is_not_stored_and_a_later_night_repairs_it(
    tmp_path: Path,
) -> None:
    with nights(tmp_path, "linkedin") as world:
        post = world.account("linkedin").publish("Soon", media=[photo()])
        world.media_fault(html=True, times=None)
        assert world.backup().exit_code == 3
        assert renditions(world, post.id)[0][1] == "failed"
        assert list((world.directory / "media").rglob("*.*")) == []
        assert list((world.directory / "tmp").iterdir()) == []

        world.faults.clear()
        world.next_night()
        assert world.backup().exit_code == 0
        assert renditions(world, post.id) == [("original", "stored", None)]


def test_a_cut_transfer_is_continued_and_the_bytes_are_right(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        world.account("twitter").publish("A film", media=[video(pad=300_000)])
        world.media_fault(".mp4", cut=100_000, times=2)

        report = world.backup()

        assert report.exit_code == 0
        ranges = [log.range for log in world.media_requests if log.path.endswith(".mp4")]
        assert ranges[0] is None
        assert any(asked is not None and asked.startswith("bytes=") for asked in ranges[1:])


def test_omitted_media_is_one_row_and_no_error_and_its_still_is_fetched(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram", "tiktok") as world:
        reel = world.account("instagram").publish("Song", kind="reel", media=[video()])
        reel.withhold()
        carousel = world.account("instagram").publish("Two", media=[video(), photo()])
        carousel.withhold(0)
        flagged = world.account("tiktok").publish("Dance", media=[video()])
        flagged.withhold()

        report = world.backup()

        assert (report.exit_code, report.counts.omitted) == (0, 3)
        assert renditions(world, reel.id) == [
            ("original", "omitted", "copyright"), ("thumbnail", "stored", None),
        ]  # fmt: skip
        assert renditions(world, carousel.id) == [
            ("original", "omitted", "copyright"), ("thumbnail", "stored", None),
            ("original", "stored", None),
        ]  # fmt: skip
        assert renditions(world, flagged.id) == [("original", "omitted", "copyright")]


def test_what_is_omitted_later_stays_stored_and_what_returns_is_fetched(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        reel = world.account("instagram").publish("Song", kind="reel", media=[video()])
        world.backup()
        stored = renditions(world, reel.id)
        reel.withhold()
        world.next_night()
        world.backup()
        assert renditions(world, reel.id) == stored
        reel.release()
        world.next_night()
        report = world.backup()
        assert report.counts.stored == 0
        assert renditions(world, reel.id) == stored
        events = world.column("SELECT what FROM events ORDER BY id")
        assert events == ["seen", "omitted", "media_restored"]
        assert world.column("SELECT max(number) FROM revisions") == [1]


def test_thumbnails_false_leaves_out_a_still_only_where_its_original_is_here(
    tmp_path: Path,
) -> None:
    with nights(tmp_path, "instagram") as world:
        world.settings["media"] = "thumbnails = false"
        kept = world.account("instagram").publish("Kept", kind="reel", media=[video()])
        withheld = world.account("instagram").publish("Song", kind="reel", media=[video()])
        withheld.withhold()
        lost = world.account("instagram").publish("Lost", kind="reel", media=[video()])
        lost.lose_media()

        world.backup()

        assert renditions(world, kept.id)[1] == ("thumbnail", "skipped", "thumbnails=false")
        assert renditions(world, withheld.id)[1] == ("thumbnail", "stored", None)
        assert [state for _, state, _ in renditions(world, lost.id)] == ["failed", "failed"]


def test_a_file_beyond_max_size_is_refused_with_the_reason(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        world.settings["media"] = 'max_size = "50KB"'
        post = world.account("twitter").publish("Long", media=[video(pad=200_000)])

        report = world.backup()

        states = [row for row in renditions(world, post.id) if row[1] == "refused"]
        assert report.exit_code == 3
        assert len(states) == 1
        assert "max_size" in (states[0][2] or "")

        world.settings["media"] = 'max_size = "1MB"'
        world.next_night()
        assert world.backup().counts.stored == 1
        assert [row for row in renditions(world, post.id) if row[1] == "refused"] == []


def test_private_addresses_are_refused_unless_allowed(tmp_path: Path) -> None:
    with nights(tmp_path, "linkedin") as world:
        post = world.account("linkedin").publish("Inside", media=[photo()])
        config = world.config()
        text = (tmp_path / "archive.toml").read_text().replace('allow = ["127.0.0.0/8"]', "")
        (tmp_path / "archive.toml").write_text(text)
        from archiver.config import load_config

        config = load_config(tmp_path / "archive.toml")
        world.config = lambda: config  # type: ignore[method-assign]  # not written again

        report = world.backup()

        assert report.exit_code == 3
        assert renditions(world, post.id)[0][1] == "refused"
        assert world.media_requests == []


def test_an_edited_carousel_keeps_its_attachments_and_their_files(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        post = world.account("instagram").publish("Three", media=[photo(), photo(), photo()])
        world.backup()
        ids = [media.id for media in post.media]
        post.edit_media(order=[1, 0], remove=[0], add=[photo()])
        world.next_night()
        world.clear_logs()

        report = world.backup()

        assert (report.counts.edited, report.counts.stored) == (1, 1)
        rows = world.query(
            "SELECT platform_id, position, first_revision, last_revision FROM attachments "
            "ORDER BY last_revision, position"
        )
        assert rows == [
            (ids[0], 0, 1, 1), (ids[2], 0, 1, 2), (ids[1], 1, 1, 2), (post.media[2].id, 2, 2, 2),
        ]  # fmt: skip


def test_a_tiktok_post_that_is_left_out_carries_that_it_may_be_flagged(tmp_path: Path) -> None:
    with nights(tmp_path, "tiktok") as world:
        post = world.account("tiktok").publish("Dance")
        world.account("tiktok").publish("Another dance")
        world.backup()
        post.withhold(whole=True)
        for _ in range(2):
            world.next_night()
            world.backup(full=True)
        post.release()
        world.next_night()
        world.backup(full=True)

        events = world.query("SELECT what, reason FROM events WHERE what <> 'seen' ORDER BY id")
        assert [what for what, _ in events] == ["missing", "removed", "restored"]
        assert "copyright" in events[0][1]
        assert "copyright" in events[1][1]


def test_a_bug_of_ours_costs_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    usual = Downloader.fetch
    asked: list[str] = []

    async def fetch(self: Downloader, url: str, **options: Any) -> Download:
        asked.append(url)
        if len(asked) == 1:
            raise KeyError(url)
        return await usual(self, url, **options)

    with nights(tmp_path, "linkedin") as world:
        for number in range(3):
            world.account("linkedin").publish(f"Post {number}", media=[photo()])
        monkeypatch.setattr(Downloader, "fetch", fetch)

        report = world.backup()

        assert (report.exit_code, report.counts.stored) == (3, 2)
        failed = world.column("SELECT reason FROM renditions WHERE state = 'failed'")
        assert failed == ["a bug in archiver: KeyError"]
        assert [record.exc_info is not None for record in caplog.records] == [True]
