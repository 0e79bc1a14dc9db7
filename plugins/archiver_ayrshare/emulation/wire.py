"""Requests and responses of ASGI, for the applications that answer the API."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from archiver import AsgiScope, AsgiSend


def headers_of(scope: AsgiScope) -> dict[str, str]:
    """The request's headers, names in lower case."""
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


def params_of(scope: AsgiScope) -> list[tuple[str, str]]:
    """The query's pairs, decoded, in order."""
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


async def respond(
    scope: AsgiScope, send: AsgiSend, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Send an answer; for HEAD without the body, but with its length."""
    sent = {**headers, "content-length": str(len(body))}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
