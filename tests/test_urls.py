"""An address is asked for as a browser would ask for it, and has one spelling."""

import re
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver import urls
from archiver.urls import BadUrl, normalize_url

BASE = "https://host.example/dir/page?q=1"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://host.example/a/b.png?x=1&y=%20", "https://host.example/a/b.png?x=1&y=%20"),
        ("https://host.example", "https://host.example/"),
        ("https://host.example?a", "https://host.example/?a"),
        ("https://host.example/my photo.png", "https://host.example/my%20photo.png"),
        ("https://host.example/my%20photo.png", "https://host.example/my%20photo.png"),
        ("https://host.example/100%.png", "https://host.example/100%.png"),
        ("https://host.example/é/ü.png?ö#ä", "https://host.example/%C3%A9/%C3%BC.png?%C3%B6#%C3%A4"),
        ("https://host.example/a[1]|b.png", "https://host.example/a[1]|b.png"),
        ("https://host.example/a^`{b}\"<>.png", "https://host.example/a%5E%60%7Bb%7D%22%3C%3E.png"),
        ("https://host.example/?a'b\"<>^`{|}\\", "https://host.example/?a%27b%22%3C%3E^`{|}\\"),
        ("https://host.example/#a b`<>\"", "https://host.example/#a%20b%60%3C%3E%22"),
        ("https://host.example/a\\b.png", "https://host.example/a/b.png"),
        ("https://host.example/a/./b/../../../c/%2E%2e/d/..", "https://host.example/"),
        ("https://host.example/a//b/", "https://host.example/a//b/"),
        (" \n\thttps://host.example/a\nb\t.png\r\n", "https://host.example/ab.png"),
        ("https://host.example/\x01\x7f", "https://host.example/%01%7F"),
        ("https://host.example/\ud800.png", "https://host.example/%EF%BF%BD.png"),
        ("HTTPS://HOST.Example:443/A", "https://host.example/A"),
        ("http://host.example:080/", "http://host.example/"),
        ("http://host.example:/", "http://host.example/"),
        ("http://host.example:8080/", "http://host.example:8080/"),
        ("//host.example/a.png", "https://host.example/a.png"),
        ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
        ("https://faß.example/", "https://xn--fa-hia.example/"),
        ("https://i❤.example/", "https://xn--i-7iq.example/"),
        ("https://ｅxample。com/", "https://example.com/"),
        ("https://[2606:2800:220:1::1]:8443/", "https://[2606:2800:220:1::1]:8443/"),
    ],
)  # fmt: skip
def test_it_is_written_as_browsers_write_it(text: str, url: str) -> None:
    assert normalize_url(text) == url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("/a b.png", "https://host.example/a%20b.png"),
        ("a b.png", "https://host.example/dir/a%20b.png"),
        ("../é?ü", "https://host.example/%C3%A9?%C3%BC"),
        ("?x y", "https://host.example/dir/page?x%20y"),
        ("", "https://host.example/dir/page?q=1"),
        ("#a b", "https://host.example/dir/page?q=1#a%20b"),
        ("//other.example/a b.png", "https://other.example/a%20b.png"),
        ("http://other.example/a b.png", "http://other.example/a%20b.png"),
        ("\\a\\b.png", "https://host.example/a/b.png"),
        ("/:80/x", "https://host.example/:80/x"),
    ],
)  # fmt: skip
def test_relative_addresses_start_from_where_they_were_found(text: str, url: str) -> None:
    assert normalize_url(text, BASE) == url


@pytest.mark.parametrize(
    "text",
    ["https:/host.example/", "https:host.example", "https://", "https:///a", "ftp://host.example/",
     "mailto:a@host.example", "javascript:alert(1)", "https://user@host.example/",
     "https://host.example\\@other.example/", "https:\\\\host.example/", "\\\\host.example/a",
     "/\\host.example/a", "https://ho st.example/", "https://host%2eexample/", "https://a℀b.example/",
     "https://１２７.0.0.1/", "https://host.example:99999/", "https://host.example:80a/",
     "https://[fe80::1%25eth0]/", "https://[::1", "https://a:b:c/"],
)  # fmt: skip
@pytest.mark.parametrize("base", [None, BASE])
def test_what_can_be_read_in_two_ways_is_no_address(text: str, base: str | None) -> None:
    with pytest.raises(BadUrl):
        normalize_url(text, base)


@pytest.mark.parametrize("text", ["", "a.png", "/a.png", "#a", "?a"])
def test_a_relative_address_alone_is_none(text: str) -> None:
    with pytest.raises(BadUrl):
        normalize_url(text)


HOSTS = st.sampled_from(["host.example", "HOST.example:8443", "bücher.example", "[2606:2800::1]"])
REST = st.text(max_size=30)


@settings(deadline=None)
@given(st.sampled_from(["https://", "HTTP://", "//", " https://"]), HOSTS, REST)
def test_an_address_has_one_spelling_and_httpx_asks_for_that_one(
    scheme: str, host: str, rest: str
) -> None:
    url = normalize_url(f"{scheme}{host}/{rest}")
    assert re.fullmatch(r"https?://[!-~]+", url)
    assert normalize_url(url) == url
    assert str(httpx.URL(url)) == url


PIECES = st.sampled_from([
    "a", "Z", "9", "_", "~", "|", "[", "^", "'", "`", "{", '"', "<", "é", " ", "\t", "\\", "@", ":",
    "?", "#", "/", "//", ".", "..", "/.", "/..", "%", "%2e", "%2F", "%2", "%C3%A9", "&", "=", "+",
])  # fmt: skip


@settings(deadline=None)
@given(
    st.sampled_from(["http", "https"]),
    st.sampled_from(["host.example", "1.2.3.4", "a_b-c", "host.example."]),
    st.sampled_from(["", ":", ":80", ":443", ":8080", ":080", ":0", ":65535", ":65536", ":99999"]),
    st.sampled_from(["", "/", "?", "/a", "/a?", "/a?b"]),
    st.lists(PIECES, max_size=6).map("".join),
)
def test_an_address_that_seems_to_be_well_spelled_is(
    scheme: str, host: str, port: str, begin: str, rest: str
) -> None:
    """What is taken as it is is what would have been made of it."""
    text = f"{scheme}://{host}{port}{begin}{rest}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urls, "_is_normalized", lambda *_: False)
        slowly = _normalized(text)
    assert _normalized(text) == slowly


def _normalized(text: str) -> str | None:
    try:
        return normalize_url(text)
    except BadUrl:
        return None


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["C"], exclude_characters="\\%"), max_size=30))
def test_what_is_encoded_can_be_decoded_again_and_is_encoded_once(name: str) -> None:
    name = name.replace("/", "-").replace("#", "-").replace("?", "-").strip() or "x"
    url = normalize_url(f"https://host.example/x{name}.png")
    assert unquote(urlsplit(url).path) == f"/x{name}.png"
    assert normalize_url(f"https://host.example/x{name}.png".replace(" ", "%20")) == url


@settings(deadline=None)
@given(REST)
def test_no_relative_address_leaves_its_host_unseen(text: str) -> None:
    try:
        url = normalize_url(text, BASE)
    except BadUrl:
        return
    if urlsplit(url).netloc != "host.example":
        assert "//" in text
