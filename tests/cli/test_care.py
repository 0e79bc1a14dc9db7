"""archiver backup looks after the archive afterwards, and says what came of that."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.cli import main
from support.nights import Nights, nights

pytestmark = pytest.mark.slow


class Command:
    """The command line with a world's config, and a table [care] in it."""

    def __init__(self, world: Nights, capsys: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self._capsys = capsys
        self._accounts = world.extra
        self.copy = world.folder / "copy"
        self.configure('verify = "1h"', f'copy_to = "{self.copy}"')

    def configure(self, *lines: str) -> None:
        table = "\n".join(lines)
        self.world.extra = f"\n[health]\nmin_free = 0\n\n[care]\n{table}\n{self._accounts}"
        self.world.config()

    def __call__(self, *words: str) -> tuple[int, str]:
        """The exit code, and what was printed, on one line."""
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(self.world.folder / "archive.toml"), *words])
        return int(ended.value.code or 0), " ".join(self._capsys.readouterr().out.split())


@pytest.fixture
def archiver(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(2)
        world.url_life *= 10_000
        world.dates = False
        world.cache = None
        yield Command(world, capsys)


def test_it_is_in_the_summary_of_the_run_and_in_the_status(archiver: Command) -> None:
    code, said = archiver("backup", "--due")
    assert code == 0
    assert "Care: " in said
    assert "verified, all intact;" in said
    assert "copied to" in said
    code, said = archiver("status")
    assert "CARE" in said
    assert "copy just now done" in said
    code, said = archiver("backup", "--due", "--json")
    assert json.loads(said) | {"why": ""} == {
        "outcome": "nothing_due", "exit_code": 0, "why": "", "care": [],
    }  # fmt: skip


def test_where_no_account_is_due_it_is_taken_all_the_same(archiver: Command) -> None:
    archiver.configure()
    archiver("backup")
    archiver.configure('verify = "1h"')
    code, said = archiver("backup", "--due")
    assert (code, "Nothing is due before" in said, "all intact" in said) == (0, True, True)
    assert archiver.world.column("SELECT count(*) FROM runs") == [1]


@pytest.mark.parametrize("words", [("backup", "threads"), ("backup", "--dry-run")])
def test_a_run_of_one_account_and_a_dry_run_leave_it_alone(
    archiver: Command, words: tuple[str, ...]
) -> None:
    archiver("backup", "--no-media")
    before = archiver.world.column("SELECT count(*) FROM care")
    archiver.configure('verify = "1h"', f'copy_to = "{archiver.copy}2"')
    archiver(*words, "--now")
    assert archiver.world.column("SELECT count(*) FROM care") == before


def test_damage_is_exit_code_7_also_after_a_good_run_and_in_quiet(archiver: Command) -> None:
    archiver.configure()
    assert archiver("backup")[0] == 0
    next(path for path in archiver.world.directory.glob("media/*/*") if path.is_file()).write_bytes(
        b"other bytes"
    )
    archiver.configure('verify = "1h"')
    code, said = archiver("-q", "backup", "--now")
    assert (code, "verify found 1 integrity error" in said) == (7, True)
    code, said = archiver("status", "--check")
    assert (code, "verify found 1 integrity error" in said) == (2, True)


def test_a_copy_that_fails_is_exit_code_3_and_a_warning(archiver: Command) -> None:
    archiver.copy.write_text("in place of a folder")
    code, said = archiver("-q", "backup")
    assert (code, "Error: copy of the archive:" in said) == (3, True)
    code, said = archiver("status", "--check")
    assert (code, "the last copy failed" in said) == (1, True)
