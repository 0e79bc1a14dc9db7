"""CAR files become posts, and one with those that the server shows; the rest is not read."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archiver.config import load_config
from archiver.errors import PackageError
from archiver.imports.report import ImportReport
from archiver.report import RunReport
from archiver_bluesky.car import write_car
from archiver_bluesky.cid import cid_of_block
from archiver_bluesky.dag_cbor import encode
from support.bluesky.nights import BlueskyNights, bluesky_nights
from support.bluesky.world import AtAccount
from support.exports.importing import CONTENT, ImportFolder, import_now
from support.exports.packing import write_folder, write_zip
from support.exports.tweets import unlike
from support.media.samples import movie, picture

pytestmark = pytest.mark.slow

REPOSITORIES = Path(__file__).parent / "repositories"
POSTS = "SELECT platform_id, created_at, text, kind, visibility, author, url FROM posts ORDER BY 1"
ATTACHMENTS = (
    "SELECT posts.platform_id, position, attachments.kind, attachments.platform_id, alt_text, "
    "width, height FROM attachments JOIN posts ON posts.id = post_id ORDER BY 1, 2"
)
RELATIONS = "SELECT relations.platform_id, relations.kind FROM relations ORDER BY 1, 2"
FILES = "SELECT sha256, size, content_type FROM media ORDER BY sha256"


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[BlueskyNights]:
    (tmp_path / "home").mkdir()
    with bluesky_nights(tmp_path / "home") as found:
        alice = found.network.account("alice.example")
        found.follow(alice)
        publish(found, alice)
        yield found


def publish(nights: BlueskyNights, alice: AtAccount) -> None:
    """One record of every kind."""
    one = alice.upload(unlike(picture("PNG"), 1), "image/png")
    two = alice.upload(unlike(picture("PNG"), 2), "image/png")
    film = alice.upload(movie(), "video/mp4")
    bob = nights.network.account("bob.example")
    said = bob.post("From Bob")
    theirs = {"uri": said, "cid": "bafyreihldkhcwijkde7gx4rpkkuw7pl6lbyu5gieunyc7ihactn5bkd2nm"}
    alice.put("app.bsky.actor.profile", "self", displayName="Alice", description="Hi")
    alice.post("Grüße")
    images = [{"alt": "A", "image": one}, {"alt": "", "image": two}]
    alice.post("Two", embed={"$type": "app.bsky.embed.images", "images": images})
    alice.post("", embed={"$type": "app.bsky.embed.video", "video": film, "alt": "A film"})
    alice.post("An answer", reply={"root": theirs, "parent": theirs})
    quoted = alice.post("A quote", embed={"$type": "app.bsky.embed.record", "record": theirs})
    alice.put("app.bsky.feed.repost", None, subject=theirs)
    alice.put("app.bsky.feed.like", None, subject=theirs)
    alice.put("app.bsky.graph.follow", None, subject=bob.did)
    rkey = quoted.rpartition("/")[2]
    alice.put("app.bsky.feed.threadgate", rkey, post=quoted, allow=[])


def alice_of(nights: BlueskyNights) -> AtAccount:
    return next(iter(nights.network.accounts.values()))


def car_of(account: AtAccount, *, without: Callable[[int], bool] = lambda _: False) -> bytes:
    """The CAR file of an account; `without` says by their places which blocks it lacks."""
    root, blocks = account.repository()
    kept = [each for index, each in enumerate(blocks.items()) if not without(index)]
    return write_car(root, kept)


def with_files(account: AtAccount) -> dict[str, bytes | str]:
    """The CAR file and all files of an account, as tools for backups write them."""
    files = {f"blobs/{cid}": data for cid, (data, _) in account.files.items()}
    return {"alice/repo.car": car_of(account), **files}


def test_a_car_file_with_its_files_says_what_the_server_says(
    nights: BlueskyNights, tmp_path: Path
) -> None:
    nights.backup()
    alone = ImportFolder(tmp_path, nights.clock)
    report = alone.run(write_folder(tmp_path / "export", with_files(alice_of(nights))))
    assert (report.outcome, report.unmapped_paths) == ("done", {})
    for query in (POSTS, ATTACHMENTS, RELATIONS, FILES):
        assert alone.query(query) == nights.query(query)
    assert len(alone.query(FILES)) == 3
    account = "SELECT platform_id, title FROM accounts"
    assert alone.query(account) == nights.query(account)
    gates = "SELECT count(*) FROM post_sources WHERE extra LIKE '%threadgate%'"
    assert alone.column(gates) == [1]


@pytest.mark.parametrize("first", ["server", "export"])
def test_both_sources_make_one_post(nights: BlueskyNights, first: str) -> None:
    given = nights.folder / "alice.car"
    given.write_bytes(car_of(alice_of(nights)))
    config = load_config(nights.config_file)
    steps: list[Callable[[], RunReport | ImportReport]] = [
        nights.backup, lambda: import_now(config, given, clock=nights.clock)
    ]  # fmt: skip
    for step in steps if first == "server" else reversed(steps):
        assert step().exit_code == 0
    assert nights.column("SELECT count(*) FROM posts") == [6]
    assert nights.column("SELECT count(*) FROM post_sources") == [12]
    assert nights.column("SELECT name FROM accounts") == ["me"]
    assert nights.column("SELECT count(*) FROM media") == [3]
    assert nights.column("SELECT DISTINCT what FROM events WHERE what <> 'seen'") == []
    assert nights.column("SELECT max(number) FROM revisions") == [1]
    before = nights.dump(*CONTENT)
    for step in steps:
        step()
        nights.next_night()
    changed = {name for name, rows in nights.dump(*CONTENT).items() if rows != before[name]}
    assert changed <= {"metrics"}


def test_what_the_tree_does_not_name_is_not_revived(nights: BlueskyNights, tmp_path: Path) -> None:
    alice = alice_of(nights)
    removed = alice.post("Taken back")
    _, old = alice.repository()
    alice.delete(removed)
    root, new = alice.repository()
    given = tmp_path / "repo"
    given.write_bytes(write_car(root, (old | new).items()))
    alone = ImportFolder(tmp_path)
    assert alone.run(given).outcome == "done"
    assert alone.column("SELECT count(*) FROM posts") == [6]
    assert "Taken back" not in alone.column("SELECT text FROM posts")


def test_an_edit_by_a_tool_between_two_exports_is_one_edit(
    nights: BlueskyNights, tmp_path: Path
) -> None:
    alice = alice_of(nights)
    uri = alice.post("First words")
    old = write_zip(tmp_path / "old.zip", {"repo.car": car_of(alice)})
    nights.next_night()
    alice.put("app.bsky.feed.post", uri.rpartition("/")[2], text="Second words", langs=["en"])
    new = write_zip(tmp_path / "new.zip", {"repo.car": car_of(alice)})
    alone = ImportFolder(tmp_path, nights.clock)
    alone.run(old)
    assert alone.run(new).counts.edited == 1
    assert alone.run(old).counts.edited == 0, "an older export takes nothing back"
    assert "Second words" in alone.column("SELECT text FROM posts")


def test_a_part_of_a_repository_is_read_and_the_rest_is_missing(
    nights: BlueskyNights, tmp_path: Path
) -> None:
    alice = alice_of(nights)
    given = tmp_path / "part.car"
    given.write_bytes(car_of(alice, without=lambda index: index == 2))
    report = ImportFolder(tmp_path).run(given)
    assert (report.outcome, report.missing) == ("partial", ("blocks of part.car",))
    assert report.counts.new == 5


@pytest.mark.parametrize("name", ["pds", "arroba"])
def test_car_files_of_other_implementations_are_read(name: str, tmp_path: Path) -> None:
    records = json.loads((REPOSITORIES / f"{name}.json").read_text())["records"]
    posts = [key for key in records if key.startswith(("app.bsky.feed.post/", "app.bsky.feed.re"))]
    if not posts:
        with pytest.raises(PackageError, match="has no post"):
            ImportFolder(tmp_path).run(REPOSITORIES / f"{name}.car")
        return
    report = ImportFolder(tmp_path).run(REPOSITORIES / f"{name}.car")
    assert report.counts.new + report.counts.quarantined == len(posts)


def cut(car: bytes) -> bytes:
    return car[:-20]


def other_bytes(car: bytes) -> bytes:
    at = car.rindex(b"text")
    return car[: at + 8] + bytes([car[at + 8] ^ 1]) + car[at + 9 :]


def no_commit(_car: bytes) -> bytes:
    block = encode({"text": "no commit"})
    cid = cid_of_block(block)
    return write_car(cid, [(cid, block)])


@pytest.mark.parametrize("change", [cut, other_bytes, no_commit], ids=lambda each: each.__name__)
def test_a_damaged_car_file_is_refused(
    nights: BlueskyNights, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    given = tmp_path / "alice.car"
    given.write_bytes(change(car_of(alice_of(nights))))
    archive = ImportFolder(tmp_path)
    with pytest.raises(PackageError, match="cannot be imported"):
        archive.run(given)
    assert not archive.directory.exists()


def test_two_accounts_are_not_mixed(nights: BlueskyNights, tmp_path: Path) -> None:
    archive = ImportFolder(tmp_path)
    cars = []
    for account in nights.network.accounts.values():
        cars.append(tmp_path / f"{account.handle}.car")
        cars[-1].write_bytes(car_of(account))
    both = write_folder(tmp_path / "both", {path.name: path.read_bytes() for path in cars})
    with pytest.raises(PackageError, match="2 CAR files"):
        archive.run(both)
    archive.run(cars[0])
    label = archive.column("SELECT name FROM accounts")[0]
    with pytest.raises(PackageError, match="another bluesky account"):
        archive.run(cars[1], account=label)
