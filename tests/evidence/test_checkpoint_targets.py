"""Time stamps are given away beside their checkpoints, and each copy gets each of them once."""

import base64
import subprocess
from pathlib import Path

import pytest

from archiver.archive.database import reader
from archiver.evidence.checkpoint_copies import deliver, kept_stamps
from archiver.evidence.checkpoint_targets import KeptStamp
from archiver.evidence.signed_heads import signed_heads
from support.sealed import SealedArchive, make_sealed
from support.time_stamping import Authority

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=["folder", "git", "cmd"])
def sealed(request: pytest.FixtureRequest, tmp_path: Path) -> SealedArchive:
    """With one copy, of each kind."""
    copies = tmp_path / "copies"
    copies.mkdir()
    target = {
        "folder": f"{copies}", "git": f"git:{copies}",
        "cmd": f"cmd:cat > $(mktemp '{copies}/XXXXXX')",
    }[request.param]  # fmt: skip
    if request.param == "git":
        subprocess.run(["git", "init", "-q", str(copies)], check=True)
    made = SealedArchive(tmp_path / "here", f'checkpoint_copies = ["{target}"]')
    made.folder.mkdir()
    made.night()
    return made


def kept(sealed: SealedArchive) -> list[KeptStamp]:
    """What the copies have, in the order of the checkpoints."""
    config = sealed.config()
    found, errors = kept_stamps(config, log_of(sealed), signed_heads(config))
    assert errors == []
    return found


def log_of(sealed: SealedArchive) -> str:
    with reader(sealed.directory) as connection:
        return str(connection.execute("SELECT note FROM checkpoints").fetchone()[0]).split("\n")[0]


def given_again(sealed: SealedArchive) -> tuple[int, int]:
    """What a copy gets in a delivery now: checkpoints and time stamps."""
    config = sealed.config()
    with reader(sealed.directory) as connection:
        copies = config.evidence.checkpoint_copies
        (delivery,) = deliver(connection, copies, signed_heads(config))
    assert delivery.error is None
    return delivery.count, delivery.stamps


def files(sealed: SealedArchive) -> list[bytes]:
    folder = sealed.folder.parent / "copies"
    return [path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()]


def test_each_gets_each_token_once_beside_its_checkpoint(
    sealed: SealedArchive, authority: Authority, tmp_path: Path
) -> None:
    tokens = [sealed.stamp(authority), sealed.stamp(Authority(tmp_path / "other"))]
    assert given_again(sealed) == (0, 0)
    sealed.night()
    tokens.append(sealed.stamp(authority))
    assert given_again(sealed) == (0, 0)
    if "cmd:" in sealed.evidence:
        texts = [data.decode().split("\n\n") for data in files(sealed)]
        found = [base64.b64decode(rest) for head, rest in texts if head.startswith("time stamp\n")]
        assert sorted(found) == sorted(tokens)
        assert kept(sealed) == []
        return
    assert sorted(each.token for each in kept(sealed)) == sorted(tokens)
    with reader(sealed.directory) as connection:
        notes = {note for (note,) in connection.execute("SELECT note FROM checkpoints")}
    assert {each.note for each in kept(sealed)} == notes
    assert sealed.kinds() <= {"foreign_authority"}  # the config names no roots


def test_a_new_copy_gets_the_newest_alone(sealed: SealedArchive, authority: Authority) -> None:
    sealed.stamp(authority)
    sealed.night()
    token = sealed.stamp(authority)
    copies = sealed.folder / "new"
    sealed.evidence = f'checkpoint_copies = ["{copies}"]'
    assert given_again(sealed) == (1, 1)
    assert [each.token for each in kept(sealed)] == [token]


def test_openssl_checks_what_a_folder_has(tmp_path: Path, authority: Authority) -> None:
    sealed = make_sealed(tmp_path / "here", 1)
    sealed.stamp(authority)
    copies = sealed.folder / "copies"
    (note,), (token,) = (copies.glob(f"*.{end}") for end in ("checkpoint", "tsr"))
    command = ["openssl", "ts", "-verify", "-data", note, "-in", token, "-CAfile", authority.root]
    subprocess.run([*map(str, command)], check=True, capture_output=True)


def test_files_of_others_are_left_alone(tmp_path: Path, authority: Authority) -> None:
    sealed = make_sealed(tmp_path / "here", 1)
    sealed.stamp(authority)
    copies = sealed.folder / "copies"
    for name in ("archiver-other-000000000005-0123abcd.tsr", "x.tsr", "archiver-5.checkpoint"):
        (copies / name).write_text("of somebody else")
    assert len(kept(sealed)) == 1
    assert given_again(sealed) == (0, 0)
