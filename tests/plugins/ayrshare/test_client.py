"""The requests of the Ayrshare client: their headers, their parameters, their lanes."""

import pytest

from archiver import AccessRefused, Secret, Window
from archiver_ayrshare.bluesky import Bluesky
from archiver_ayrshare.facebook import Facebook
from archiver_ayrshare.twitter import Twitter
from support.ayrshare_contract import client_for, serve
from support.ayrshare_pages import posts, scan


def test_the_keys_travel_in_headers_and_the_lane_is_no_secret() -> None:
    client, http = client_for(serve([]))
    scan(Bluesky(), client, profile_key=Secret("profile-key-1"))
    (request,) = http.requests
    assert request.path == "/history/bluesky"
    assert request.headers == {
        "Authorization": "Bearer key-of-the-operator",
        "Profile-Key": "profile-key-1",
    }
    assert request.params == {"limit": "100"}
    assert "profile-key-1" not in request.lane
    assert len(request.lane) == 12


def test_without_a_profile_there_is_no_such_header() -> None:
    client, http = client_for(serve([]))
    scan(Bluesky(), client)
    assert "Profile-Key" not in http.requests[0].headers
    assert http.requests[0].lane == "primary"


def test_x_has_two_more_keys_and_only_x() -> None:
    client, http = client_for(serve([]))
    scan(Twitter(), client)
    assert http.requests[0].headers["X-Twitter-OAuth1-Api-Key"] == "x-consumer-key"
    assert http.requests[0].headers["X-Twitter-OAuth1-Api-Secret"] == "x-consumer-secret"


def test_without_the_x_keys_only_x_fails() -> None:
    client, http = client_for(serve([]), x_api_secret=None)
    with pytest.raises(AccessRefused, match="x_api_secret") as caught:
        scan(Twitter(), client)
    assert caught.value.code == "x_keys"
    assert http.requests == []
    assert scan(Bluesky(), client)[0].reached_start


def test_options_become_parameters() -> None:
    client, http = client_for(serve([]))
    scan(Facebook(), client, skip_analytics=True, data_type="posts", page_published=True)
    scan(Twitter(), client, user_name="@Google")
    scan(Twitter(), client, user_id="20536157")
    assert [request.params for request in http.requests] == [
        {"limit": "100", "skipAnalytics": "true", "dataType": "posts", "pagePublished": "true"},
        {"limit": "100", "userName": "Google"},
        {"limit": "100", "userId": "20536157"},
    ]


def test_a_window_saves_requests() -> None:
    client, http = client_for(serve(posts(300)))
    window = Window(since="2026-11-01T00:00:00.000Z", limit=20)
    pages = scan(Facebook(), client, window)
    assert http.requests[0].params == {"limit": "20", "since": "2026-11-01"}
    assert not pages[-1].reached_start
    assert "2026-11-01" in (pages[-1].end_reason or "")
    scan(Bluesky(), client, window)
    assert "since" not in http.requests[-1].params
