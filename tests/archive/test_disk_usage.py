"""How much space files take, by account, year and kind."""

from pathlib import Path

from archiver.archive.disk_usage import _BY_ALL, FileUsage, disk_usage_of, summed
from archiver.archive.storage_totals import rebuild_totals
from support.small_archive import SmallArchive, small_archive


def usage(archive: SmallArchive, folder: Path) -> list[tuple[str, str, str, int]]:
    archive.connection.execute(
        "UPDATE renditions SET (account_id, published_at) = (SELECT account_id, created_at "
        "FROM attachments JOIN posts ON posts.id = post_id WHERE attachments.id = attachment_id)"
    )
    rebuild_totals(archive.connection)
    found = disk_usage_of(archive.connection, folder)
    return [(part.account, part.year, part.kind, part.files) for part in found.parts]


def test_files_count_by_the_year_of_their_oldest_post_once_for_each_account(
    tmp_path: Path,
) -> None:
    with small_archive() as archive:
        one, two = archive.account("bluesky", "one"), archive.account("threads", "two")
        for account, year in ((one, 2024), (one, 2023), (two, 2025)):
            archive.attach(archive.post(account, f"{year}-05-01T00:00:00.000Z"), "shared")
        post = archive.post(one, "2024-06-01T00:00:00.000Z")
        archive.attach(post, "a film", kind="video", content_type="video/mp4")
        archive.attach(post, "a letter", kind="other", content_type="application/pdf")
        assert usage(archive, tmp_path) == [
            ("one", "2023", "image", 1), ("one", "2024", "other", 1), ("one", "2024", "video", 1),
            ("two", "2025", "image", 1),
        ]  # fmt: skip
        assert disk_usage_of(archive.connection, tmp_path).files == 3, "each once"


def test_a_post_without_a_time_is_of_no_year(tmp_path: Path) -> None:
    with small_archive() as archive:
        archive.attach(archive.post(archive.account("bluesky"), None), "a picture")
        assert [year for _, year, _, _ in usage(archive, tmp_path)] == [""]


def test_the_database_and_its_earlier_copies_are_counted(tmp_path: Path) -> None:
    for name, size in (("archive.db", 10), ("archive.db-wal", 5), ("archive.db.before-x", 7)):
        (tmp_path / name).write_bytes(bytes(size))
    with small_archive() as archive:
        found = disk_usage_of(archive.connection, tmp_path)
    assert (found.database, found.earlier) == (15, 7)


def test_parts_are_summed_by_what_is_asked() -> None:
    parts = [FileUsage("one", "2024", "image", 1, 10), FileUsage("one", "2023", "image", 2, 20)]
    assert summed(parts, lambda part: part.year) == {"2023": (2, 20), "2024": (1, 10)}
    assert summed(parts, lambda part: part.account) == {"one": (3, 30)}


def test_files_are_read_in_the_order_of_one_index_whose_columns_are_all_that_is_needed() -> None:
    with small_archive() as archive:
        plan = [row[3] for row in archive.connection.execute(f"EXPLAIN QUERY PLAN {_BY_ALL}")]
    assert "SEARCH renditions USING COVERING INDEX renditions_media (media_sha256>?)" in plan
    assert "SEARCH media USING PRIMARY KEY (sha256=?)" in plan
