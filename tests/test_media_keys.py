"""The name of a file, from its address: what signs never matters, what names always does."""

from base64 import b64encode
from string import ascii_letters, digits
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.media_keys import address_key
from archiver.urls import BadUrl, normalize_url

EPOCH = st.integers(1_500_000_000, 2_100_000_000).map(str)
HEX_EPOCH = st.integers(1_500_000_000, 2_100_000_000).map("{:08X}".format)
HEX = st.text("0123456789abcdef", min_size=32, max_size=64)
BASE64 = st.binary(min_size=20, max_size=60).map(lambda data: quote(b64encode(data).decode()))
SIGNATURE = HEX | BASE64

Parameters = st.SearchStrategy[dict[str, str]]


def of(**values: st.SearchStrategy[str]) -> Parameters:
    return st.fixed_dictionaries({name.replace("__", "-"): each for name, each in values.items()})


AMAZON = st.fixed_dictionaries(
    {
        "X-Amz-Algorithm": st.just("AWS4-HMAC-SHA256"), "X-Amz-Credential": BASE64,
        "X-Amz-Date": st.just("20261127T120000Z"), "X-Amz-Expires": st.sampled_from(["60", "900"]),
        "X-Amz-SignedHeaders": st.just("host"), "X-Amz-Signature": HEX,
        "X-Amz-Security-Token": BASE64,
    }
)  # fmt: skip
AZURE = of(
    sv=st.just("2022-11-02"), sr=st.just("b"), sp=st.just("r"), spr=st.just("https"),
    st=st.just("2026-11-27T10%3A00%3A00Z"), se=st.just("2026-11-28T10%3A00%3A00Z"), sig=BASE64,
)  # fmt: skip
SIGNED: dict[str, Parameters] = {
    "scontent-fra3-1.cdninstagram.com": of(
        stp=st.sampled_from(["dst-jpg_e35_tt6", "dst-jpg_p640x640"]), _nc_cat=st.just("101"),
        _nc_ohc=BASE64, oh=BASE64, oe=HEX_EPOCH, _nc_sid=st.just("8b3546"), invented=BASE64,
    ),
    "video.xx.fbcdn.net": of(_nc_ht=st.just("video.xx"), efg=BASE64, oh=BASE64, oe=HEX_EPOCH),
    "p16-sign-va.tiktokcdn.com": of(
        x__expires=EPOCH, x__signature=BASE64, t=st.just("4d5b0474"), dr=st.just("9636"),
    ),
    "media.licdn.com": of(e=EPOCH, v=st.just("beta"), t=BASE64),
    "cf-st.sc-cdn.net": of(mo=BASE64, uc=st.sampled_from(["46", "75"])),
    "i.ytimg.com": of(sqp=BASE64, rs=BASE64),
    "video.twimg.com": of(tag=st.sampled_from(["10", "12", "21"])),
    "bucket.s3.amazonaws.com": AMAZON,
    "d111.cloudfront.net": st.fixed_dictionaries(
        {"Expires": EPOCH, "Signature": BASE64, "Key-Pair-Id": HEX}
    ),
    "storage.googleapis.com": st.fixed_dictionaries(
        {"GoogleAccessId": st.just("a@b.example"), "Expires": EPOCH, "Signature": BASE64}
    ),
    "account.blob.core.windows.net": AZURE,
    "files.example": of(token=SIGNATURE, expires=EPOCH, hash=HEX),
    "media.example": of(exp=EPOCH, hmac=HEX),
    "nginx.example": of(md5=HEX, expires=EPOCH),
    "edge.example": of(hdnts=BASE64),
    "unknown.example": of(invented=HEX),
}  # fmt: skip
TRACKING = st.dictionaries(
    st.sampled_from(["utm_source", "utm_campaign", "fbclid", "igsh", "session_id"]), SIGNATURE
)
IDS = (
    st.integers(0, 10**19).map(str)
    | st.uuids().map(str)
    | st.text(ascii_letters + digits + "_-", min_size=1, max_size=64)
)
"""As databases give them, some of which look as random as a signature."""

ID_NAMES = st.sampled_from(
    ["id", "media_id", "mediaId", "file", "photo", "url", "cid", "fbid", "v"]
)
SMALL = st.integers(0, 99_999).map(str) | st.sampled_from(
    ["small", "large", "orig", "a-b", "1.jpg"]
)
UNKNOWN_NAMES = st.sampled_from(["w", "h", "n", "size", "format", "which", "token", "t", "s", "e"])


def address(host: str, path: str, parameters: list[tuple[str, str]]) -> str:
    query = "&".join(f"{name}={value}" for name, value in parameters)
    return f"https://{host}{path}?{query}"


@pytest.mark.slow
@given(st.sampled_from(sorted(SIGNED)), st.data())
def test_a_rotated_signature_never_gives_a_file_another_name(
    host: str, data: st.DataObject
) -> None:
    """In any mix with parameters that name, in any order, tracked or not."""
    paths = ["/v/473_n.jpg"] if host == "unknown.example" else ["/v/473_n.jpg", "/media/"]
    path = data.draw(st.sampled_from(paths))
    named = list(data.draw(st.dictionaries(ID_NAMES.filter(lambda n: n != "v"), IDS)).items())
    names = set()
    for _ in range(3):
        signed = [*data.draw(SIGNED[host]).items(), *data.draw(TRACKING).items()]
        parameters = data.draw(st.permutations([*named, *signed]))
        names.add(address_key(address(host, path, parameters)))
    assert len(names) == 1


@given(st.sampled_from(sorted(SIGNED)), st.sampled_from(["/media/", "/a/473_n.jpg"]), IDS, IDS,
       st.data())  # fmt: skip
def test_two_ids_are_never_one_file(
    host: str, path: str, one: str, other: str, data: st.DataObject
) -> None:
    name = "media_id" if "fbcdn" in host or "instagram" in host else "id"
    signed = list(data.draw(SIGNED[host]).items())
    keys = [address_key(address(host, path, [(name, each), *signed])) for each in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)


@given(ID_NAMES | UNKNOWN_NAMES, SMALL, SMALL, TRACKING)
def test_small_values_distinguish_files_whatever_their_name(
    name: str, one: str, other: str, tracking: dict[str, str]
) -> None:
    one_key, other_key = (
        address_key(address("files.example", "/media/", [(name, each), *tracking.items()]))
        for each in (one, other)
    )
    assert (one_key == other_key) == (one == other)


@given(st.sampled_from(sorted(SIGNED)), ID_NAMES, IDS, st.data())
def test_a_name_is_the_same_name_on_every_host(
    host: str, name: str, value: str, data: st.DataObject
) -> None:
    """So a copy that is served from elsewhere is known again."""
    key = address_key(address(host, "/a.jpg", [(name, value), *data.draw(SIGNED[host]).items()]))
    mark = "&" if "?" in key else "?"
    assert address_key(f"http://127.0.0.1:8585{key}{mark}archived={'0' * 64}") == key


@given(st.text())
def test_any_text_has_a_name_and_one_that_is_no_address_is_its_own(text: str) -> None:
    assert isinstance(address_key(text), str)
    assert address_key(f"https://a.example/{text}") == address_key(f"https://b.example/{text}")


@given(st.text(max_size=30), st.sampled_from(["http://", "https://", "HTTP://", "//"]))
def test_an_address_has_the_name_that_it_has_as_browsers_write_it(text: str, scheme: str) -> None:
    for url in (scheme + text, f"{scheme}cdn.example/{text}", f"{scheme}cdn.example:80/a{text}?b"):
        try:
            normalized = normalize_url(url)
        except BadUrl:
            continue
        assert address_key(url) == address_key(normalized)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://a.example/1.jpg", "/1.jpg"),
        ("https://a.example", "/"),
        ("https://a.example/media/?media_id=4", "/media/?media_id=4"),
        ("https://pbs.twimg.com/media/A?format=jpg&name=orig", "/media/A?format=jpg&name=orig"),
        ("https://bsky.example/xrpc/getBlob?did=did:plc:abc&cid=bafkreib",
         "/xrpc/getBlob?cid=bafkreib&did=did:plc:abc"),
        ("https://external.xx.fbcdn.net/safe_image.php?d=AQHx&w=540&url=https%3A%2F%2Fa.example",
         "/safe_image.php?url=https%3A%2F%2Fa.example"),
        ("https://v19.tiktokcdn.com/0123456789abcdef0123456789abcdef/65a1b2c3/video/tos/x/?a=1",
         "/video/tos/x/"),
        ("https://img.example/a.jpg?w=400&h=200&sig=abc", "/a.jpg?h=200&w=400"),
        ("https://a.example/my photo.png", "/my%20photo.png"),
        ("https://a.example/my%20photo.png", "/my%20photo.png"),
        ("//cdn.example/a.png?id=1#top", "/a.png?id=1"),
        ("http://127.0.0.1/a.jpg?ccb=1-7&oh=00_AfA&oe=66A1B2C3&id=4", "/a.jpg?id=4"),
        ("at://did:plc:abc/1", "at://did:plc:abc/1"),
        ("https://[::1", "https://[::1"),
        ("https://a.example/get?x=9fK3jd83jd83kd9d83jd83j", "/get?x=9fK3jd83jd83kd9d83jd83j"),
    ],
)  # fmt: skip
def test_names(url: str, key: str) -> None:
    assert address_key(url) == key


def test_a_platform_adds_what_it_knows() -> None:
    url = "https://a.example/get?proof=1&id=4"
    assert address_key(url, signed_by={"proof"}) == "/get?id=4"
