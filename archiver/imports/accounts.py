"""The account that a package belongs to: found by its id or handle, else a new one."""

import sqlite3
from collections.abc import Collection

from archiver.archive.packages import EXPORT
from archiver.config import Config
from archiver.errors import PackageError, UsageError
from archiver.human import plain_name
from archiver.models import Account, Identity


def account_of_package(
    connection: sqlite3.Connection, config: Config, platform: str, identity: Identity | None,
    label: str | None,
) -> tuple[Account, Identity | None]:  # fmt: skip
    """The account of a package, and the identity to save for it.

    `label` is what `--account` named. Raises UsageError, and PackageError where the package is of
    another person.
    """
    if label is not None:
        return _named_account(connection, config, platform, identity, label)
    if identity is None:
        raise UsageError(
            f"This {platform} export does not say whose it is",
            hint="If it has more parts, give all of them together: one says it. Else name its "
            "account, one that the archive has or a new one: archiver import --account NAME …",
        )
    name = _known_label(connection, platform, identity) or _new_label(
        {row[0] for row in connection.execute("SELECT name FROM accounts")}
        | {entry.name for entry in config.accounts},
        f"{platform}-{plain_name(identity.handle or identity.platform_id)[:60] or 'account'}",
    )
    return Account(name, platform, EXPORT, None, _saved_id(identity)), identity


def _saved_id(identity: Identity) -> str | None:
    return None if identity.platform_id.startswith("@") else identity.platform_id


def _known_label(connection: sqlite3.Connection, platform: str, identity: Identity) -> str | None:
    """The label of an account by its id, else by a handle that it has or had."""
    query = "SELECT name FROM accounts WHERE platform = ? AND platform_id = ?"
    row = connection.execute(query, (platform, identity.platform_id)).fetchone()
    if row is None and identity.handle:
        is_unsure = _saved_id(identity) is None  # where the id is known, it alone decides
        query = """
            SELECT name FROM accounts
             WHERE platform = ? AND lower(handle) = lower(?)
               AND (? OR platform_id IS NULL OR platform_id LIKE '@%')
        """
        found = connection.execute(query, (platform, identity.handle, is_unsure)).fetchall()
        row = found[0] if len(found) == 1 else None
    return None if row is None else str(row[0])


def _named_account(
    connection: sqlite3.Connection, config: Config, platform: str, identity: Identity | None,
    label: str,
) -> tuple[Account, Identity | None]:  # fmt: skip
    """The account of that label; a new one where the package does not say whose it is.

    Raises UsageError, PackageError.
    """
    query = "SELECT id, platform, platform_id, handle FROM accounts WHERE name = ?"
    row = connection.execute(query, (label,)).fetchone()
    platforms = {entry.platform for entry in config.accounts if entry.name == label}
    if row is not None:
        platforms = {row[1]}
    if not platforms and identity is None:  # nothing else can name it
        return Account(label, platform, EXPORT, None, None), None
    if not platforms:
        raise UsageError(
            f"There is no account {label}",
            why="Neither the archive nor archive.toml has one of that name",
            hint="Leave --account out: the account is then found by its id, or made",
        )
    if platform not in platforms:
        raise UsageError(
            f"{label} is an account on {', '.join(sorted(platforms))}, not on {platform}",
            why=f"The package is an export of {platform}",
        )
    if row is not None and identity is not None:
        identity = _checked(connection, row, label, identity)
    known = row[2] if row is not None else None
    saved = known or (_saved_id(identity) if identity else None)
    return Account(label, platform, EXPORT, None, saved), identity


def _checked(
    connection: sqlite3.Connection, row: tuple[int, str, str | None, str | None], label: str,
    identity: Identity,
) -> Identity | None:  # fmt: skip
    """The identity to save for a known account. Raises PackageError for that of another person."""
    account_id, platform, platform_id, handle = row
    is_by_handle = identity.platform_id.startswith("@") or (platform_id or "@").startswith("@")
    if not is_by_handle and platform_id == identity.platform_id:
        return identity
    if is_by_handle:
        query = "SELECT lower(handle) FROM account_profiles WHERE account_id = ?"
        handles = {name for (name,) in connection.execute(query, (account_id,)) if name}
        handles |= {handle.lower()} if handle else set()
        own = (identity.handle or "").lower()
        if not handles or not own or own == (handle or "").lower():
            return identity
        if own in handles:
            return None  # an earlier handle: nothing to save
    who = f"{identity.handle or 'an account'} (id {identity.platform_id})"
    raise PackageError(
        f"The package is of {who}, and {label} is {handle or platform_id}",
        why=f"It is an export of another {platform} account",
        kept="Nothing of it was imported",
        hint="Leave --account out: the package then gets the account that it belongs to",
        code="other_account",
    )


def _new_label(taken: Collection[str], wanted: str) -> str:
    label, number = wanted, 2
    while label in taken:
        label, number = f"{wanted}-{number}", number + 1
    return label
