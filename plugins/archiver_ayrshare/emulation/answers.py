"""Bodies of the API's answers as JSON text, and its errors."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from archiver import ApiAnswer

JsonObject = dict[str, Any]
Json = JsonObject | bytes
"""A JSON object: as data, or as its exact text in UTF-8."""
ErrorShape = Literal["flat", "nested", "list"]


def written(value: Any) -> bytes:
    """A value as JSON text; bytes are JSON text already, and stay what they are."""
    if isinstance(value, bytes):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def written_object(members: Mapping[str, Any]) -> bytes:
    """An object as JSON text, whose members may be exact text themselves."""
    pairs = (written(name) + b":" + written(value) for name, value in members.items())
    return b"{" + b",".join(pairs) + b"}"


def written_list(items: Iterable[Any]) -> bytes:
    """A list as JSON text, whose items may be exact text themselves."""
    return b"[" + b",".join(map(written, items)) + b"]"


def json_answer(status: int, body: Json, headers: Mapping[str, str] | None = None) -> ApiAnswer:
    """An answer with that body."""
    return ApiAnswer(status, written(body), headers or {})


class ApiError(Exception):
    """A request is refused: `answer` is what the API answers."""

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


def refusal(
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
    """A parameter that is not as documented."""
    return refusal(400, 400, f"Bad request: {why}.", action="history")


def not_found(shape: ErrorShape = "flat") -> ApiError:
    """What the API says where it has nothing: 221, with status 400."""
    return refusal(400, 221, "History not found.", action="history", shape=shape)
