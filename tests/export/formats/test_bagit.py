"""Posts as a bag."""

import subprocess
import sys
from pathlib import Path

import bagit
import pytest

from archiver.errors import UsageError
from support.exporting import exported


@pytest.mark.slow
def test_a_bag_is_accepted_by_the_library_and_its_own_program(
    directory: Path, tmp_path: Path
) -> None:
    folder = exported(directory, tmp_path / "out", "bagit").folder
    bag = bagit.Bag(str(folder))
    bag.validate()
    assert bag.info["External-Identifier"] == directory.name
    assert (folder / "data" / "posts.jsonl").is_file()
    subprocess.run([sys.executable, "-m", "bagit", "--validate", folder], check=True)


def test_without_the_library_a_bag_says_what_to_install(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bagit", None)
    with pytest.raises(UsageError, match="needs the library bagit"):
        exported(directory, tmp_path / "out", "bagit")
    assert list(tmp_path.iterdir()) == []
