"""The envelope, the parameters and the errors, over real HTTP."""

import json
import sqlite3
from pathlib import Path

import msgspec
import pytest

from archiver_ayrshare.demo.specs import photo
from support.exports.importing import import_now
from support.exports.packing import write_zip
from support.exports.tweets import Tweet, TweetWorld, sample
from support.nights import PLATFORMS, Nights, nights
from support.serve.serving import TOKEN, Asking, served

pytestmark = pytest.mark.slow

NEWEST_FIRST = """
    SELECT posts.platform_id FROM posts JOIN accounts ON accounts.id = account_id
     WHERE name = ? AND removed_at IS NULL ORDER BY created_at DESC, posts.id
"""


def raw_records(content: bytes) -> list[str]:
    """The exact texts of the records of an answer."""
    fields = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    return [
        bytes(raw).decode() for raw in msgspec.json.decode(fields["posts"], type=list[msgspec.Raw])
    ]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_records_are_byte_for_byte_as_they_were_received(
    archive: Asking, lived: Nights, platform: str
) -> None:
    answer = archive.get(f"history/{platform}", {"limit": 500})
    held = lived.query(
        "SELECT raw FROM posts WHERE account_id = (SELECT id FROM accounts WHERE name = ?) "
        "AND removed_at IS NULL", platform,
    )  # fmt: skip
    assert sorted(raw_records(answer.content)) == sorted(raw for (raw,) in held)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_pages_hold_every_post_once_newest_first(
    archive: Asking, lived: Nights, platform: str
) -> None:
    assert archive.ids(platform, limit=3) == lived.column(NEWEST_FIRST, platform)


def test_the_envelope_is_as_documented(archive: Asking, lived: Nights) -> None:
    answer = archive.history("instagram")
    assert list(answer) == ["status", "posts", "meta", "lastUpdated", "nextUpdate"]
    assert answer["status"] == "success"
    assert len(answer["posts"]) == 10
    paging = answer["meta"]["pagination"]
    assert (paging["hasMore"], paging["limit"]) == (True, 10)
    ((updated_at, fresh_until),) = lived.query(
        "SELECT source_updated_at, fresh_until FROM run_accounts WHERE name = 'instagram' "
        "ORDER BY run_id DESC LIMIT 1"
    )
    assert (answer["lastUpdated"], answer["nextUpdate"]) == (updated_at, fresh_until)


def test_the_last_page_says_that_it_is_the_last(archive: Asking) -> None:
    assert archive.history("instagram", limit=500)["meta"]["pagination"] == {
        "hasMore": False, "limit": 500,
    }  # fmt: skip


def test_posts_that_are_gone_are_left_out_unless_asked_for(archive: Asking, lived: Nights) -> None:
    (gone,) = lived.column("SELECT platform_id FROM posts WHERE removed_at IS NOT NULL")
    assert gone not in archive.ids("twitter")
    assert gone in archive.ids("twitter", includeRemoved="true")
    with served(lived.directory, removed=True) as asking:
        assert gone in asking.ids("twitter")


def test_since_and_until_hold_for_every_platform(archive: Asking, lived: Nights) -> None:
    days = lived.column(
        "SELECT DISTINCT substr(created_at, 1, 10) FROM posts WHERE platform = 'youtube' ORDER BY 1"
    )
    expected = lived.column(
        "SELECT platform_id FROM posts WHERE platform = 'youtube' "
        "AND substr(created_at, 1, 10) BETWEEN ? AND ? ORDER BY created_at DESC", days[1], days[2],
    )  # fmt: skip
    assert expected
    assert archive.ids("youtube", since=days[1], until=days[2], limit=2) == expected


def test_data_type_chooses_posts_or_stories(archive: Asking, lived: Nights) -> None:
    stories = set(archive.ids("facebook", dataType="stories"))
    posts = set(archive.ids("facebook", dataType="posts"))
    kinds = dict(lived.query("SELECT platform_id, kind FROM posts WHERE platform = 'facebook'"))
    assert stories
    assert {kinds[platform_id] for platform_id in stories} == {"story"}
    assert stories | posts == set(kinds)
    assert not stories & posts


def test_without_analytics_facebook_and_instagram_give_ids_only(archive: Asking) -> None:
    for record in archive.history("instagram", skipAnalytics="True")["posts"]:
        assert list(record) == ["id"]
    assert len(archive.history("twitter", skipAnalytics="True")["posts"][0]) > 1


def test_what_others_wrote_on_a_page_is_left_out_of_what_it_published(tmp_path: Path) -> None:
    with nights(tmp_path, "facebook") as world:
        page = world.account("facebook")
        ours = page.publish("Ours")
        theirs = page.publish("Hello!", visitor=True)
        world.backup()
        _change(world.directory / "archive.db", theirs.id, "author = 'Somebody'")
        with served(world.directory) as asking:
            assert asking.ids("facebook", pagePublished="true") == [ours.id]
            assert asking.ids("facebook") == [theirs.id, ours.id]


def test_unknown_parameters_and_x_keys_are_ignored(archive: Asking) -> None:
    plain = archive.history("twitter")
    answer = archive.get(
        "history/twitter", {"lastDays": "7", "id": "twitter", "source": "npm", "nonsense": "1"},
        **{"X-Twitter-OAuth1-Api-Key": "k", "X-Twitter-OAuth1-Api-Secret": "s"},
    )  # fmt: skip
    assert answer.json() == plain


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"}, {"limit": "501"}, {"limit": "ten"}, {"skipAnalytics": "maybe"},
        {"since": "yesterday"}, {"dataType": "reels"}, {"next": "bm8="}, {"asOf": "once"},
        {"userId": "1", "userName": "a"},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(archive: Asking, params: dict[str, str]) -> None:
    answer = archive.get("history/twitter", params)
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"


@pytest.mark.parametrize(
    ("token", "path", "status", "code"),
    [
        ("wrong", "history/twitter", 401, 401),
        ("the-token", "user", 401, 401),
        ("the-token-of-this-archive", "history/myspace", 400, 221),
        ("the-token-of-this-archive", "history", 400, 221),
        ("the-token-of-this-archive", "posts", 404, 404),
    ],
)
def test_errors_have_the_documented_shape(
    archive: Asking, token: str, path: str, status: int, code: int
) -> None:
    answer = archive.get(path, token=token)
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, "error", code)
    assert set(body) == {"action", "status", "code", "message"}


def test_it_only_reads(archive: Asking) -> None:
    url = f"{archive.base_url}/history/twitter"
    headers = {"Authorization": "Bearer the-token-of-this-archive"}
    assert archive.client.post(url, headers=headers).status_code == 405
    refused = archive.client.delete(url, headers=headers)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


def test_one_post_is_found_by_its_own_id(archive: Asking, lived: Nights) -> None:
    ((platform_id, raw),) = lived.query(
        "SELECT platform_id, raw FROM posts WHERE platform = 'linkedin' LIMIT 1"
    )
    params = {"searchPlatformId": "true", "platform": "linkedin"}
    assert archive.get(f"history/{platform_id}", params).text == raw
    assert archive.get("history/urn:li:share:1", params).json()["code"] == 221
    params["platform"] = "twitter"
    assert archive.get(f"history/{platform_id}", params).json()["code"] == 221


def test_a_cursor_stays_good_while_the_archive_grows(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        account = world.account("twitter")
        first = [post.id for post in reversed(account.populate(9, media=False))]
        world.backup()
        with served(world.directory) as asking:
            page = asking.history("twitter", limit=4)
            account.publish("News")
            account.post(first[5]).remove()
            for _ in range(3):
                world.next_night()
                world.backup(full=True)
            cursor = page["meta"]["pagination"]["next"]
        with served(world.directory) as asking:  # and after a restart
            rest = asking.ids("twitter", limit=4, next=cursor)
    assert [record["id"] for record in page["posts"]] == first[:4]
    assert rest == [first[4], *first[6:]]


def test_posts_without_a_time_come_last_and_page_as_well(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        dated = [post.id for post in world.account("twitter").populate(5, media=False)]
        world.backup()
        for platform_id in (dated[1], dated[3]):
            _change(world.directory / "archive.db", platform_id, "created_at = NULL")
        with served(world.directory) as asking:
            found = [asking.ids("twitter", limit=limit) for limit in (1, 2, 3, 500)]
    assert found == [[dated[4], dated[2], dated[0], dated[3], dated[1]]] * 4


def test_an_account_without_posts_has_an_empty_list(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads")
        world.backup()
        with served(world.directory) as asking:
            assert asking.history("threads")["posts"] == []
            answer = asking.get("history/youtube")
    assert (answer.status_code, answer.json()["code"]) == (400, 156)


def test_it_answers_while_somebody_writes(lived: Nights, tmp_path: Path) -> None:
    from archiver.archive.database import writer

    with nights(tmp_path, "twitter") as world:
        world.account("twitter").populate(3, media=False)
        world.backup()
        with served(world.directory) as asking, writer(world.directory) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE posts SET text = 'in the middle'")
            assert len(asking.ids("twitter")) == 3
            connection.rollback()


def test_an_archive_that_is_gone_is_503(tmp_path: Path) -> None:
    with served(tmp_path / "nothing") as asking:
        answer = asking.get("history/twitter")
    assert answer.status_code == 503
    assert json.loads(answer.content)["status"] == "error"


def _change(path: Path, platform_id: str, change: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(f"UPDATE posts SET {change} WHERE platform_id = ?", (platform_id,))
    connection.close()


def test_head_is_get_without_its_body(archive: Asking) -> None:
    url, headers = f"{archive.base_url}/history/threads", {"Authorization": f"Bearer {TOKEN}"}
    whole, head = (getattr(archive.client, how)(url, headers=headers) for how in ("get", "head"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


def test_the_scheme_of_the_token_is_read_in_any_case(archive: Asking) -> None:
    for scheme in ("bearer", "BEARER"):
        answer = archive.get("user", Authorization=f"{scheme} {TOKEN}")
        assert answer.status_code == 200


def test_a_post_that_only_another_source_showed_has_a_record_in_the_form_of_the_api(
    tmp_path: Path,
) -> None:
    with nights(tmp_path, "twitter") as world:
        account = world.account("twitter")
        shown = account.publish("Good morning", media=[photo()])
        world.backup()
        own = [Tweet(shown.id, shown.at, "Good morning"), *sample().tweets[:2]]
        made = TweetWorld(own, account.platform_id, account.handle, world.clock.now())
        import_now(world.config(), write_zip(tmp_path / "x.zip", made.files()))
        first = tmp_path / "archive"
        with served(first) as asking, served(first, media=True) as with_media:
            posts = asking.history("twitter", limit=100)["posts"]
            files = [
                url for post in with_media.history("twitter", limit=100)["posts"]
                for url in post.get("mediaUrls", []) if isinstance(url, str)
            ]  # fmt: skip
            found = [with_media.client.get(url) for url in files]
    by_id = {post["id"]: post for post in posts}
    (raw,) = world.column(
        "SELECT coalesce(own.raw, posts.raw) FROM posts JOIN post_sources AS own "
        "ON post_id = posts.id WHERE source = 'ayrshare'"
    )
    assert by_id.pop(shown.id) == json.loads(raw), "the API's own record stays as it is"
    assert {post["post"] for post in by_id.values()} == {tweet.text for tweet in own[1:]}
    assert all(post.keys() <= {"id", "post", "created", "postUrl", "mediaUrls"}
               for post in by_id.values())  # fmt: skip
    held = {medium.data for tweet in own[1:] for medium in tweet.media}
    assert {answer.content for answer in found} == held
