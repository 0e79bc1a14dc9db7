"""A site on disk: what its pages say, and what is never in it."""

import re
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from archiver.archive.database import transaction
from archiver.archive.rows import update
from archiver.errors import UsageError
from archiver.export.selection import ArchiveSelection
from archiver.models import Post, Relation
from archiver.site import plan
from support.exporting import exported
from support.saver import POST, saving

EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">'


@pytest.fixture(scope="module")
def site(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(directory, tmp_path_factory.mktemp("site") / "out", "html").folder


def pages(site: Path) -> dict[str, str]:
    return {path.relative_to(site).as_posix(): path.read_text() for path in site.rglob("*.html")}


def test_every_post_is_on_the_page_of_its_month(site: Path) -> None:
    found = pages(site)
    assert found.keys() == {
        "index.html", "search.html", "accounts/1.html", "posts/2026-03.html", "posts/undated.html",
    }  # fmt: skip
    march = found["posts/2026-03.html"]
    assert march.index("HYPERLINK") < march.index("Good evening")  # newest first
    assert "&#39;quoted" in march
    assert "omitted: copyright" in march
    assert '<a href="2026-03.html#post-2">a post on this site</a>' in found["posts/undated.html"]
    assert "日本語" in found["posts/undated.html"]


def test_every_address_within_the_site_leads_to_something(site: Path) -> None:
    for name, text in pages(site).items():
        for address in re.findall(r'(?:href|src|poster|action)="([^"]*)"', text):
            path, _, place = address.partition("#")
            if path.startswith(("https:", "data:")):
                continue
            target = (site / name).parent / unquote(path) if path else site / name
            assert target.is_file(), (name, address)
            if place:
                assert f'id="{place}"' in target.read_text()


def test_a_month_with_many_posts_has_several_pages(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "POSTS_ON_A_PAGE", 1)
    found = pages(exported(directory, tmp_path / "out", "html").folder)
    assert "Good evening" in found["posts/2026-03.html"]
    assert "HYPERLINK" in found["posts/2026-03-2.html"]
    assert 'href="2026-03.html">Older' in found["posts/2026-03-2.html"]
    assert 'href="2026-03-2.html">← Newer' in found["posts/2026-03.html"]
    assert 'posts/2026-03-2.html"' in found["index.html"]


def test_what_is_not_public_is_not_in_it_unless_wanted(tmp_path: Path) -> None:
    with saving(tmp_path) as saver:
        saver.save(
            POST,
            Post("p2", text="among friends", visibility="friends", content={}),
            Post("p3", text="removed now", content={}),
            Post("p4", text="an answer", content={}, relations=(Relation("reply_to", "p2"),)),
        )  # fmt: skip
        with transaction(saver.connection):
            update(saver.connection, "posts", "platform_id = ?", ("p3",), removed_at="2026-03-02")
    archive = tmp_path / "archive"
    made = exported(archive, tmp_path / "out", "html", ArchiveSelection(only_public=True))
    found = b"".join(path.read_bytes() for path in made.folder.rglob("*") if path.is_file())
    assert b"Good morning" in found
    assert b"friends" not in found
    assert b"removed now" not in found
    assert b"a post that is not here" in found
    assert exported(archive, tmp_path / "all", "html").posts == 4


def test_nothing_that_a_post_says_becomes_a_part_of_a_page(tmp_path: Path) -> None:
    with saving(tmp_path) as saver:
        saver.save(replace(POST, text=EVIL, title=EVIL, url="javascript:alert(3)", author=EVIL))
    found = "".join(pages(exported(tmp_path / "archive", tmp_path / "out", "html").folder).values())
    assert "&lt;script&gt;alert(1)" in found
    assert "<script>alert" not in found
    assert "<img src=x" not in found
    assert "javascript:" not in found


def test_without_the_library_a_site_says_what_to_install(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasette", None)
    with pytest.raises(UsageError, match="shares the pages of archiver browse"):
        exported(directory, tmp_path / "out", "html")
