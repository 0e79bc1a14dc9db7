"""An archive as a HistoryBackend: its accounts, its posts, its token, and how fresh it is."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.archive import runs
from archiver.archive.rows import insert
from archiver.models import timestamp
from archiver.serve.histories import ArchiveHistories, Serving
from archiver.served_records import ApiAnswer, HistoryAccount, HistoryQuery, SourceFreshness
from support.saver import POST, Saver, saving

SERVING = Serving(Path("archive"), "the-token", lambda *_: ApiAnswer(200, b""))
FIRST_SEEN = "2026-03-01T00:00:00.000Z"


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as saver:
        yield saver


def histories(saver: Saver, **options: object) -> ArchiveHistories:
    return ArchiveHistories(saver.connection, replace(SERVING, **options), "http://here:1")  # type: ignore[arg-type]  # its own


def query(saver: Saver) -> HistoryQuery:
    (account,) = histories(saver).accounts()
    return HistoryQuery(account)


def texts(found: ArchiveHistories, asked: HistoryQuery) -> list[str | None]:
    return [post.record for post in found.posts(asked)]


def test_accounts_are_those_of_the_archive(saver: Saver) -> None:
    (account,) = histories(saver).accounts()
    assert account == HistoryAccount(
        saver.account_id, "acme", "threads", None, None, None, None, FIRST_SEEN
    )


def test_the_token_admits_and_nothing_else_does(saver: Saver) -> None:
    found = histories(saver)
    assert found.admits("the-token")
    for other in ("", "the-toke", "the-token ", "THE-TOKEN", "tökën"):
        assert not found.admits(other)


def test_cursors_stay_valid_until_the_token_changes(saver: Saver) -> None:
    assert histories(saver).cursor_secret == histories(saver).cursor_secret
    assert histories(saver).cursor_secret != histories(saver, token="another").cursor_secret
    assert "the-token" not in repr(SERVING)


def test_posts_are_the_records_as_they_were_received(saver: Saver) -> None:
    saver.save(POST)
    assert texts(histories(saver), query(saver)) == ['{"text": "Good morning"}']
    (post,) = histories(saver).posts(query(saver))
    assert (post.platform_id, post.file_url) == ("p1", None)


def test_the_options_of_the_server_apply_where_the_request_has_none(saver: Saver) -> None:
    saver.save(POST)
    saver.save(replace(POST, text="Edited", content={"text": "Edited"}))
    first_night = datetime(2026, 3, 1, 23, tzinfo=UTC)
    found = histories(saver, as_of=first_night)
    assert texts(found, query(saver)) == ['{"text": "Good morning"}']
    asked = replace(query(saver), as_of=datetime(2026, 3, 3, tzinfo=UTC))
    assert texts(found, asked) == ['{"text": "Edited"}']


def test_removed_posts_are_left_out_unless_one_of_both_wants_them(saver: Saver) -> None:
    saver.save(POST)
    saver.connection.execute("UPDATE posts SET removed_at = '2026-03-02T00:00:00.000Z'")
    assert texts(histories(saver), query(saver)) == []
    assert texts(histories(saver, removed=True), query(saver))
    assert texts(histories(saver), replace(query(saver), removed=True))


def stored(saver: Saver) -> None:
    """The photo of the post is in the store."""
    insert(
        saver.connection, "media", sha256="ab" * 32, path=f"media/ab/{'ab' * 32}.jpg", size=4,
        content_type="image/jpeg", stored_at=FIRST_SEEN,
    )  # fmt: skip
    saver.connection.execute(
        "UPDATE renditions SET state = 'stored', media_sha256 = ?", ("ab" * 32,)
    )


def test_with_media_files_are_pointed_at_this_server(saver: Saver) -> None:
    saver.save(POST)
    stored(saver)
    (post,) = histories(saver, media=True).posts(query(saver))
    assert post.file_url is not None
    assert post.file_url("https://a.example/1.jpg") == f"http://here:1/1.jpg?archived={'ab' * 32}"
    assert post.file_url("https://a.example/2.jpg") is None
    (post,) = histories(saver).posts(query(saver))
    assert post.file_url is None


def test_it_is_as_fresh_as_its_last_run(saver: Saver) -> None:
    found = histories(saver)
    assert found.freshness(query(saver)) == SourceFreshness(FIRST_SEEN, FIRST_SEEN)
    run_id = runs.begin_run(saver.connection, "2026-03-05T00:00:00.000Z", "test", {})
    runs.begin_account(saver.connection, run_id, "acme", "ayrshare", "2026-03-05T00:00:00.000Z")
    values = {
        "account_id": saver.account_id, "outcome": "done",
        "finished_at": "2026-03-05T00:10:00.000Z",
        "source_updated_at": "2026-03-05T00:01:00.000Z", "fresh_until": "2026-03-05T00:33:00.000Z",
    }  # fmt: skip
    runs.end_account(saver.connection, run_id, "acme", "ayrshare", values)
    fresh = SourceFreshness("2026-03-05T00:01:00.000Z", "2026-03-05T00:33:00.000Z")
    assert found.freshness(query(saver)) == fresh
    before = datetime(2026, 3, 5, 0, 0, 30, tzinfo=UTC)
    asked = replace(query(saver), as_of=before)
    assert found.freshness(asked).updated_at == timestamp(before)
    asked = replace(query(saver), as_of=datetime(2026, 3, 4, tzinfo=UTC))
    assert found.freshness(asked).updated_at == FIRST_SEEN
