"""Hosts that do not respond: after a few failures, most of their other files are not requested."""

from dataclasses import dataclass, field

from archiver.errors import MediaError, MediaExpired

_MAX_FAILURES = 8
_UNRESPONSIVE_CODES = frozenset({"network", "slow", "http_429"})


@dataclass(slots=True)
class UnresponsiveHosts:
    """How many files of each host failed in a row because it did not answer, or with 5xx or 429.

    After `_MAX_FAILURES`, files fail without a request, except the first, second, fourth, eighth …
    of them: a host with a few bad files may respond again. One success, or any other answer, resets
    the count.
    """

    _failures: dict[str, int] = field(default_factory=dict)

    def check(self, url: str) -> None:
        """Raises MediaError where the host is not to be requested now."""
        if not self._failures:
            return
        host = _host(url)
        excess = self._failures.get(host, 0) - _MAX_FAILURES
        if excess < 0:
            return
        self._failures[host] += 1
        if excess.bit_count() != 1:
            raise MediaError("The file could not be fetched", why=_gave_up_text(host), code="host")

    def failed(self, url: str, error: MediaError) -> str | None:
        """Count a failure; returns a note about the host, once."""
        if error.code not in _UNRESPONSIVE_CODES and not error.code.startswith("http_5"):
            if not isinstance(error, MediaExpired):  # an expiry may be known without a request
                self.answered(url)
            return None
        host = _host(url)
        self._failures[host] = self._failures.get(host, 0) + 1
        return _gave_up_text(host) if self._failures[host] == _MAX_FAILURES else None

    def answered(self, url: str) -> None:
        """Reset the count of the host."""
        if self._failures:
            self._failures.pop(_host(url), None)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].lower()


def _gave_up_text(host: str) -> str:
    return f"{host} did not answer; not tried again in this run"
