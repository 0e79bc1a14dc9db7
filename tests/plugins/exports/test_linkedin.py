"""Exports of LinkedIn become posts, field by field."""

from datetime import timedelta
from pathlib import Path

import pytest

from archiver.errors import PackageError, UsageError
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.exports.importing import CONTENT, WITH_NETWORK, ImportFolder, import_now
from support.exports.linkedin import ERAS, LinkedInWorld, Share, sample
from support.exports.packing import write_folder, write_parts, write_zip
from support.exports.served_files import serve_files
from support.media.samples import picture
from support.nights import nights


@pytest.fixture
def archive(tmp_path: Path) -> ImportFolder:
    return ImportFolder(tmp_path)


def expected(world: LinkedInWorld, era: str) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = [
        (
            share.urn, f"{share.at:%Y-%m-%dT%H:%M:%S}.000Z", share.text or None, None, "post",
            "unknown" if era == "2017" else share.audience.lower(),
            f"https://www.linkedin.com/feed/update/{share.urn}",
        )
        for share in world.shares
    ]  # fmt: skip
    found += [
        (f"export:repost:{at:%Y-%m-%d %H:%M:%S}", f"{at:%Y-%m-%dT%H:%M:%S}.000Z", None, None,
         "repost", "unknown", None)
        for at, _ in world.reposts
    ]  # fmt: skip
    found += [
        (f"export:article:{each.slug}", f"{each.at:%Y-%m-%dT%H:%M:%S}.000Z",
         "First & last\n\nSecond", each.title, "post", "unknown", each.url)
        for each in world.articles if each.at
    ]  # fmt: skip
    return sorted(found)


def posts(archive: ImportFolder) -> list[tuple[object, ...]]:
    return archive.query(
        "SELECT platform_id, created_at, text, title, kind, visibility, url FROM posts "
        "ORDER BY platform_id"
    )


@pytest.mark.parametrize("era", ERAS)
def test_the_archive_equals_the_world(archive: ImportFolder, tmp_path: Path, era: str) -> None:
    world = sample()
    package = write_zip(tmp_path / "l.zip", world.files(era))
    report = archive.run(package, account="ann-on-linkedin")
    assert (report.outcome, report.failures, report.unmapped_paths) == ("done", [], {})
    assert archive.query("SELECT name, platform FROM accounts") == [("ann-on-linkedin", "linkedin")]
    assert posts(archive) == expected(world, era)
    links = "SELECT attachments.platform_id FROM attachments JOIN posts ON posts.id = post_id "
    assert archive.column(links + "WHERE attachments.kind = 'link' ORDER BY created_at") == [
        share.link for share in world.shares if share.link
    ]
    assert archive.query("SELECT kind, platform_id FROM relations") == [
        ("shares", "urn:li:activity:7000000000000000001")
    ]
    whole = b"".join(path.read_bytes() for path in archive.directory.glob("archive.db*"))
    for secret in (b"for nobody else", b"number of Bob", b"Not for you yet"):
        assert secret not in whole
    assert {"messages: private", "contacts: private"} <= set(report.not_read)


def test_whose_it_is_has_to_be_said(archive: ImportFolder, tmp_path: Path) -> None:
    package = write_zip(tmp_path / "l.zip", sample().files())
    with pytest.raises(UsageError, match=r"does not say whose it is.*--account NAME"):
        archive.run(package)


@pytest.mark.parametrize("form", ["folder", "parts"])
def test_every_form_is_the_same_package(archive: ImportFolder, tmp_path: Path, form: str) -> None:
    world = sample()
    files = world.files()
    given = (
        [write_folder(tmp_path / "export", files)] if form == "folder"
        else write_parts(tmp_path, "Complete_LinkedInDataExport", files, 3)
    )  # fmt: skip
    assert archive.run(*given, account="ann").outcome == "done"
    assert posts(archive) == expected(world, "2024")


def test_a_second_and_a_newer_import_add_only_what_is_new(
    archive: ImportFolder, tmp_path: Path
) -> None:
    world = sample()
    package = write_zip(tmp_path / "l.zip", world.files())
    archive.run(package, account="ann")
    before = archive.dump(*CONTENT)
    archive.clock.advance(days=1)
    assert archive.run(package, account="ann").counts.new == 0
    assert archive.dump(*CONTENT) == before
    world.shares.append(Share(world.shares[0].at + timedelta(days=40), "New"))
    newer = archive.run(write_zip(tmp_path / "new.zip", world.files("2026")), account="ann")
    assert (newer.counts.new, newer.counts.edited) == (1, 0)


def test_a_file_behind_a_link_is_fetched_with_the_export(tmp_path: Path) -> None:
    archive = ImportFolder(tmp_path, settings=WITH_NETWORK)
    with serve_files({"/dms/image/a": picture("JPEG")}) as server:
        share = Share(
            sample().shares[0].at, "With a picture", media=f"{server.base_url}/dms/image/a"
        )
        package = write_zip(tmp_path / "l.zip", LinkedInWorld([share]).files())
        assert archive.run(package, account="ann").counts.files_new == 1
    assert archive.media_of(share.urn) == [picture("JPEG")]


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("Date,ShareLink,ShareCommentary\n\"No shares\"\n", "has no post"),
        ("Date,ShareLink\n2024-06-01,\"" + "x" * 200_000, "separated by commas"),
        ("When,What\n2024-06-01,tea\n", "no official export that can be read"),
    ],
)  # fmt: skip
def test_a_broken_package_is_refused(
    archive: ImportFolder, tmp_path: Path, table: str, why: str
) -> None:
    with pytest.raises(PackageError, match=why):
        archive.run(write_zip(tmp_path / "l.zip", {"Shares.csv": table}), account="ann")
    assert not archive.directory.exists()


def test_a_share_without_its_id_is_quarantined(archive: ImportFolder, tmp_path: Path) -> None:
    files = sample().files()
    files["Shares.csv"] = (
        str(files["Shares.csv"]) + "2024-06-01 12:00:00,https://example.org,x,,,\n"
    )
    report = archive.run(write_zip(tmp_path / "l.zip", files), account="ann")
    assert report.counts.quarantined == 1


@pytest.mark.parametrize("order", ["api, export, api", "export, api, export"])
def test_a_post_is_that_of_the_api_by_its_urn_or_by_another_type_of_it(
    tmp_path: Path, order: str
) -> None:
    with nights(tmp_path, "linkedin") as world:
        account = world.account("linkedin")
        same = account.publish("The same URN")
        world.clock.advance(hours=1)
        other = account.publish("A URN of another type, https://example.org/x")
        made = LinkedInWorld([
            _Given(same.at, "The same URN", same.id),
            Share(other.at + timedelta(seconds=1), "A URN of another type, https://lnkd.in/a",
                  kind="ugcPost"),
        ])  # fmt: skip
        package = write_zip(tmp_path / "linkedin.zip", made.files())
        for step in order.split(", "):
            if step == "api":
                assert world.backup(full=True, now=True).exit_code == 0
                world.next_night()
            else:
                report = import_now(world.config(), package, clock=world.clock, account="linkedin")
                assert report.exit_code == 0
        assert sorted(world.column("SELECT platform_id FROM posts")) == sorted([same.id, other.id])
        rules = "SELECT matched_by FROM post_sources WHERE matched_by IS NOT NULL"
        assert world.column(rules) == ["time within five seconds and wording, by URNs of two types"]
        assert made.shares[1].urn in world.column("SELECT value FROM post_aliases")
        assert world.column("SELECT count(*) FROM events WHERE what IN ('edited', 'removed')") == [
            0
        ]
        assert verify(world.directory, Scope(), "2026-11-28T00:00:00.000Z").findings == []


class _Given(Share):
    """A share with a URN of the API's world, whose numbers are no times."""

    def __init__(self, at: object, text: str, urn: str) -> None:
        super().__init__(at, text, audience="PUBLIC")  # type: ignore[arg-type]  # a datetime
        self._urn = urn

    @property
    def urn(self) -> str:
        return self._urn
