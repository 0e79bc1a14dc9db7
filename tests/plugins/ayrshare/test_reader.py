"""What a table makes of a record: every value is understood, says nothing, or is unmapped."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import Attachment, Post
from archiver_ayrshare.instagram import Instagram
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.threads import Threads
from archiver_ayrshare.tiktok import TikTok
from archiver_ayrshare.twitter import Twitter
from support.ayrshare_contract import account_for

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
INSTAGRAM, THREADS, TIKTOK, TWITTER = Instagram(), Threads(), TikTok(), Twitter()


def read(record: dict[str, Any], platform: AyrsharePlatform = INSTAGRAM) -> Post:
    return platform.read({"id": "1", **record}, account_for(platform))


@pytest.mark.parametrize(
    ("value", "text"),
    [(2024, "2024"), (True, "true"), (False, "false"), (0, "0"), (-1, "-1"), (1.5, "1.5")],
)
def test_a_text_that_came_as_another_type_is_that_text(value: Any, text: str) -> None:
    post = read({"post": value})
    assert (post.text, post.content["text"], post.unmapped) == (text, text, ())


@given(st.text(min_size=1))
def test_text_and_ids_stay_in_every_normal_form(text: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        normal = unicodedata.normalize(form, text)
        post = read({"post": normal})
        assert post.text == (None if normal.isspace() else normal)


@given(JSON)
def test_a_text_is_read_or_unmapped(value: Any) -> None:
    post = read({"post": value})
    says_nothing = value is None or (isinstance(value, str) and not value.strip())
    assert says_nothing or post.text is not None or post.unmapped


@given(JSON)
def test_a_count_is_read_or_unmapped(value: Any) -> None:
    post = read({"likeCount": value})
    says_nothing = value is None or (isinstance(value, str) and not value.strip())
    assert says_nothing or post.metrics or post.unmapped


@given(JSON)
def test_a_time_is_read_or_unmapped(value: Any) -> None:
    post = read({"created": value, "post": "x"})
    says_nothing = value is None or (isinstance(value, str) and not value.strip())
    assert says_nothing or post.created_at or post.unmapped


@given(JSON)
def test_a_file_is_omitted_only_where_the_record_truly_lacks_it(value: Any) -> None:
    (attachment,) = read({"mediaUrl": value, "mediaType": "IMAGE"}).attachments
    (main, *_) = attachment.renditions
    assert (main.absent == "copyright") == (value is None)


@given(JSON, st.sampled_from(["mediaUrls", "children", "carousel"]))
def test_children_that_cannot_be_read_are_never_called_omitted(value: Any, key: str) -> None:
    post = read({key: value, "mediaType": "CAROUSEL_ALBUM"})
    claims = [r.absent == "copyright" for a in post.attachments for r in a.renditions]
    nothing = value in (None, []) or (isinstance(value, str) and not value.strip())
    if not nothing and not isinstance(value, list | dict):
        assert not any(claims)


@given(JSON)
def test_a_video_is_flagged_only_where_no_media_field_is_there(value: Any) -> None:
    (attachment, *_) = read({"post": "x", "mediaUrl": value}, TIKTOK).attachments
    claims = [r.absent == "copyright" for r in attachment.renditions]
    assert any(claims) == (value is None)


@pytest.mark.parametrize(
    "value", [-1, "many", 2**63, 10**30, "-5", True, {"count": 5}, [5], {}, [], "1,23"]
)
def test_what_is_no_count_is_unmapped(value: Any) -> None:
    post = read({"likeCount": value, "commentsCount": 2})
    assert [(m.name, m.value) for m in post.metrics] == [("comments", 2)]
    assert len(post.unmapped) == 1
    assert post.unmapped[0].startswith("likeCount")


@pytest.mark.parametrize(
    "value", [0, "0", "yesterday", -5, True, "2026-13-01", {"day": 1}, [1], "0000-00-00"]
)
def test_what_is_no_date_is_unmapped(value: Any) -> None:
    post = read({"created": value, "timestamp": "2026-05-01"})
    assert post.created_at == "2026-05-01T00:00:00.000Z"
    assert len(post.unmapped) == 1
    assert post.unmapped[0].startswith("created")


@pytest.mark.parametrize(
    "created",
    [
        "2026-05-01 10:00:00 UTC", 1777629600, 1777629600000, "1777629600", "1777629600000",
        {"_seconds": 1777629600, "_nanoseconds": 0},
        {"_seconds": 1777629600, "_nanoseconds": 0, "utc": "2026-05-01T10:00:00Z"},
    ],
)  # fmt: skip
def test_a_date_is_read_in_every_form(created: Any) -> None:
    post = read({"created": created})
    assert (post.created_at, post.unmapped) == ("2026-05-01T10:00:00.000Z", ())


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ({"postUrl": "instagram.com/p/x"}, "postUrl"),
        ({"username": ["me"]}, "username[]"),
        ({"shortcode": 1.5}, "shortcode"),
        ({"width": "wide"}, "width"),
        ({"width": -720}, "width"),
        ({"duration": "soon"}, "duration"),
        ({"mediaType": 5}, "mediaType"),
        ({"altText": ["A", "dog"]}, "altText[]"),
        ({"thumbnailUrl": "a.jpg"}, "thumbnailUrl"),
        ({"mediaUrl": "a.jpg"}, "mediaUrl"),
        ({"mediaUrl": ""}, "mediaUrl"),
        ({"mediaUrls": [5]}, "mediaUrls[]"),
        ({"mediaUrls": [{"mediaUrl": "a.jpg"}]}, "mediaUrls[].mediaUrl"),
        ({"mediaUrls": {"mediaUrl": "a.jpg"}}, "mediaUrls.mediaUrl"),
        ({"mediaUrls": {"0": {"mediaUrl": "a.jpg"}}}, "mediaUrls.0.mediaUrl"),
        ({"mediaProductType": "POSTCARD"}, "mediaProductType"),
        ({"locationName": 1.5}, "locationName"),
    ],
)
def test_a_value_of_another_form_is_unmapped(record: dict[str, Any], path: str) -> None:
    assert read(record).unmapped == (path,)


def test_what_is_null_or_blank_is_not_unmapped() -> None:
    names = ("post", "created", "postUrl", "username", "likeCount", "altText", "thumbnailUrl")
    for nothing in (None, "", " ", "\u3000"):
        assert read(dict.fromkeys(names, nothing)).unmapped == ()
    assert read({"mediaUrls": [None, {"id": "5", "mediaUrl": None}]}).unmapped == ()


def test_an_object_in_place_of_a_list_is_a_list_of_one() -> None:
    child = {"id": "5", "mediaUrl": "https://a.example/x.jpg", "mediaType": "IMAGE"}
    as_list = read({"mediaUrls": [child]})
    for spelling in (child, {"0": child}, {"data": [child]}, {"data": child}):
        assert read({"mediaUrls": spelling}).attachments == as_list.attachments
    assert read({"mediaUrls": child}).unmapped == ()
    assert read({"mediaUrls": {"0": child}}).unmapped == ()


def test_null_among_children_is_passed_over() -> None:
    child = {"id": "5", "mediaUrl": "https://a.example/x.jpg"}
    assert len(read({"mediaUrls": [None, child, None]}).attachments) == 1


def test_ids_as_numbers_keep_their_digits() -> None:
    post = read({"referencedTweets": [{"type": "quoted", "id": 1556718165828276224999}]}, TWITTER)
    assert post.relations[0].platform_id == "1556718165828276224999"
    post = read({"media": [{"mediaKey": 71739849636389814272, "type": "photo"}]}, TWITTER)
    assert post.attachments[0].platform_id == "71739849636389814272"
    assert post.unmapped == ()


@pytest.mark.parametrize("value", [True, "true", "TRUE", 1, "1"])
def test_a_truth_value_in_every_form(value: Any) -> None:
    post = read({"isQuotePost": value, "text": "x"}, THREADS)
    assert (post.kind, post.unmapped) == ("quote", ())


@pytest.mark.parametrize("value", ["maybe", 2, [], {"a": True}, 0.5])
def test_what_is_no_truth_value_is_unmapped(value: Any) -> None:
    post = read({"isQuotePost": value, "text": "x"}, THREADS)
    assert post.kind == "post"
    assert post.unmapped


def test_an_address_is_trimmed_and_gets_its_scheme() -> None:
    record = {"mediaUrl": " //a.example/x.jpg\n", "thumbnailUrl": "//a.example/y.jpg"}
    post = read(record)
    assert [r.url for r in post.attachments[0].renditions] == [
        "https://a.example/x.jpg", "https://a.example/y.jpg"
    ]  # fmt: skip
    assert post.unmapped == ()


def test_what_is_no_address_is_a_row_that_shows_it() -> None:
    record = {"mediaUrl": "attachment:5", "thumbnailUrl": ["x"], "mediaType": "IMAGE"}
    post = read(record)
    found: list[Attachment] = list(post.attachments)
    assert [(r.role, r.absent, r.url) for r in found[0].renditions] == [
        ("original", "address_not_understood", "attachment:5"),
        ("thumbnail", "address_not_understood", '["x"]'),
    ]
    assert post.unmapped == ("mediaUrl", "thumbnailUrl[]")
