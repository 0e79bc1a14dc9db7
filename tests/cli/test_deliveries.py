"""After a backup its checkpoint is given to the copies; a failure is told, and fails nothing."""

from pathlib import Path

from support.nights import Nights, nights
from support.running import Cli


def write_config(world: Nights, copies: str) -> Path:
    world.extra += f"\n[evidence]\ncheckpoint_copies = [{copies}]\n"
    return world.config().path


def test_a_backup_gives_it_away_and_status_says_who_has_it(cli: Cli, tmp_path: Path) -> None:
    with nights(tmp_path, "bluesky") as world:
        world.account("bluesky").publish("Hello")
        path = write_config(world, '"copies", "git:nowhere"')
        told = cli("--config", path, "backup")
    assert told.exit_code == 0
    assert "git:" in told.stderr
    assert len(list((tmp_path / "copies").iterdir())) == 1
    status = cli("--config", path, "status").output
    assert "signed" in status
    assert "up to date" in status
