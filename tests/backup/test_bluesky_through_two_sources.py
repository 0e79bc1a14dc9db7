"""One Bluesky account through its own server and through the Ayrshare API, in any order of runs.

Each post stands once, each edit once, nothing is removed by mistake, and no picture is fetched
twice.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from archiver.evidence.files import Scope
from archiver.evidence.proofs import provers_among
from archiver.evidence.verify import verify
from archiver_ayrshare.demo.specs import photo
from support.archive_folder import installed_plugins
from support.bluesky.two_sources import FILM, TwoSources, two_sources

Run = tuple[str, ...]

API: Run = ("ayrshare",)
SERVER: Run = ("bluesky",)
BOTH: Run = ("ayrshare", "bluesky")
BOTH_REVERSED: Run = ("bluesky", "ayrshare")
OWN_ROWS = {"runs", "run_accounts", "coverage", "table_checksums"}

CYCLE = (
    API, API, SERVER, API, BOTH, API, BOTH_REVERSED, SERVER,
    SERVER, BOTH, SERVER, BOTH_REVERSED, BOTH, BOTH, BOTH_REVERSED, BOTH_REVERSED,
)  # fmt: skip
"""Every run follows every run once, from the last to the first too."""

Night = Callable[[TwoSources], None]


def edit(world: TwoSources) -> None:
    world.posts[0].edit(world.posts[0].text + "!")


def edit_another(world: TwoSources) -> None:
    world.posts[1].edit(world.posts[1].text + " (corrected)")


def undo(world: TwoSources) -> None:
    world.posts[0].edit("Post 0")


def edit_pictures(world: TwoSources) -> None:
    world.posts[2].edit_pictures(remove=[0], add=[photo(alt="Instead")])


def remove(world: TwoSources) -> None:
    world.posts[3].remove()


def publish(world: TwoSources) -> None:
    world.publish(f"Post {len(world.posts)} https://example.org/x", pictures=2)


def beside(world: TwoSources) -> None:
    world.repost()
    world.like()


NIGHTS: list[list[Night]] = [
    [], [edit], [publish, beside], [edit, edit_another], [remove], [], [edit_pictures],
    [publish, edit], [undo], [],
]  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[TwoSources]:
    with two_sources(tmp_path) as found:
        yield found


def edits(world: TwoSources) -> list[tuple[int, int]]:
    """How often each post was edited: by its events, and by its revisions."""
    return world.query(
        "SELECT (SELECT count(*) FROM events WHERE post_id = posts.id AND what = 'edited'), "
        "(SELECT max(edit) FROM revisions WHERE post_id = posts.id) FROM posts "
        "WHERE kind = 'post' ORDER BY created_at"
    )


def tables(world: TwoSources) -> list[str]:
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'posts_fts%'"
    return [name for name in world.column(names) if name not in OWN_ROWS]


def assert_intact(world: TwoSources) -> None:
    provers = provers_among(installed_plugins().platforms)
    result = verify(world.directory, Scope(), "2027-01-01T00:00:00.000Z", provers=provers)
    assert result.findings == []


@pytest.mark.parametrize("order", [BOTH, BOTH_REVERSED], ids=str)
@pytest.mark.parametrize("is_reencoded", [False, True])
def test_each_post_and_each_picture_stands_once(
    tmp_path: Path, order: Run, is_reencoded: bool
) -> None:
    with two_sources(tmp_path, is_reencoded=is_reencoded) as world:
        world.publish("Good morning", pictures=2)
        world.publish("See https://example.org/a/long/path")
        for source in order:
            assert world.backup(source).exit_code == 0
        assert world.column("SELECT platform_id FROM posts ORDER BY created_at") == [
            post.shown.id for post in world.posts
        ]
        assert world.column("SELECT count(*) FROM post_sources") == [4]
        assert edits(world) == [(0, 0), (0, 0)]
        assert world.column("SELECT alt_text FROM attachments ORDER BY position") == [
            "Picture 0", "Picture 1",
        ]  # fmt: skip
        assert sorted(world.fetched().values()) == [1, 1]
        assert_intact(world)


@pytest.mark.parametrize("order", [BOTH, BOTH_REVERSED], ids=str)
@pytest.mark.parametrize("in_one_run", [False, True])
def test_the_file_of_a_film_is_kept_also_where_the_other_source_has_a_playlist(
    world: TwoSources, order: Run, in_one_run: bool
) -> None:
    world.publish_film("Watch")
    for sources in [order] if in_one_run else [(source,) for source in order]:
        assert world.backup(*sources).exit_code == 0
    original = sha256(FILM).hexdigest()
    query = "SELECT media_sha256 FROM renditions WHERE source = 'bluesky' AND role = 'original'"
    assert world.column(query) == [original]
    assert world.column("SELECT kind FROM attachments") == ["video"]
    before = world.dump(*tables(world))
    world.next_night()
    world.backup(*order)
    assert world.dump(*tables(world)) == before
    assert_intact(world)


@pytest.mark.parametrize("order", [BOTH, BOTH_REVERSED], ids=str)
def test_an_unchanged_run_through_both_writes_nothing(world: TwoSources, order: Run) -> None:
    for number in range(4):
        world.publish(f"Post {number}", pictures=number % 3)
    world.repost()
    world.backup(*order)
    before, fetched = world.dump(*tables(world)), world.fetched()
    for _ in range(2):
        world.next_night()
        assert world.backup(*order).exit_code == 0
        assert world.dump(*tables(world)) == before
    world.backup(*order, full=True)
    assert world.fetched() == fetched


def ten_nights(world: TwoSources, runs: Sequence[Run], *, lags: bool) -> None:
    """Ten nights of edits and removals, and then both sources twice, so that each shows all."""
    for number in range(5):
        world.publish(f"Post {number}", pictures=number % 3)
    for night, (changes, sources) in enumerate(zip(NIGHTS, runs, strict=True)):
        for change in changes:
            change(world)
        world.let_api_lag(1.5 if lags and night % 2 == 0 else None)
        report = world.backup(*sources)
        assert report.exit_code == 0, report
        world.next_night()
    world.let_api_lag(None)
    for _ in range(2):
        assert world.backup("bluesky", "ayrshare", full=True).exit_code == 0
        world.next_night()


def assert_as_published(world: TwoSources) -> None:
    """The archive has what its owner did, each thing once."""
    query = "SELECT platform_id, text, removed_at IS NOT NULL FROM posts WHERE kind = 'post'"
    expected = [(post.shown.id, post.text, int(post.removed)) for post in world.posts]
    assert sorted(world.query(query)) == sorted(expected)
    for seen, post in zip(edits(world), world.posts, strict=True):
        assert seen[0] == seen[1]
        assert post.edits - post.begins_differently <= seen[0] <= post.edits, post
    assert world.column("SELECT count(*) FROM events WHERE what = 'restored'") == [0]
    assert world.column("SELECT count(*) FROM events WHERE what = 'removed'") == [1]
    assert max(world.fetched().values()) == 1, "a picture was fetched twice"
    alive = [post for post in world.posts if not post.removed]
    for post in alive:
        query = """
            SELECT alt_text FROM attachments JOIN posts ON posts.id = post_id
             WHERE posts.platform_id = ? AND last_revision = (
                SELECT max(number) FROM revisions WHERE post_id = posts.id) ORDER BY position
        """
        shown = [media.spec.alt for media in post.shown.media]
        assert world.column(query, post.shown.id) == shown, post
    assert_intact(world)
    before = world.dump(*tables(world))
    assert world.backup("ayrshare", "bluesky").exit_code == 0
    assert world.dump(*tables(world)) == before


def test_four_nights_of_changes_through_one_source_and_then_the_other(world: TwoSources) -> None:
    for number in range(5):
        world.publish(f"Post {number}", pictures=number % 3)
    for changes, run in (
        ([], API), ([edit, edit_pictures], SERVER), ([remove, edit_another], BOTH),
        ([undo], SERVER),
    ):  # fmt: skip
        for change in changes:
            change(world)
        assert world.backup(*run).exit_code == 0
        world.next_night()
    world.backup(*BOTH, full=True)
    world.next_night()
    world.backup(*BOTH, full=True)
    assert_as_published(world)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(len(CYCLE)))
@pytest.mark.parametrize(
    ("lags", "is_reencoded"),
    [(False, False), (True, True)],
    ids=["timely", "late, re-encoded"],
)
def test_ten_nights_in_any_order_of_runs_end_in_the_same_archive(
    tmp_path: Path, start: int, lags: bool, is_reencoded: bool
) -> None:
    runs = [CYCLE[(start + night) % len(CYCLE)] for night in range(len(NIGHTS))]
    with two_sources(tmp_path, is_reencoded=is_reencoded) as world:
        ten_nights(world, runs, lags=lags)
        assert_as_published(world)


def test_every_kind_of_run_follows_every_kind() -> None:
    pairs = {(CYCLE[place - 1], run) for place, run in enumerate(CYCLE)}
    assert len(pairs) == 16
