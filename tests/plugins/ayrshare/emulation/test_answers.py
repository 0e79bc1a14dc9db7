"""Answers are JSON text, in which records stay byte for byte."""

import json

import pytest

from archiver_ayrshare.emulation.answers import (
    ErrorShape,
    answer_error,
    bad_request,
    error_body,
    json_answer,
    list_to_json,
    not_found,
    object_to_json,
)

RAW = b'{"id": 1.50,  "x": "\\u00e9"}'


def test_text_that_is_json_already_is_not_rewritten() -> None:
    assert list_to_json([RAW, {"a": "é"}]) == b"[" + RAW + ',{"a":"é"}]'.encode()
    assert object_to_json({"posts": list_to_json([RAW])}) == b'{"posts":[' + RAW + b"]}"
    assert json_answer(200, RAW).body == RAW


@pytest.mark.parametrize("shape", ["flat", "nested", "list"])
def test_an_error_has_its_code_in_each_documented_shape(shape: ErrorShape) -> None:
    body = error_body(221, "History not found.", shape=shape)
    assert '"code": 221' in json.dumps(body)
    assert '"status": "error"' in json.dumps(body)


def test_an_error_answer_has_a_status_and_more_fields() -> None:
    error = answer_error(429, 429, "Too many", more={"retry": 5}, headers={"retry-after": "5"})
    assert (error.answer.status, error.answer.headers) == (429, {"retry-after": "5"})
    assert json.loads(error.answer.body)["retry"] == 5
    assert (bad_request("why").answer.status, not_found().answer.status) == (400, 400)
    assert json.loads(not_found("list").answer.body)["posts"] == []
