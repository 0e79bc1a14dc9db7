"""Hosts that do not answer: after a few files, the others of such a host are not waited for."""

from dataclasses import dataclass, field

from archiver.errors import MediaError, MediaExpired

_MOST_FAILURES = 8
_SILENT = frozenset({"network", "slow", "http_429"})


@dataclass(slots=True)
class SilentHosts:
    """How many files of each host failed in a row because it did not answer, or with 5xx or 429.

    From the eighth on, files are refused without a request, but for the first, the second, the
    fourth, the eighth …: a host with a few bad files must not be taken for dead for ever. One
    success, or any other answer, and all is forgotten.
    """

    _failures: dict[str, int] = field(default_factory=dict)

    def check(self, url: str) -> None:
        """Raises MediaError where the host is not to be asked."""
        if not self._failures:
            return
        host = _host(url)
        beyond = self._failures.get(host, 0) - _MOST_FAILURES
        if beyond < 0:
            return
        self._failures[host] += 1
        if beyond.bit_count() != 1:
            raise MediaError("The file could not be fetched", why=_gave_up(host), code="host")

    def failed(self, url: str, error: MediaError) -> str | None:
        """Count a failure; what is to be said of the host now, once."""
        if error.code not in _SILENT and not error.code.startswith("http_5"):
            if not isinstance(error, MediaExpired):  # that may have been seen without a request
                self.answered(url)
            return None
        host = _host(url)
        self._failures[host] = self._failures.get(host, 0) + 1
        return _gave_up(host) if self._failures[host] == _MOST_FAILURES else None

    def answered(self, url: str) -> None:
        """Forget what was."""
        if self._failures:
            self._failures.pop(_host(url), None)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].lower()


def _gave_up(host: str) -> str:
    return f"{host} did not answer; not tried again in this run"
