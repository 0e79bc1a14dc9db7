"""The key that signs checkpoints: where it is, how it is made, and the record of its changes.

The private key is a file of one line that only its owner can read, outside the archive. The archive
has the record, in the table `signing_keys`: which public key began when, and why. A key that takes
another's place is signed by both, unless the old one is lost, or known to somebody else.
"""

import os
import sqlite3
from base64 import b64decode, b64encode
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Literal

from msgspec import Struct

from archiver.actors import actor
from archiver.archive.checkpoints import origin
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert
from archiver.archive.transactions import transaction
from archiver.config import Config, user_config
from archiver.errors import ConfigError, SecretError
from archiver.evidence import notes
from archiver.private_files import locked_beside, replace_privately

Reason = Literal["first", "rotated", "lost", "compromised"]
_NEW = ".new"  # ends the name of a key that is not on record yet
_HEADING = "key of checkpoints"


class SigningKey(Struct, frozen=True):
    """A private key of Ed25519. `seed` are its 32 bytes."""

    seed: bytes
    public: bytes

    @property
    def public_text(self) -> str:
        """The public key in base64."""
        return b64encode(self.public).decode()

    def sign(self, name: str, text: str) -> str:
        """The line of its signature below a text, in the name of `name`."""
        return notes.signature_line(name, self.public, self.signature(text.encode()))

    def signature(self, data: bytes) -> bytes:
        """The 64 bytes of its signature of some bytes."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 — an extra
            Ed25519PrivateKey,
        )

        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(data)


class KeyOnRecord(Struct, frozen=True):
    """A row of `signing_keys`: it signs checkpoints of more than `since` entries."""

    id: int
    at: str
    since: int
    public_key: str
    reason: str
    note: str

    @property
    def public(self) -> bytes:
        """The public key. Raises ValueError where it is damaged."""
        return b64decode(self.public_key, validate=True)


def can_sign() -> bool:
    """Whether the extra `evidence` is installed."""
    try:
        import cryptography  # noqa: F401, PLC0415 — an extra
    except ImportError:
        return False
    return True


def load_library() -> None:
    """Import what signs, if it is installed. That takes longer than signing: a thread can do it."""
    if can_sign():
        import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401, PLC0415 — an extra


def keys_on_record(connection: sqlite3.Connection) -> list[KeyOnRecord]:
    """All keys that ever signed checkpoints of this archive, the first one first."""
    query = "SELECT id, at, since, public_key, reason, note FROM signing_keys ORDER BY id"
    return list(objects(connection.execute(query), KeyOnRecord))


def key_path(config: Config) -> Path | None:
    """The file of the private key; None where the config refers to something else than a file.

    By default it is beside the config, or in the user's config folder where that is in the archive.
    Raises ConfigError for a file in the archive, which is copied with it.
    """
    secret = config.evidence.key
    if secret is not None:
        path = secret.path
        if path is not None and _is_in_archive(path, config):
            raise ConfigError(
                f"The signing key {path} is in the archive",
                why="Whoever gets the archive, or a copy, could sign in your name",
                hint='Name a file elsewhere: [evidence] key = "file:PATH"',
            )
        return path
    return beside_config(config, "signing-key")


def beside_config(config: Config, ending: str) -> Path:
    """A file of that ending beside the config, but never in the archive."""
    name = f"{config.path.stem}.{ending}"
    path = config.path.with_name(name)
    return user_config().with_name(name) if _is_in_archive(path, config) else path


def _is_in_archive(path: Path, config: Config) -> bool:
    return config.archive.directory.resolve() in path.resolve().parents


def load_key(config: Config) -> SigningKey | None:
    """The private key; None where its file is not there yet.

    Raises SecretError where it cannot be read, or is no key; ConfigError as `key_path`.
    """
    path = key_path(config)
    if path is None:
        assert config.evidence.key is not None  # noqa: S101 — else there is a path
        return _key_in(config.evidence.key.reveal(), config.evidence.key.origin)
    return _key_in(_private_text(path), f"the file {path}") if path.exists() else None


def _private_text(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"The signing key {path} cannot be read", why=str(error)) from error
    if os.name == "posix" and mode & 0o077:
        raise SecretError(
            f"The signing key {path} can be read by other users",
            hint=f"Run chmod 600 {path}, and archiver key --compromised if somebody may have it",
        )
    return text


def _key_in(text: str, where: str) -> SigningKey:
    try:
        return _key_of(notes.seed_of(text.strip()))
    except ValueError as error:
        raise SecretError(f"There is no signing key in {where}", why=str(error)) from None


def _key_of(seed: bytes) -> SigningKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 — an extra
        Ed25519PrivateKey,
    )

    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return SigningKey(seed, public)


def current_key(config: Config, connection: sqlite3.Connection, at: str) -> SigningKey:
    """The private key that is on record last; made, and put on record, at its first use.

    Raises SecretError where the key on record is not there, or there is another one; ConfigError.
    """
    path, known = key_path(config), keys_on_record(connection)
    if path is not None and _new_path(path).exists():
        with _alone(path):
            _finish_change(path, known)
    key = load_key(config)
    if not known:
        if key is None:
            assert path is not None  # noqa: S101 — else it was revealed, or that has failed
            key = _first_key(config, path)
        _record(connection, config, key, "first", at)
        return key
    if key is None:
        raise SecretError(
            f"The signing key {path} is missing",
            hint="Put it back from your backup of it, or make another: archiver key --lost",
        )
    if key.public != known[-1].public:
        raise SecretError(
            "The signing key is not the one that this archive has on record",
            hint="Put that one back, or put this one on record: archiver key --lost",
        )
    return key


def change_key(
    config: Config, connection: sqlite3.Connection, reason: Reason, at: str
) -> SigningKey:
    """Make a key that takes the place of the one on record, and put it on record.

    Of a `rotated` key, the old one signs the record too. Raises SecretError where that is not
    there, ConfigError where the config refers to something else than a file.
    """
    path = key_path(config)
    if path is None:
        raise ConfigError(
            "archiver can make signing keys in files only",
            why="[evidence] key refers to something else",
            hint="Set it to file:PATH for the change",
        )
    old = current_key(config, connection, at) if reason == "rotated" else None
    key = _key_of(os.urandom(notes.KEY_SIZE))
    with _alone(path):
        _save(_new_path(path), key)  # before it is on record, so that no crash leaves us without it
        _record(connection, config, key, reason, at, old)
        _finish_change(path, keys_on_record(connection))
    return key


def _first_key(config: Config, path: Path) -> SigningKey:
    """Make the key, unless a run of another archive with the same config has just done that."""
    with _alone(path):
        key = load_key(config)
        if key is None:
            key = _key_of(os.urandom(notes.KEY_SIZE))
            _save(path, key)
    return key


def _alone(path: Path) -> AbstractContextManager[None]:
    """Keep other programs from changing the key. Raises SecretError."""
    return locked_beside(path, partial(_unwritable, path))


def _finish_change(path: Path, known: list[KeyOnRecord]) -> None:
    """Give a new key that is on record its name, also after a crash; or remove one that is not."""
    new = _new_path(path)
    if not new.exists():
        return
    key = _key_in(_private_text(new), f"the file {new}")
    if known and key.public == known[-1].public:
        new.replace(path)
    else:
        new.unlink()


def _new_path(path: Path) -> Path:
    return path.with_name(path.name + _NEW)


def _save(path: Path, key: SigningKey) -> None:
    text = notes.private_text("archiver", key.seed, key.public)
    try:
        replace_privately(path, f"{text}\n".encode())
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> SecretError:
    why = error.strerror or str(error)
    return SecretError(f"The signing key {path} cannot be written", why=why)


def _record(
    connection: sqlite3.Connection, config: Config, key: SigningKey, reason: Reason, at: str,
    old: SigningKey | None = None,
) -> None:  # fmt: skip
    name = origin(connection)
    (since,) = connection.execute("SELECT count(*) FROM ledger").fetchone()
    public_key = key.public_text
    text = record_text(name, since, reason, public_key, at)
    lines = [each.sign(name, text) for each in (old, key) if each is not None]
    note = f"{text}\n{''.join(lines)}"
    with transaction(connection):
        insert(
            connection, "signing_keys", at=at, since=since, public_key=public_key, reason=reason,
            note=note, actor=actor(config.archive.actor),
        )  # fmt: skip


def record_text(name: str, since: int, reason: str, public_key: str, at: str) -> str:
    """What is signed of a key: five lines and a heading."""
    return f"{_HEADING}\n{name}\n{since}\n{reason}\n{public_key}\n{at}\n"
