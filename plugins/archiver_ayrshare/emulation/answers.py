"""Bodies of the API's answers as JSON text, and its errors."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from archiver import ApiAnswer

JsonObject = dict[str, Any]
Json = JsonObject | bytes
"""A JSON object: as data, or as its exact text in UTF-8."""
ErrorShape = Literal["flat", "nested", "list"]


def to_json(value: Any) -> bytes:
    """A value as JSON text; bytes are taken for JSON text, and returned unchanged."""
    if isinstance(value, bytes):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def object_to_json(members: Mapping[str, Any]) -> bytes:
    """An object as JSON text; its values may be JSON text already."""
    pairs = (to_json(name) + b":" + to_json(value) for name, value in members.items())
    return b"{" + b",".join(pairs) + b"}"


def list_to_json(items: Iterable[Any]) -> bytes:
    """A list as JSON text; its items may be JSON text already."""
    return b"[" + b",".join(map(to_json, items)) + b"]"


def json_answer(status: int, body: Json, headers: Mapping[str, str] | None = None) -> ApiAnswer:
    """An answer with that body."""
    return ApiAnswer(status, to_json(body), headers or {})


class ApiError(Exception):
    """A request is refused, with this answer."""

    def __init__(self, answer: ApiAnswer) -> None:
        super().__init__(f"{answer.status}")
        self.answer = answer


def error_body(
    code: int, message: str, *, action: str = "request", shape: ErrorShape = "flat"
) -> JsonObject:
    """An error as the API writes it: `flat`, `nested` in its resource, or in a `list`."""
    error: JsonObject = {"action": action, "status": "error", "code": code, "message": message}
    match shape:
        case "nested":
            del error["action"]
            return {"history": error}
        case "list":
            return {"status": "error", "errors": [error], "posts": []}
        case "flat":
            return error


def answer_error(
    status: int,
    code: int,
    message: str,
    *,
    action: str = "request",
    shape: ErrorShape = "flat",
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> ApiError:
    """An error answer, ready to be raised.

    Where the service's own code is not known, `code` is the status.
    """
    body = error_body(code, message, action=action, shape=shape)
    return ApiError(json_answer(status, {**body, **(more or {})}, headers))


def bad_request(why: str) -> ApiError:
    """The error for a parameter that is not as documented."""
    return answer_error(400, 400, f"Bad request: {why}.", action="history")


def not_found(shape: ErrorShape = "flat") -> ApiError:
    """The answer where there is no history: code 221, status 400."""
    return answer_error(400, 221, "History not found.", action="history", shape=shape)
