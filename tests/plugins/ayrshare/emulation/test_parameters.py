"""Parameters are read as strictly as the API reads them: a value, or 400 with the reason."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

import pytest

from archiver_ayrshare.emulation import parameters
from archiver_ayrshare.emulation.answers import ApiError


def refused(read: Callable[[], Any]) -> str:
    """The message of the refusal."""
    with pytest.raises(ApiError) as caught:
        read()
    assert caught.value.answer.status == 400
    return str(json.loads(caught.value.answer.body)["message"])


def test_no_parameter_may_be_sent_twice() -> None:
    assert parameters.unique((("a", "1"), ("b", "2"))) == {"a": "1", "b": "2"}
    assert "sent twice" in refused(lambda: parameters.unique((("a", "1"), ("a", "1"))))


def test_an_unknown_parameter_is_named() -> None:
    parameters.allow({"limit": "1"}, {"limit", "next"})
    assert "unknown parameter a" in refused(lambda: parameters.allow({"z": "", "a": ""}, {"limit"}))


@pytest.mark.parametrize(("text", "expected"), [("1", 1), ("500", 500), ("007", 7)])
def test_a_limit_is_a_whole_number(text: str, expected: int) -> None:
    assert parameters.limit({"limit": text}, 10, 500) == expected
    assert parameters.limit({}, 10, 500) == 10


@pytest.mark.parametrize("text", ["", "0", "501", "-1", "1.0", " 1", "١", "1e2", "0000001"])
def test_any_other_limit_is_refused(text: str) -> None:
    assert "from 1 to 500" in refused(lambda: parameters.limit({"limit": text}, 10, 500))


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), ("True", True), ("false", False), ("FALSE", False)]
)
def test_a_flag_may_be_in_capitals(text: str, *, expected: bool) -> None:
    assert parameters.boolean({"a": text}, "a") is expected
    assert parameters.boolean({}, "a") is False


@pytest.mark.parametrize("text", ["", "1", "yes", "true "])
def test_any_other_flag_is_refused(text: str) -> None:
    assert "must be true or false" in refused(lambda: parameters.boolean({"a": text}, "a"))


def test_a_word_is_one_of_a_few() -> None:
    assert parameters.choice({"a": "posts"}, "a", {"posts", "stories"}) == "posts"
    assert parameters.choice({}, "a", {"posts"}) is None
    assert "one of posts, stories" in refused(
        lambda: parameters.choice({"a": "Posts"}, "a", {"stories", "posts"})
    )


def test_a_text_has_a_form() -> None:
    number = re.compile(r"\d+", re.ASCII)
    assert parameters.matching({"a": "7"}, "a", number) == "7"
    assert parameters.matching({}, "a", number) is None
    refused(lambda: parameters.matching({"a": "7\n"}, "a", number))


@pytest.mark.parametrize(
    ("text", "of_day", "expected"),
    [
        ("2026-03-17", time.min, datetime(2026, 3, 17, tzinfo=UTC)),
        ("2026-03-17", time.max, datetime(2026, 3, 17, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2026-03-17T12:00", time.max, datetime(2026, 3, 17, 12, tzinfo=UTC)),
        ("2026-03-17T12:00:00+02:00", time.min, datetime(2026, 3, 17, 10, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_day_stands_for_its_first_or_last_moment(
    text: str, of_day: time, expected: datetime
) -> None:
    assert parameters.moment({"a": text}, "a", of_day) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30", "17.03.2026", "1773705600"])
def test_any_other_date_is_refused(text: str) -> None:
    assert "ISO date" in refused(lambda: parameters.moment({"a": text}, "a", time.min))
    assert parameters.moment({}, "a", time.min) is None
