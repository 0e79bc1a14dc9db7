"""A view on paper."""

import httpx
import pytest

from archiver.browse import print_view


def test_it_says_what_it_is_how_much_and_when(client: httpx.Client) -> None:
    page = client.get("/archive/-/print?platform=instagram&q=kiln").text
    posts = page.count('class="slip"')
    assert f"{posts} post" in page
    assert "Instagram: posts that contain “kiln”" in page
    assert "Archive “archive”, printed" in page


def test_a_long_view_says_that_this_is_not_all(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(print_view, "MOST_PRINTED", 2)
    page = client.get("/archive/-/print").text
    assert page.count('class="slip"') == 2
    assert "2 posts: the first ones of this view." in page


def test_an_empty_view_is_a_page_too(client: httpx.Client) -> None:
    assert "No post in the archive matches" in client.get("/archive/-/print?q=nothingsays").text
