"""Which archive a command works in, by --tenant."""

from pathlib import Path

import pytest

from archiver.cli.tenants import TenantChoice
from support.exporting import make_config
from support.running import Cli

WHY = ("--basis", "GDPR Art. 17, case 4")
MATTER = ("--matter", "2026/17", "--reason", "Claim")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return make_config(tmp_path)


def test_a_tenants_folder_without_its_media_is_no_whole_archive(cli: Cli, config: Path) -> None:
    (config.parent / "archive" / "archive.version").write_text("00000001-00000001")
    done = cli("--config", config, "erase", "p1", *WHY)
    assert done.exit_code == 2
    assert "erase --tenant archive --fleet" in " ".join(done.stderr.split())
    assert "Nothing was erased." in cli("--config", config, "erase", "--list").stdout
    folder = config.parent / "archive"
    for command in (("verify", folder), ("--config", config, "hold", "add", "--all", *MATTER)):
        done = cli(*command)
        assert done.exit_code == 2
        assert "--tenant archive --fleet" in " ".join(done.stderr.split())
    (config.parent / "archive" / "versions").mkdir()  # of a folder store, which has all of it
    assert cli("--config", config, "erase", "p1", *WHY).exit_code == 0


def test_a_tenant_is_of_a_fleet_and_has_its_settings(cli: Cli, config: Path) -> None:
    for words, message in (
        (("erase", "--list", "--fleet", "fleet.toml"), "--fleet needs --tenant"),
        (("--config", config, "erase", "--list", "--tenant", "acme"), "leave out --config"),
        (("erase", "--list", "--tenant", "acme", "--fleet", "none.toml"), "none.toml"),
        (("retention", "--tenant", "acme", "--fleet", "none.toml"), "none.toml"),
        (("verify", "--tenant", "acme", "--fleet", "none.toml"), "none.toml"),
        (("hold", "list", "--tenant", "acme", "--fleet", "none.toml"), "none.toml"),
        (("export", "csv", "out", "--tenant", "acme", "--fleet", "none.toml"), "none.toml"),
        (("browse", "--tenant", "acme", "--fleet", "none.toml"), "none.toml"),
        (("browse", "an-archive", "--tenant", "acme"), "Leave out one of them"),
        (("browse", "--fleet", "fleet.toml"), "--fleet needs --tenant"),
        (("verify", "a-copy", "--tenant", "acme"), "Leave out one of them"),
    ):
        done = cli(*words)
        assert done.exit_code == 2
        assert message in " ".join(done.stderr.split())


def test_the_next_command_line_names_it_too() -> None:
    assert TenantChoice("acme", "a fleet.toml").arguments == "--tenant acme --fleet 'a fleet.toml' "
    assert TenantChoice("acme", None).arguments == "--tenant acme "
    assert TenantChoice(None, None).arguments == ""
