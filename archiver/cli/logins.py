"""The logins that `archiver status` lists, with their expiry."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from archiver.cli.text import Coloured, table
from archiver.errors import SecretError
from archiver.human import counted

if TYPE_CHECKING:
    from archiver.config import Config
    from archiver.unattended.health import TokenExpiry

_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class KnownLogin:
    """One login of an account in the config; `seconds_left` is None where it has no known end."""

    account: str
    source: str
    server: str
    user: str | None
    scope: str
    obtained_at: str
    expires_at: str | None
    seconds_left: int | None
    is_renewable: bool
    ends_soon: bool


def known_logins(
    config: "Config", now: datetime, warn: Callable[[str], None]
) -> tuple[KnownLogin, ...]:
    """The logins of the accounts in the config; unreadable ones cause a warning."""
    from archiver.tokens import token_store

    labels = {entry.name for entry in config.accounts}
    try:
        found = token_store(config).logins()
    except SecretError as error:
        warn(str(error))
        return ()
    logins = []
    for (source, name), login in found.items():
        if name not in labels:
            continue
        left = login.time_left(now)
        logins.append(
            KnownLogin(
                name, source, login.base_url, login.user, login.scope, login.obtained_at,
                login.expires_at, None if left is None else int(left.total_seconds()),
                login.is_renewable, login.ends_soon(now),
            )
        )  # fmt: skip
    return tuple(logins)


def token_expiries(
    config: "Config", now: datetime, warn: Callable[[str], None]
) -> "list[TokenExpiry]":
    """When the tokens end that nobody renews but a person."""
    from archiver.unattended.health import TokenExpiry

    return [
        TokenExpiry(login.account, login.expires_at)
        for login in known_logins(config, now, warn)
        if login.expires_at and not login.is_renewable
    ]


def logins_table(logins: Iterable[KnownLogin]) -> str:
    """Who is logged in where, and until when; empty where nobody is."""
    rows = [
        (login.account, login.source, login.user or "?", login.server, _lifetime(login))
        for login in logins
    ]
    head = ["ACCOUNT", "SOURCE", "AS", "SERVER", "TOKEN EXPIRES"]
    return "Logins:\n" + table(rows, head, whole=[4]) if rows else ""


def _lifetime(login: KnownLogin) -> str:
    left = login.seconds_left
    if left is None:
        return "until it is revoked"
    if left <= 0 and login.is_renewable:
        return "no more; the next run renews it"
    if left <= 0:
        return f"no more: run archiver login {login.account}"
    days, hours = divmod(left, _DAY)
    length = counted(days, "day") if days else counted(hours // 3600, "hour")
    if login.ends_soon:
        return Coloured(f"{length} more; then run archiver login {login.account}", "yellow")
    return f"{length} more" + ("; renewed in time" if login.is_renewable else "")
