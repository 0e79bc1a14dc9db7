"""Errors of connections are told in words, without numbers of the operating system."""

import errno
import os
import socket

import pytest

from archiver.net.network_errors import (
    describe_broken_connection,
    describe_connect_error,
    describe_lookup_error,
)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "there is no host"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "no name server answers"),
        (OSError(errno.ECONNREFUSED, "Connect call failed"), "nothing listens on port 443"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "no route to api.example"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "is this machine online?"),
        (OSError(errno.ETIMEDOUT, "Connection timed out"), "does not answer on port 443"),
        (OSError(errno.ECONNRESET, "Connection reset by peer"), "cut the connection"),
    ],
)
def test_why_there_is_no_connection(error: OSError, words: str) -> None:
    said = describe_connect_error("api.example", 443, error)
    assert words in said
    assert "Errno" not in said


def test_what_is_not_known_is_quoted() -> None:
    assert describe_lookup_error("a.example", OSError("made up")).endswith("resolved: made up")
    assert describe_broken_connection(ValueError("made up")) == "made up"
    assert "denied" in describe_connect_error("a", 1, OSError(errno.EACCES, "Permission denied"))


def test_a_connection_that_broke() -> None:
    for number in (errno.ECONNRESET, errno.EPIPE):
        error = OSError(number, os.strerror(number))
        assert describe_broken_connection(error) == "the other side cut the connection"
