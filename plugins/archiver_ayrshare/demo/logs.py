"""Log entries of the demo's servers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class ApiLog:
    """One request to the API, and the status of its answer. `path` is below the base URL."""

    at: datetime
    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    status: int
    sent: int

    @property
    def platform(self) -> str:
        """The platform whose history was requested, else the path."""
        return self.params.get("platform") or self.path.removeprefix("history/")


@dataclass(slots=True)
class MediaLog:
    """One request to the media server; `sent` counts the bytes of the body that were sent."""

    at: datetime
    method: str
    host: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    status: int = 0
    sent: int = 0

    @property
    def range(self) -> str | None:
        """The Range header, if there was one."""
        return self.headers.get("range")
