"""Values of records are converted, or are None; nothing raises."""

from collections.abc import Callable
from typing import Any

import pytest

from archiver.testing.records import HOSTILE
from archiver_mastodon import values

FUNCTIONS = [
    values.text_of, values.id_of, values.url_of, values.uri_of, values.time_of, values.count_of,
    values.size_of, values.milliseconds_of, values.object_of, values.objects_of,
]  # fmt: skip


@pytest.mark.parametrize("convert", FUNCTIONS, ids=lambda convert: convert.__name__)
def test_any_json_value_is_converted_without_an_error(convert: Callable[[Any], object]) -> None:
    for value in HOSTILE:
        convert(value)


@pytest.mark.parametrize(
    ("convert", "value", "expected"),
    [
        (values.text_of, "a\ud83d\0", "a?\ufffd"), (values.text_of, " ", None),
        (values.id_of, 109372843, "109372843"), (values.id_of, True, None),
        (values.id_of, "a" * 1001, None), (values.url_of, "HTTPS://A.example/", "https://a.example/"),
        (values.uri_of, "HTTPS://A.example/", "HTTPS://A.example/"),
        (values.time_of, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
        (values.time_of, 1767225600, None), (values.count_of, 0, 0), (values.count_of, -1, None),
        (values.size_of, 640.4, 640), (values.size_of, 0, None), (values.size_of, True, None),
        (values.milliseconds_of, 1.5, 1500), (values.milliseconds_of, float("nan"), None),
        (values.object_of, [], {}), (values.objects_of, [{}, 5, {"a": 1}], [{}, {"a": 1}]),
    ],
)  # fmt: skip
def test_each_form_has_its_value(
    convert: Callable[[Any], object], value: Any, expected: object
) -> None:
    assert convert(value) == expected
