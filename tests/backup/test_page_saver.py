"""A record with the very bytes of the night before is known by them, and not read again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from archiver.backup.account_reader import AccountReader
from archiver.models import Account, Post
from archiver_ayrshare.demo.specs import photo
from support.nights import Nights, nights, rewrite

pytestmark = pytest.mark.slow

ACCOUNT = Account("acme", "bluesky", "ayrshare", None)


class Reads:
    """The posts that were read since it was last asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ids: list[str] = []
        read = AccountReader.read

        def reading(account: AccountReader, data: Any) -> Post:
            post = read(account, data)
            self.ids.append(post.platform_id)
            return post

        monkeypatch.setattr(AccountReader, "read", reading)

    def taken(self) -> list[str]:
        found, self.ids = sorted(self.ids), []
        return found


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


@contextmanager
def backed_up(folder: Path, **how: Any) -> Iterator[Nights]:
    """A world of an account of three posts whose records do not change, a night after a backup."""
    with nights(folder, "bluesky") as world:
        world.cache = None
        for text in ("One", "Two", "Three"):
            world.account("bluesky").publish(text, media=[photo(text)])
        assert world.backup(**how).exit_code == 0
        world.clock.advance(days=1)
        yield world


def look(world: Nights) -> None:
    report = world.backup(full=True, now=True)
    assert (report.exit_code, report.counts.got) == (0, 3)


def test_what_did_not_change_by_a_byte_is_not_read(tmp_path: Path, reads: Reads) -> None:
    with backed_up(tmp_path) as world:
        assert len(reads.taken()) == 3
        before = world.dump("posts", "post_sources", "events", "renditions", "metrics")
        look(world)
        assert reads.taken() == []
        assert world.dump(*before) == before
        gone = "SELECT count(*) FROM post_sources WHERE missing_at NOT NULL"
        assert world.column(gone) == [0]


def test_one_byte_is_enough_to_be_read(tmp_path: Path, reads: Reads) -> None:
    with backed_up(tmp_path) as world:
        reads.taken()
        post = world.account("bluesky").posts()[0]
        post.count(likes=1)
        look(world)
        assert reads.taken() == [post.id]
        look(world)
        assert reads.taken() == [], "the new record is the known one now"


def test_an_edit_back_to_an_earlier_text_is_an_edit(tmp_path: Path) -> None:
    with backed_up(tmp_path) as world:
        post = world.account("bluesky").posts()[0]
        for text in ("Another", "One", "Another"):
            post.edit(text=text)
            assert world.backup(full=True, now=True).counts.edited == 1
            world.clock.advance(days=1)
        assert world.column("SELECT text FROM posts WHERE platform_id = ?", post.id) == ["Another"]


def test_a_post_that_returns_is_read_though_its_record_is_the_old_one(
    tmp_path: Path, reads: Reads
) -> None:
    with backed_up(tmp_path) as world:
        post = world.account("bluesky").posts()[0]
        post.remove()
        assert world.backup(full=True, now=True).accounts[0].missing == 1
        reads.taken()
        post.restore()
        assert world.backup(full=True, now=True).accounts[0].restored == 1
        assert reads.taken() == [post.id]


def test_a_post_whose_files_wait_is_read_for_their_newest_addresses(
    tmp_path: Path, reads: Reads
) -> None:
    with backed_up(tmp_path, media=False) as world:
        reads.taken()
        assert world.backup(full=True, now=True, media=False).exit_code == 0
        assert len(reads.taken()) == 3


def test_another_reader_reads_everything_once(
    tmp_path: Path, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    with backed_up(tmp_path) as world:
        reads.taken()
        before = world.dump("posts", "events", "revisions", "metrics")
        monkeypatch.setattr(
            "archiver.backup.account_reader.parser_fingerprint", lambda *_: b"another!"
        )
        look(world)
        assert len(reads.taken()) == 3
        look(world)
        assert reads.taken() == []
        assert world.dump(*before) == before


def test_without_a_fingerprint_of_the_parser_everything_is_read_again(
    tmp_path: Path, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    with backed_up(tmp_path) as world:
        reads.taken()
        monkeypatch.setattr("archiver.backup.account_reader.parser_fingerprint", lambda *_: None)
        for _ in range(2):
            look(world)
            assert len(reads.taken()) == 3
        marks = "SELECT DISTINCT record_sha256, reader, unmapped FROM post_sources"
        assert world.query(marks) == [(None, None, None)]


def test_a_post_that_comes_twice_is_compared_with_both(tmp_path: Path, reads: Reads) -> None:
    """Whichever came last is what it says now, also where the other is the known record."""
    with backed_up(tmp_path) as world:
        account = world.account("bluesky")
        one, two, _ = account.posts()
        rewrite(account, lambda post, record: record.update(id=one.id) if post is two else None)
        reads.taken()
        assert world.backup(full=True, now=True).counts.edited == 1
        # both, and the stored record again, before its difference is taken for an edit
        assert reads.taken().count(one.id) == 3
        assert world.column("SELECT text FROM posts WHERE platform_id = ?", one.id) == ["Two"]

        world.clock.advance(days=1)
        assert world.backup(full=True, now=True).counts.edited == 0
        assert reads.taken().count(one.id) == 2


def test_unmapped_fields_of_unchanged_records_are_counted_too(tmp_path: Path, reads: Reads) -> None:
    with backed_up(tmp_path) as world:
        rewrite(world.account("bluesky"), lambda _post, record: record.update(brandNew=1))
        world.backup(full=True, now=True)
        reads.taken()
        again = world.backup(full=True, now=True).accounts[0]
        assert reads.taken() == []
        assert (again.unmapped, again.unmapped_paths) == (3, ["brandNew"])
