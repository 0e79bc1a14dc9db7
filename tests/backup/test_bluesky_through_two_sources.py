"""One Bluesky account through its own server and through the Ayrshare API, in any order of runs.

Each post stands once, each edit once, nothing is removed by mistake, and no picture is fetched
twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from archiver.archive.ledger import LEDGER_TABLES
from archiver.evidence.files import Scope
from archiver.evidence.proofs import provers_among
from archiver.evidence.verify import verify
from archiver_ayrshare.demo.specs import photo
from support.archive_folder import installed_plugins
from support.bluesky.two_sources import FILM, SharedPost, TwoSources, two_sources

pytestmark = pytest.mark.slow

Run = tuple[str, ...]

API: Run = ("ayrshare",)
SERVER: Run = ("bluesky",)
BOTH: Run = ("ayrshare", "bluesky")
BOTH_REVERSED: Run = ("bluesky", "ayrshare")
# every run here has a config of its own, which is an action
OWN_ROWS = {"runs", "run_accounts", "coverage", "actions", "table_checksums", *LEDGER_TABLES}

NIGHTS = 10


@dataclass(frozen=True)
class Publish:
    """A new post, with so many pictures."""

    pictures: int

    def apply(self, world: TwoSources) -> None:
        text = f"Post {len(world.posts)} https://example.org/x"
        world.publish(text, pictures=self.pictures)


@dataclass(frozen=True)
class Edit:
    """A post gets another text: a new one, or the one that it had at first."""

    post: int
    is_undone: bool = False

    def apply(self, world: TwoSources) -> None:
        post = chosen(world, self.post)
        text = str(post.versions[0][0])
        post.edit(text if self.is_undone else f"{text} (version {len(post.versions)})")


@dataclass(frozen=True)
class EditPictures:
    """A post loses its first picture, gets one more, or both; or they change their order."""

    post: int
    removes: bool
    adds: bool

    def apply(self, world: TwoSources) -> None:
        post = chosen(world, self.post)
        count = len(post.shown.media)
        if not self.removes and not self.adds:
            post.edit_pictures(order=list(reversed(range(count))))
            return
        removed = [0] if self.removes and count else []
        added = [photo(alt=f"Picture {len(post.versions)}")] if self.adds and count < 4 else []
        post.edit_pictures(remove=removed, add=added)


@dataclass(frozen=True)
class Remove:
    """A post is deleted, but never the last one: of an account without posts, a run warns."""

    post: int

    def apply(self, world: TwoSources) -> None:
        if sum(not post.removed for post in world.posts) > 1:
            chosen(world, self.post).remove()


@dataclass(frozen=True)
class LikeAndRepost:
    """The account changes, and no post of its own does."""

    def apply(self, world: TwoSources) -> None:
        world.like()
        world.repost()


Change = Publish | Edit | EditPictures | Remove | LikeAndRepost


@dataclass(frozen=True)
class Night:
    """What happened on a day, and the run in the night after it."""

    changes: Sequence[Change]
    run: Run
    is_full: bool = False
    api_lags: bool = False


def chosen(world: TwoSources, number: int) -> SharedPost:
    """A post that is still there."""
    alive = [post for post in world.posts if not post.removed]
    return alive[number % len(alive)]


POSTS = st.integers(0, 5)
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(Edit, POSTS, st.booleans()),
    st.builds(EditPictures, POSTS, st.booleans(), st.booleans()),
    st.builds(Publish, st.integers(0, 2)),
    st.builds(Remove, POSTS),
    st.builds(LikeAndRepost),
)
RUNS = st.sampled_from([BOTH, BOTH_REVERSED, API, SERVER])
ANY_NIGHT = st.builds(
    Night, st.lists(CHANGES, max_size=4), RUNS, is_full=st.booleans(), api_lags=st.booleans()
)


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


def spend(world: TwoSources, nights: Sequence[Night]) -> None:
    """Nights of changes, and then both sources twice, so that each has shown all."""
    for number in range(4):
        world.publish(f"Post {number}", pictures=number % 3)
    for night in nights:
        for change in night.changes:
            change.apply(world)
        world.let_api_lag(1.5 if night.api_lags else None)
        report = world.backup(*night.run, full=night.is_full)
        assert report.exit_code == 0, report
        world.next_night()
    world.let_api_catch_up()
    for _ in range(2):
        assert world.backup(*BOTH, full=True).exit_code == 0
        world.next_night()


def assert_as_published(world: TwoSources) -> None:
    """The archive has what its owner did, each thing once."""
    known = [post for post in world.posts if post.was_shown]
    query = "SELECT platform_id, text, removed_at IS NOT NULL FROM posts WHERE kind = 'post'"
    expected = [(post.shown.id, post.known_text, int(post.removed)) for post in known]
    assert sorted(world.query(query)) == sorted(expected)
    for seen, post in zip(edits(world), known, strict=True):
        assert seen[0] == seen[1]
        assert post.fewest_edits <= seen[0] <= post.most_edits, post
    assert world.column("SELECT count(*) FROM events WHERE what = 'restored'") == [0]
    removed = sum(post.removed for post in known)
    assert world.column("SELECT count(*) FROM events WHERE what = 'removed'") == [removed]
    assert max(world.fetched().values(), default=1) == 1, "a picture was fetched twice"
    for post in known:
        if not post.removed:
            assert alt_texts(world, post) == [media.spec.alt for media in post.shown.media], post
    assert_intact(world)
    before = world.dump(*tables(world))
    assert world.backup(*API, *SERVER).exit_code == 0
    assert world.dump(*tables(world)) == before


def alt_texts(world: TwoSources, post: SharedPost) -> list[str]:
    """The alt texts of what is attached to a post now."""
    query = """
        SELECT alt_text FROM attachments JOIN posts ON posts.id = post_id
         WHERE posts.platform_id = ? AND last_revision = (
            SELECT max(number) FROM revisions WHERE post_id = posts.id) ORDER BY position
    """
    return world.column(query, post.shown.id)


BEHIND_AN_EDIT = [
    Night([], BOTH),
    Night([EditPictures(2, removes=False, adds=True)], SERVER),
    Night([EditPictures(2, removes=False, adds=True)], API),
]
"""The API shows two new pictures at once, of which the server has shown one."""


def assert_nights_end_well(nights: Sequence[Night], *, is_reencoded: bool) -> None:
    with (
        TemporaryDirectory() as folder,
        two_sources(Path(folder), is_reencoded=is_reencoded) as world,
    ):
        spend(world, nights)
        assert_as_published(world)


ONE_AND_THEN_THE_OTHER = [
    Night([], API),
    Night([Edit(0), EditPictures(2, removes=True, adds=True)], SERVER),
    Night([Remove(3), Edit(1)], BOTH),
    Night([Edit(0, is_undone=True)], SERVER),
]


@settings(max_examples=2, derandomize=True, phases=[Phase.explicit, Phase.generate])
@given(st.lists(ANY_NIGHT, min_size=4, max_size=4), st.booleans())
@example(ONE_AND_THEN_THE_OTHER, False)
@example(BEHIND_AN_EDIT, True)
def test_a_few_nights_of_changes_through_any_sources_end_in_the_same_archive(
    nights: list[Night], is_reencoded: bool
) -> None:
    assert_nights_end_well(nights, is_reencoded=is_reencoded)


@settings(max_examples=10, derandomize=True, phases=[Phase.generate])
@given(st.lists(ANY_NIGHT, min_size=NIGHTS, max_size=NIGHTS), st.booleans())
def test_ten_nights_of_changes_through_any_sources_end_in_the_same_archive(
    nights: list[Night], is_reencoded: bool
) -> None:
    assert_nights_end_well(nights, is_reencoded=is_reencoded)
