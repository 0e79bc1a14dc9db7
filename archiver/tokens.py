"""The tokens of accounts that were logged in to, kept in a private file beside the config.

With `tokens = "keyring"` the file holds only what is no secret (who logged in, until when), and the
system's keyring the rest. The file is replaced whole, so that a crash leaves the old one or the new
one; a lock beside it lets one program at a time renew a token.
"""

import json
import os
import stat
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from archiver.config import Config
from archiver.errors import SecretError
from archiver.human import parse_time
from archiver.models import Trust
from archiver.private_files import LOCK_SECONDS, locked_beside, replace_privately
from archiver.secrets import Secret, ask_keyring

_FORMAT = 1
_SECRETS = ("access_token", "refresh_token", "client_secret")
_SERVICE = "social-archiver"
SOON = timedelta(days=14)
"""A token that ends within this time is worth a warning."""


@dataclass(frozen=True, slots=True)
class Login:
    """The public part of a login. Times are as the archive writes them.

    `user` is who logged in, as the server says; `expires_at` is None where it names no end.
    `is_renewable` says whether the token can be exchanged for a new one without a person.
    """

    base_url: str
    user: str | None = None
    scope: str = ""
    obtained_at: str = ""
    expires_at: str | None = None
    is_renewable: bool = False
    trust: Trust = "configured"
    token_path: str = ""
    revoke_path: str = ""
    client_id: str = ""

    def time_left(self, now: datetime) -> timedelta | None:
        """How long the token still lives; None where its server names no end."""
        end = parse_time(self.expires_at)
        return None if end is None else end - now

    def ends_soon(self, now: datetime) -> bool:
        """Whether it ends within two weeks, and only a person can log in again."""
        left = self.time_left(now)
        return left is not None and left <= SOON and not self.is_renewable


@dataclass(frozen=True, slots=True)
class Token:
    """A login with its secrets."""

    login: Login
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)

    def mask(self) -> None:
        """Redact its secrets from now on."""
        for name in _SECRETS:
            if value := getattr(self, name):
                Secret.mask_value(value)


class TokenStore:
    """The tokens of one config. An account is known by its source and its label."""

    def __init__(self, path: Path, *, in_keyring: bool = False) -> None:
        self.path = path
        self.in_keyring = in_keyring

    def logins(self) -> dict[tuple[str, str], Login]:
        """All logins by source and label; reads no secret from a keyring.

        Raises SecretError for a file that others can read, or that is damaged.
        """
        return {
            (source, name): _login(entry)
            for source, entries in sorted(self._read().items())
            for name, entry in sorted(entries.items())
        }

    def load(self, source: str, name: str) -> Token | None:
        """The token of an account, masked from now on; None where nobody has logged in.

        Raises SecretError.
        """
        entry = self._read().get(source, {}).get(name)
        if entry is None:
            return None
        secrets = entry if "access_token" in entry else self._from_keyring(source, name)
        found = {key: text for key in _SECRETS if isinstance(text := secrets.get(key), str)}
        if not found.get("access_token"):
            raise self._damaged(f"it has no token for {name}")
        token = Token(_login(entry), **found)
        token.mask()
        return token

    def save(self, source: str, name: str, token: Token) -> None:
        """Save a token, in place of the one before. Raises SecretError."""
        token.mask()
        secrets = {key: text for key in _SECRETS if (text := getattr(token, key)) is not None}
        entry = asdict(token.login)
        if self.in_keyring:
            ask_keyring(
                lambda ring: ring.set_password(
                    _SERVICE, self._user(source, name), json.dumps(secrets)
                )
            )
        else:
            entry |= secrets
        tokens = self._read()
        tokens.setdefault(source, {})[name] = entry
        self._write(tokens)

    def forget(self, source: str, name: str) -> None:
        """Delete a token. Raises SecretError."""
        tokens = self._read()
        entry = tokens.get(source, {}).pop(name, None)
        if entry is None:
            return
        if "access_token" not in entry:
            with suppress(SecretError):  # it may be deleted there already
                ask_keyring(lambda ring: ring.delete_password(_SERVICE, self._user(source, name)))
        self._write({source: entries for source, entries in tokens.items() if entries})

    def locked(self) -> AbstractContextManager[None]:
        """Hold a lock that keeps other programs from renewing a token. Raises SecretError."""
        return locked_beside(self.path, self._not_locked)

    def _not_locked(self, error: OSError) -> SecretError:
        if not isinstance(error, TimeoutError):
            return self._unwritable(error)
        return SecretError(
            f"Another run is renewing a login in {self.path}",
            why=f"It still did after {LOCK_SECONDS:.0f} seconds",
            hint="Run again when it has ended",
        )

    def _read(self) -> dict[str, dict[str, dict[str, Any]]]:
        try:
            with self.path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                data = file.read()
        except FileNotFoundError:
            return {}
        except OSError as error:
            why = error.strerror or str(error)
            raise SecretError(f"The logins in {self.path} cannot be read", why=why) from error
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SecretError(
                f"The logins in {self.path} can be read by other users",
                hint=f"Run chmod 600 {self.path}, and log in again if somebody may have read them",
            )
        try:
            tokens = json.loads(data)["tokens"]
            if not all(isinstance(entry, dict) for of in tokens.values() for entry in of.values()):
                raise TypeError("an entry is not an object")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise self._damaged(str(error)) from None
        return {source: dict(entries) for source, entries in tokens.items()}

    def _write(self, tokens: Mapping[str, Mapping[str, Any]]) -> None:
        text = json.dumps({"version": _FORMAT, "tokens": tokens}, indent=2) + "\n"
        try:
            replace_privately(self.path, text.encode())
        except OSError as error:
            raise self._unwritable(error) from error

    def _from_keyring(self, source: str, name: str) -> dict[str, Any]:
        text = ask_keyring(lambda ring: ring.get_password(_SERVICE, self._user(source, name)))
        with suppress(ValueError, TypeError):
            found = json.loads(text or "")
            if isinstance(found, dict):
                return found
        raise SecretError(
            f"The keyring has no token for {name} any more", hint=f"Run archiver login {name}"
        )

    def _user(self, source: str, name: str) -> str:
        return f"{self.path.absolute()}#{source}/{name}"

    def _damaged(self, why: str) -> SecretError:
        return SecretError(
            f"The logins in {self.path} are damaged",
            why=why,
            hint="Move the file away and log in again with archiver login",
        )

    def _unwritable(self, error: OSError) -> SecretError:
        return SecretError(
            f"The login cannot be kept in {self.path}",
            why=error.strerror or str(error),
            hint="Make the folder of the config writable for this user",
        )


def token_store(config: Config) -> TokenStore:
    """Where the logins of a config are kept: `archive.tokens.json` beside `archive.toml`."""
    path = config.path.with_name(f"{config.path.stem}.tokens.json")
    return TokenStore(path, in_keyring=config.archive.tokens == "keyring")


def _login(entry: Mapping[str, Any]) -> Login:
    """The login of an entry in the file; values of a wrong form are left out."""
    said: dict[str, Any] = {
        spec.name: value
        for spec in fields(Login)
        if isinstance(value := entry.get(spec.name), bool if spec.name == "is_renewable" else str)
    }
    if said.get("trust") not in get_args(Trust):
        said["trust"] = "discovered"
    return Login(**{"base_url": "", **said})
