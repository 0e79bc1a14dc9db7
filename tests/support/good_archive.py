"""A small intact archive with rows in every table: three platforms, an edit, a removal."""

import json
from pathlib import Path

from archiver.archive import runs
from archiver.archive.account_pictures import queue_pictures
from archiver.archive.database import transaction, writer
from archiver.archive.holds import place_hold_on_all
from archiver.archive.packages import PackagePart, begin_package, end_package
from archiver.archive.rows import insert, insert_new
from archiver.models import Identity, Record, Rendition
from archiver.unattended.care_log import CareEntry, log_care
from archiver_ayrshare.demo.specs import photo, video
from support.nights import nights
from support.time_stamping import Authority

PLATFORMS = ("bluesky", "instagram", "twitter")


def make_good_archive(folder: Path) -> Path:
    """Make it below this folder; returns the archive's own."""
    with nights(folder, *PLATFORMS) as world:
        world.settings["archive"] = 'keep_responses = "all"'
        for platform in PLATFORMS:
            world.account(platform).populate(6)
        world.account("instagram").publish("Grüße, 日本語のテキスト", media=[photo(), video()])
        first = world.account("instagram").publish("To be edited", media=[photo()])
        removed = world.account("twitter").publish("To be removed", media=[photo()])
        world.account("twitter").publish("An answer", kind="reply")
        assert world.backup().exit_code == 0
        for _ in range(3):
            first.edit(text=f"{first.text}, again")
            world.tick(newest=5)
            removed.remove()
            world.next_night(8)
            assert world.backup().exit_code == 0
    directory = folder / "archive"
    with writer(directory) as connection, transaction(connection):
        account_id = connection.execute("SELECT min(id) FROM accounts").fetchone()[0]
        record = Record(json.dumps({"no": "id"}), {"no": "id"})
        runs.quarantine(connection, 1, account_id, record, "The record has no id")
        avatar = Rendition("original", "https://media.example/avatar.jpg")
        identity = Identity("bluesky", "did:plc:1", avatar=avatar)
        queue_pictures(connection, account_id, "ayrshare", identity, "2026-03-01T00:00:00.000Z")
        (attachment_id,) = connection.execute("SELECT min(id) FROM attachments").fetchone()
        insert_new(
            connection, "attachment_sources", attachment_id=attachment_id, source="another",
            key="1", matched_by="position",
        )  # fmt: skip
        erasure_id = insert(
            connection, "erasures", state="withdrawn", kind="erasure", basis="Art. 17",
            requested_at="2026-03-01T00:00:00.000Z", requested_by="clerk", count=1,
            keeps_metrics=0,
        )  # fmt: skip
        insert(connection, "tombstones", erasure_id=erasure_id, commitment="00" * 32)
        insert(
            connection, "response_cuts", response_id=1, erasure_id=erasure_id,
            at="2026-03-01T00:00:00.000Z", records=1,
        )  # fmt: skip
        place_hold_on_all(connection, "2026/17", "A claim", "clerk", "2026-03-01T00:00:00.000Z")
        insert(
            connection, "resolutions", rendition_id=1, run_id=1, platform="youtube",
            resolver="ytdlp", at="2026-03-01T00:00:00.000Z",
        )  # fmt: skip
        parts = [PackagePart("twitter.zip", 10, "a" * 64)]
        package_id = begin_package(
            connection, parts, run_id=1, account_id=account_id, platform="twitter",
            layout="since 2022", exported_at="2026-03-01T00:00:00.000Z",
            imported_at="2026-03-01T00:00:00.000Z",
        )  # fmt: skip
        end_package(connection, package_id, "done", {"records": 1})
        insert(connection, "package_posts", post_id=1, package_id=package_id)
        insert(
            connection, "restores", at="2026-03-01T00:00:00.000Z", actor="me", kept_size=1,
            lost_size=2, lost_note="archiver/1", known_from="/mnt/checkpoints",
        )  # fmt: skip
        authority = Authority(folder / "authority")
        (note,) = connection.execute("SELECT note FROM checkpoints WHERE id = 1").fetchone()
        insert(
            connection, "time_stamps", checkpoint_id=1, authority="https://tsa.example",
            received_at="2026-03-01T00:00:00.000Z", stamped_at="2026-03-01T00:00:00.000Z",
            token=authority.token_of(note), chain=authority.root.read_text(),
        )  # fmt: skip
    log_care(directory, CareEntry("verify", "2026-03-01T00:00:00.000Z", "partial", 3, 10))
    return directory
