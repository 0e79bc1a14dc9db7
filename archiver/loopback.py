"""Waits on this machine for the redirect that ends a login (RFC 8252, section 7.3)."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

from archiver.apis import AsgiReceive, AsgiScope, AsgiSend
from archiver.errors import AccessRefused, ArchiverError, UsageError
from archiver.login import code_of_redirect
from archiver.webserver import listen, origin_of, running

_HOST = "127.0.0.1"
_PATH = "/login"
_DONE = "You are logged in. You can close this window and go back to archiver."
_FAILED = "The login did not work. archiver says why. You can close this window."
_UNKNOWN = "This page only waits for the end of a login with archiver."
_LONGEST_QUERY = 10_000
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'",
    "referrer-policy": "no-referrer",
    "connection": "close",
}


class RedirectReceiver:
    """A server on a port of this machine that a browser is sent to."""

    def __init__(self, origin: str) -> None:
        self.redirect_uri = f"{origin}{_PATH}"
        self._state = ""
        self._answers: queue.SimpleQueue[str | ArchiverError] = queue.SimpleQueue()

    def expect(self, state: str) -> None:
        """Set the expected `state`: redirects with another one are ignored."""
        self._state = state

    def wait(self, seconds: float) -> str:
        """The code of the first redirect that belongs to the login.

        Raises AccessRefused for a user who said no, UsageError when nobody has come for so long.
        """
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise UsageError(
                f"Nobody has logged in within {seconds / 60:.0f} minutes",
                hint="If the browser is on another machine, add --paste",
            ) from None
        if isinstance(answer, ArchiverError):
            raise answer
        return answer

    async def __call__(self, scope: AsgiScope, _receive: AsgiReceive, send: AsgiSend) -> None:
        """Handle a redirect, and show the result in the browser."""
        status, text = self._handle_redirect(scope)
        body = f"<!doctype html><title>archiver</title><p>{text}".encode()
        headers = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _handle_redirect(self, scope: AsgiScope) -> tuple[int, str]:
        query = scope["query_string"]
        is_redirect = scope["method"] == "GET" and scope["path"] == _PATH and self._state
        if not is_redirect or len(query) > _LONGEST_QUERY:
            return 404, _UNKNOWN
        try:
            code = code_of_redirect(parse_qs(query.decode("ascii", "replace")), self._state)
        except AccessRefused as error:
            self._answers.put(error)
            return 200, _FAILED
        except UsageError:  # somebody else's: the one that is waited for may still come
            return 400, _UNKNOWN
        self._answers.put(code)
        return 200, _DONE


@contextmanager
def redirect_receiver(port: int = 0) -> Iterator[RedirectReceiver]:
    """Listen on a port of this machine only; 0 takes any free one.

    Raises UsageError when the port is taken.
    """
    sock = listen(_HOST, port)
    receiver = RedirectReceiver(origin_of(sock))
    with running(receiver, [sock], quiet=True):
        yield receiver
