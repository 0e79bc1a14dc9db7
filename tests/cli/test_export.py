"""archiver export: chosen posts in a folder, and what it says."""

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import Result

from archiver.actors import actor
from archiver.archive.actions import actions_between
from archiver.archive.database import archive_lock, reader
from archiver.cli.export import FORMS, export_forms
from support.exporting import PICTURE, make_config
from support.running import Cli


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return make_config(tmp_path)


def export(cli: Cli, config: Path, *args: str) -> Result:
    return cli("--config", str(config), "export", *args)


def test_the_command_line_knows_every_form() -> None:
    assert set(FORMS) == set(export_forms())


def test_it_says_what_is_where_and_what_is_not(cli: Cli, config: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    done = export(cli, config, "csv", str(target), "--account", "acme", "--since", "2026-03-01")
    assert done.exit_code == 0, done.output
    text = " ".join(done.stdout.split())
    assert f"2 posts and 1 media file (1.8 MB) are in {target}." in text
    assert "Not included: 1 file; README.txt says why." in text
    assert "acme, from 2026-03-01" in (target / "README.txt").read_text("utf-8")


def test_json_is_one_object(cli: Cli, config: Path, tmp_path: Path) -> None:
    done = export(cli, config, "jsonl", str(tmp_path / "out"), "--search", "evening", "--json")
    found = json.loads(done.stdout)
    assert (found["posts"], found["files"], found["size"]) == (1, 1, len(PICTURE))


def test_an_export_is_on_record_with_the_hash_of_its_manifest(
    cli: Cli, config: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    export(cli, config, "csv", str(target), "--account", "acme")
    with reader(tmp_path / "archive") as connection:
        (action,) = actions_between(connection, "export", "", "9")
    assert (action.actor, action.details["format"]) == (actor(), "csv")
    assert action.details["selection"] == "acme"
    manifest = (target / "manifest-sha256.txt").read_bytes()
    assert action.details["manifest_sha256"] == sha256(manifest).hexdigest()
    with archive_lock(tmp_path / "archive"):
        done = export(cli, config, "csv", str(tmp_path / "again"))
    assert done.exit_code == 0
    assert "is not on record in the archive" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--account", "nobody"], "no account nobody"),
        (["--search", "nowhere"], "no posts of all accounts, with"),
        (["--since", "someday"], "is not a date"),
        (["--kind", "toot"], "No post is of kind toot"),
        (["--kind", "reel"], "no posts of all accounts, of kind reel"),
    ],
)
def test_what_cannot_be_chosen_is_a_usage_error(
    cli: Cli, config: Path, tmp_path: Path, args: list[str], says: str
) -> None:
    done = export(cli, config, "csv", str(tmp_path / "out"), *args)
    assert done.exit_code == 2
    assert says in " ".join(done.output.split())
    assert not (tmp_path / "out").exists()


def test_damage_is_exit_code_7_and_all_else_is_there(
    cli: Cli, config: Path, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "archive" / "media")
    done = export(cli, config, "csv", str(tmp_path / "out"))
    assert done.exit_code == 7
    assert "verify --repair" in done.output
    assert (tmp_path / "out" / "posts.csv").is_file()
