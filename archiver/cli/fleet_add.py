"""`archiver fleet add`: tenants and accounts from a list, or from what a source lists."""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archiver.cli.shell import Shell, disable_core_dumps
from archiver.cli.text import safe, wrap
from archiver.errors import UsageError
from archiver.human import counted

if TYPE_CHECKING:
    from archiver.fleet.account_lists import ListedTenant
    from archiver.fleet.settings import FleetSettings
    from archiver.fleet.source_profiles import ProfilePlan


@dataclass(frozen=True, slots=True)
class FleetAdder:
    """Adds to the fleet of the settings; with `dry_run` all of it is done and then taken back."""

    shell: Shell
    settings: "FleetSettings"
    dry_run: bool
    as_json: bool

    def add_lists(self, names: Sequence[str]) -> None:
        """Add what is in lists. Raises UsageError, FleetDatabaseDown."""
        from archiver.fleet.account_lists import check_tenants
        from archiver.fleet.database import add_accounts, connected

        if not names:
            raise UsageError("fleet add needs a list", hint="archiver fleet add accounts.csv")
        tenants = [tenant for name in names for tenant in _read(name)]
        check_tenants(tenants, self.settings, self.shell.plugins())
        with (
            connected(self.settings.database.reveal()) as connection,
            connection.transaction(force_rollback=self.dry_run),
        ):
            new = sum(add_accounts(connection, each.name, each.settings, each.accounts)
                      for each in tenants)  # fmt: skip
        if self.as_json:
            self._print({"tenants": len(tenants), "new_accounts": new})
        else:
            self._report(counted(len(tenants), "tenant"), counted(new, "new account"))

    def add_profiles(self, source_name: str) -> None:
        """Add what a source lists and is new; say what is gone, and which keys are missing.

        Raises UsageError, what the source raises, FleetDatabaseDown.
        """
        from archiver.backup.validation import validate_profiles
        from archiver.cli.asking import ask_source
        from archiver.config import load_config
        from archiver.fleet.account_lists import check_tenants
        from archiver.fleet.database import connected
        from archiver.fleet.source_profiles import add_planned, plan_profiles

        disable_core_dumps()
        plugins = self.shell.plugins()
        source = plugins.source(source_name)
        ask = getattr(source, "profiles", None)
        if ask is None:
            raise UsageError(
                f"{source.name} has no list of profiles", hint="archiver fleet add accounts.csv"
            )
        config = load_config(self.settings.settings)
        profiles = ask_source(config, source, ask, validate_profiles)
        readable = {each.name for each in plugins.platforms if each.source == source.name}
        with (
            connected(self.settings.database.reveal()) as connection,
            connection.transaction(force_rollback=self.dry_run),
        ):
            plan = plan_profiles(connection, source.name, profiles, readable)
            check_tenants(plan.tenants, self.settings, plugins)
            tenants, accounts = add_planned(connection, plan)
        self._tell(plan, tenants, accounts)

    def _tell(self, plan: "ProfilePlan", tenants: int, accounts: int) -> None:
        missing = [name for name in plan.variables if name not in os.environ]
        if self.as_json:
            new = [{"tenant": tenant.name, "account": each.name, "platform": each.platform}
                   for tenant in plan.tenants for each in tenant.accounts]  # fmt: skip
            self._print(
                {"new_tenants": tenants, "new_accounts": accounts, "accounts": new,
                 "notes": plan.notes, "missing_variables": missing}
            )  # fmt: skip
            return
        for note in plan.notes:
            self.shell.report(wrap(safe(note)))
        if self.dry_run:
            for tenant in plan.tenants:
                accounts_of = ", ".join(each.name for each in tenant.accounts)
                self.shell.report(wrap(f"{tenant.name}: {accounts_of}", rest="    "))
        self._report(counted(tenants, "new tenant"), counted(accounts, "new account"))
        if missing:
            self.shell.report(
                wrap(
                    "No source gives the keys of profiles. Set these variables for the workers, "
                    "each to the key of its profile:"
                )
            )
            for name in missing:
                self.shell.report(f"  {safe(name)}")

    def _report(self, tenants: str, accounts: str) -> None:
        would = "Would add: " if self.dry_run else ""
        self.shell.report(f"{would}{tenants}, {accounts}")

    def _print(self, found: dict[str, Any]) -> None:
        self.shell.json({"dry_run": self.dry_run, **found})


def _read(name: str) -> "list[ListedTenant]":
    from archiver.fleet.account_lists import read_list

    try:
        with Path(name).open(encoding="utf-8-sig", newline="") as lines:
            return read_list(lines)
    except (OSError, UnicodeError, csv.Error) as error:
        raise UsageError(f"{name} cannot be read", why=str(error)) from error
