"""One account through two sources: each post once, each edit once, nothing removed by mistake."""

from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest

from archiver.archive.database import writer
from archiver.archive.ledger import LEDGER_TABLES
from archiver.archive.losses import mark_lost
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.gazette import GazetteWorld, PaperWithHistory, gazette, png

pytestmark = pytest.mark.slow

ORDERS = [("paper", "kiosk"), ("kiosk", "paper")]
OWN_ROWS = ("runs", "run_accounts", "coverage", "table_checksums", *LEDGER_TABLES)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GazetteWorld]:
    with gazette(tmp_path) as found:
        yield found


def tables(world: GazetteWorld) -> list[str]:
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'posts_fts%'"
    return [name for name in world.column(names) if name not in OWN_ROWS]


def edits(world: GazetteWorld) -> list[tuple[int, int]]:
    """How often each post was edited: by its events, and by its revisions."""
    return world.query(
        "SELECT (SELECT count(*) FROM events WHERE post_id = posts.id AND what = 'edited'), "
        "(SELECT max(edit) FROM revisions WHERE post_id = posts.id) FROM posts ORDER BY created_at"
    )


@pytest.mark.parametrize("order", ORDERS)
def test_each_post_stands_once(world: GazetteWorld, order: tuple[str, str]) -> None:
    world.publish("Good morning", pictures=2)
    world.publish("See https://example.org/a/long/path", pictures=1)
    for source in order:
        report = world.backup(source)
        assert report.exit_code == 0
    assert world.query("SELECT platform_id, text, url FROM posts ORDER BY created_at") == [
        ("g:1", "Good morning", "https://kiosk.example/k1"),
        ("g:2", "See https://example.org/a/long/path", "https://kiosk.example/k2"),
    ]
    said = "SELECT source, record_id FROM post_sources ORDER BY source, record_id"
    assert world.query(said) == [
        ("kiosk", "k1"), ("kiosk", "k2"), ("paper", "g:1"), ("paper", "g:2"),
    ]  # fmt: skip
    assert edits(world) == [(0, 0), (0, 0)]
    assert world.column("SELECT count(*) FROM attachments") == [3]
    assert world.column("SELECT alt_text FROM attachments ORDER BY 1") == [
        "Picture 1-0", "Picture 1-1", "Picture 2-0",
    ]  # fmt: skip
    pictures = [path for path in world.sent.elements() if "avatar" not in path]
    assert len(pictures) == 3, "a picture was fetched twice"
    assert verify(world.folder / "archive", Scope(), "2026-11-23T00:00:00.000Z").findings == []


@pytest.mark.parametrize("order", ORDERS)
def test_what_only_one_source_words_otherwise_is_kept_and_is_no_edit(
    world: GazetteWorld, order: tuple[str, str]
) -> None:
    world.publish("Good morning")
    world.backup(order[0])
    world.issues[0].text = "Good evening"
    world.backup(order[1])
    assert world.query("SELECT number, edit, why, source FROM revisions ORDER BY number") == [
        (1, 0, "first", order[0]), (2, 0, "other_source", order[1]),
    ]  # fmt: skip
    assert edits(world) == [(0, 0)]
    newest = "Good evening" if order[1] == "paper" else "Good morning"
    assert world.column("SELECT text FROM posts") == [newest]


@pytest.mark.parametrize("order", ORDERS)
def test_an_unchanged_run_with_two_sources_writes_nothing(
    world: GazetteWorld, order: tuple[str, str]
) -> None:
    for number in range(5):
        world.publish(f"Issue {number} https://example.org/{number}", pictures=number % 3)
    world.backup(*order)
    before, sent = world.dump(*tables(world)), dict(world.sent)
    for _ in range(2):
        world.next_night()
        assert world.backup(*order).exit_code == 0
        assert world.dump(*tables(world)) == before
    assert world.sent == sent


def test_an_unchanged_night_is_one_request_and_a_full_scan_reads_all(world: GazetteWorld) -> None:
    world.publish("Good morning")
    world.backup("paper")
    for _ in range(2):
        world.next_night()
        (account,) = world.backup("paper").accounts
        assert (account.complete, account.counts.got) == (True, 0)
    assert world.backup("paper", full=True).counts.got == 1


@pytest.mark.parametrize("first", ["paper", "kiosk"])
@pytest.mark.parametrize("stale", [False, True])
def test_an_edit_is_one_whichever_source_shows_it_first(
    world: GazetteWorld, first: str, stale: bool
) -> None:
    second = {"paper": "kiosk", "kiosk": "paper"}[first]
    world.publish("Oepn on Monday", pictures=1)
    world.backup(first, second)
    world.next_night()
    world.issues[0].text = "Open on Monday"
    if stale and first == "paper":
        world.backup(first, second, stale=True)
        assert world.column("SELECT text FROM posts") == ["Open on Monday"]
    for _ in range(2):
        world.next_night()
        world.backup(first, second)
    assert edits(world) == [(1, 1)]
    assert world.column("SELECT text FROM posts") == ["Open on Monday"]
    assert world.column("SELECT edit FROM post_sources") == [1, 1]


def test_what_the_network_removed_is_removed_whatever_the_kiosk_shows(world: GazetteWorld) -> None:
    world.publish("Good morning")
    regret = world.publish("A regret")
    world.backup()
    world.next_night()
    regret.removed = True
    world.backup(stale=True)
    removed = "SELECT platform_id FROM posts WHERE removed_at IS NOT NULL"
    assert world.column(removed) == ["g:2"], "the network proves it at once"
    for _ in range(3):
        world.next_night()
        world.backup()
        assert world.column(removed) == ["g:2"]
    what = "SELECT what FROM events WHERE what IN ('removed', 'restored')"
    assert world.column(what) == ["removed"]


def test_what_the_kiosk_no_longer_shows_is_there_as_long_as_the_network_shows_it(
    world: GazetteWorld,
) -> None:
    world.publish("Good morning")
    hidden = world.publish("Hidden from the kiosk")
    world.backup()
    for _ in range(3):
        world.next_night()
        world.fetch()
        world._shown = [issue for issue in world._shown if issue.number != hidden.number]
        world.backup(stale=True, full=True)
        assert world.column("SELECT removed_at FROM posts") == [None, None]
    assert world.column("SELECT count(*) FROM events WHERE what = 'removed'") == [0]


def test_a_post_that_comes_back_is_restored_once(world: GazetteWorld) -> None:
    post = world.publish("Here and there")
    world.publish("Always here")
    world.backup()
    for removed in (True, True, True, False, False, False):
        world.next_night()
        post.removed = removed
        world.backup(full=True)
    what = "SELECT what FROM events WHERE what IN ('removed', 'restored') ORDER BY id"
    assert world.column(what) == ["removed", "restored"]
    assert world.column("SELECT count(*) FROM posts WHERE removed_at IS NOT NULL") == [0]


def test_an_account_that_is_away_is_reported_once_and_removes_nothing(world: GazetteWorld) -> None:
    world.publish("Good morning")
    world.backup("paper")
    world.state = "suspended"
    codes = []
    for _ in range(3):
        world.next_night()
        codes.append(world.backup("paper").exit_code)
    assert codes == [5, 0, 0]
    assert world.column("SELECT outcome FROM run_accounts") == ["done", "failed", "away", "away"]
    assert world.column("SELECT removed_at FROM posts") == [None]
    world.state = None
    assert world.backup("paper").exit_code == 0


def test_the_names_of_an_account_are_kept_by_source_and_do_not_alternate(
    world: GazetteWorld,
) -> None:
    world.publish("Good morning")
    for _ in range(3):
        world.backup()
        world.next_night()
    world.title = "The Daily Gazette"
    world.publish("News")
    for _ in range(2):
        world.backup()
        world.next_night()
    profiles = "SELECT source, title FROM account_profiles ORDER BY id"
    assert world.query(profiles) == [
        ("paper", "The Gazette"), ("kiosk", "GAZETTE"), ("paper", "The Daily Gazette"),
    ]  # fmt: skip
    assert world.column("SELECT title FROM accounts") == ["The Daily Gazette"]


def test_how_an_account_looked_is_kept_over_time(world: GazetteWorld) -> None:
    world.publish("Good morning")
    world.backup()
    world.next_night()
    world.avatar = "new-logo"
    world.publish("News")
    for _ in range(2):
        world.backup()
        world.next_night()
    query = """
        SELECT avatar, description, media_sha256 FROM account_profiles
          JOIN account_pictures ON kind = 'avatar' AND media_key = avatar
         WHERE account_profiles.source = 'paper' ORDER BY account_profiles.id
    """
    about = "News of every day"
    assert world.query(query) == [
        ("/avatar/logo", about, sha256(png("logo")).hexdigest()),
        ("/avatar/new-logo", about, sha256(png("new-logo")).hexdigest()),
    ]
    assert world.sent == {"/avatar/logo": 1, "/avatar/new-logo": 1}
    verified = verify(world.folder / "archive", Scope(), "2026-11-23T00:00:00.000Z")
    assert verified.findings == []


def test_a_picture_of_an_account_that_was_lost_is_fetched_again(world: GazetteWorld) -> None:
    world.publish("Good morning")
    world.backup("paper")
    (path,) = world.column("SELECT path FROM media")
    (world.folder / "archive" / path).unlink()
    at = "2026-11-23T00:00:00.000Z"
    verify(world.folder / "archive", Scope(), at)
    with writer(world.folder / "archive") as connection:
        assert mark_lost(connection, sha256(png("logo")).hexdigest(), at) == 1
    assert world.backup("paper").exit_code == 0
    assert world.column("SELECT state FROM account_pictures") == ["stored"]
    assert verify(world.folder / "archive", Scope(), at).findings == []


def test_what_only_one_source_knows_is_kept_with_its_word(world: GazetteWorld) -> None:
    world.publish("Good morning")
    world.backup()
    assert world.query("SELECT source, extra FROM post_sources ORDER BY source") == [
        ("kiosk", None),
        ("paper", '{"languages": {"is_content": true, "value": ["en"]}}'),
    ]


def test_what_has_the_same_bytes_is_one_attachment(world: GazetteWorld) -> None:
    world.hidden = 1
    world.publish("Good morning", pictures=3)
    before = []
    for _ in range(3):
        world.backup()
        world.next_night()
        before.append(world.dump("attachments", "renditions", "attachment_sources"))
    assert world.query("SELECT alt_text, matched_by FROM attachments "
                       "LEFT JOIN attachment_sources ON attachment_id = id ORDER BY position") == [
        ("Picture 1-0", None), ("Picture 1-1", "bytes"), ("Picture 1-2", "bytes"),
    ]  # fmt: skip
    assert before[1:] == before[:-1]
    assert max(world.sent.values()) == 1
    assert verify(world.folder / "archive", Scope(), "2026-11-23T00:00:00.000Z").findings == []


def test_a_file_whose_hash_is_known_and_held_is_not_fetched(world: GazetteWorld) -> None:
    world.names_files = True
    world.publish("Good morning", pictures=1)
    world.backup("kiosk")
    world.backup("paper")
    second = world.publish("The same picture again")
    second.pictures = ["1-0"]
    world.backup("paper")
    assert world.sent == {"/cdn/1-0": 1, "/avatar/logo": 1}
    assert world.column("SELECT DISTINCT state FROM renditions") == ["stored", "skipped"]


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[GazetteWorld]:
    """A network that keeps the versions of its posts, and tells their numbers apart."""
    with gazette(tmp_path) as found:
        found.paper = PaperWithHistory()
        yield found


def revisions(world: GazetteWorld) -> list[tuple[object, ...]]:
    query = """
        SELECT number, edit, why, json_extract(raw, '$.text'), source_time FROM revisions
         ORDER BY post_id, number
    """
    return world.query(query)


def test_versions_that_were_missed_are_had_from_the_source(keeping: GazetteWorld) -> None:
    post = keeping.publish("One")
    keeping.publish("Never edited")
    keeping.backup("paper")
    for text, at in (("Two", "2026-11-01T01:00:00.000Z"), ("Three", "2026-11-02T01:00:00.000Z"),
                     ("Four", "2026-11-03T01:00:00.000Z")):  # fmt: skip
        post.edit(text, at)
    for _ in range(2):
        keeping.next_night()
        keeping.backup("paper")
    assert revisions(keeping)[:4] == [
        (1, 0, "first", "One", None),
        (2, 1, "edited", "Two", "2026-11-01T01:00:00.000Z"),
        (3, 2, "edited", "Three", "2026-11-02T01:00:00.000Z"),
        (4, 3, "edited", "Four", "2026-11-03T01:00:00.000Z"),
    ]
    assert keeping.asked["history"] == 1
    assert keeping.column("SELECT text FROM posts ORDER BY id") == ["Four", "Never edited"]
    verified = verify(keeping.folder / "archive", Scope(), "2026-11-23T00:00:00.000Z")
    assert verified.findings == []


def test_a_post_that_was_edited_before_it_was_seen_has_its_versions(keeping: GazetteWorld) -> None:
    keeping.publish("One", pictures=1).edit("Two", "2026-11-01T01:00:00.000Z")
    keeping.backup("paper")
    assert [row[:4] for row in revisions(keeping)] == [
        (1, 0, "first", "One"), (2, 1, "edited", "Two"),
    ]  # fmt: skip
    assert keeping.column("SELECT text FROM posts") == ["Two"]
    keeping.next_night()
    keeping.backup("paper", full=True)
    assert len(revisions(keeping)) == 2


def test_numbers_that_come_apart_are_had_also_where_nothing_else_changed(
    keeping: GazetteWorld,
) -> None:
    for number in range(3):
        keeping.publish(f"Issue {number}")
    keeping.backup("paper")
    keeping.next_night()
    keeping.issues[1].likes = 7
    report = keeping.backup("paper")
    assert report.counts.got == 0
    likes = "SELECT value FROM metrics WHERE name = 'likes' ORDER BY post_id, seen_at"
    assert sorted(keeping.column(likes)) == [0, 0, 0, 7]
    assert keeping.asked["metrics"] == 4


def test_numbers_that_cannot_be_had_are_a_note(keeping: GazetteWorld) -> None:
    keeping.counts_fail = True
    keeping.publish("Good morning")
    report = keeping.backup("paper")
    assert report.exit_code == 0
    assert "The counter is down" in " ".join(report.accounts[0].notes)


def test_old_posts_are_counted_in_full_scans_only(keeping: GazetteWorld) -> None:
    keeping.publish("Old")
    for _ in range(40):
        keeping.next_night()
    keeping.publish("New")
    keeping.backup("paper")
    keeping.next_night()
    for issue in keeping.issues:
        issue.likes = 5
    keeping.backup("paper")
    likes = "SELECT count(*) FROM metrics WHERE value = 5"
    assert keeping.column(likes) == [1]
    keeping.backup("paper", full=True)
    assert keeping.column(likes) == [2]


Night = Callable[[GazetteWorld], None]


def edit(world: GazetteWorld) -> None:
    world.issues[0].text += "!"


def edit_again(world: GazetteWorld) -> None:
    world.issues[1].text += " (corrected)"


def remove(world: GazetteWorld) -> None:
    world.issues[2].removed = True


def publish(world: GazetteWorld) -> None:
    world.publish(f"Issue {len(world.issues)} https://example.org/x", pictures=2)


NIGHTS: list[list[Night]] = [
    [], [edit], [publish], [edit, edit_again], [remove], [], [publish, edit], [edit_again], [], [],
]  # fmt: skip
RUNS = [("paper",), ("kiosk",), ("paper", "kiosk"), ("kiosk", "paper")]
PATTERNS = list(product(RUNS, repeat=2))
STALE = [PATTERNS[1], PATTERNS[4], PATTERNS[11], PATTERNS[15]]
"""One source after the other, in both orders; both in alternating order; both in the same."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "stale"),
    [*((pattern, False) for pattern in PATTERNS), *((pattern, True) for pattern in STALE)], ids=str,
)  # fmt: skip
def test_ten_nights_in_any_order_end_in_the_same_archive(
    tmp_path: Path, pattern: tuple[tuple[str, ...], ...], stale: bool
) -> None:
    with gazette(tmp_path) as world:
        for number in range(4):
            world.publish(f"Issue {number}", pictures=number % 3)
        for night, changes in enumerate(NIGHTS):
            for change in changes:
                change(world)
            sources = pattern[night % len(pattern)]
            report = world.backup(*sources, stale=stale and night % 2 == 1)
            assert report.exit_code == 0, report
            world.next_night()
        for _ in range(2):  # both sources, twice, so that each has seen all there is
            world.backup("paper", "kiosk", full=True)
            world.next_night()
        assert world.column("SELECT count(*) FROM posts") == [6]
        assert world.column("SELECT text FROM posts WHERE removed_at IS NOT NULL") == ["Issue 2"]
        texts = world.column("SELECT text FROM posts WHERE removed_at IS NULL ORDER BY created_at")
        assert texts == [issue.text for issue in world.issues if not issue.removed]
        seen = edits(world)
        assert all(by_event == by_revision for by_event, by_revision in seen)
        assert seen[0][0] <= 3
        assert seen[1][0] <= 2
        assert [pair for pair in seen[2:] if pair != (0, 0)] == []
        assert world.column("SELECT count(*) FROM events WHERE what = 'restored'") == [0]
        assert max(Counter(path.rpartition("/")[2] for path in world.sent.elements()).values()) == 1
        assert verify(world.folder / "archive", Scope(), "2026-11-23T00:00:00.000Z").findings == []
