"""Checkpoints given away: every one arrives, what failed is made up for, nothing is overwritten."""

import subprocess
from pathlib import Path

import pytest

from archiver.archive.database import reader
from archiver.errors import ConfigError
from archiver.evidence.checkpoint_copies import Delivery, deliver, known_heads
from archiver.evidence.signed_heads import signed_heads
from support.sealed import SealedArchive, make_sealed

pytestmark = pytest.mark.slow


@pytest.fixture
def sealed(tmp_path: Path) -> SealedArchive:
    return make_sealed(tmp_path / "here", 1)


def give(sealed: SealedArchive, evidence: str) -> Delivery:
    config = sealed.config(evidence)
    with reader(sealed.directory) as connection:
        (delivery,) = deliver(connection, config.evidence.checkpoint_copies, signed_heads(config))
    return delivery


def notes(sealed: SealedArchive) -> list[str]:
    with reader(sealed.directory) as connection:
        return [note for (note,) in connection.execute("SELECT note FROM checkpoints ORDER BY id")]


def kept(folder: Path) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(folder.glob("archiver-*.checkpoint"))]


def heads(sealed: SealedArchive, evidence: str) -> list[str]:
    config = sealed.config(evidence)
    log = notes(sealed)[0].partition("\n")[0]
    found, errors = known_heads(config, log, signed_heads(config), only_newest=False)
    assert errors == []
    return [head.note for head in found if "signed.json" not in head.name]


def test_a_folder_gets_every_checkpoint_once(sealed: SealedArchive) -> None:
    for _ in range(2):
        sealed.night()
    assert kept(sealed.folder / "copies") == notes(sealed)
    assert give(sealed, 'checkpoint_copies = ["copies"]').count == 0


def test_a_new_copy_begins_with_the_newest(sealed: SealedArchive) -> None:
    sealed.night()
    assert give(sealed, 'checkpoint_copies = ["new"]').count == 1
    assert kept(sealed.folder / "new") == notes(sealed)[-1:]


def test_what_could_not_be_given_is_given_later(sealed: SealedArchive) -> None:
    copies = sealed.folder / "copies"
    away = copies.rename(sealed.folder / "away")
    copies.write_text("a file in its place", "utf-8")
    sealed.night()
    delivery = give(sealed, 'checkpoint_copies = ["copies"]')
    assert delivery.error is not None
    assert "after the next run" in str(delivery.error)
    copies.unlink()
    away.rename(copies)
    sealed.night()
    assert kept(copies) == notes(sealed)


def test_a_repository_gets_a_commit(sealed: SealedArchive, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    copies = f'checkpoint_copies = ["git:{repository}"]'
    assert give(sealed, copies) == Delivery(f"git:{repository}", 1)
    for _ in range(2):
        sealed.night(sealed.config(copies))
    assert heads(sealed, copies) == notes(sealed)
    log = subprocess.run(
        ["git", "-C", str(repository), "log", "--format=%s"], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert [line[:13] for line in log.stdout.splitlines()] == ["Checkpoint of"] * 3


def test_what_is_committed_counts_and_not_what_is_in_the_work_tree(
    sealed: SealedArchive, tmp_path: Path
) -> None:
    repository = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    copies = f'checkpoint_copies = ["git:{repository}"]'
    give(sealed, copies)
    (path,) = repository.glob("*.checkpoint")
    path.write_text("altered", "utf-8")
    assert heads(sealed, copies) == notes(sealed)


def test_a_folder_that_is_no_repository_is_told(sealed: SealedArchive, tmp_path: Path) -> None:
    delivery = give(sealed, f'checkpoint_copies = ["git:{tmp_path / "nothing"}"]')
    assert delivery.error is not None
    assert "git:" in str(delivery.error)


def test_a_command_gets_each_on_its_standard_input(sealed: SealedArchive) -> None:
    out = sealed.folder / "out"
    command = f"checkpoint_copies = [\"cmd:cat >> '{out}'\"]"
    for _ in range(2):
        sealed.night(sealed.config(command))
    assert out.read_text("utf-8") == "".join(notes(sealed)[1:])


def test_a_command_that_fails_is_told_and_gets_it_again(sealed: SealedArchive) -> None:
    out = sealed.folder / "out"
    command = f"checkpoint_copies = [\"cmd:test -e '{out}' && cat >> '{out}'\"]"
    delivery = give(sealed, command)
    assert delivery.error is not None
    assert "exit code 1" in str(delivery.error)
    out.touch()
    assert give(sealed, command).count == 1
    assert out.read_text("utf-8") == notes(sealed)[-1]


def test_nothing_is_added_where_the_archive_does_not_continue_what_is_there(
    sealed: SealedArchive,
) -> None:
    with sealed.put_back_afterwards():
        sealed.night()
    before = kept(sealed.folder / "copies")
    for _ in range(3):
        sealed.night()
    assert kept(sealed.folder / "copies") == before
    error = give(sealed, 'checkpoint_copies = ["copies"]').error
    assert error is not None
    assert error.code == "rolled_back"


def test_what_is_no_checkpoint_of_the_archive_is_told(sealed: SealedArchive) -> None:
    (path,) = (sealed.folder / "copies").iterdir()
    path.write_text("archiver/other\n1\nAAAA\n", "utf-8")
    assert give(sealed, 'checkpoint_copies = ["copies"]').error is not None


@pytest.mark.parametrize("text", ['"cmd:"', '""', '"git:"'])
def test_what_names_nothing_is_refused(sealed: SealedArchive, text: str) -> None:
    with pytest.raises(ConfigError, match="checkpoint_copies"):
        sealed.config(f"checkpoint_copies = [{text}]")
