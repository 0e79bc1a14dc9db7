"""An account has one name, however it is written."""

import pytest

from archiver_mastodon.handles import handle_of


@pytest.mark.parametrize(
    "text",
    [
        "press@social.example", "@press@social.example", "acct:press@social.example",
        " press@Social.Example ", "https://social.example/@press",
        "https://social.example/users/press/", "https://social.example/press",
        "https://other.example/@press@social.example",
    ],
)  # fmt: skip
def test_one_account_is_written_in_many_ways(text: str) -> None:
    handle = handle_of(text)
    assert handle is not None
    assert str(handle) == "press@social.example"
    assert handle.origin == "https://social.example"


def test_a_name_in_other_letters_is_asked_for_in_ascii() -> None:
    assert str(handle_of("press@müller.example")) == "press@xn--mller-kva.example"


def test_a_port_belongs_to_the_host() -> None:
    handle = handle_of("a.b-c@localhost:3000")
    assert handle is not None
    assert (handle.user, handle.host) == ("a.b-c", "localhost:3000")


@pytest.mark.parametrize(
    "text",
    ["", "press", "@press", "press@", "a b@c.example", "press@a@b.example", "press@-/..", "x@[::1",
     "https://", "https://social.example/", "https://social.example/a/b/c", "p@" + "a" * 400],
)  # fmt: skip
def test_what_is_no_handle_is_none(text: str) -> None:
    assert handle_of(text) is None
