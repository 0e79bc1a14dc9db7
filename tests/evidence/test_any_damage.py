"""Whatever is damaged in the file of the database, every command says so: it is never a bug."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import count
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE, reader, writer
from archiver.cli import main
from archiver_ayrshare.demo.specs import photo
from support.bad_archives import flip
from support.nights import Nights, nights

pytestmark = pytest.mark.slow

EXIT_CODES = {0, 2, 3, 6, 7}
"""All that may come of damage: 1 would say that the program has a bug."""
PAGE = 8192


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    """A very small archive, and the world that it is of. Its config does not change any more."""
    with nights(tmp_path_factory.mktemp("world"), "threads") as found:
        found.account("threads").publish("One", media=[photo()])
        found.account("threads").publish("Two")
        assert found.backup().exit_code == 0
        yield found


@pytest.fixture
def commands(world: Nights, capsys: pytest.CaptureFixture[str]) -> Iterator["Commands"]:
    intact = (world.directory / DATABASE).read_bytes()
    with kept_aside(world.directory):
        yield Commands(world, intact, capsys)


@contextmanager
def kept_aside(directory: Path) -> Iterator[None]:
    """The archive comes back as it was."""
    aside = directory.with_name("aside")
    shutil.copytree(directory, aside)
    try:
        yield
    finally:
        shutil.rmtree(directory)
        aside.rename(directory)


class Commands:
    """Puts a database in place of the intact one and runs the commands on it."""

    def __init__(self, world: Nights, intact: bytes, capsys: pytest.CaptureFixture[str]) -> None:
        self._world = world
        self.intact = intact
        self._capsys = capsys
        self._numbers = count()

    def put(self, data: bytes) -> None:
        for name in ("-wal", "-shm", "-journal"):
            (self._world.directory / f"{DATABASE}{name}").unlink(missing_ok=True)
        (self._world.directory / DATABASE).write_bytes(data)
        # else it would be one that was put back after a later run
        (self._world.folder / "archive.signed.json").unlink(missing_ok=True)

    @contextmanager
    def beside(self, end: str) -> Iterator[None]:
        """A file of zeros beside the database, which SQLite takes for an empty journal."""
        path = self._world.directory / f"{DATABASE}{end}"
        path.write_bytes(bytes(512))
        yield
        path.unlink(missing_ok=True)

    def damage(self, *statements: str) -> None:
        self.put(self.intact)
        with closing(sqlite3.connect(self._world.directory / DATABASE)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    def codes(self, *lines: str) -> list[int]:
        return [self.run(line) for line in lines]

    def run(self, line: str) -> int:
        if line.startswith("backup"):  # something to save
            self._world.next_night()
            self._world.account("threads").posts()[0].edit(text=f"Edit {next(self._numbers)}")
        config = str(self._world.folder / "archive.toml")
        with pytest.raises(SystemExit) as ended:
            main(["--config", config, *line.split()])
        self.said = "".join(self._capsys.readouterr())
        code = int(ended.value.code or 0)
        assert code in EXIT_CODES, f"{line}: exit {code}\n{self.said}"
        return code


ALL = ("status", "verify", "backup --now", "verify --repair")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM _sqlite_migrations", [6, 7, 6, 7]),
        ("DROP TABLE _sqlite_migrations", [6, 7, 6, 7]),
        ("DROP TABLE posts_fts", [0, 7, 6, 7]),
        ("DELETE FROM posts_fts_data", [0, 7, 6, 7]),
        ("DROP TABLE table_checksums", [0, 7, 6, 7]),
        ("DROP TABLE media", [0, 7, 6, 7]),
        ("DROP INDEX posts_removed", [6, 7, 0, 7]),
        ("DROP TRIGGER events_stay", [0, 7, 0, 7]),
        ("ALTER TABLE posts RENAME COLUMN row_sha256 TO row_sha257", [0, 7, 6, 7]),
    ],
)
def test_what_other_programs_have_taken_away_is_damage(
    commands: Commands, world: Nights, statement: str, expected: list[int]
) -> None:
    commands.damage(statement)
    world.account("threads").publish("Three", media=[photo(statement)])
    found = []
    for line in ALL:
        found.append(commands.run(line))
        assert "Nothing was in it" not in commands.said
    assert found == expected


def test_what_other_programs_have_added_is_none(commands: Commands) -> None:
    commands.damage("CREATE INDEX mine ON posts(author)", "CREATE VIEW ours AS SELECT 1")
    assert commands.codes(*ALL) == [0, 0, 0, 0]


@pytest.mark.parametrize("opener", [reader, writer])
def test_a_wrong_statement_on_an_intact_archive_still_looks_like_a_bug(
    archive: Path, opener: Callable[[Path], AbstractContextManager[sqlite3.Connection]]
) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such"), opener(archive) as connection:
        connection.execute("SELECT missing FROM elsewhere")


def test_a_journal_beside_a_full_archive_is_not_taken_for_a_new_one(commands: Commands) -> None:
    commands.put(commands.intact)
    with commands.beside("-journal"):
        assert commands.run("status") == 0
        assert "Nothing was in it" not in commands.said


def header(chance: random.Random, intact: bytes) -> bytes:
    return flip(intact, chance.randrange(100 * 8))


def schema(chance: random.Random, intact: bytes) -> bytes:
    """In the first pages, which hold the definitions of all tables."""
    return flip(intact, chance.randrange(100 * 8, 4 * PAGE * 8))


def page(chance: random.Random, intact: bytes) -> bytes:
    """A whole page of noise, or one page in another's place."""
    pages = len(intact) // PAGE
    start = chance.randrange(pages) * PAGE
    other = chance.randrange(pages) * PAGE
    new = intact[other : other + PAGE] if chance.random() < 0.5 else chance.randbytes(PAGE)
    return intact[:start] + new + intact[start + PAGE :]


# a run that breaks off may leave a connection for Python to close
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("damage", [header, schema, page])
def test_no_damage_looks_like_a_bug(
    commands: Commands, damage: Callable[[random.Random, bytes], bytes], part: int
) -> None:
    for seed in range(part, 60, 2):
        commands.put(damage(random.Random(seed), commands.intact))
        try:
            commands.codes("status", ("verify", "backup --now", "verify --repair")[seed % 3])
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from None
