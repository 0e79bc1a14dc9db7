"""An archive is found by its folder, by the folder above it, and by its database."""

from pathlib import Path

from archiver.cli.places import archive_folder
from support.nights import nights
from support.running import Cli


def test_an_archive_is_found_by_every_name_for_it(cli: Cli, tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(1)
        world.backup()
    archive = tmp_path / "archive"
    for path in (archive, tmp_path, archive / "archive.db"):
        assert archive_folder(path) == archive
        assert cli("verify", path).exit_code == 0


def test_where_there_is_none_the_path_itself_is_shown(cli: Cli, tmp_path: Path) -> None:
    assert archive_folder(tmp_path) == tmp_path
    done = cli("browse", tmp_path)
    assert done.exit_code == 6
    assert str(tmp_path) in "".join(done.stderr.split())
