"""Lists of accounts in CSV: what `archiver fleet add` reads.

    tenant,account,platform,profile_key
    acme,acme-instagram,instagram,env:ACME_PROFILE_KEY

`source` and `settings` (a file beside the shared one) may be given too; every other column is an
option of the account's platform, as in archive.toml. Secrets are references.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from archiver.config import Registry, load_config
from archiver.errors import ConfigError, UsageError
from archiver.fleet.database import FleetAccount
from archiver.fleet.settings import FleetSettings
from archiver.fleet.storage import check_tenant_name
from archiver.fleet.tenant_backup import with_accounts

_HEAD = ("tenant", "account", "platform")
_MORE = ("source", "settings")


@dataclass(slots=True)
class ListedTenant:
    """A tenant of a list. `settings` is the file that it names in place of the shared one."""

    name: str
    settings: str | None = None
    accounts: list[FleetAccount] = field(default_factory=list)


def read_list(lines: Iterable[str]) -> list[ListedTenant]:
    """The tenants of a list. Raises UsageError, which names the line."""
    reader = csv.DictReader(lines, strict=True)
    missing = [name for name in _HEAD if name not in (reader.fieldnames or ())]
    if missing:
        raise UsageError(
            f"The list has no column {', '.join(missing)}",
            hint=f"Its first line names the columns, such as {','.join(_HEAD)},profile_key",
        )
    found: dict[str, ListedTenant] = {}
    try:
        for row in reader:
            _add_row(found, row, reader.line_num)
    except csv.Error as error:
        raise UsageError(f"Line {reader.line_num} of the list is no CSV", why=str(error)) from error
    return list(found.values())


def _add_row(found: dict[str, ListedTenant], row: dict[str, str], line: int) -> None:
    values = {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
    if None in row or any(not values[name] for name in _HEAD):
        raise UsageError(f"Line {line} of the list lacks a value, or has one too many")
    check_tenant_name(values["tenant"])
    tenant = found.setdefault(values["tenant"], ListedTenant(values["tenant"]))
    tenant.settings = values.get("settings") or tenant.settings
    if any(account.name == values["account"] for account in tenant.accounts):
        raise UsageError(f"Line {line} of the list names {values['account']} again")
    options = {key: _value(text) for key, text in values.items()
               if text and key not in (*_HEAD, *_MORE)}  # fmt: skip
    tenant.accounts.append(
        FleetAccount(values["account"], values["platform"], values.get("source") or None, options)
    )


def _value(text: str) -> object:
    """A cell as TOML would have it: true or false, or text."""
    return text == "true" if text in {"true", "false"} else text


def check_tenants(
    tenants: Iterable[ListedTenant], settings: FleetSettings, plugins: Registry
) -> None:
    """Check what belongs to plugins, and that no secret is written out.

    Raises UsageError, which names the tenant and the account.
    """
    for tenant in tenants:
        shared = settings.settings
        config = load_config(shared.parent / tenant.settings if tenant.settings else shared)
        config = with_accounts(config, Path(), tenant.accounts)
        config = replace(config, place=replace(config.place, private=False))
        for entry in config.accounts:
            try:
                config.account(entry, plugins)
            except (ConfigError, UsageError) as error:
                raise UsageError(
                    f"{entry.name} of {tenant.name}: {error.what}", why=error.why, hint=error.hint
                ) from error
