"""`archiver` alone says what to do next, by what there is."""

from pathlib import Path

import pytest

from support.nights import nights
from support.running import Cli


def test_without_a_config_it_leads_to_the_demo_and_to_a_config(cli: Cli) -> None:
    done = cli()
    assert done.exit_code == 0
    assert "  archiver demo  " in done.stdout
    assert "  archiver init  " in done.stdout
    assert len(done.stdout.splitlines()) < 8
    assert cli("-q").output == ""


def test_a_config_without_accounts_leads_to_accounts(cli: Cli) -> None:
    cli("init")
    done = cli()
    assert "There are no accounts yet" in done.stdout
    assert "archiver accounts --discover >> archive.toml" in done.stdout


def test_a_config_with_accounts_leads_to_a_backup(cli: Cli) -> None:
    accounts = "".join(f'[[accounts]]\nname = "a{n}"\nplatform = "threads"\n' for n in range(5))
    Path("archive.toml").write_text(accounts)
    done = cli()
    assert "a0, a1, a2 and 2 more. There is no archive yet." in " ".join(done.stdout.split())
    assert "archiver backup" in done.stdout


def test_an_archive_leads_to_its_pages(cli: Cli, tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(3)
        world.backup()
    done = cli("--config", tmp_path / "archive.toml")
    assert done.exit_code == 0
    assert "3 posts; last run" in " ".join(done.stdout.split())
    assert f"archiver --config {tmp_path / 'archive.toml'} browse" in done.stdout


@pytest.mark.parametrize("text", ["", "[archive"])
def test_a_wrong_config_is_reported_as_by_any_command(cli: Cli, text: str) -> None:
    Path("archive.toml").write_text(text)
    done = cli()
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: archive.toml")


def test_a_config_that_is_named_and_not_there(cli: Cli) -> None:
    assert "no file" in cli("--config", "nowhere.toml").stderr
