"""The errors of this program, with their exit codes.

    ArchiverError                 1   a bug, if nothing below fits
    ├── UsageError                2   the command line asks for what cannot be
    │   ├── ConfigError           2   archive.toml
    │   │   └── SecretError       2   a secret that could not be resolved
    │   ├── PackageError          2   a file that is no official export, or cannot be read
    │   └── PluginError           2   a plugin that fails, or two that claim one name
    ├── RecordError               3   one record that its platform cannot parse
    ├── MediaError                3   one file that could not be fetched
    │   ├── MediaGone             3   the source says that it is gone (404, 410)
    │   ├── MediaExpired          3   a signed URL that is no longer valid (403)
    │   └── MediaRefused          3   address, scheme or size not allowed
    ├── OutputError               3   what was asked for could not be printed
    ├── SourceError               4   the source did not answer for an account
    │   ├── SourceDown            4   no connection, 5xx, or not the documented JSON
    │   ├── RateLimited           4   still 429 after waiting
    │   ├── AccountGone           5   the account is suspended, deactivated, moved
    │   └── AccessRefused         5   credentials, plan, or account not linked
    │       └── DuplicateAccount  2   two entries of the config are one account
    ├── StorageError              6   the archive cannot be written or read
    │   ├── ArchiveLocked         6   another run holds it
    │   └── SchemaTooNew          6   written by a newer version of this program
    ├── DamageFound               7   verify found damage
    └── Interrupted             130   stopped by the user; state is saved

A message answers five questions: what failed, for which account or file, why in plain words,
what was kept, and what to do next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Literal, get_args


class ArchiverError(Exception):
    """The base class of all errors that are reported to the user.

    `what` is one sentence without a full stop. `why`, `kept` and `hint` are optional sentences.
    `code` is a short word for programs, stored in `run_accounts.error_code`.
    """

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "bug"

    def __init__(
        self,
        what: str,
        *,
        why: str | None = None,
        kept: str | None = None,
        hint: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.kept = kept
        self.hint = hint
        self.code = code or self.default_code

    def __str__(self) -> str:
        """The whole message on one line."""
        parts = (self.what, self.why, self.kept, self.hint)
        return ". ".join(part.strip().rstrip(".") for part in parts if part)


class UsageError(ArchiverError):
    """The command line is invalid."""

    exit_code = 2
    default_code = "usage"


class ConfigError(UsageError):
    """`archive.toml` is missing, unreadable or wrong; names the key and the line."""

    default_code = "config"


class SecretError(ConfigError):
    """A secret is missing, or its file can be read by others. Never shows the secret."""

    default_code = "secret"


class PluginError(UsageError):
    """A plugin does not load, breaks the contract, or claims a name that is taken."""

    default_code = "plugin"


class PackageError(UsageError):
    """A file that is no official export, is damaged, or is of a form that is not read."""

    default_code = "package"


class RecordError(ArchiverError):
    """A record that its platform cannot parse; it is quarantined."""

    exit_code = 3
    default_code = "record"


class MediaError(ArchiverError):
    """A file that could not be fetched this time; it is retried."""

    exit_code = 3
    default_code = "failed"


class MediaGone(MediaError):
    """The server does not have the file; `final` for status 410."""

    default_code = "gone"

    def __init__(self, what: str, *, final: bool = False) -> None:
        super().__init__(what)
        self.final = final


class MediaExpired(MediaError):
    """The URL carries an expiry that has passed, or was answered 403."""

    default_code = "expired"


class MediaRefused(MediaError):
    """The address, the scheme or the size is not allowed by the settings."""

    default_code = "refused"


class OutputError(ArchiverError):
    """The output of a command could not be written to stdout."""

    exit_code = 3
    default_code = "output"


class SourceError(ArchiverError):
    """The source could not return an account's history."""

    exit_code = 4
    default_code = "source"


class SourceDown(SourceError):
    """No connection, a server error, or an invalid answer."""

    default_code = "down"


class RateLimited(SourceError):
    """The source still answers 429 after waiting as long as it asked."""

    default_code = "rate_limited"


AccountState = Literal["suspended", "deactivated", "deleted", "moved", "taken_down", "refused"]


AWAY: frozenset[str] = frozenset(get_args(AccountState))
"""The codes of AccountGone: states in which a source serves nothing of an account."""


TEMPORARY = frozenset({
    SourceError.default_code, SourceDown.default_code, RateLimited.default_code,
})  # fmt: skip
"""Codes of failures that the next run may not meet; others need a person."""


class AccountGone(SourceError):
    """The account is suspended, deactivated, moved or deleted; none of its posts is marked removed.

    `state` says how: `suspended` or `taken_down` by the platform, `deactivated` or `deleted` by its
    owner, `moved` to another place, or `refused`: the server does not show it to us.
    """

    exit_code = 5

    def __init__(
        self, what: str, *, state: AccountState, why: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(what, why=why, kept="No post was removed", hint=hint, code=state)
        self.state = state


class AccessRefused(SourceError):
    """Credentials refused, the plan too small, the account not linked, or another's account."""

    exit_code = 5
    default_code = "refused"


class DuplicateAccount(AccessRefused):
    """Two entries of the config turn out to be one account; the second one is refused."""

    exit_code = 2
    default_code = "duplicate_account"


class StorageError(ArchiverError):
    """The archive cannot be written or read: full, read-only, missing, broken."""

    exit_code = 6
    default_code = "storage"


class ArchiveLocked(StorageError):
    """Another run holds the archive."""

    default_code = "locked"


class SchemaTooNew(StorageError):
    """The archive was written by a newer version of this program."""

    default_code = "schema_too_new"


class DamageFound(ArchiverError):
    """`verify` found rows or files that are not what was stored."""

    exit_code = 7
    default_code = "damage"


class Interrupted(ArchiverError):
    """The user stopped the run. What was saved is consistent; the next run resumes."""

    exit_code = 130
    default_code = "interrupted"


def leaves(error: BaseException) -> Iterator[BaseException]:
    """An error itself, or the errors in a group, such as a task group raises."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


@contextmanager
def single_error() -> Iterator[None]:
    """Raise the most important one of the errors that tasks raised together."""
    try:
        yield
    except BaseExceptionGroup as group:
        errors = list(leaves(group))
        raise next((e for e in errors if isinstance(e, ArchiverError)), errors[0]) from None
