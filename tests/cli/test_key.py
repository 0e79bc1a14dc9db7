"""`archiver key`: the public keys to give away, and changes that are on record."""

import json
import sys
from pathlib import Path

import pytest

from archiver.evidence.notes import public_key_of
from support.running import Cli
from support.sealed import make_sealed

pytestmark = pytest.mark.slow


@pytest.fixture
def config(tmp_path: Path) -> Path:
    sealed = make_sealed(tmp_path / "sealed", 1)
    return sealed.folder / "archive.toml"


def test_it_shows_the_public_key_and_where_the_private_one_is(cli: Cli, config: Path) -> None:
    told = json.loads(cli("--config", config, "key", "--json").stdout)
    assert told["file"] == str(config.with_name("archive.signing-key"))
    (key,) = told["keys"]
    assert len(public_key_of(key["key"])) == 32
    shown = cli("--config", config, "key")
    assert key["key"] in shown.stdout
    assert "PRIVATE" not in shown.output


@pytest.mark.parametrize(
    ("option", "reason"),
    [("--rotate", "rotated"), ("--lost", "lost"), ("--compromised", "compromised")],
)
def test_a_change_makes_another_key(cli: Cli, config: Path, option: str, reason: str) -> None:
    told = json.loads(cli("--config", config, "key", option, "--json").stdout)
    assert [key["reason"] for key in told["keys"]] == ["first", reason]
    assert cli("--config", config, "verify").exit_code == 0


def test_two_changes_at_once_are_refused(cli: Cli, config: Path) -> None:
    assert cli("--config", config, "key", "--rotate", "--lost").exit_code == 2


def test_without_the_extra_a_change_says_how_to_install_it(
    cli: Cli, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    told = cli("--config", config, "key", "--rotate")
    assert told.exit_code == 2
    assert "social-archiver[evidence]" in told.stderr


def test_verify_tells_of_an_archive_that_was_put_back_until_that_is_accepted(
    cli: Cli, tmp_path: Path
) -> None:
    sealed = make_sealed(tmp_path / "put_back", 1)
    with sealed.put_back_afterwards():
        sealed.night()
    file = sealed.folder / "archive.toml"
    told = cli("--config", file, "verify", "--json")
    assert told.exit_code == 7
    assert {each["what"] for each in json.loads(told.stdout)["damage"]} == {"rolled_back"}
    assert cli("--config", file, "verify", "--accept-restore").exit_code == 0
    assert cli("--config", file, "verify").exit_code == 0
    assert cli("--config", file, "verify", "--accept-restore").exit_code == 2


def test_a_checkpoint_that_was_kept_elsewhere_is_checked(cli: Cli, tmp_path: Path) -> None:
    sealed = make_sealed(tmp_path / "sealed_too", 1)
    (kept,) = (sealed.folder / "copies").iterdir()
    assert cli("verify", sealed.directory, "--checkpoint", kept).exit_code == 0
    kept.write_text(kept.read_text("utf-8").replace("\n", "\n1", 1), "utf-8")
    assert cli("verify", sealed.directory, "--checkpoint", kept).exit_code == 7
    kept.write_text("nothing", "utf-8")
    assert cli("verify", sealed.directory, "--checkpoint", kept).exit_code == 2
