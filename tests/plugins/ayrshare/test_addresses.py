"""Addresses in every form; where links really lead, and what of them was published."""

import unicodedata
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver_ayrshare.addresses import (
    content_text,
    content_url,
    is_gif,
    is_player,
    playlist_type,
    url_of,
)

PATHS = st.text("abcXYZ019-._~/%", max_size=20)
ADDRESSES = st.builds(
    "https://{}.example/{}".format, st.text("abcdefgh0123456789", min_size=1, max_size=10), PATHS
)
BLANKS = st.text(" \t\r\n\u00a0\u3000", max_size=3)
CLICKS = st.builds(
    "{}={}".format,
    st.sampled_from(["fbclid", "gclid", "igshid", "igsh", "ttclid", "twclid", "msclkid", "dclid"]),
    st.text("abcdef0123456789", min_size=1),
)
TARGET = "https://example.com/page?id=7&utm_source=me#part"


@given(ADDRESSES, BLANKS, BLANKS)
def test_an_address_is_trimmed(address: str, before: str, after: str) -> None:
    assert url_of(before + address + after) == address


@given(ADDRESSES)
def test_an_address_without_a_scheme_gets_https(address: str) -> None:
    assert url_of(address.removeprefix("https:")) == address


@pytest.mark.parametrize(
    "value",
    [
        "http://a.example/x", "HTTPS://A.example/x", "https://a.example", "https://a.example?x=1",
        "https://me:secret@a.example/x", "https://a.example:8443/x", "https://[::1]/x",
        "https://münchen.example/ü", "https://a.example/my photo.png", "https://127.0.0.1:80/x",
    ],
)  # fmt: skip
def test_an_address_stays_as_it_came(value: str) -> None:
    assert url_of(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "a.example/x.png", "/x.png", "///x.png", "//", "// /x", "https://", "https:///x",
        "https://[", "https://[::1/x", "https://my host/x", "https://a.example:port/x",
        "https://:80/x", "ftp://a.example/x", "data:image/png;base64,AAAA", "javascript:alert(1)",
        "blob:https://a.example/1", "null", 5, True, None, [], {}, ["https://a.example/x"],
    ],
)  # fmt: skip
def test_what_is_no_address_is_none(value: Any) -> None:
    assert url_of(value) is None


@given(
    st.one_of(
        st.text(), st.builds("https://{}".format, st.text()), st.builds("//{}".format, st.text())
    )
)
def test_whatever_comes_an_address_can_be_stored(value: str) -> None:
    found = url_of(value)
    assert found is None or found.encode().decode() == found


WRAPPERS = (
    "https://l.facebook.com/l.php?u={}&h=AT0x{}", "https://lm.facebook.com/l.php?h=AT{1}&u={0}",
    "https://www.facebook.com/l.php?u={}&h=AT{}", "https://l.instagram.com/?u={}&e=AT{}",
    "https://l.threads.net/?u={}&e=AT{}", "https://l.threads.com/?u={}&e=AT{}",
    "https://www.youtube.com/redirect?event=video_description&redir_token={1}&q={0}",
    "https://www.google.com/url?sa=t&q={}&ved={}", "https://www.linkedin.com/safety/go?url={}&trk={}",
    "https://www.tiktok.com/link/v2?aid=1988&target={}&x={}",
)  # fmt: skip


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_link_is_taken_out_of_its_wrapper(wrapper: str) -> None:
    for token in ("abc", "xyz"):
        wrapped = wrapper.format(quote(TARGET, safe=""), token)
        assert content_url(wrapped) == TARGET
        assert content_text(f"See {wrapped}, it is good.") == f"See {TARGET}, it is good."


def test_wrappers_in_wrappers_are_taken_off_one_after_the_other() -> None:
    inner = f"https://l.instagram.com/?u={quote(TARGET + '&fbclid=1', safe='')}&e=1"
    assert content_url(f"https://l.facebook.com/l.php?u={quote(inner, safe='')}&h=2").startswith(
        "https://example.com/page?id=7"
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://l.facebook.com/l.php?u=nothing&h=1", "https://l.facebook.com/l.php?h=1",
        "https://t.co/abc", "https://lnkd.in/abc", "https://example.com/l.php?u=https://b.example",
        "https://facebook.com.example/l.php?u=https%3A%2F%2Fb.example%2F",
    ],
)  # fmt: skip
def test_what_does_not_say_where_it_leads_stays(address: str) -> None:
    assert content_url(address) == address


@given(ADDRESSES, st.lists(CLICKS, max_size=3), st.lists(CLICKS, max_size=3))
def test_the_name_of_a_click_is_no_content(
    address: str, some: list[str], others: list[str]
) -> None:
    with_some = f"{address}?" + "&".join(["id=7", *some, "utm_source=me"])
    with_others = f"{address}?" + "&".join([*others, "id=7", "utm_source=me"])
    assert content_url(with_some) == content_url(with_others) == f"{address}?id=7&utm_source=me"
    assert content_text(f"({with_some})") == content_text(f"({with_others})")


@given(st.text())
def test_text_without_links_stays_in_every_normal_form(text: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        normal = unicodedata.normalize(form, text)
        assert content_text(normal) == normal


@given(st.text(), ADDRESSES)
def test_links_without_tracking_parameters_are_unchanged(text: str, address: str) -> None:
    assert content_text(f"{text} {address} {text}") == f"{text} {address} {text}"


def test_playlists_and_gifs_are_known_by_their_paths() -> None:
    assert (
        playlist_type("https://a.example/x/playlist.M3U8?sig=1.mp4")
        == "application/vnd.apple.mpegurl"
    )
    assert playlist_type("https://a.example/x.mpd") == "application/dash+xml"
    assert playlist_type("https://a.example/x.mp4?of=x.m3u8") is None
    assert is_gif("https://media.tenor.com/AbC/dance.gif?hh=280&ww=498")
    assert is_gif("https://media2.giphy.com/media/xyz/giphy.webp")
    assert is_gif("https://a.example/x.GIF")
    assert not is_gif("https://tenor.com/view/dance-123")
    assert not is_gif("https://giphy.com/gifs/xyz")
    assert is_player("https://www.youtube.com/embed/abc?autoplay=1")
    assert is_player("https://player.vimeo.com/video/1")
    assert not is_player("https://video-lga3-1.xx.fbcdn.net/o1/v/t2/f2/m69/An_V")
