"""A published copy has what was public, and nothing else, in no table, page or free space."""

import errno
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from datasette.app import Datasette

from archiver.browse.published import PUBLIC, publish
from archiver.errors import StorageError, UsageError
from archiver.webserver import listen
from support.browsing import serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a copy."""
    folder = tmp_path_factory.mktemp("copy") / "public"
    publish(demo, folder)
    return folder


@pytest.fixture(scope="module")
def public(copy: Path) -> Iterator[httpx.Client]:
    """A client of the copy, served as its instructions say."""
    datasette = Datasette(
        immutables=[str(copy / "archive.db")],
        settings={"default_allow_sql": False, "allow_download": False, "sql_time_limit_ms": 1000},
    )
    with serving(datasette) as address, httpx.Client(base_url=address, timeout=120) as found:
        yield found


def values(database: Path, sql: str) -> list[str]:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return [row[0] for row in connection.execute(sql)]


def test_only_listed_columns_are_there(copy: Path) -> None:
    for table, columns in PUBLIC.items():
        found = values(copy / "archive.db", f"SELECT name FROM pragma_table_info('{table}')")
        assert set(found) - {"text"} == set(columns) - {"text"}
    tables = values(copy / "archive.db", "SELECT name FROM sqlite_master WHERE type = 'table'")
    assert {name for name in tables if not name.startswith("posts_fts")} == set(PUBLIC)


def test_no_private_word_is_anywhere_in_the_file(copy: Path, demo: Path) -> None:
    content = (copy / "archive.db").read_bytes()
    for address in values(demo, "SELECT url FROM renditions WHERE url LIKE '%?%'"):
        assert address.partition("?")[2].encode() not in content
    for private in (b"/api/history", b"profileUrl", b"x-ratelimit", b"lastUpdated"):
        assert private not in content
    hidden = values(
        demo,
        "SELECT text FROM posts WHERE removed_at IS NOT NULL OR visibility NOT IN ('public')",
    )
    assert len(hidden) == 3
    for text in hidden:
        assert text.encode() not in content
    assert b"Tuseday" not in content


def test_earlier_texts_are_kept_when_asked_for(demo: Path, tmp_path: Path) -> None:
    made = publish(demo, tmp_path / "public", with_removed=True)
    texts = values(made.folder / "archive.db", "SELECT text FROM revisions WHERE text NOT NULL")
    assert ["Tuseday" in text for text in texts] == [True, False]
    assert values(made.folder / "archive.db", "SELECT id FROM posts WHERE removed_at NOT NULL")


def test_what_is_left_out_is_counted(demo: Path, tmp_path: Path) -> None:
    made = publish(demo, tmp_path / "public")
    said = ("2 posts not public", "1 removed post", "3 expired stories")
    assert [what.partition(" (")[0] for what in made.left_out] == list(said)
    assert len(values(demo, "SELECT id FROM posts")) == made.posts + 2 + 1 + 3
    kept = publish(demo, tmp_path / "all", with_removed=True)
    assert kept.posts == made.posts + 1 + 3


def test_an_expired_story_is_not_published(copy: Path, demo: Path) -> None:
    over = "kind = 'story' AND created_at < datetime('now', '-1 day')"
    assert values(demo, f"SELECT id FROM posts WHERE {over}")
    assert values(copy / "archive.db", f"SELECT id FROM posts WHERE {over}") == []


def test_the_command_it_names_serves_it_without_other_plugins(copy: Path, demo: Path) -> None:
    made = publish(demo, copy)
    with closing(listen("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    program, *arguments = shlex.split(made.serve)
    assert (program, arguments[0]) == ("env", "DATASETTE_LOAD_PLUGINS=social-archiver")
    assert arguments[1] == "datasette"
    command = [program, arguments[0], sys.executable, "-m", *arguments[1:], "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stderr
            assert any("running on" in line for line in running.stderr)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
                assert "Kiln four" in client.get("/archive/-/timeline").text
                plugins = {plugin["name"] for plugin in client.get("/-/plugins.json").json()}
        finally:
            running.terminate()
    assert plugins == {"social-archiver"}


def test_its_files_are_those_of_its_posts(copy: Path) -> None:
    paths = values(copy / "archive.db", "SELECT path FROM media")
    assert paths
    found = {str(path.relative_to(copy)) for path in copy.glob("media/*/*")}
    assert found == set(paths)


@pytest.mark.parametrize(
    "page",
    ["/", "/archive/-/timeline", "/archive/-/timeline?q=Tuesday", "/archive/-/gallery",
     "/archive/-/missing", "/archive/-/post/1", "/archive", "/archive/posts", "/archive/media"],
)  # fmt: skip
def test_every_page_of_it_answers(public: httpx.Client, page: str) -> None:
    answer = public.get(page)
    assert answer.status_code == 200, answer.text
    assert "/-/runs" not in answer.text


def test_the_page_of_runs_says_that_a_published_copy_has_none(public: httpx.Client) -> None:
    answer = public.get("/archive/-/runs")
    assert answer.status_code == 404
    assert "A published copy has no runs" in answer.text


def test_it_takes_no_sql(public: httpx.Client) -> None:
    assert public.get("/archive?sql=select+1").status_code == 403


def test_it_can_be_made_again(demo: Path, tmp_path: Path) -> None:
    first = publish(demo, tmp_path / "public", with_removed=True)
    (first.folder / "media" / "ab").mkdir(exist_ok=True)
    (first.folder / "media" / "ab" / "left over").write_text("x")
    again = publish(demo, tmp_path / "public")
    assert again.posts < first.posts
    assert not (first.folder / "media" / "ab" / "left over").exists()


def test_what_is_done_to_its_files_does_not_reach_the_archive(demo: Path, tmp_path: Path) -> None:
    made = publish(demo, tmp_path / "public")
    for path in made.folder.glob("media/*/*"):
        assert not path.samefile(demo.parent / path.relative_to(made.folder))


@pytest.mark.parametrize("change", [bytes.swapcase, lambda data: data[:-1], lambda data: b""])
def test_a_file_that_a_server_has_changed_is_copied_again(
    demo: Path, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    made = publish(demo, tmp_path / "public")
    for path in made.folder.glob("media/*/*"):
        path.write_bytes(change(path.read_bytes()))
    again = publish(demo, made.folder)
    assert (again.files, again.bytes) == (made.files, made.bytes)
    for path in made.folder.glob("media/*/*"):
        assert path.read_bytes() == (demo.parent / path.relative_to(made.folder)).read_bytes()


def test_files_that_are_damaged_in_the_archive_are_left_out_and_said(
    demo: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(demo.parent, own)
    whole = publish(own / demo.name, tmp_path / "whole")
    lost, altered, *_ = sorted(whole.folder.glob("media/*/*"))
    (own / lost.relative_to(whole.folder)).unlink()
    (own / altered.relative_to(whole.folder)).write_bytes(b"other")
    made = publish(own / demo.name, tmp_path / "public")
    assert made.files == whole.files - 2
    assert made.left_out[-1].startswith("2 files that cannot be read")
    assert not (made.folder / altered.relative_to(whole.folder)).exists()


def contents(folder: Path) -> dict[Path, bytes]:
    """All files but the lock."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path: path.read_bytes() for path in files}


def test_a_copy_that_could_not_be_renewed_is_as_it_was(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = publish(demo, tmp_path / "public")
    before = contents(made.folder)

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "the disk fails")

    monkeypatch.setattr("archiver.evidence.renewal.sync_file", fail)
    with pytest.raises(StorageError):
        publish(demo, made.folder, with_removed=True)
    assert contents(made.folder) == before


def test_it_takes_no_folder_of_others(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"letters\.txt"):
        publish(demo, tmp_path)
    own = tmp_path / "own"
    shutil.copytree(demo.parent, own)
    with pytest.raises(UsageError):
        publish(demo, own)
    with pytest.raises(UsageError, match="in the archive itself"):
        publish(demo, demo.parent)
