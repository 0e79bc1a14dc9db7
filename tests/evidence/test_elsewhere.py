"""All that a config knows of an archive is held against it, and nothing is said twice."""

from pathlib import Path

from archiver.archive.database import reader
from archiver.evidence.elsewhere import known_elsewhere
from archiver.evidence.signed_heads import signed_heads
from support.sealed import make_sealed
from support.time_stamping import Authority


def test_checkpoints_the_key_and_time_stamps_come_together(tmp_path: Path) -> None:
    sealed = make_sealed(tmp_path / "here", 2)
    sealed.stamp(Authority(tmp_path / "authority"))  # of which the config has no root
    other = make_sealed(tmp_path / "other", 1)
    (other.folder / "archive.signing-key").replace(sealed.folder / "archive.signing-key")
    with reader(sealed.directory) as connection:
        heads, found = known_elsewhere(connection, sealed.config())
    copies = sealed.folder / "copies"
    assert [Path(head.name).parent for head in heads[1:]] == [copies, copies]
    assert heads[0].name == str(signed_heads(sealed.config()).path)
    assert [finding.what for finding in found] == ["foreign_key", "foreign_authority"]


def test_a_copy_that_cannot_be_read_is_named_once(tmp_path: Path) -> None:
    sealed = make_sealed(tmp_path / "here", 1)
    sealed.evidence = 'checkpoint_copies = ["git:nowhere"]'
    with reader(sealed.directory) as connection:
        found = known_elsewhere(connection, sealed.config())[1]
    assert [finding.what for finding in found] == ["unchecked"]
