"""`fleet.toml`, and the variables that the process of a tenant gets."""

from pathlib import Path

import pytest

from archiver.errors import ConfigError
from archiver.fleet.settings import SAMPLE, environment_for, load_fleet


def write(folder: Path, text: str) -> Path:
    path = folder / "fleet.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_sample_is_read(tmp_path: Path) -> None:
    settings = load_fleet(write(tmp_path, SAMPLE))
    assert settings.directory == tmp_path / "tenants"
    assert settings.settings == tmp_path / "tenant.toml"
    assert settings.store is None
    assert settings.keep_versions == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "one table"),
        ("[fleet]\n", '"database" is missing'),
        ('[fleet]\ndatabase = "env:X"\n[ayrshare]\n', "one table"),
        ('[fleet]\ndatabase = "env:X"\nstores = "s3://b"\n', "store"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_fleet(write(tmp_path, text))


def test_a_file_that_is_not_there_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fleet init"):
        load_fleet(tmp_path / "fleet.toml")


def test_a_tenant_gets_no_variable_that_only_others_name() -> None:
    environ = {"PATH": "/bin", "LC_ALL": "C", "ACME_KEY": "a", "OTHER_KEY": "b", "AWS_REGION": "x"}
    assert environment_for(["{'profile_key': 'env:ACME_KEY'}"], environ) == {
        "PATH": "/bin", "LC_ALL": "C", "ACME_KEY": "a", "AWS_REGION": "x",
    }  # fmt: skip
