"""After a backup its checkpoint is given to the copies; a failure is told, and fails nothing."""

import json
from pathlib import Path

from support.nights import Nights, nights
from support.running import Cli
from support.time_stamping import Authority


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


def test_a_checkpoint_is_stamped_after_the_run_and_what_fails_in_that_changes_nothing(
    cli: Cli, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "authority", status=503)
    with nights(tmp_path, "bluesky") as world, authority.served() as address:
        world.account("bluesky").publish("Hello")
        roots = f'timestamp_roots = "{authority.root}"'
        world.extra += f'\n[evidence]\ntimestamp = ["{address}"]\n{roots}\n'
        path = world.config().path
        told = cli("--config", path, "backup")
        assert told.exit_code == 0
        assert "was not stamped" in told.stderr
        assert "nothing stamped yet" in cli("--config", path, "status").output
        authority.status = 200
        told = cli("--config", path, "backup")
        assert (told.exit_code, "stamped" in told.stderr) == (0, False)
        (said,) = json.loads(cli("--config", path, "status", "--json").stdout)["ledger"][
            "authorities"
        ]
    assert (said["authority"], said["problem"]) == (address, None)
    report = cli("--config", path, "report").output
    assert f"{said['at'][:19].replace('T', ' ')}" in report
    assert address in report
    assert cli("--config", path, "verify").exit_code == 0
    copy = tmp_path / "copy"
    assert cli("--config", path, "copy", copy).exit_code == 0
    Authority(authority.folder)  # another one, in its place
    assert "foreign_authority" in cli("--config", path, "verify").output
    told = cli("--config", path, "verify", copy)
    assert (told.exit_code, "unchecked: time_stamps 1" in told.stderr) == (0, True)
