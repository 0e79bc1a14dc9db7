"""When URLs say that they expire."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.media.expiry import url_expired, url_expiry

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
EPOCH = int(AT.timestamp())


@pytest.mark.parametrize(
    "url",
    [
        f"https://scontent-fra3-1.cdninstagram.com/v/a.jpg?oh=00_A&oe={EPOCH:X}&_nc_sid=1",
        f"https://video.xx.fbcdn.net/v/a.mp4?oe={EPOCH:x}",
        f"https://cdn.example/a.jpg?oh=1&oe={EPOCH:08X}",
        f"https://p16-sign.tiktokcdn-us.com/a.jpeg?x-expires={EPOCH}&x-signature=b",
        f"https://v.example/storage/v1/tos-x/oAbc/?mime_type=video_mp4&x-tos-expires={EPOCH}",
        f"https://media.licdn.com/dms/image/a?e={EPOCH}&v=beta&t=c",
        f"https://d1.cloudfront.net/a?Expires={EPOCH}&Signature=b&Key-Pair-Id=c",
        f"https://b.s3.amazonaws.com/a?AWSAccessKeyId=x&Expires={EPOCH}&Signature=b",
        "https://b.s3.amazonaws.com/a?X-Amz-Date=20261123T110000Z&X-Amz-Expires=3600",
        "https://storage.googleapis.com/a?X-Goog-Date=20261123T110000Z&X-Goog-Expires=3600",
    ],
)
def test_known_forms(url: str) -> None:
    assert url_expiry(url) == AT
    assert url_expired(url, AT)
    assert not url_expired(url, AT - timedelta(seconds=1))


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example/a.jpg", "https://cdn.example/a?oe=00000001", "https://a/?e=1000000000",
        "https://a.fbcdn.net/?oe=xyz", "https://notfbcdn.net/?oe=00000001", "https://[::1", "",
        "https://a/?Expires=1000000000", "https://a/?x-expires=soon", "https://a/?x-expires=1e9",
        "https://a/?X-Amz-Date=x&X-Amz-Expires=1", "https://a/?X-Amz-Date=20261123T110000Z",
        "https://a/?X-Amz-Date=99999999T999999Z&X-Amz-Expires=9999999",
        "https://a/?" + "&".join(f"a{n}=1" for n in range(500)) + "&x-expires=1000000000",
    ],
)  # fmt: skip
def test_what_is_not_known_is_simply_tried(url: str) -> None:
    assert not url_expired(url, AT)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_no_url_makes_it_stumble(text: str) -> None:
    for url in (text, f"https://a.fbcdn.net/?oe={text}", f"https://a/?x-expires={text}"):
        url_expired(url, AT)
