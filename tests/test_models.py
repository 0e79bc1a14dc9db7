"""Times in every form that says one moment, and in none that does not."""

import doctest
from typing import Any

import pytest

from archiver import models
from archiver.models import timestamp


@pytest.mark.parametrize(
    "value",
    [
        "2022-05-20T17:26:03Z", "2022-05-20T17:26:03z", "2022-05-20t17:26:03Z",
        "2022-05-20 17:26:03", "2022-05-20T17:26:03.0Z", "2022-05-20T17:26:03.000000000Z",
        "2022-05-20T17:26:03+00:00", "2022-05-20T19:26:03+02", "2022-05-20T19:26:03+0200",
        "2022-05-20T12:56:03-04:30", "Fri, 20 May 2022 17:26:03 GMT",
        "20 May 2022 19:26:03 +0200", "Fri May 20 17:26:03 +0000 2022",
        1653067563, 1653067563000, 1653067563.0, "1653067563", "1653067563000",
    ],
)  # fmt: skip
def test_one_moment(value: Any) -> None:
    assert timestamp(value) == "2022-05-20T17:26:03.000Z"


@pytest.mark.parametrize(
    "value",
    [
        "now", "yesterday", "", " ", "2022", "20220520", "2022-05-20", "05/06/2022", "20.05.2022",
        "5 minutes ago", "2022-13-01T00:00:00Z", "20 Mai 2022 17:26:03 GMT", "17:26:03",
        "Fri, 20 May 2022 17:26:03 EST", "20 May 22 17:26:03 GMT", "31 Feb 2022 00:00:00 GMT",
        "Fri, 20 May 0000 17:26:03 GMT", "165306756", "16530675630", float("nan"), float("inf"),
        1e300, True, None, [], {},
    ],
)  # fmt: skip
def test_no_moment(value: Any) -> None:
    assert timestamp(value) is None


def test_examples() -> None:
    assert doctest.testmod(models).failed == 0
