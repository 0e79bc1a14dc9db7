"""Signs the checkpoint at the end of a run, unless that would be wrong: then it says why.

A signature says: this is the only ledger of that many entries. So an archive whose ledger does not
continue what was signed before is not signed again until somebody has said that a copy was put back
(`archiver verify --accept-restore`), and then only beyond what was signed.
"""

import sqlite3
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import Struct

from archiver.archive.checkpoints import Checkpoint, add_checkpoint, origin, root_at
from archiver.config import Config
from archiver.errors import ArchiverError
from archiver.evidence import notes
from archiver.evidence.checkpoint_copies import known_heads
from archiver.evidence.known_heads import KnownHead
from archiver.evidence.notes import head_of
from archiver.evidence.signed_heads import SignedHeads, signed_heads
from archiver.evidence.signing_keys import SigningKey, can_sign, current_key

NOT_INSTALLED = (
    'Checkpoints are not signed: pip install "social-archiver[evidence]" installs what that needs'
)

CERTIFICATES_NEED = 'What signs it is not installed: pip install "social-archiver[evidence]"'


class Sealed(Struct, frozen=True):
    """The checkpoint of a run, if it made one, and why it is not signed, where somebody must act.

    `problem` is None too where signing is not installed.
    """

    checkpoint: Checkpoint | None
    problem: str | None = None


def seal(
    connection: sqlite3.Connection, config: Config, at: str, run_id: int | None = None
) -> Sealed:
    """Add a checkpoint, signed where that can be done. No error of signing stops it."""
    if not can_sign():
        return Sealed(add_checkpoint(connection, at, run_id))
    try:
        signer = _signer(connection, config, at)
        return Sealed(add_checkpoint(connection, at, run_id, signer.sign), signer.problem)
    except ArchiverError as error:
        return Sealed(
            add_checkpoint(connection, at, run_id), f"The checkpoint is not signed: {error}"
        )


def erasure_seal(connection: sqlite3.Connection, config: Config, at: str) -> "ErasureSeal":
    """What signs the certificate of a deletion, and its checkpoints. It may make the first key."""
    if not can_sign():
        return ErasureSeal(problem=CERTIFICATES_NEED)
    try:
        return ErasureSeal(_signer(connection, config, at))
    except ArchiverError as error:
        return ErasureSeal(problem=str(error))


class ErasureSeal(Struct, frozen=True):
    """Signs certificates with the key of checkpoints, where those are signed; else it says why not.

    No certificate can be taken for a checkpoint or the record of a key: its first byte is a brace.
    """

    signer: "_Signer | None" = None
    problem: str | None = None

    def certificate(self, data: bytes, /) -> dict[str, str]:
        """The fields `signed_by` and `signature`, or `not_signed`."""
        signer = self.signer
        if signer is None or signer.problem is not None:
            return {"not_signed": (self.problem if signer is None else signer.problem) or ""}
        return {
            "signed_by": notes.public_text(signer.log, signer.key.public),
            "signature": b64encode(signer.key.signature(data)).decode(),
        }

    def checkpoint(self, made: Checkpoint, /) -> str:
        """See `checkpoints.Sign`."""
        return made.text if self.signer is None else self.signer.sign(made)


@dataclass(slots=True)
class _Signer:
    """Signs a checkpoint of more than `beyond` entries. With a `problem` it does not sign."""

    log: str
    key: SigningKey
    heads: SignedHeads
    beyond: int
    problem: str | None = None

    def sign(self, checkpoint: Checkpoint) -> str:
        """See `checkpoints.Sign`. That it was signed is saved before the signature is used."""
        if self.problem is not None:
            return checkpoint.text
        if checkpoint.size <= self.beyond:
            self.problem = (
                f"The checkpoint is not signed: what was lost counts {self.beyond:,} entries, and "
                "no second checkpoint of a size that was signed is signed. Later ones will be"
            )
            return checkpoint.text
        with self.heads.changing():
            if (last := self._signed_meanwhile(checkpoint)) is not None:
                self.problem = (
                    f"The checkpoint is not signed: one of {last:,} entries was signed meanwhile, "
                    "by a run of another copy of this archive with the same settings"
                )
                return checkpoint.text
            note = f"{checkpoint.text}\n{self.key.sign(self.log, checkpoint.text)}"
            self.heads.notes[self.log] = note
        return note

    def _signed_meanwhile(self, checkpoint: Checkpoint) -> int | None:
        """How many entries another one counts that forbids to sign this; None where none does."""
        last = self.heads.notes.get(self.log)
        if last is None:
            return None
        _, size, root = head_of(last)
        is_this = (size, root.hex()) == (checkpoint.size, checkpoint.root)
        return None if size < checkpoint.size or is_this else size


def _signer(connection: sqlite3.Connection, config: Config, at: str) -> _Signer:
    log, heads = origin(connection), signed_heads(config)
    key = current_key(config, connection, at)
    lost = connection.execute("SELECT max(lost_size) FROM restores").fetchone()[0] or 0
    found, _ = known_heads(config, log, heads)
    problem = contradiction(connection, found, lost)
    return _Signer(log, key, heads, lost, problem)


def contradiction(
    connection: sqlite3.Connection, found: Iterable[KnownHead], lost: int
) -> str | None:
    """Why the ledger does not continue what was signed; None where it does.

    What counts no more than `lost` entries was lost when a copy was put back.
    """
    for head in found:
        if head.size > lost and root_at(connection, head.size) != head.root:
            return (
                f"The checkpoint is not signed: {head.name} has one of {head.size:,} entries that "
                "this archive does not continue. An older copy was put back, or the ledger was "
                "altered. Run archiver verify, and if a copy was put back, archiver verify "
                "--accept-restore"
            )
    return None
