"""Log lines: off unless asked for, and without secrets."""

import logging

import pytest

from archiver.cli.logs import logging_to_stderr
from archiver.secrets import Secret


class TestLogging:
    """Off unless asked for; secrets never in it."""

    def test_off(self, capsys: pytest.CaptureFixture[str]) -> None:
        with logging_to_stderr(0):
            logging.getLogger("archiver.test").error("boom")
        assert capsys.readouterr().err == ""

    def test_on(self, capsys: pytest.CaptureFixture[str]) -> None:
        Secret("t0p-s3cret-value").reveal()
        with logging_to_stderr(1):
            logging.getLogger("archiver.test").info("got %s\x1b", "t0p-s3cret-value")
            logging.getLogger("httpx").error("GET https://t0p-s3cret-value@example.com")
            logging.getLogger("archiver.test").debug("too much")
            try:
                raise ValueError("t0p-s3cret-value")
            except ValueError:
                logging.getLogger("archiver.test").exception("failed")
        err = capsys.readouterr().err
        assert "got [secret]\\x1b" in err
        assert "ValueError: [secret]" in err
        assert "t0p" not in err
        assert "GET" not in err
        assert "too much" not in err
