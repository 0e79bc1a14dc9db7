"""Exports of Facebook become posts in every layout, of people and of pages."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import PackageError, UsageError
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver_ayrshare.demo.posts import WorldPost
from archiver_ayrshare.demo.specs import photo
from support.exports.facebook import BEGIN, ERAS, Face, FaceFile, FaceWorld, sample
from support.exports.importing import CONTENT, ImportFolder, import_now
from support.exports.packing import write_parts, write_zip
from support.exports.tweets import unlike
from support.media.samples import picture
from support.nights import nights

POSTS = (
    "SELECT substr(created_at, 1, 19), text, kind, visibility FROM posts ORDER BY created_at, id"
)


def expected(posts: list[Face]) -> list[tuple[str, str | None, str, str]]:
    return [
        (
            f"{post.at - timedelta(seconds=5 * (post.where == 'file')):%Y-%m-%dT%H:%M:%S}",
            post.read, "story" if post.where == "story" else "post",
            "private" if post.where == "archived" else "unknown",
        )
        for post in posts
    ]  # fmt: skip


def check(archive: ImportFolder, posts: list[Face]) -> None:
    """The archive is the world, field by field."""
    assert archive.query(POSTS) == expected(posts)
    for post in posts:
        seconds = 5 * (post.where == "file")
        (platform_id,) = archive.column(
            "SELECT platform_id FROM posts WHERE created_at LIKE ?",
            f"{post.at - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}%",
        )
        assert archive.media_of(str(platform_id)) == [file.data for file in post.files]


def run(folder: Path, *files: Path) -> ImportFolder:
    archive = ImportFolder(folder)
    report = archive.run(*files)
    assert (report.outcome, report.unmapped_paths) == ("done", {})
    return archive


def extras(archive: ImportFolder) -> dict[str, dict[str, Any]]:
    rows = archive.query("SELECT text, extra FROM posts JOIN post_sources ON post_id = posts.id")
    return {
        text: {name: each["value"] for name, each in json.loads(extra).items()}
        for text, extra in rows if text and extra
    }  # fmt: skip


@pytest.mark.parametrize("era", ERAS)
def test_every_layout_becomes_the_same_archive(tmp_path: Path, era: str) -> None:
    world = sample()
    archive = run(tmp_path, write_zip(tmp_path / "a.zip", world.files(era)))
    check(archive, world.in_era(era))
    assert archive.query("SELECT handle, title FROM accounts") == [("ann.example", "Änn")]
    raw = "".join(map(str, archive.column("SELECT raw FROM posts")))
    assert "192.0.2.1" not in raw, "addresses of uploads are not kept"
    assert "48.1" not in raw, "nor the places of photos"
    assert '"cut":["exif_data.latitude","exif_data.upload_ip"]' in raw
    assert verify(archive.directory, Scope(), "2026-11-23T00:00:00.000Z").findings == []


def test_albums_places_groups_links_and_captions_are_kept(tmp_path: Path) -> None:
    archive = run(tmp_path, write_zip(tmp_path / "a.zip", sample().files()))
    found = extras(archive)
    assert found["Grüße ✓ 🎉"] == {"albums": ["Ferien in Österreich"]}
    assert found["Two"]["captions"] == ["The first", "The second"]
    assert found["See"] == {"link_titles": ["A page"]}
    assert found["Here with Bob Example"] == {"place": "Café Central"}
    assert found["In a group"] == {"group": "Gärtner"}
    links = archive.column("SELECT platform_id FROM attachments WHERE kind = 'link'")
    assert links == ["https://example.org/a"]


@pytest.mark.parametrize("is_mangled", [True, False])
def test_broken_and_right_texts_are_read_alike(tmp_path: Path, is_mangled: bool) -> None:
    files = sample().files(is_mangled=is_mangled)
    check(run(tmp_path, write_zip(tmp_path / "a.zip", files)), sample().posts)


def test_a_newer_layout_adds_nothing_to_an_older_one(tmp_path: Path) -> None:
    archive = ImportFolder(tmp_path)
    for era in ERAS[:3]:
        package = write_zip(tmp_path / f"{era}.zip", sample().files(era))
        archive.run(package)
        if era == "2023":
            before = archive.dump(*CONTENT)
    posts = sample().posts
    assert archive.column("SELECT count(*) FROM posts") == [len(posts)]
    assert archive.column("SELECT count(*) FROM media") == [sum(len(p.files) for p in posts)]
    assert archive.column("SELECT count(*) FROM events WHERE what <> 'seen'") == [0]
    changed = {name for name, rows in archive.dump(*CONTENT).items() if rows != before[name]}
    assert changed <= {"posts", "post_sources"}, "the records name other folders"


def test_parts_are_one_package_wherever_the_files_are(tmp_path: Path) -> None:
    world = sample()
    check(run(tmp_path, *write_parts(tmp_path, "facebook-ann", world.files(), 3)), world.posts)


def test_a_photo_that_was_posted_twice_makes_two_posts(tmp_path: Path) -> None:
    file = FaceFile(900_100, picture("JPEG"))
    posts = [Face(BEGIN + timedelta(days=day), f"Day {day}", [file]) for day in (2, 0, 1)]
    archive = ImportFolder(tmp_path)
    for order in (posts, posts[::-1]):
        archive.run(write_zip(tmp_path / "a.zip", FaceWorld(order).files()))
    assert archive.column("SELECT text FROM posts ORDER BY 1") == ["Day 0", "Day 1", "Day 2"]
    first = "SELECT text FROM posts WHERE platform_id = 'export:media:900100'"
    assert archive.column(first) == ["Day 0"]


def test_the_labels_of_a_newer_form_are_kept_and_reported(tmp_path: Path) -> None:
    labels = [{"label": "Text", "value": "Hi"}]
    medium = FaceFile(900_100, picture("JPEG")).medium("2024", BEGIN, None)
    at = int(BEGIN.timestamp())
    post = {"fbid": "77", "timestamp": at, "media": [medium], "label_values": labels}
    files = {"your_facebook_activity/posts/your_posts_1.json": json.dumps(post)}
    archive = ImportFolder(tmp_path)
    report = archive.run(write_zip(tmp_path / "a.zip", files), account="ann")
    assert report.unmapped_paths == {"label_values": 1}
    assert archive.column("SELECT value FROM post_aliases") == ["77"]
    assert '"value":"Hi"' in str(archive.column("SELECT raw FROM posts")[0]).replace(" ", "")


def _exported(post: WorldPost) -> Face:
    """A post of the API's world as the export would have it: without its id."""
    files = [
        FaceFile(900_000 + int(post.id[-3:]) + n, unlike(picture("JPEG"), int(post.id[-4:]) + n))
        for n, _ in enumerate(post.media)
    ]
    return Face(post.at, post.text, files)


@pytest.mark.parametrize("order", ["api, export", "export, api, export, api"])
def test_the_api_and_the_export_of_a_page_make_one_post(tmp_path: Path, order: str) -> None:
    with nights(tmp_path, "facebook") as world:
        account = world.account("facebook")
        for text, count in (("Good morning", 1), ("Three", 3), ("Words only", 0)):
            account.publish(text, media=[photo()] * count)
        posts = [_exported(post) for post in account.posts()]
        posts.append(Face(BEGIN, "Only in the export"))
        package = write_zip(world.folder / "f.zip", FaceWorld(posts, account.handle).files("page"))
        for step in order.split(", "):
            if step == "api":
                assert world.backup(full=True, now=True).exit_code == 0
                world.next_night()
            else:
                import_now(world.config(), package, account="facebook", clock=world.clock)
        assert world.column("SELECT count(*) FROM posts") == [4]
        generated = "SELECT text FROM posts WHERE platform_id LIKE 'export:%'"
        assert world.column(generated) == ["Only in the export"]
        found = world.column("SELECT DISTINCT what FROM events WHERE what NOT IN ('seen')")
        assert found == ["merged"]
        assert world.column("SELECT max(number) FROM revisions") == [1]


def test_an_export_that_is_older_than_an_edit_is_matched_by_the_earlier_words(
    tmp_path: Path,
) -> None:
    with nights(tmp_path, "facebook") as world:
        account = world.account("facebook")
        post = account.publish("Good morning")
        face = Face(post.at, "Good morning")
        package = write_zip(world.folder / "f.zip", FaceWorld([face], account.handle).files("page"))
        world.backup()
        post.edit(text="Good evening")
        world.next_night()
        world.backup(full=True, now=True)
        import_now(world.config(), package, account="facebook", clock=world.clock)
        assert world.query("SELECT platform_id, text FROM posts") == [(post.id, "Good evening")]
        assert world.column("SELECT count(*) FROM events WHERE what = 'edited'") == [1]


@pytest.mark.parametrize("order", ["api, export", "export, api"])
def test_a_time_alone_makes_no_two_posts_one(tmp_path: Path, order: str) -> None:
    """Posts that a plan publishes have one second; so nothing proves that words were edited."""
    with nights(tmp_path, "facebook") as world:
        account = world.account("facebook")
        kept, edited = account.publish("Good morning"), account.publish("Soup of the day")
        faces = [
            Face(kept.at, "Good morning"), Face(kept.at, "Of the same second"),
            Face(edited.at, "Soup of the dya"),
        ]  # fmt: skip
        edited.edit(text="Soup of the day: none")
        package = write_zip(world.folder / "f.zip", FaceWorld(faces, account.handle).files("page"))
        for step in order.split(", "):
            if step == "api":
                assert world.backup(full=True, now=True).exit_code == 0
            else:
                import_now(world.config(), package, account="facebook", clock=world.clock)
        assert sorted(world.column("SELECT text FROM posts")) == [
            "Good morning", "Of the same second", "Soup of the day: none", "Soup of the dya",
        ]  # fmt: skip
        assert world.column("SELECT count(*) FROM events WHERE what = 'edited'") == [0]


def test_an_account_is_known_by_the_number_or_the_name_in_its_address(tmp_path: Path) -> None:
    for handle, account in (("profile.php?id=1000", ("1000", None)), ("bob", ("@bob", "bob"))):
        profile = {"profile_uri": f"https://www.facebook.com/{handle}", "name": "Bob"}
        files = FaceWorld(sample().posts[:1]).files()
        files["profile_information/profile_information.json"] = json.dumps({"profile_v2": profile})
        folder = tmp_path / handle[:3]
        folder.mkdir()
        archive = ImportFolder(folder)
        archive.run(write_zip(folder / "a.zip", files))
        assert archive.query("SELECT platform_id, handle FROM accounts") == [account]
    del files["profile_information/profile_information.json"]
    with pytest.raises(UsageError, match="does not say whose it is"):
        archive.run(write_zip(folder / "b.zip", files))


def test_an_export_as_html_is_refused_with_the_way_to_json(tmp_path: Path) -> None:
    page = '<html><div class="pam _3-95 _2ph- _a6-g uiBoxWhite noborder">June</div></html>'
    other = "<html>with classes that are new</html>"
    for name, text in (
        ("posts/your_posts_1.html", page), ("your_facebook_activity/posts/your_posts_1.html", other)
    ):  # fmt: skip
        package = write_zip(tmp_path / "a.zip", {name: text})
        with pytest.raises(PackageError, match=r"(?s)Facebook is made of HTML") as caught:
            ImportFolder(tmp_path).run(package)
        assert "choose JSON" in (caught.value.hint or "")


def test_a_missing_list_of_posts_is_named(tmp_path: Path) -> None:
    files = sample().files()
    name = "your_facebook_activity/posts/your_posts__check_ins__photos_and_videos_1.json"
    del files[name]
    report = ImportFolder(tmp_path).run(write_zip(tmp_path / "a.zip", files))
    assert (report.outcome, report.missing) == ("partial", (name.rpartition("/")[2],))
