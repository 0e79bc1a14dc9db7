"""Of an erased post nothing is left of any kind that a source gives, whichever it came from.

The bytes of all files in the folder of the archive are searched, and those of compressed columns.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive.database import transaction, writer
from archiver.archive.rows import update
from archiver.evidence import standalone
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver_bluesky.cid import cid_of_file
from support.archive_folder import ArchiveFolder
from support.bluesky.nights import bluesky_nights
from support.erasing import NOW, KeepingKiosk, WithoutIds, erase_where, places_of
from support.exports.importing import ImportFolder
from support.exports.packing import write_zip
from support.exports.tweets import sample
from support.gazette import gazette
from support.mastodon import nights as mastodon_nights
from support.mastodon.nights import FediNights, fedi_nights
from support.mastodon.world import FediMedia
from support.media.samples import picture
from support.nights import nights

pytestmark = pytest.mark.slow

ALL = 'directory = "archive"\nkeep_responses = "all"'


def left(archive: ArchiveFolder, marks: list[bytes], condition: str) -> set[tuple[bytes, str]]:
    """What is left of the marks, once posts are erased; each has to be there before."""
    before = places_of(archive.directory, marks)
    assert {mark for mark, _ in before} == set(marks)
    erase_where(archive.directory, condition)
    assert verify(archive.directory, Scope(), NOW).damage == []
    assert list(standalone.check(archive.directory)) == []
    return places_of(archive.directory, marks)


@pytest.fixture
def fedi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FediNights]:
    """A world of Mastodon, of which all answers are kept."""
    config = mastodon_nights._CONFIG.replace('directory = "archive"', ALL)
    monkeypatch.setattr(mastodon_nights, "_CONFIG", config)
    with fedi_nights(tmp_path) as nights:
        yield nights


def emoji(fedi: FediNights, name: str) -> dict[str, object]:
    url = f"{fedi.world.origin}/custom_emojis/{name}.png"
    return {"shortcode": name, "url": url, "static_url": url, "visible_in_picker": True}


def test_of_a_post_of_mastodon(fedi: FediNights) -> None:
    """Texts of all versions, warning, poll, alt text, card, emoji, tags, names, numbers, quote."""
    somebody = fedi.world.sign_up("zbigniew", "elsewhere.example", display_name="Kowalski")
    quoted = somebody.publish("Quoted secret")
    of_all = emoji(fedi, "ofeverypost")
    fedi.press.publish("Stays :ofeverypost:", emojis=[of_all])
    card = dict.fromkeys(("html", "embed_url", "author_url", "provider_url"), "") | {
        "url": "https://card-address.example/", "title": "Card title", "type": "link",
        "description": "Card words", "author_name": "Card author", "provider_name": "",
        "image": None, "blurhash": None, "width": 0, "height": 0,
    }  # fmt: skip
    tag = {"name": "secrettag", "url": "https://social.example/tags/secrettag"}
    mention = {"id": "77", "username": "jadwiga", "acct": "jadwiga@x.example",
               "url": "https://x.example/@jadwiga"}  # fmt: skip
    post = fedi.press.publish(
        "First secret", warning="Warning one", poll=["Option one", "Option two"], quotes=quoted,
        media=[FediMedia(body=picture("JPEG") + b"bytes of the file", description="Alt words")],
        emojis=[emoji(fedi, "earlieremoji"), of_all], counts={"favourites": 7_712_345},
        fields={"card": card, "tags": [tag], "mentions": [mention]},
    )  # fmt: skip
    assert fedi.backup().exit_code == 0
    fedi.next_night()
    post.edit("Second secret", warning="Warning two", emojis=[emoji(fedi, "lateremoji"), of_all])
    assert fedi.backup(full=True).exit_code == 0
    marks = [
        b"First secret", b"Second secret", b"Warning one", b"Warning two", b"Option one",
        b"Option two", b"Alt words", b"bytes of the file", b"card-address", b"Card title",
        b"Card words", b"Card author", b"secrettag", b"jadwiga", b"zbigniew", b"Kowalski",
        b"Quoted secret", b"earlieremoji", b"lateremoji", b"7712345", post.status_id.encode(),
    ]  # fmt: skip
    assert left(fedi, marks, "text LIKE 'Second%'") == set()
    assert fedi.column("SELECT url FROM account_pictures WHERE kind = 'emoji'") == [of_all["url"]]


def test_of_posts_between_which_an_answer_ended(fedi: FediNights) -> None:
    """Addresses of pages, and their headers, name the first and last post; so do later answers."""
    fedi.world.page_limit = 2
    posts = []
    for number in range(7):
        posts.append(fedi.press.publish(f"Number {number} of all"))
        fedi.next_night(0.1)
    assert fedi.backup().exit_code == 0
    gone = [post.status_id.encode() for post in posts if post is not posts[3]]
    assert left(fedi, gone, "text NOT LIKE 'Number 3%'") == set()
    fedi.next_night()
    assert fedi.backup(full=True).exit_code == 0
    assert places_of(fedi.directory, gone) == set()
    assert fedi.column("SELECT text FROM posts") == ["Number 3 of all"]


def test_of_a_scan_that_was_not_finished(fedi: FediNights) -> None:
    """The cursor by which it goes on may be the id of a post."""
    posts = [fedi.press.publish(f"Number {number} of all") for number in range(3)]
    fedi.backup()
    named = posts[1].status_id
    with writer(fedi.directory, create=False) as connection, transaction(connection):
        update(connection, "coverage", "TRUE", (), next=named, reached_start=0)
    assert left(fedi, [named.encode()], f"platform_id = '{named}'") == set()
    fedi.next_night()
    assert fedi.backup(full=True).exit_code == 0
    assert fedi.column("SELECT reached_start FROM coverage") == [1]
    assert places_of(fedi.directory, [named.encode()]) == set()


def test_of_a_post_of_bluesky_whose_proof_is_kept(tmp_path: Path) -> None:
    """All but the key of its record and its hash in the proof, as the certificate says."""
    with bluesky_nights(tmp_path) as world:
        alice = world.network.account("alice.example")
        world.follow(alice)
        for number in range(9):
            alice.post(f"Number {number} of all")
        data = picture("JPEG") + b"bytes of the file"
        image = {"alt": "Alt words", "image": alice.upload(data, "image/jpeg")}
        post = alice.post(
            "First #secrettag", tags=["othertag"],
            facets=[{"index": {"byteStart": 6, "byteEnd": 16},
                     "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "secrettag"}]}],
            embed={"$type": "app.bsky.embed.recordWithMedia",
                   "record": {"$type": "app.bsky.embed.record",
                              "record": {"uri": "at://did:plc:zbigniew/x/y", "cid": "bafyquoted"}},
                   "media": {"$type": "app.bsky.embed.images", "images": [image]}},
        )  # fmt: skip
        key = post.rpartition("/")[2]
        hidden = ["at://did:plc:hiddenreply/x/y"]
        alice.put("app.bsky.feed.threadgate", key, post=post, allow=[], hiddenReplies=hidden)
        assert world.backup().exit_code == 0
        world.next_night()
        alice.put("app.bsky.feed.post", key, text="Second #secrettag", langs=["en"])
        assert world.backup(full=True).exit_code == 0
        marks = [
            b"First #", b"Second #", b"secrettag", b"othertag", b"Alt words", b"bytes of the file",
            b"zbigniew", b"bafyquoted", b"hiddenreply", post.encode(), key.encode(),
            str(cid_of_file(data)).encode(),
        ]  # fmt: skip
        found = left(world, marks, "text LIKE 'Second%'")
        assert found <= {(key.encode(), "responses.body")}
        world.next_night()
        assert world.backup(full=True).exit_code == 0
        assert places_of(world.directory, marks) <= {(key.encode(), "responses.body")}


def test_of_a_post_of_an_export(tmp_path: Path) -> None:
    archive, said = ImportFolder(tmp_path), sample()
    tweet = replace(said.tweets[1], text="First #secrettag @jadwiga", likes=7_712_345)
    for number, text in enumerate((tweet.text, "Second secret")):
        said.tweets[1] = replace(tweet, text=text)
        archive.run(write_zip(tmp_path / f"{number}.zip", said.files()))
    marks = [b"First #", b"Second secret", b"secrettag", b"jadwiga", b"7712345"]
    marks += [tweet.number.encode(), b"Alt 0", *(each.data for each in tweet.media)]
    assert left(archive, marks, "text LIKE 'Second%'") == set()


def test_of_posts_of_a_middleman(tmp_path: Path) -> None:
    with nights(tmp_path, "bluesky", "twitter", "facebook", "linkedin") as world:
        world.settings["archive"] = 'keep_responses = "all"'
        posts = [
            world.account(name).publish(f"{text} #secrettag @jadwiga")
            for name in world.platforms
            for text in ("Stays", "First")
        ]
        world.backup()
        world.next_night()
        for post in posts[1::2]:
            post.edit(text="Second secret")
        for post in posts[::2]:
            post.edit(text="Stays")
        world.backup(full=True)
        names = world.column(
            "SELECT value FROM post_aliases JOIN posts ON posts.id = post_id WHERE text LIKE 'Sec%'"
            " UNION SELECT platform_id FROM posts WHERE text LIKE 'Sec%'"
        )
        marks = [b"First #", b"Second secret", *(name.encode() for name in names)]
        assert len(marks) > len(world.platforms)
        assert left(world, marks, "text LIKE 'Second%'") == set()


def test_of_an_earlier_version_in_the_answer_of_a_source_without_ids(tmp_path: Path) -> None:
    class KeepingWithoutIds(KeepingKiosk, WithoutIds):
        """Both."""

    with gazette(tmp_path) as world:
        world.kiosk = KeepingWithoutIds()
        world.publish("The bakery opens at six")
        issue = world.publish("Agent Kowalski moved yesterday")
        world.backup("kiosk")
        world.next_night()
        issue.text = "Agent Kowalski lives behind the mill"
        world.backup("kiosk")
        marks = [b"moved yesterday", b"behind the mill"]
        assert left(world, marks, "text LIKE 'Agent%'") == set()
