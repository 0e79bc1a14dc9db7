"""Runs are attributed to whom the config names, else to the system's user and host."""

import getpass
import os
import platform
import sys

import pytest

from archiver.actors import actor


def test_the_config_names_who_it_is() -> None:
    assert actor("nightly-backup@records") == "nightly-backup@records"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no numbers of users")
def test_else_it_is_the_user_of_the_process_and_the_host_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import pwd

    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert getpass.getuser() == "somebody-else"
    assert actor() == f"{pwd.getpwuid(os.getuid()).pw_name}@{platform.node()}"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no numbers of users")
def test_a_user_without_a_name_has_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    assert actor().startswith("uid-4000000@")
