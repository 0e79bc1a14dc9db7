"""What the fleet needs is said where it is missing."""

import pytest

from archiver.errors import UsageError
from archiver.fleet import extra


def test_a_missing_package_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == "psycopg" else name)
    with pytest.raises(UsageError, match=r"needs psycopg\. Install .*\[fleet\]"):
        extra.require_extra()


def test_what_is_there_is_enough() -> None:
    extra.require_extra()
