"""What was signed last, kept beside the config: an archive that was put back does not know it.

By it a backup notices that the archive is older than its newest signature, and signs no second
checkpoint of a size that it has signed before. What commands got (`cmd:` of `checkpoint_copies`) is
kept here too. Archives of one config have one file, and their runs may end at the same time.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archiver.config import Config
from archiver.errors import SecretError
from archiver.evidence.notes import head_of
from archiver.evidence.signing_keys import beside_config
from archiver.private_files import locked_beside, replace_privately

_FORMAT = 1


@dataclass(slots=True)
class SignedHeads:
    """The newest signed checkpoint of each archive, by its log's name, in one file.

    `delivered` has the size of the newest checkpoint that each command got, by log and command,
    `stamped` that of the newest one of which it got time stamps, and by what these are known.
    """

    path: Path
    notes: dict[str, str] = field(default_factory=dict)
    delivered: dict[str, dict[str, int]] = field(default_factory=dict)
    stamped: dict[str, dict[str, tuple[int, list[str]]]] = field(default_factory=dict)

    def size(self, log: str) -> int:
        """How many entries the newest signed checkpoint of a log counts; 0 where there is none."""
        return head_of(self.notes[log])[1] if log in self.notes else 0

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change what is kept: it is read anew, and written after the block, whole or not at all.

        Other programs wait until then, so that what one of them adds is never lost by another.
        Raises SecretError.
        """
        with locked_beside(self.path, self._unwritable):
            self.read()
            before = self._text()
            yield
            if self._text() != before:
                self._write()

    def read(self) -> None:
        """Read the file, if there is one. Raises SecretError where it is damaged."""
        try:
            said: Any = json.loads(self.path.read_bytes())
            notes = {str(log): str(note) for log, note in said["checkpoints"].items()}
            delivered = {
                str(log): {str(name): int(size) for name, size in by_name.items()}
                for log, by_name in said["delivered"].items()
            }
            stamped = {
                str(log): {
                    str(name): (int(size), [*map(str, of)]) for name, (size, of) in each.items()
                }
                for log, each in said.get("stamped", {}).items()
            }
            for note in notes.values():
                head_of(note)
        except FileNotFoundError:
            return
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise SecretError(
                f"{self.path} cannot be read",
                why=str(error),
                hint="It says which checkpoint was signed last. Put it back from a backup, or move "
                "it away: the copies of checkpoints then say so alone",
            ) from error
        self.notes, self.delivered, self.stamped = notes, delivered, stamped

    def _text(self) -> str:
        said = {
            "version": _FORMAT, "checkpoints": self.notes, "delivered": self.delivered,
            "stamped": self.stamped,
        }  # fmt: skip
        return f"{json.dumps(said, indent=2)}\n"

    def _write(self) -> None:
        try:
            replace_privately(self.path, self._text().encode())
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> SecretError:
        why = error.strerror or str(error)
        return SecretError(f"{self.path} cannot be written", why=why)


def signed_heads(config: Config) -> SignedHeads:
    """What was signed last by this config. Raises SecretError where the file is damaged."""
    heads = SignedHeads(beside_config(config, "signed.json"))
    heads.read()
    return heads
