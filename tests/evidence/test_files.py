"""Files read back: damage in any of them is found."""

import random
from pathlib import Path

import pytest

from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.bad_archives import flip

pytestmark = pytest.mark.slow

NOW = "2026-11-23T00:00:00.000Z"
SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_flipped_bit_in_any_file_is_found(archive: Path, seed: int) -> None:
    chance = random.Random(seed)
    files = sorted(path for path in (archive / "media").rglob("*") if path.is_file())
    for path in files:
        data = path.read_bytes()
        path.write_bytes(flip(data, chance.randrange(8 * len(data))))
    result = verify(archive, Scope(), NOW)
    found = {f.subject for f in result.findings if f.what == "changed_file"}
    assert found == {path.relative_to(archive).as_posix() for path in files}
