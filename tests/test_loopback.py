"""The browser comes back to this machine with the code, and nobody else's redirect counts."""

import httpx
import pytest

from archiver.errors import AccessRefused, UsageError
from archiver.loopback import redirect_receiver


def test_the_first_redirect_of_the_login_is_its_answer() -> None:
    with redirect_receiver() as receiver:
        assert httpx.get(f"{receiver.redirect_uri}?code=early&state=").status_code == 404
        receiver.expect("mine")
        assert httpx.get(f"{receiver.redirect_uri}?code=bad&state=theirs").status_code == 400
        assert httpx.post(f"{receiver.redirect_uri}?code=bad&state=mine").status_code == 404
        assert httpx.get(f"{receiver.redirect_uri}/x?code=bad&state=mine").status_code == 404
        answer = httpx.get(f"{receiver.redirect_uri}?code=good&state=mine")
        assert "logged in" in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert receiver.wait(60) == "good"


def test_a_user_who_says_no_is_heard() -> None:
    with redirect_receiver() as receiver:
        receiver.expect("mine")
        answer = httpx.get(f"{receiver.redirect_uri}?error=access_denied&state=mine")
        assert "did not work" in answer.text
        with pytest.raises(AccessRefused, match="access_denied"):
            receiver.wait(60)


def test_nothing_that_is_sent_is_shown() -> None:
    with redirect_receiver() as receiver:
        receiver.expect("mine")
        sent = "<script>alert(1)</script>"
        answer = httpx.get(receiver.redirect_uri, params={"error": sent, "state": "mine"})
        assert "script" not in answer.text
        assert answer.headers["content-security-policy"] == "default-src 'none'"


def test_waiting_for_a_login_has_a_limit() -> None:
    with redirect_receiver() as receiver, pytest.raises(UsageError, match="--paste"):
        receiver.wait(0)


def test_it_listens_on_this_machine_only() -> None:
    with redirect_receiver() as receiver:
        assert receiver.redirect_uri.startswith("http://127.0.0.1:")
