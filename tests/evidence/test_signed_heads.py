"""What was signed last is kept beside the config, privately, for several archives."""

from pathlib import Path

import pytest

from archiver.errors import SecretError
from archiver.evidence.signed_heads import signed_heads
from support.sealed import SealedArchive, make_sealed

ROOT = "O80jm5ypzK6Af0mg/DYPOzg/OGg8qIi4gTYbUd6NhUw="


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    config = SealedArchive(tmp_path).config()
    heads = signed_heads(config)
    assert heads.size("archiver/1") == 0
    heads.notes["archiver/1"] = f"archiver/1\n7\n{ROOT}\n"
    heads.delivered["archiver/1"] = {"mail me": 5}
    heads.save()
    assert heads.path.stat().st_mode & 0o777 == 0o600
    again = signed_heads(config)
    assert again == heads
    assert again.size("archiver/1") == 7


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"checkpoints": {"a": "b"}, "delivered": {}}'])
def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path: Path, text: str) -> None:
    sealed = make_sealed(tmp_path / "here", 1)
    path = signed_heads(sealed.config()).path
    path.write_text(text, "utf-8")
    with pytest.raises(SecretError, match="Put it back from a backup"):
        signed_heads(sealed.config())


def test_where_it_cannot_be_written_that_is_an_error(tmp_path: Path) -> None:
    heads = signed_heads(SealedArchive(tmp_path).config())
    heads.path = tmp_path / "archive.toml" / "signed.json"
    with pytest.raises(SecretError, match="cannot be written"):
        heads.save()
