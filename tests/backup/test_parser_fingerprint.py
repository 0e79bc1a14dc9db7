"""Which code reads an account's records, as eight bytes that change with it."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archiver.backup import parser_fingerprint as module_under_test
from archiver.backup.parser_fingerprint import parser_fingerprint
from archiver.models import Account

ACCOUNT = Account("acme", "bluesky", "ayrshare", None)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "a_reader.py"
    path.write_text("class Reader:\n    name = 'loops'\n    content_version = 1\n")
    yield path
    sys.modules.pop("a_reader", None)


def platform() -> Any:
    module_under_test._sources_of.cache_clear()
    return __import__("a_reader").Reader()


def test_a_fingerprint_is_the_same_in_every_run(module: Path) -> None:
    first = parser_fingerprint(platform(), ACCOUNT)
    assert first is not None
    assert len(first) == 8
    sys.modules.pop("a_reader")
    assert parser_fingerprint(platform(), ACCOUNT) == first


def test_a_changed_source_changes_it(module: Path) -> None:
    first = parser_fingerprint(platform(), ACCOUNT)
    module.write_text(module.read_text() + "\n")
    assert parser_fingerprint(platform(), ACCOUNT) != first


def test_a_new_list_of_content_fields_changes_it(module: Path) -> None:
    reader = platform()
    first = parser_fingerprint(reader, ACCOUNT)
    reader.content_version = 2
    assert parser_fingerprint(reader, ACCOUNT) != first


def test_without_source_code_there_is_no_fingerprint(module: Path) -> None:
    reader = platform()
    module.unlink()
    assert parser_fingerprint(reader, ACCOUNT) is None


def test_it_is_that_of_the_bases_too(module: Path) -> None:
    base = type(platform())
    heir = type("Heir", (base,), {"__module__": "support.nights"})()
    first = parser_fingerprint(heir, ACCOUNT)
    module_under_test._sources_of.cache_clear()
    module.write_text(module.read_text() + "\n")
    assert parser_fingerprint(heir, ACCOUNT) != first


def test_it_changes_with_what_the_reader_knows_of_the_account(module: Path) -> None:
    reader = platform()
    first = parser_fingerprint(reader, ACCOUNT)
    for other in (
        replace(ACCOUNT, name="other"), replace(ACCOUNT, platform_id="1"),
        replace(ACCOUNT, source="export"),
    ):  # fmt: skip
        assert parser_fingerprint(reader, other) != first
    assert parser_fingerprint(reader, replace(ACCOUNT, options=object())) == first


def test_it_changes_with_the_version_of_the_program(
    module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = parser_fingerprint(platform(), ACCOUNT)
    monkeypatch.setattr(module_under_test, "version", lambda: "another")
    assert parser_fingerprint(platform(), ACCOUNT) != first
