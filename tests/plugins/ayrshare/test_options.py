"""What an account may say about itself, and what cannot be said together."""

from typing import Any

import pytest

from archiver import ConfigError, Secret
from archiver_ayrshare.twitter import Twitter


@pytest.mark.parametrize(
    "options",
    [
        {"user_name": "Google", "user_id": "1"},
        {"user_name": "Google", "profile_key": Secret("k")},
        {"user_id": "1", "profile_key": Secret("k")},
        {"user_id": "Google"},
        {"user_name": "@"},
    ],
)
def test_combinations_that_cannot_be(options: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        Twitter().check_options(Twitter().options(**options))
    assert caught.value.hint


def test_combinations_that_can() -> None:
    for options in ({"user_name": "Google"}, {"user_id": "1"}, {"profile_key": Secret("k")}):
        Twitter().check_options(Twitter().options(**options))
