"""Secrets: named in the config, resolved only when used, never shown.

A secret is written as a reference, `env:NAME`, `file:PATH`, `keyring:SERVICE/NAME` or
`cmd:COMMAND`, or literally, which is accepted only from a file that nobody else can read.
Every secret that was ever revealed in this process is blanked out of all text that leaves it.
"""

import json
import os
import re
import stat
import threading
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus

from archiver.errors import SecretError

MASK = "[secret]"
_SHORTEST_MASKED = 4  # blanking out shorter ones would shred ordinary text
_COMMAND_SECONDS = 30


SCHEMES = ("env", "file", "keyring", "cmd")
"""The schemes of references, `SCHEME:…`."""


def is_reference(text: str) -> bool:
    """Whether a text is a reference to a secret, and not a secret itself."""
    return text.partition(":")[0] in SCHEMES


class Secret:
    """A reference to a secret. `str` and `repr` never show what it refers to.

    `reference` is the text in the config, `base` the folder that relative paths start from.
    `literal_allowed` says whether the file that holds it is private to its owner. A `verbatim` text
    is the secret itself, even where it begins like a reference: a server may have made it.
    """

    _revealed: ClassVar[set[str]] = set()
    _forms: ClassVar[list[str]] = []
    _variables: ClassVar[set[str]] = set()
    _looked_up: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        reference: str,
        *,
        base: Path = Path(),
        literal_allowed: bool = True,
        verbatim: bool = False,
    ) -> None:
        self._reference = reference
        self._base = base
        self._literal_allowed = literal_allowed or verbatim
        self._scheme, _, self._name = ("", "", "") if verbatim else reference.partition(":")
        if self._scheme == "env":
            self._variables.add(self._name)

    def __repr__(self) -> str:
        """The reference where it is one, else nothing."""
        shown = self._reference if self._scheme in SCHEMES else MASK
        return f"Secret({shown!r})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        """Equal when they refer to the same thing."""
        return isinstance(other, Secret) and self._target() == other._target()

    def __hash__(self) -> int:
        """As `__eq__`."""
        return hash(self._target())

    def _target(self) -> tuple[str, str]:
        return self._scheme, self._reference

    @property
    def reference(self) -> str | None:
        """The text in the config; None where that is the secret itself."""
        return self._reference if self._scheme in SCHEMES else None

    @property
    def path(self) -> Path | None:
        """The file that it refers to; None where it refers to something else."""
        return self._base / Path(self._name).expanduser() if self._scheme == "file" else None

    @property
    def origin(self) -> str:
        """Where it is read from, for messages."""
        rest = self._name
        match self._scheme:
            case "env":
                return f"the environment variable {rest}"
            case "file":
                return f"the file {rest if rest.startswith('~') else self._base / rest}"
            case "keyring":
                return f"the keyring, under {rest}"
            case "cmd":
                return f"the command {rest}"
        return "the config file, in which it is written out"

    def reveal(self) -> str:
        """The secret itself, printable ASCII, without surrounding white space and byte order mark.

        Raises SecretError, which names the reference and says what to do.
        """
        resolver = _RESOLVERS.get(self._scheme)
        if resolver is not None:
            value = self._looked_up.get(self._reference) or resolver(self._name, self._base)
        elif self._literal_allowed:
            value = self._reference
        else:
            raise SecretError(
                "A secret is written out in a config file that others can read",
                hint="Write env:NAME, file:PATH, keyring:SERVICE/NAME or cmd:COMMAND instead, "
                "or run chmod 600 on the file",
            )
        value = value.strip().removeprefix("\ufeff").strip()
        name = repr(self._reference) if resolver else "A secret"
        if not value:
            raise SecretError(f"{name} is empty", hint=f"Put the secret into {self.origin}")
        if not (value.isascii() and value.isprintable()):  # it could not be sent in a header
            raise SecretError(
                f"{name} contains characters other than printable ASCII",
                hint="Save it as plain ASCII, on one line",
            )
        self.mask_value(value)
        if self._scheme in {"cmd", "keyring"}:  # which may ask a person, who is asked once
            self._looked_up[self._reference] = value
        return value

    @classmethod
    def mask_value(cls, value: str) -> None:
        """Redact a text from now on, like a secret that was revealed."""
        if value in cls._revealed or len(value) < _SHORTEST_MASKED:
            return
        cls._revealed.add(value)
        # the longest first: one secret may begin with another
        forms = {form for secret in cls._revealed for form in _forms_of(secret)}
        cls._forms = sorted(forms, key=len, reverse=True)

    def mask(self) -> None:
        """Redact it from now on: an answer may contain a secret before it has been used.

        One that cannot be resolved is an error only where it is used.
        """
        with suppress(SecretError):
            self.reveal()


def redact(text: str) -> str:
    """The text without any secret that was revealed in this process."""
    for form in Secret._forms:
        text = text.replace(form, MASK)
    return text


def redact_bytes(body: bytes) -> bytes:
    """As `redact`, for an answer that may echo a key."""
    for form in Secret._forms:
        body = body.replace(form.encode(), MASK.encode())
    return body


def _forms_of(secret: str) -> set[str]:
    """The encodings of a secret that an answer may contain.

    As it is, in Base64, as URLs, HTML and Python escape it; each in JSON, and in JSON in JSON.
    """
    in_urls = {quote(secret, safe=""), quote(secret), quote_plus(secret), quote(quote(secret))}
    forms = {secret, escape(secret), repr(secret)[1:-1], *in_urls, *map(_in_lower_case, in_urls)}
    forms.add(b64encode(secret.encode()).decode().rstrip("="))
    for _ in range(2):
        in_json = {json.dumps(form)[1:-1] for form in forms}
        forms |= in_json | {form.replace("/", "\\/") for form in in_json}
    return forms


def _in_lower_case(url: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), url)


def environment_without_secrets() -> dict[str, str]:
    """The variables that a program of others gets: those that hold secrets are left out."""
    return {name: v for name, v in os.environ.items() if name not in Secret._variables}


def _from_environment(name: str, _base: Path) -> str:
    value = os.environ.get(name)
    if value is None:
        raise SecretError(
            f"The environment variable {name} is not set",
            why=f"It is named as env:{name}",
            hint=f"Set it, for example: export {name}=…",
        )
    return value


def _from_file(name: str, base: Path) -> str:
    path = base / name
    try:
        path = base / Path(name).expanduser()
        mode = path.stat().st_mode
        value = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError, RuntimeError) as error:  # the last: ~ leads nowhere
        raise SecretError(f"The secret in {path} cannot be read", why=str(error)) from error
    if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH):
        raise SecretError(
            f"The secret in {path} can be read by other users", hint=f"Run chmod 600 {path}"
        )
    return value


def _from_keyring(name: str, _base: Path) -> str:
    service, _, user = name.rpartition("/")
    if not service or not user:
        raise SecretError(f"keyring:{name} names no service", hint="Write keyring:SERVICE/NAME")
    value = ask_keyring(lambda ring: ring.get_password(service, user))
    if value is None:
        raise SecretError(
            f"The keyring has no {user!r} for {service!r}",
            hint=f"Store it with: keyring set {service} {user}",
        )
    return value


def ask_keyring(question: Callable[[Any], str | None]) -> str | None:
    """What the system's keyring answers; `question` gets the package `keyring`.

    It is asked in a thread: it may wait for somebody who is not there. Raises SecretError.
    """
    try:
        import keyring  # noqa: PLC0415 — an extra, needed only by those who have a keyring
    except ImportError:
        raise SecretError(
            "The keyring needs the keyring package",
            hint="Install it with pip install keyring, or use env: or file:",
        ) from None
    answers: list[str | None] = []
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            _refuse_plain(keyring.get_keyring())
            answers.append(question(keyring))
        except BaseException as error:  # noqa: BLE001 — backends raise what they like
            errors.append(error)

    thread = threading.Thread(target=ask, name="keyring", daemon=True)
    thread.start()
    thread.join(_COMMAND_SECONDS)
    if answers:
        return answers[0]
    if errors and isinstance(errors[0], SecretError):
        raise errors[0]
    raise SecretError(
        "The keyring cannot be opened",
        why=str(errors[0]) if errors else f"It did not answer within {_COMMAND_SECONDS} seconds",
        hint="On a machine without a desktop session use env: or file:",
    ) from (errors[0] if errors else None)


def _refuse_plain(backend: Any) -> None:
    """Raise SecretError for a keyring, or one in a chain, that stores keys unencrypted."""
    for one in getattr(backend, "backends", None) or (backend,):
        kind = type(one)
        if kind.__module__.startswith("keyrings.alt") and "Encrypted" not in kind.__name__:
            raise SecretError(
                f"The keyring here, {kind.__name__}, stores keys unencrypted",
                hint="Use the system's own keyring, or file: with a file that only you can read",
            )


def _from_command(command: str, _base: Path) -> str:
    import subprocess  # noqa: PLC0415 — every command imports this module, hardly one comes here

    try:
        done = subprocess.run(  # noqa: S602 — the operator's own command line, from their own config
            command, shell=True, check=True, capture_output=True, timeout=_COMMAND_SECONDS,
            env=environment_without_secrets(),
        )  # fmt: skip
        return done.stdout.decode()
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        reason = type(error).__name__
        raise SecretError(f"The command for a secret failed: {command}", why=reason) from error


_RESOLVERS = dict(
    zip(SCHEMES, (_from_environment, _from_file, _from_keyring, _from_command), strict=True)
)
