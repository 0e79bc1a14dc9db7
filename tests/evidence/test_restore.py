"""What a copy gives back: all that the archive proves to be right, and nothing else."""

import json
import random
import sqlite3
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE, reader, writer
from archiver.archive.rows import insert
from archiver.cli import main
from archiver.errors import DamageFound, UsageError
from archiver.evidence.files import Scope
from archiver.evidence.repair import Repaired, repair
from archiver.evidence.verify import verify
from support.bad_archives import BAD, Bad, flip, raw
from support.damage import contents, flip_every_row

pytestmark = pytest.mark.slow

NOW = "2026-11-23T00:00:00.000Z"
SEEDS = range(6)
RESTORED = [
    bad
    for bad in BAD
    if bad.finding in {"changed_row", "rows", "changed_file", "missing_file"}
    or bad.name in {"deleted_last_revision", "orphan"}
]


def add_an_event(connection: sqlite3.Connection) -> int:
    """What a backup after the copy might add."""
    return insert(connection, "events", post_id=1, run_id=1, at=NOW, what="seen")


def put_right(archive: Path, copy: Path) -> Repaired:
    return repair(archive, verify(archive, Scope(), NOW), NOW, copy)


def media(archive: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in archive.glob("media/*/*")}


@pytest.mark.parametrize("bad", RESTORED, ids=lambda bad: bad.name)
def test_a_copy_of_the_same_state_restores_everything(
    bad: Bad, archive: Path, good_archive: Path, good_copy: Path
) -> None:
    bad.damage(archive)
    before = (good_copy / DATABASE).read_bytes()

    assert put_right(archive, good_copy)

    found = verify(archive, Scope(), NOW).findings
    assert {finding.what for finding in found} <= {"leftover"}, found
    assert {finding.subject.partition("/")[0] for finding in found} <= {"quarantine"}
    assert contents(archive) == contents(good_archive)
    assert media(archive) == media(good_archive)
    assert (good_copy / DATABASE).read_bytes() == before


def test_a_row_that_others_added_is_kept_aside(archive: Path, good_copy: Path) -> None:
    (bad,) = [bad for bad in BAD if bad.name == "event_added_by_hand_with_a_right_hash"]
    bad.damage(archive)
    put_right(archive, good_copy)
    (line,) = (archive / "quarantine" / "events.0.jsonl").read_text().splitlines()
    assert json.loads(line)["id"] == 999


def test_a_file_known_as_lost_comes_back_from_a_copy(archive: Path, good_copy: Path) -> None:
    next(archive.glob("media/*/*")).unlink()
    assert repair(archive, verify(archive, Scope(), NOW), NOW).queued >= 1
    assert put_right(archive, good_copy).files == 1
    assert verify(archive, Scope(), NOW).findings == []


def test_a_damaged_file_of_the_copy_is_not_taken(archive: Path, copy: Path) -> None:
    path = next(archive.glob("media/*/*"))
    path.unlink()
    other = copy / path.relative_to(archive)
    other.write_bytes(flip(other.read_bytes(), 3))
    repaired = put_right(archive, copy)
    assert (repaired.files, repaired.queued > 0) == (0, True)
    assert not path.exists()


def test_a_row_of_the_copy_with_another_hash_is_not_taken(archive: Path, copy: Path) -> None:
    for place, text in ((archive, "something else"), (copy, "We never said so")):
        with raw(place) as connection:
            connection.execute("UPDATE posts SET text = ? WHERE id = 1", (text,))
    assert put_right(archive, copy).rows == 0


def test_rows_that_do_not_add_up_are_not_taken(archive: Path, copy: Path) -> None:
    """The copy lacks one of the two: with the other alone, the count is still wrong."""
    for place, lost in ((archive, "(1, 2)"), (copy, "(2)")):
        with raw(place) as connection:
            connection.execute(f"DELETE FROM events WHERE id IN {lost}")
    before = contents(archive)
    assert put_right(archive, copy).tables == 0
    assert contents(archive) == before


def test_a_copy_of_another_archive_is_refused(archive: Path, tmp_path: Path) -> None:
    with writer(tmp_path / "other"):
        pass
    next(archive.glob("media/*/*")).unlink()
    with pytest.raises(UsageError, match="no copy of this archive"):
        put_right(archive, tmp_path / "other")
    with pytest.raises(UsageError, match="archive itself"):
        put_right(archive, archive)


def test_a_copy_that_cannot_be_opened_changes_nothing(archive: Path, copy: Path) -> None:
    next(archive.glob("media/*/*")).unlink()
    (copy / DATABASE).write_bytes(b"noise")
    before = contents(archive)
    with pytest.raises(DamageFound, match=str(copy)):
        put_right(archive, copy)
    assert contents(archive) == before


@pytest.mark.parametrize("seed", SEEDS)
def test_a_flipped_bit_in_any_cell_of_any_row_is_restored(
    archive: Path, good_archive: Path, good_copy: Path, seed: int
) -> None:
    with raw(archive) as connection:
        done = flip_every_row(connection, random.Random(seed), keys=False)
    assert sum(map(len, done.values())) > 200

    put_right(archive, good_copy)

    assert verify(archive, Scope(), NOW).damage == []
    assert contents(archive) == contents(good_archive)


@pytest.mark.parametrize("digit", [0, 40])
def test_a_damaged_hash_is_restored_from_an_older_copy(
    archive: Path, good_copy: Path, digit: int
) -> None:
    with writer(archive) as connection:
        add_an_event(connection)
    with raw(archive) as connection:
        change = (
            "UPDATE posts SET row_sha256 = substr(row_sha256, 1, ?) || 'x' || substr(row_sha256, ?)"
        )
        connection.execute(change + " WHERE id = 1", (digit, digit + 2))
    put_right(archive, good_copy)
    assert {finding.what for finding in verify(archive, Scope(), NOW).findings} <= {"leftover"}


def test_lost_rows_come_back_beside_those_that_were_added_since(
    archive: Path, good_copy: Path
) -> None:
    with writer(archive) as connection:
        new = add_an_event(connection)
    with raw(archive) as connection:
        connection.execute("DELETE FROM events WHERE id IN (1, 2, 3)")
    assert put_right(archive, good_copy).tables == 1
    assert verify(archive, Scope(), NOW).findings == []
    with reader(archive) as connection:
        query = "SELECT count(*) FROM events WHERE id IN (1, 2, 3, ?)"
        assert connection.execute(query, (new,)).fetchone() == (4,)


def test_without_a_copy_a_damaged_row_is_named_and_left_alone(archive: Path) -> None:
    with raw(archive) as connection:
        connection.execute("UPDATE posts SET text = text || 'x' WHERE id = 1")
    before = contents(archive)

    assert not repair(archive, verify(archive, Scope(), NOW), NOW)

    assert [str(row) for row in verify(archive, Scope(), NOW).bad_rows] == ["posts 1"]
    assert contents(archive) == before


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["verify", *words])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), " ".join((out + err).split())


def test_the_hints_lead_to_an_intact_archive(
    archive: Path, good_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with raw(archive) as connection:
        connection.execute("UPDATE posts SET text = 'something else', raw = '{}' WHERE id = 1")
    next(archive.glob("media/*/*")).unlink()

    code, said = run(capsys, str(archive))
    assert (code, "Run archiver verify --repair, with --from" in said) == (7, True)
    code, said = run(capsys, str(archive), "--repair")
    assert (code, "archiver backup" in said) == (7, True)
    assert "verify --repair --from the folder of a copy" in said
    code, said = run(capsys, str(archive))
    assert "Next: Run archiver verify --repair --from the folder of a copy" in said
    code, said = run(capsys, str(archive), "--repair", "--from", str(good_copy))
    assert "From the copy: restored 1 file," in said
    assert "Run archiver verify again" in said
    assert run(capsys, str(archive))[0] == 0


def test_from_without_repair_is_refused(
    archive: Path, good_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capsys, str(archive), "--from", str(good_copy))
    assert (code, "--repair" in said) == (2, True)
