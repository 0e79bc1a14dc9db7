"""What the API says, and how it says no."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

JsonObject = dict[str, Any]
ErrorShape = Literal["flat", "nested", "list"]


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """One answer. `body` is JSON data, or the exact bytes to send."""

    status: int
    body: JsonObject | bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The bytes of the body."""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


class Refusal(Exception):
    """The API does not do as asked: what it answers instead."""

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
) -> Refusal:
    """An error answer, ready to be raised.

    Where the service's own code is not known, `code` is the status.
    """
    body = error_body(code, message, action=action, shape=shape)
    return Refusal(ApiAnswer(status, {**body, **(more or {})}))


def bad_request(why: str) -> Refusal:
    """A parameter that is not as documented."""
    return refusal(400, 400, f"Bad request: {why}.", action="history")


def not_found(shape: ErrorShape = "flat") -> Refusal:
    """What the API says where it has nothing: 221, with status 400."""
    return refusal(400, 221, "History not found.", action="history", shape=shape)
