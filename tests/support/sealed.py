"""An archive of some nights with signed checkpoints, of which a folder has copies."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archiver.archive.database import reader, writer
from archiver.archive.rows import insert
from archiver.config import Config, load_config
from archiver.evidence.checkpoint_copies import deliver
from archiver.evidence.elsewhere import known_elsewhere
from archiver.evidence.files import Scope
from archiver.evidence.findings import Finding
from archiver.evidence.signed_heads import signed_heads
from archiver.evidence.signing import Sealed, seal
from archiver.evidence.time_tokens import check_token, trusted_roots
from archiver.evidence.verify import verify
from archiver.models import time_text
from archiver.net.proxy import Route
from support.time_stamping import Authority

NOW = "2026-11-23T00:00:00.000Z"
TSA = "https://tsa.example/tsr"


@dataclass
class SealedArchive:
    """A folder with `archive.toml`, the archive, its key, and `copies` of its checkpoints."""

    folder: Path
    evidence: str = 'checkpoint_copies = ["copies"]'

    @property
    def directory(self) -> Path:
        """The archive itself."""
        return self.folder / "archive"

    def config(self, evidence: str | None = None) -> Config:
        """The config, with these lines below [evidence]."""
        evidence = self.evidence if evidence is None else evidence
        path = self.folder / "archive.toml"
        path.write_text(f'[archive]\ndirectory = "archive"\n[evidence]\n{evidence}\n', "utf-8")
        path.chmod(0o600)
        return load_config(path)

    def night(self, config: Config | None = None, at: str = NOW) -> Sealed:
        """Write something, seal it, and give the checkpoint to the copies."""
        config = config or self.config()
        with writer(self.directory) as connection:
            (number,) = connection.execute("SELECT count(*) FROM about").fetchone()
            for name in (f"colour {number}", f"sound {number}"):
                insert(connection, "about", name=name, value="red")
            sealed = seal(connection, config, at)
            if config.evidence.checkpoint_copies:
                deliver(connection, config.evidence.checkpoint_copies, signed_heads(config))
        return sealed

    def stamp(self, authority: Authority) -> bytes:
        """Have the newest checkpoint stamped, and give the token to the copies; returns it."""
        config = self.config()
        with writer(self.directory) as connection:
            query = "SELECT id, note FROM checkpoints ORDER BY id DESC LIMIT 1"
            newest, note = connection.execute(query).fetchone()
            token = authority.token_of(note)
            checked = check_token(token, note, trusted_roots(authority.root, Route()))
            insert(
                connection, "time_stamps", checkpoint_id=newest, authority=TSA, received_at=NOW,
                stamped_at=time_text(checked.stamped_at), token=token, chain=checked.chain,
            )  # fmt: skip
            deliver(connection, config.evidence.checkpoint_copies, signed_heads(config))
        return token

    def findings(self, part: int = 1, parts: int = 1) -> list[Finding]:
        """What `archiver verify` finds that is damage, in a slice."""
        config = self.config()
        with reader(self.directory) as connection:
            known, notes = known_elsewhere(connection, config)
        found = verify(self.directory, Scope(part, parts), NOW, known=known).findings + notes
        return [finding for finding in found if finding.is_damage]

    def kinds(self) -> set[str]:
        """The kinds of what it finds."""
        return {finding.what for finding in self.findings()}

    @contextmanager
    def put_back_afterwards(self) -> Iterator[None]:
        """As after a disaster: what is written in the block is lost with the disk."""
        kept = self.folder / "kept"
        shutil.copytree(self.directory, kept)
        yield
        shutil.rmtree(self.directory)
        kept.rename(self.directory)


def make_sealed(folder: Path, nights: int = 3) -> SealedArchive:
    """Make one of so many nights."""
    folder.mkdir(exist_ok=True)
    sealed = SealedArchive(folder)
    for _ in range(nights):
        sealed.night()
    return sealed
