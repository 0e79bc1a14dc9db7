"""A cursor is good for the request that it was issued for, and for no other."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from archiver_ayrshare.emulation.answers import ApiError
from archiver_ayrshare.emulation.cursors import read_cursor, write_cursor
from archiver_ayrshare.emulation.queries import Query

QUERY = Query("facebook", "profile-1", since=datetime(2026, 3, 1, tzinfo=UTC))
SECRET = b"the secret of a server"
MARK = "2026-03-01T09:00:00.000Z|7"


def refused(cursor: str, query: Query = QUERY, secret: bytes = SECRET) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read_cursor(cursor, query, secret)
    assert caught.value.answer.status == 400
    return caught.value


def test_a_cursor_gives_its_mark_back() -> None:
    assert read_cursor(write_cursor(MARK, QUERY, SECRET), QUERY, SECRET) == MARK


def test_the_limit_may_change_between_pages() -> None:
    cursor = write_cursor(MARK, QUERY, SECRET)
    assert read_cursor(cursor, replace(QUERY, limit=99, after="x"), SECRET) == MARK


@pytest.mark.parametrize(
    "other",
    [
        {"platform": "twitter"}, {"profile_key": ""}, {"since": None}, {"data_type": "stories"},
        {"page_published": True}, {"skip_analytics": True}, {"user_id": "1"}, {"user_name": "a"},
        {"until": datetime(2026, 3, 2, tzinfo=UTC)}, {"as_of": datetime(2026, 3, 2, tzinfo=UTC)},
        {"removed": True},
    ],
    ids=lambda other: next(iter(other)),
)  # fmt: skip
def test_a_cursor_of_another_request_is_refused(other: dict[str, Any]) -> None:
    refused(write_cursor(MARK, QUERY, SECRET), replace(QUERY, **other))


def test_a_cursor_of_another_server_is_refused() -> None:
    refused(write_cursor(MARK, QUERY, SECRET), secret=b"another")


def test_a_mark_cannot_be_changed() -> None:
    content = json.loads(base64.b64decode(write_cursor(MARK, QUERY, SECRET)))
    content["token"] = "2020-01-01|1"
    refused(base64.b64encode(json.dumps(content).encode()).decode())


@pytest.mark.parametrize(
    "cursor",
    ["", "nonsense", "é", "e30=", "bnVsbA==", "W10=", "eyJ0b2tlbiI6IDEsICJzZWFsIjogMX0="],
)
def test_anything_else_is_no_cursor(cursor: str) -> None:
    refused(cursor)
