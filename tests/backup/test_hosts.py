"""When a host is taken for silent, and when it is believed to be back."""

import pytest

from archiver.backup.hosts import UnresponsiveHosts
from archiver.errors import MediaError, MediaExpired, MediaGone

ONE, OTHER = "https://cdn.example/a.jpg", "https://other.example/b.jpg"
NETWORK = MediaError("x", code="network")


def is_asked(hosts: UnresponsiveHosts, url: str = ONE) -> bool:
    try:
        hosts.check(url)
    except MediaError as error:
        return error.code != "host"
    return True


def silent(count: int = 8) -> UnresponsiveHosts:
    hosts = UnresponsiveHosts()
    said = [hosts.failed(ONE, NETWORK) for _ in range(count)]
    assert [text for text in said if text] == [
        "cdn.example did not answer; not tried again in this run"
    ] * (count >= 8)
    return hosts


def test_eight_failures_in_a_row_are_enough_for_one_host_and_not_for_another() -> None:
    assert is_asked(silent(7))
    hosts = silent(12)
    hosts.failed(OTHER, NETWORK)
    assert is_asked(hosts, OTHER)
    assert sum(is_asked(hosts) for _ in range(1000)) <= 10


def test_a_few_bad_files_do_not_hide_the_good_ones_behind_them() -> None:
    hosts = silent(8)
    assert [is_asked(hosts) for _ in range(3)] == [False, True, True]
    hosts.answered(ONE)
    assert [is_asked(hosts) for _ in range(3)] == [True, True, True]


@pytest.mark.parametrize(
    ("error", "counts"),
    [(NETWORK, True), (MediaError("x", code="slow"), True), (MediaExpired("x"), True),
     (MediaError("x", code="http_503"), True), (MediaError("x", code="http_429"), True),
     (MediaGone("x"), False), (MediaError("x", code="html"), False)],
)  # fmt: skip
def test_any_other_answer_is_one(error: MediaError, counts: bool) -> None:
    hosts = silent(7)
    hosts.failed(ONE, error)
    hosts.failed(ONE, NETWORK)
    assert (sum(is_asked(hosts) for _ in range(100)) < 50) is counts
