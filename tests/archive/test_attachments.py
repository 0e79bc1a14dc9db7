"""What is attached, in the archive: which row a file has, and what becomes of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive import queue
from archiver.archive.attachments import match_attachments
from archiver.models import Absence, Attachment, Post, Rendition
from support.saver import PHOTO, POST, Saver, saving

LINK = "//cdn.example/a.png"


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as found:
        yield found


def with_files(*renditions: Rendition) -> Post:
    return replace(POST, attachments=(replace(PHOTO, renditions=renditions),))


def absent(why: Absence, url: str | None = None) -> Post:
    return with_files(Rendition("original", url=url, absent=why))


NOT_UNDERSTOOD = absent("address_not_understood", LINK)
STATES = "SELECT state, reason, url, media_key FROM renditions"


def test_an_address_that_is_not_understood_is_a_row_that_shows_it_and_is_no_copyright(
    saver: Saver,
) -> None:
    saved = saver.save(NOT_UNDERSTOOD)
    assert saved.omitted == 0
    assert saver.rows(STATES) == [("refused", f"address not understood: {LINK}", None, "")]
    assert saver.rows("SELECT omitted FROM attachments") == [(0,)]
    assert saver.rows("SELECT state, reason FROM missing_media") == [
        ("refused", f"address not understood: {LINK}")
    ]


def test_what_is_no_address_is_never_requested(saver: Saver) -> None:
    saver.save(NOT_UNDERSTOOD)
    now = "2026-04-01T00:00:00.000Z"
    queue.retry_now(saver.connection, [saver.account_id], now)
    assert queue.due_files(saver.connection, [saver.account_id], now) == []
    assert [state for state, *_ in saver.rows(STATES)] == ["refused"]


def test_the_same_address_that_is_not_understood_again_writes_nothing(saver: Saver) -> None:
    saver.save(NOT_UNDERSTOOD)
    saver.save(NOT_UNDERSTOOD)
    assert saver.written == 0
    saver.save(absent("address_not_understood", "nowhere"))
    assert saver.rows(STATES) == [("refused", "address not understood: nowhere", None, "")]


def test_an_address_that_is_understood_later_takes_the_row(saver: Saver) -> None:
    saver.save(NOT_UNDERSTOOD)
    saver.save(with_files(Rendition("original", url=f"https:{LINK}")))
    assert saver.rows(STATES) == [("pending", None, f"https:{LINK}", "/a.png")]


@pytest.mark.parametrize("before", ["copyright", "not_offered", "address_not_understood"])
@pytest.mark.parametrize("after", ["copyright", "not_offered", "address_not_understood"])
def test_an_absent_file_has_the_reason_of_the_newest_record(
    saver: Saver, before: Absence, after: Absence
) -> None:
    saver.save(absent(before, "x"))
    saver.save(absent(after, "x"))
    assert saver.rows("SELECT reason_code FROM renditions") == [(after,)]
    assert saver.rows("SELECT omitted FROM attachments") == [(int(after == "copyright"),)]


def test_two_files_that_are_absent_in_one_role_have_one_row_for_good(saver: Saver) -> None:
    both = with_files(
        Rendition("original", absent="copyright"), Rendition("original", absent="not_offered")
    )
    saver.save(both)
    saver.save(replace(both, text="Again", content={"text": "Again"}))
    assert saver.rows(STATES) == [("omitted", "copyright", None, "")]


def test_what_is_stored_stays_when_its_address_is_not_understood_any_more(saver: Saver) -> None:
    saver.save(POST)
    saver.connection.execute("UPDATE renditions SET state = 'stored'")
    saver.save(NOT_UNDERSTOOD)
    assert [state for state, *_ in saver.rows(STATES)] == ["stored"]


def test_a_file_that_a_better_reader_finds_not_attached_is_tried_no_more(
    saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = replace(PHOTO, platform_id=None, renditions=(Rendition("original", "https://p.x/e"),))
    saver.save(replace(POST, attachments=(player, PHOTO)))
    better = replace(POST, attachments=(PHOTO,))
    monkeypatch.setattr(saver, "reread", lambda _: better)
    assert saver.save(better).edited == 0
    assert saver.rows("SELECT state, reason_code FROM renditions ORDER BY id") == [
        ("skipped", "replaced"), ("pending", None),
    ]  # fmt: skip


def test_a_file_that_an_edit_took_away_is_still_tried(
    saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = replace(POST, attachments=(replace(PHOTO, platform_id="m0"), PHOTO))
    saver.save(both)
    monkeypatch.setattr(saver, "reread", lambda _: both)
    assert saver.save(replace(POST, attachments=(PHOTO,))).edited == 1
    assert saver.rows("SELECT state FROM renditions") == [("pending",), ("pending",)]


def test_another_file_at_the_same_path_is_another_file(saver: Saver) -> None:
    one, other = (
        replace(PHOTO, platform_id=None, renditions=(Rendition("original", url),))
        for url in ("https://a.example/media/?media_id=4", "https://a.example/media/?media_id=9")
    )
    saver.save(replace(POST, attachments=(one,)))
    saver.connection.execute("UPDATE renditions SET state = 'stored'")
    assert saver.save(replace(POST, attachments=(other,))).revisions == 1
    assert saver.rows("SELECT media_key, state FROM renditions ORDER BY id") == [
        ("/media/?media_id=4", "stored"), ("/media/?media_id=9", "pending"),
    ]  # fmt: skip


def test_two_bitrates_at_one_path_have_a_row_each(saver: Saver) -> None:
    film = [Rendition("variant", f"https://a.example/film?bitrate={rate}") for rate in (256, 832)]
    saver.save(with_files(*film))
    assert saver.rows("SELECT count(*) FROM renditions") == [(2,)]


CID = "bafkreifdlsimmjmlvywh322cjz25k6d3myhtza33k6xxcqniaqtpuormc4"
CDN = f"/img/feed_fullsize/plain/did:plc:a/{CID}@jpeg"


def of_another(key: str, platform_id: str | None) -> dict[str, object]:
    """An attachment that another source has shown."""
    return {
        "key": key, "platform_id": platform_id, "kind": "image", "files": set(), "last_revision": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "platform_id", "other"),
    [
        (CDN, None, of_another(CID, CID)),
        (CID, CID, of_another(CDN, None)),
        (CID, CID, of_another("x", CID)),
    ],
    ids=["in this address", "in the other address", "in both"],
)
def test_an_attachment_of_another_source_is_known_by_its_id_also_within_an_address(
    key: str, platform_id: str | None, other: dict[str, object]
) -> None:
    """However many are attached: a source that lags may show fewer of them."""
    shown = [Attachment("image", platform_id=platform_id), Attachment("image")]
    assert match_attachments(shown, [key, "new"], (), [other]) == {0: (other, "id")}


@pytest.mark.parametrize("key", [f"/img/{CID}x@jpeg", f"/img/{CID[:-1]}", "/img/12345/a.jpg"])
def test_another_or_a_short_id_in_an_address_proves_nothing(key: str) -> None:
    shown = [Attachment("image"), Attachment("image")]
    others = [of_another(CID, CID), of_another("12345", "12345"), of_another("y", None)]
    assert match_attachments(shown, [key, "new"], (), others) == {}
