"""verify checks the certificates of deletions that the archive has, and names an altered one."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.database import writer
from archiver.archive.rows import update
from archiver.canonical import canonical_json
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.exporting import make_archive
from support.running import Cli

pytestmark = pytest.mark.slow

AT = "2026-12-01T00:00:00.000Z"


@pytest.fixture
def config(cli: Cli, tmp_path: Path) -> Path:
    """An archive with the certificates of two deletions, and another key since."""
    return erased(cli, tmp_path)


def erased(cli: Cli, folder: Path) -> Path:
    make_archive(folder)
    config = folder / "archive.toml"
    config.write_text('[archive]\ndirectory = "archive"\n')
    for number, post in enumerate(("p1", "p2"), 1):
        run(cli, config, "erase", post, "--basis", "Art. 17")
        run(cli, config, "erase", "--confirm", str(number))
    return config


def run(cli: Cli, config: Path, *args: str) -> None:
    done = cli("--config", config, *args)
    assert done.exit_code == 0, done.stderr


def alter(config: Path, **fields: Any) -> None:
    """Alter the second certificate by the program itself, so that the ledger knows no better."""
    with writer(config.parent / "archive", create=False) as connection:
        query = "SELECT certificate FROM erasures WHERE id = 2"
        said = json.loads(connection.execute(query).fetchone()[0])
        said = {name: value for name, value in (said | fields).items() if value is not None}
        text = canonical_json(said).decode() if said else ""
        update(connection, "erasures", "id = 2", (), certificate=text)


def found(config: Path) -> list[tuple[str, str]]:
    """The certificates and entries that are damage, the same at once and in slices."""

    def found_in(*scopes: Scope) -> list[tuple[str, str]]:
        return sorted(
            (each.subject, each.detail)
            for scope in scopes
            for each in verify(config.parent / "archive", scope, AT).damage
            if each.what in {"broken_certificate", "ledger"}
        )

    at_once = found_in(Scope())
    assert at_once == found_in(*(Scope(part, 3) for part in (1, 2, 3)))
    return at_once


def test_those_that_are_as_they_were_signed_are_no_finding(cli: Cli, config: Path) -> None:
    assert found(config) == []
    run(cli, config, "key", "--rotate")
    assert found(config) == [], "they are of the key of then"


def test_an_altered_one_is_named(config: Path) -> None:
    alter(config, basis="Art. 18")
    what = "its certificate is not as it was signed"
    assert found(config) == [("erasures 2", what)]


def test_one_that_another_key_signed_is_named(cli: Cli, config: Path, tmp_path: Path) -> None:
    run(cli, config, "key", "--rotate")
    run(cli, config, "erase", "p3", "--basis", "Art. 17")
    run(cli, config, "erase", "--confirm", "3")
    with writer(config.parent / "archive", create=False) as connection:
        query = "SELECT certificate FROM erasures WHERE id = 3"
        (third,) = connection.execute(query).fetchone()
    alter(config, signed_by=json.loads(third)["signed_by"])
    what = "its certificate is signed by another key than this one"
    assert found(config) == [("erasures 2", what)]


def test_one_that_cannot_be_read_is_named(config: Path) -> None:
    alter(config, checkpoint_after=None)
    what = "its certificate cannot be read"
    assert found(config) == [("erasures 2", what)]


def test_one_that_was_never_signed_is_no_finding(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "cryptography", None)
        config = erased(cli, tmp_path)
    assert found(config) == []
