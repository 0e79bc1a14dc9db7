"""Faults that tests add to the demo's servers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal

from archiver import ApiAnswer
from archiver_ayrshare.emulation.queries import Query

FaultKind = Literal["fail", "partial", "empty", "bad_records"]


@dataclass(slots=True)
class Fault:
    """A fault of the API for a number of requests, `times`; None is for ever.

    `when` decides for a valid query whether the fault applies to it.
    """

    kind: FaultKind
    platform: str | None
    times: int | None
    when: Callable[[Query], bool] | None = None
    answer: ApiAnswer | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class MediaRequest:
    """One request to the media server, as a media fault sees it."""

    method: str
    host: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]


MediaMatch = str | Callable[[MediaRequest], bool] | None


@dataclass(slots=True)
class MediaFault:
    """A fault of the media server for a number of requests, `times`; None is for ever.

    `match` is a part of the path, a function, or None for every file. The fault:

    status        answer with it, and a few words
    html          a web page with status 200 in place of the file
    body          these bytes in place of the file, with status 200 and their length
    cut           the connection ends after so many bytes; Content-Length is that of the whole file
    content_type  the right bytes under a wrong type
    location      a redirect (302, or `status`)
    delay         seconds before each 16 KiB of the body
    no_range      ignores Range and answers with the whole
    no_etag       no ETag is sent
    no_length     no Content-Length is sent
    etag          another ETag is sent, as if the file had changed
    headers       more headers
    """

    match: MediaMatch = None
    times: int | None = 1
    status: int | None = None
    html: bool = False
    body: bytes | None = None
    cut: int | None = None
    content_type: str | None = None
    location: str | None = None
    delay: float = 0.0
    no_range: bool = False
    no_etag: bool = False
    no_length: bool = False
    etag: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def matches(self, request: MediaRequest) -> bool:
        """Whether the fault applies to this request."""
        if self.match is None:
            return True
        if isinstance(self.match, str):
            return self.match in request.path
        return self.match(request)


class Faults:
    """The faults that were added and have not been used up, in order."""

    def __init__(self) -> None:
        self._api: list[Fault] = []
        self._media: list[MediaFault] = []
        self._lock = Lock()

    def add(self, fault: Fault) -> None:
        """Add a fault of the API."""
        with self._lock:
            self._api.append(fault)

    def add_media(self, fault: MediaFault) -> None:
        """Add a fault of the media server."""
        with self._lock:
            self._media.append(fault)

    def take(self, query: Query, *kinds: FaultKind) -> Fault | None:
        """The first fault of these kinds that applies to the query; counts as used once."""
        with self._lock:
            for fault in self._api:
                matches = fault.platform is None or fault.platform == query.platform
                if fault.kind in kinds and matches and (fault.when is None or fault.when(query)):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._api.remove(fault)
                    return fault
            return None

    def take_media(self, request: MediaRequest) -> MediaFault | None:
        """The first media fault that applies to the request; counts as used once."""
        with self._lock:
            for fault in self._media:
                if fault.matches(request):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._media.remove(fault)
                    return fault
            return None

    def clear(self) -> None:
        """Remove all of them."""
        with self._lock:
            self._api.clear()
            self._media.clear()


def failing_answer(
    status: int, body: Any, raw: bytes | str | None, headers: Mapping[str, str] | None
) -> ApiAnswer:
    """An answer with that status: JSON, or exactly these bytes."""
    if raw is not None:
        content = raw.encode() if isinstance(raw, str) else raw
        return ApiAnswer(status, content, {"content-type": "text/html", **(headers or {})})
    return ApiAnswer(status, json.dumps(body).encode(), headers or {})
