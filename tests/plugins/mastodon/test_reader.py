"""What a status says is read: text, audience, warnings, polls, what it answers, quotes, reposts."""

from typing import Any

import pytest

from archiver import Alias, Metric, Post, RecordError, Relation
from archiver.canonical import content_sha256
from archiver.clock import DemoClock
from archiver_mastodon.reader import read_status
from archiver_mastodon.versions import version_of
from support.mastodon.samples import statuses
from support.mastodon.world import FediAccount, FediMedia, FediServer, FediStatus


@pytest.fixture
def world() -> FediServer:
    world = FediServer(DemoClock().now)
    world.origin = "https://files.social.example"
    return world


@pytest.fixture
def press(world: FediServer) -> FediAccount:
    return world.sign_up("press")


@pytest.fixture
def bob(world: FediServer) -> FediAccount:
    return world.sign_up("bob", host="other.example")


def read(status: FediStatus, **changes: Any) -> Post:
    return read_status({**status.as_json(), **changes}, "social.example")


def extra(post: Post) -> dict[str, Any]:
    return {each.name: each.value for each in post.extra}


def test_a_status_is_a_post(press: FediAccount) -> None:
    status = press.publish("Good morning\n\nA < B", counts={"favourites": 3, "reblogs": 2})
    post = read(status)
    assert (post.platform_id, post.kind) == (status.status_id, "post")
    assert post.text == "Good morning\n\nA < B"
    assert post.created_at == "2026-03-02T09:00:00.000Z"
    assert post.url == f"https://social.example/@press/{status.status_id}"
    assert post.aliases == (Alias("uri", status.uri),)
    assert (post.visibility, post.author, post.edited_at) == (
        "public",
        "press@social.example",
        None,
    )
    assert post.content == {"text": "Good morning\n\nA < B", "languages": ["en"]}
    assert Metric("likes", 3) in post.metrics
    assert Metric("reposts", 2) in post.metrics
    assert Metric("replies", 0) in post.metrics


def test_a_boost_is_the_fact_and_the_link(press: FediAccount, bob: FediAccount) -> None:
    theirs = bob.publish("Theirs", media=[FediMedia()], counts={"favourites": 7})
    post = read(press.boost(theirs))
    assert post.kind == "repost"
    assert post.relations == (Relation("reposts", theirs.status_id, theirs.url),)
    assert (post.text, post.attachments, post.metrics, post.extra) == (None, (), (), ())
    assert post.author == "press@social.example"
    assert post.content == {"reposts": theirs.uri}


def test_an_edit_of_what_was_boosted_is_none_of_ours(press: FediAccount, bob: FediAccount) -> None:
    theirs = bob.publish("Theirs")
    boost = press.boost(theirs)
    before = content_sha256(read(boost))
    theirs.edit("Theirs, edited")
    assert content_sha256(read(boost)) == before


def test_a_reply_says_what_it_answers(press: FediAccount, bob: FediAccount) -> None:
    theirs = bob.publish("Theirs")
    post = read(press.publish("Yes", answers=theirs, quotes=theirs))
    assert post.kind == "reply"
    assert [relation.kind for relation in post.relations] == ["reply_to", "quotes"]
    assert post.relations[0].platform_id == theirs.status_id


@pytest.mark.parametrize(
    "said",
    [
        {"quote": {"state": "accepted", "quoted_status": {"id": "7", "url": "https://o.example/7"}}},
        {"quote": {"id": "7", "url": "https://o.example/7", "content": "Theirs"}},
        {"quote_id": "7", "quote_url": "https://o.example/7"},
        {"pleroma": {"quote_id": "7", "quote_url": "https://o.example/7"}},
    ],
)  # fmt: skip
def test_a_quotation_is_understood_in_every_dialect(
    press: FediAccount, said: dict[str, Any]
) -> None:
    post = read(press.publish("So it is"), **said)
    assert post.kind == "quote"
    assert post.relations == (Relation("quotes", "7", "https://o.example/7"),)


def test_a_quotation_that_may_not_be_shown_is_still_one(press: FediAccount) -> None:
    quote = {"state": "revoked", "quoted_status": None, "quoted_status_id": "7"}
    assert read(press.publish("So it is"), quote=quote).relations == (Relation("quotes", "7"),)


def test_the_options_of_a_poll_are_content_and_the_votes_are_not(press: FediAccount) -> None:
    status = press.publish("Which?", poll=["This", "That"])
    before = read(status)
    assert extra(before)["poll"] == ["This", "That"]
    assert Metric("poll.option_1", 0) in before.metrics
    status.counts = {"option This": 5}
    voted = read(status)
    assert Metric("poll.option_1", 5) in voted.metrics
    assert Metric("poll.votes", 5) in voted.metrics
    assert content_sha256(voted) == content_sha256(before)
    status.poll = ["This", "Neither"]
    assert content_sha256(read(status)) != content_sha256(before)


@pytest.mark.parametrize(
    "change", [{"spoiler_text": "food"}, {"sensitive": True}, {"content": "<p>B</p>"},
               {"language": "de"}, {"media_attachments": [{"id": "1", "type": "image"}]}],
)  # fmt: skip
def test_what_an_author_can_edit_is_content(press: FediAccount, change: dict[str, Any]) -> None:
    status = press.publish("A")
    assert content_sha256(read(status, **change)) != content_sha256(read(status))


@pytest.mark.parametrize(
    "change",
    [
        {"content": '<p class="new">A</p>\n'},
        {"card": {"url": "https://example.org", "title": "came later",
                  "image": "https://files.social.example/cache/1.png"}},
        {"emojis": []}, {"mentions": []}, {"tags": []}, {"url": "https://new.example/1"},
        {"account": {"acct": "press", "display_name": "Renamed"}}, {"pinned": True},
        {"edited_at": "2026-04-01T00:00:00.000Z"},
    ],
)  # fmt: skip
def test_what_servers_and_others_change_is_no_edit(
    press: FediAccount, change: dict[str, Any]
) -> None:
    for text in ("A", "A https://example.org"):
        status = press.publish(text)
        given = {name: value for name, value in change.items() if name != "content" or text == "A"}
        assert content_sha256(read(status, **given)) == content_sha256(read(status))


def test_what_only_mastodon_knows_is_kept_beside(press: FediAccount) -> None:
    linked, shown = statuses()[0], statuses()[7]
    found = extra(read_status(linked, "social.example"))
    assert found["mentions"] == ["bob@other.example"]
    assert found["hashtags"] == ["news"]
    assert found["links"] == ["https://www.example.org/a/long/path/x"]
    assert found["link_preview"] == {
        "title": "A page", "url": "https://www.example.org/a/long/path/x",
    }  # fmt: skip
    emoji = read_status(shown, "social.example").emoji
    assert emoji == {"star": "https://files.social.example/custom_emojis/images/star.png"}
    warned = extra(read(press.publish("Look", warning="food")))
    assert (warned["content_warning"], warned["sensitive"]) == ("food", True)


def test_media_have_their_kinds_sizes_and_alt_texts() -> None:
    post = read_status(statuses()[1], "social.example")
    kinds = [attachment.kind for attachment in post.attachments]
    assert kinds == ["image", "gif", "video", "audio", "other"]
    video = post.attachments[2]
    assert (video.width, video.height, video.duration_ms) == (640, 360, 2500)
    assert video.alt_text == "A video"
    assert [rendition.role for rendition in video.renditions] == ["original", "thumbnail"]
    assert post.attachments[3].renditions[0].bitrate == 128_000


def test_a_file_is_looked_for_where_it_came_from_if_its_server_has_no_copy() -> None:
    strange = read_status(statuses()[1], "social.example").attachments[4]
    assert strange.renditions[0].url == "https://other.example/files/strange.xyz"


def test_a_file_that_is_still_processed_is_not_offered_yet(press: FediAccount) -> None:
    media = FediMedia(fields={"url": None, "preview_url": None})
    post = read(press.publish("Look", media=[media]))
    assert [r.absent for r in post.attachments[0].renditions] == ["not_offered"]


def test_a_private_message_is_refused(press: FediAccount) -> None:
    with pytest.raises(RecordError, match="private message"):
        read(press.publish("Hush", visibility="direct"))


def test_every_version_is_read_like_the_status_itself(press: FediAccount) -> None:
    status = press.publish("One", media=[FediMedia(description="A")], poll=["x", "y"])
    before = read(status)
    press.world.now = lambda: status.created_at.replace(hour=12)
    status.edit("Two", warning="long")
    versions = [
        version_of(edit, status.as_json(), is_first=index == 0)
        for index, edit in enumerate(status.history())
    ]
    first, last = [read_status(version.record.data, "social.example") for version in versions]
    assert content_sha256(first) == content_sha256(before)
    assert content_sha256(last) == content_sha256(read(status))
    assert [version.source_time for version in versions] == [
        "2026-03-02T09:00:00.000Z", "2026-03-02T12:00:00.000Z",
    ]  # fmt: skip
    assert (first.edited_at, last.edited_at) == (None, "2026-03-02T12:00:00.000Z")


def test_a_custom_emoji_whose_picture_moves_or_goes_is_no_edit(press: FediAccount) -> None:
    def showing(address: str | None) -> Post:
        emoji = [{"shortcode": "star", "url": address}] if address else []
        return read(press.publish(":star:"), emojis=emoji)

    before = showing("https://files.social.example/1.png")
    assert before.emoji == {"star": "https://files.social.example/1.png"}
    for address in ("https://cdn.social.example/2.png", None):
        assert content_sha256(showing(address)) == content_sha256(before)


def test_emoji_whose_names_are_none_are_left_out(press: FediAccount) -> None:
    url = "https://files.social.example/1.png"
    names = ["star", "neo-cat.1", "two words", ":x:", "", None, 7, "a" * 101]
    shown = read(press.publish("x"), emojis=[{"shortcode": name, "url": url} for name in names])
    assert list(shown.emoji) == ["star", "neo-cat.1"]
