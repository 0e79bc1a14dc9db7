"""Secrets: named in the config, resolved only when used, never shown.

A secret is written as a reference, `env:NAME`, `file:PATH`, `keyring:SERVICE/NAME` or
`cmd:COMMAND`, or literally, which is accepted only from a file that nobody else can read.
Every secret that was ever revealed in this process is blanked out of all text that leaves it.
"""

import os
import stat
import subprocess
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from archiver.errors import SecretError

MASK = "[secret]"
_SHORTEST_MASKED = 4  # blanking out shorter ones would shred ordinary text
_COMMAND_SECONDS = 30


class Secret:
    """A reference to a secret. `str` and `repr` never show what it refers to.

    `reference` is the text in the config, `base` the folder that relative paths start from.
    `literal_allowed` says whether the file that holds it is private to its owner.
    """

    _revealed: ClassVar[set[str]] = set()

    def __init__(
        self, reference: str, *, base: Path = Path(), literal_allowed: bool = True
    ) -> None:
        self._reference = reference
        self._base = base
        self._literal_allowed = literal_allowed

    def __repr__(self) -> str:
        """The reference where it is one, else nothing."""
        scheme = self._reference.partition(":")[0]
        return f"Secret({self._reference!r})" if scheme in _RESOLVERS else f"Secret({MASK!r})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        """Equal when they refer to the same thing."""
        return isinstance(other, Secret) and other._reference == self._reference

    def __hash__(self) -> int:
        """As `__eq__`."""
        return hash(self._reference)

    def reveal(self) -> str:
        """The secret itself, without surrounding white space and byte order mark.

        Raises SecretError, which names the reference and says what to do.
        """
        scheme, _, rest = self._reference.partition(":")
        resolver = _RESOLVERS.get(scheme)
        if resolver is not None:
            value = resolver(rest, self._base)
        elif self._literal_allowed:
            value = self._reference
        else:
            raise SecretError(
                "A secret is written out in a config file that others can read",
                hint="Write env:NAME, file:PATH, keyring:SERVICE/NAME or cmd:COMMAND instead, "
                "or run chmod 600 on the file",
            )
        value = value.strip().removeprefix("\ufeff").strip()
        if not value:
            raise SecretError(f"{self._reference!r} is empty" if resolver else "A secret is empty")
        self._revealed.add(value)
        return value


def redact(text: str) -> str:
    """The text with every secret that was revealed in this process blanked out."""
    for secret in Secret._revealed:
        if len(secret) >= _SHORTEST_MASKED:
            text = text.replace(secret, MASK).replace(quote(secret, safe=""), MASK)
    return text


def redact_bytes(body: bytes) -> bytes:
    """As `redact`, for an answer that may echo a key."""
    for secret in Secret._revealed:
        if len(secret) >= _SHORTEST_MASKED:
            body = body.replace(secret.encode(), MASK.encode())
    return body


def _from_environment(name: str, _base: Path) -> str:
    value = os.environ.get(name)
    if value is None:
        raise SecretError(
            f"The environment variable {name} is not set",
            why=f"The config says env:{name}",
            hint=f"Set it, for example: export {name}=…",
        )
    return value


def _from_file(name: str, base: Path) -> str:
    path = base / Path(name).expanduser()
    try:
        mode = path.stat().st_mode
        value = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"The secret in {path} cannot be read", why=str(error)) from error
    if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH):
        raise SecretError(
            f"The secret in {path} can be read by other users", hint=f"Run chmod 600 {path}"
        )
    return value


def _from_keyring(name: str, _base: Path) -> str:
    service, _, user = name.rpartition("/")
    try:
        import keyring  # noqa: PLC0415 — an extra, needed only for this scheme
    except ImportError:
        raise SecretError(
            f"keyring:{name} needs the keyring package",
            hint='Install it with pip install "social-archiver[keyring]", or use env: or file:',
        ) from None
    try:
        value: str | None = keyring.get_password(service, user)
    except Exception as error:  # backends raise what they like
        raise SecretError(
            "The keyring cannot be opened",
            why=str(error),
            hint="On a machine without a desktop session use env: or file:",
        ) from error
    if value is None:
        raise SecretError(
            f"The keyring has no {user!r} for {service!r}",
            hint=f"Store it with: keyring set {service} {user}",
        )
    return value


def _from_command(command: str, _base: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S602 — the operator's own command line, from their own config
            command, shell=True, check=True, capture_output=True, timeout=_COMMAND_SECONDS
        )
        return done.stdout.decode()
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        reason = type(error).__name__
        raise SecretError(f"The command for a secret failed: {command}", why=reason) from error


_RESOLVERS = {
    "env": _from_environment,
    "file": _from_file,
    "keyring": _from_keyring,
    "cmd": _from_command,
}
