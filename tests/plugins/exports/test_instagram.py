"""Exports of Instagram become posts in every layout, those of Threads in them too."""

from pathlib import Path

import pytest

from archiver.errors import PackageError, UsageError
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver_ayrshare.demo.posts import WorldPost
from archiver_ayrshare.demo.specs import photo
from archiver_exports.meta import repaired
from support.exports.importing import CONTENT, ImportFolder, import_now
from support.exports.instagram import BEGIN, ERAS, Gram, GramFile, GramWorld, mangled, sample
from support.exports.packing import write_parts, write_zip
from support.exports.tweets import unlike
from support.media.samples import picture
from support.nights import nights

KINDS = {"archived": "post", "thread": "post"}
POSTS = (
    "SELECT posts.platform, substr(created_at, 1, 19), text, kind, visibility FROM posts "
    "ORDER BY created_at"
)


def run(folder: Path, *files: Path) -> ImportFolder:
    """An archive with everything of a package: of Instagram, and of Threads."""
    archive = ImportFolder(folder)
    report = import_now(archive.config(), *files, clock=archive.clock)
    assert report.exit_code == 0, report.packages
    assert [each.unmapped_paths for each in report.packages] == [{}] * len(report.packages)
    return archive


def expected(posts: list[Gram]) -> list[tuple[str, str, str | None, str, str]]:
    return [
        (
            "threads" if post.where == "thread" else "instagram", f"{post.at:%Y-%m-%dT%H:%M:%S}",
            post.text, KINDS.get(post.where, post.where),
            "private" if post.where == "archived" else "unknown",
        )
        for post in posts
    ]  # fmt: skip


def check(archive: ImportFolder, posts: list[Gram]) -> None:
    """The archive is the world, field by field."""
    assert archive.query(POSTS) == expected(posts)
    for post in posts:
        (platform_id,) = archive.column(
            "SELECT platform_id FROM posts WHERE created_at LIKE ?",
            f"{post.at:%Y-%m-%dT%H:%M:%S}%",
        )
        assert archive.media_of(str(platform_id)) == [file.data for file in post.files]


@pytest.mark.parametrize("era", ERAS)
def test_every_layout_becomes_the_same_archive(tmp_path: Path, era: str) -> None:
    world = sample()
    archive = run(tmp_path, write_zip(tmp_path / "a.zip", world.files(era)))
    check(archive, world.in_era(era))
    names = archive.query("SELECT platform, handle, title FROM accounts ORDER BY 1")
    accounts = [("instagram", "ann", "Änn"), ("threads", "ann", "Änn")]
    assert names == (accounts[:1] if era == "2019" else accounts)
    raw = "".join(map(str, archive.column("SELECT raw FROM posts")))
    assert "48.1" not in raw, "places of photos are not kept"
    assert "android-1" not in raw
    assert era == "2019" or '"cut":["exif_data.device_id"' in raw, "what was cut is on record"
    assert verify(archive.directory, Scope(), "2026-11-23T00:00:00.000Z").findings == []


def test_a_newer_layout_adds_nothing_to_an_older_one(tmp_path: Path) -> None:
    archive = ImportFolder(tmp_path)
    for era in ERAS[1:]:
        package = write_zip(tmp_path / f"{era}.zip", sample().files(era))
        import_now(archive.config(), package, clock=archive.clock)
        if era == ERAS[1]:
            before = archive.dump(*CONTENT)
    assert archive.column("SELECT count(*) FROM posts") == [10]
    assert archive.column("SELECT count(*) FROM events WHERE what <> 'seen'") == [0]
    changed = {name for name, rows in archive.dump(*CONTENT).items() if rows != before[name]}
    assert changed == set()


def test_parts_are_one_package_wherever_the_files_are(tmp_path: Path) -> None:
    world = sample()
    check(run(tmp_path, *write_parts(tmp_path, "instagram-ann", world.files(), 3)), world.posts)


def _exported(post: WorldPost) -> Gram:
    """A post of the API's world as the export would have it: without ids."""
    files = [
        GramFile(f"{number:032x}.jpg", unlike(picture("JPEG"), int(post.id[-4:]) + number))
        for number, _ in enumerate(post.media)
    ]
    return Gram(post.at, post.text, files)


@pytest.mark.parametrize("order", ["api, export", "export, api", "export, api, export, api"])
def test_the_api_and_the_export_make_one_post(tmp_path: Path, order: str) -> None:
    with nights(tmp_path, "instagram") as world:
        account = world.account("instagram")
        for text, count in (("Good morning", 1), ("Three", 3), ("Good night", 1)):
            account.publish(text, media=[photo()] * count)
        posts = [_exported(post) for post in account.posts()]
        posts.append(Gram(BEGIN, "Only in the export", posts[0].files))
        made = GramWorld(posts, account.handle)
        package = write_zip(world.folder / "instagram.zip", made.files())
        for step in order.split(", "):
            if step == "api":
                assert world.backup(full=True, now=True).exit_code == 0
                world.next_night()
            else:
                import_now(world.config(), package, account="instagram", clock=world.clock)
        assert world.column("SELECT count(*) FROM posts") == [4]
        generated = "SELECT text FROM posts WHERE platform_id LIKE 'export:%'"
        assert world.column(generated) == ["Only in the export"]
        found = world.column("SELECT DISTINCT what FROM events WHERE what NOT IN ('seen')")
        assert found == ["merged"]
        assert world.column("SELECT max(number) FROM revisions") == [1]


@pytest.mark.parametrize("username", ["Benutzername", "Nom d’utilisateur", "ユーザーネーム"])
def test_the_user_name_is_found_in_other_languages(tmp_path: Path, username: str) -> None:
    files = sample().files(username=username)
    archive = run(tmp_path, write_zip(tmp_path / "a.zip", files))
    assert archive.column("SELECT DISTINCT handle FROM accounts") == ["ann"]


def test_without_a_user_name_the_account_has_to_be_named(tmp_path: Path) -> None:
    files = sample().files(username="?")
    with pytest.raises(UsageError, match="does not say whose it is"):
        ImportFolder(tmp_path).run(write_zip(tmp_path / "a.zip", files))


def test_an_export_as_html_is_refused_with_the_way_to_json(tmp_path: Path) -> None:
    page = '<html><div class="pam _3-95 _2ph- _a6-g uiBoxWhite noborder">June</div></html>'
    for name in ("your_instagram_activity/media/posts_1.html", "threads_and_replies.html"):
        package = write_zip(tmp_path / "a.zip", {name: page})
        with pytest.raises(PackageError, match=r"(?s)made of HTML") as caught:
            ImportFolder(tmp_path).run(package)
        assert "choose JSON" in (caught.value.hint or "")


def test_a_missing_list_of_posts_and_missing_files_are_named(tmp_path: Path) -> None:
    files = GramWorld(sample().posts[:4]).files()
    del files["your_instagram_activity/media/posts_1.json"]
    gone = next(name for name in files if name.endswith("4.jpg") and "posts/" in name)
    del files[gone]
    report = ImportFolder(tmp_path).run(write_zip(tmp_path / "a.zip", files))
    assert (report.outcome, report.missing) == ("partial", ("posts_1.json",))


def test_broken_text_is_repaired_once_and_right_text_stays() -> None:
    for text in ("plain", "日本語", "✓", "\ud800"):
        assert repaired(text) == text
    for text in ("Café ✓ 🎉", "日本語"):
        assert repaired(mangled(text)) == text
        assert repaired(repaired(mangled(text))) == text
    assert repaired("Ã") == "Ã", "what is no UTF-8 stays as it is"
