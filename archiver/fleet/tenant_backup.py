"""The backup of one tenant, in a process of its own: so no other tenant's secret is in its memory.

    python -m archiver.fleet.tenant_backup < job.json

The job names the tenant and its accounts, and no secret. After each account, the database is put
into the store, and made the current version if no other worker has taken the tenant meanwhile.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import anyio

from archiver.archive.database import DATABASE
from archiver.archive.storage_errors import storage_errors
from archiver.backup.options import BackupOptions
from archiver.backup.routes import route_of
from archiver.backup.run import run_backup
from archiver.clock import SystemClock
from archiver.config import AccountEntry, Config, Registry, load_config
from archiver.errors import TEMPORARY, ArchiverError, ConfigError, Interrupted, StorageError
from archiver.evidence.giving import give_away
from archiver.fleet.database import (
    FleetAccount,
    FleetDatabaseDown,
    Lease,
    LeaseLost,
    accounts_of,
    patiently,
    release,
    take_lease,
)
from archiver.fleet.results import (
    BROKEN_RETRY,
    FIRST_RETRY,
    AccountResult,
    note_unsaved,
    write_result,
)
from archiver.fleet.settings import FleetSettings, load_fleet
from archiver.fleet.shared_buckets import SharedBuckets
from archiver.fleet.tenant_archive import TenantArchive
from archiver.plugins import load_plugins
from archiver.process_limits import end_with
from archiver.report import NoProgress, RunReport
from archiver.secrets import redact
from archiver.version import version as program_version

TOLD = 20
"""The exit code of a process that wrote itself why its accounts are not saved."""
_JITTER = 0.1
"""The part of an interval by which accounts are spread, so that not all are due at one moment."""


@dataclass(frozen=True, slots=True)
class TenantJob:
    """What a process is to do. `fleet` is the file; `parent` the id of the process that started it.

    Accounts that were tried since `asked_at` are done: a job that is repeated after its worker was
    killed does only what is left. `now`: also where nothing new is expected.
    """

    fleet: str
    tenant: str
    accounts: tuple[str, ...]
    asked_at: str
    now: bool
    holder: str
    parent: int

    def as_json(self) -> str:
        """As text, for the process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "TenantJob":
        """From the text that a process was given."""
        said = json.loads(text)
        return cls(**(said | {"accounts": tuple(said["accounts"])}))


class TenantBackup:
    """Backs up accounts of one tenant, one after the other, under one lease."""

    def __init__(self, settings: FleetSettings, lease: Lease, plugins: Registry) -> None:
        self._settings = settings
        self._database = settings.database.reveal()
        self._lease = lease
        self._plugins = plugins
        self._limits = SharedBuckets(self._database)
        self._archive = TenantArchive(settings, lease)
        self._storage = self._archive.storage

    def back_up(self, job: TenantJob) -> None:
        """Back up what the job names and is not done. Raises LeaseLost, StorageError."""
        self._archive.bring_here()
        tenant = self._lease.tenant
        accounts = patiently(self._database, lambda database: accounts_of(database, tenant))
        asked_at = datetime.fromisoformat(job.asked_at)
        for account in accounts:
            if account.name in job.accounts and not account.is_done_since(asked_at):
                self._back_up(account, accounts, now=job.now)
        if self._archive.current is not None:
            self._give_away(accounts)
            self._archive.remove_old_versions()

    def _give_away(self, accounts: Sequence[FleetAccount]) -> None:
        """Give the newest checkpoint away and have it stamped, as after any run.

        What fails of it is told on stderr, and changes nothing of the job.
        """
        try:
            config = tenant_config(
                self._settings, self._lease.settings, self._storage.directory, accounts
            )
        except ConfigError:  # which each account has in its result
            return
        given = give_away(config, route_of(config.network), SystemClock())
        for problem in given.problems:
            sys.stderr.write(redact(problem) + "\n")
        if given.stamps:
            self._archive.put_back()

    def _back_up(
        self, account: FleetAccount, accounts: Sequence[FleetAccount], *, now: bool
    ) -> None:
        result: AccountResult | None
        try:
            config = tenant_config(
                self._settings, self._lease.settings, self._storage.directory, accounts
            )
            report = self._run(config, account, now=now)
            result = _result_of(report, account, self._interval(config, account))
        except StorageError:
            raise
        except ArchiverError as error:
            result = _failure(account, error, BROKEN_RETRY)
        if (self._storage.directory / DATABASE).exists():
            self._archive.put_back(result)
        elif result is not None:
            found = result
            patiently(self._database, lambda database: write_result(database, self._lease, found))
        if result is None:
            raise Interrupted("Stopped", kept="What was saved is in the store")

    def _run(self, config: Config, account: FleetAccount, *, now: bool) -> RunReport:
        async def run() -> RunReport:
            return await run_backup(
                config, self._plugins, BackupOptions(names=(account.name,), due=True, now=now),
                clock=SystemClock(), progress=NoProgress(), version=program_version(),
                store=self._storage.media, limits=self._limits,
            )  # fmt: skip

        try:
            return anyio.run(run)
        finally:
            self._limits.close()

    def _interval(self, config: Config, account: FleetAccount) -> timedelta:
        """How long after this run the account is due again; accounts are spread by their names."""
        entry = next(each for each in config.accounts if each.name == account.name)
        source = config.source_of(entry, self._plugins)
        streams = self._plugins.platform(account.platform, source).streams
        archive = config.archive
        every = archive.stories_every if "stories" in streams else archive.posts_every
        digest = hashlib.sha256(f"{self._lease.tenant}/{account.name}".encode()).digest()
        return every * (1 - _JITTER * int.from_bytes(digest[:4]) / (1 << 32))


def tenant_config(
    settings: FleetSettings, own: str | None, directory: Path, accounts: Sequence[FleetAccount]
) -> Config:
    """The settings of a tenant, with its accounts, for the archive in `directory`.

    `own` is the file of its own settings, if it has one. Raises ConfigError.
    """
    base = settings.settings
    config = load_config(base if own is None else base.parent / own)
    return with_accounts(config, directory, accounts)


def with_accounts(config: Config, directory: Path, accounts: Sequence[FleetAccount]) -> Config:
    """A config with these accounts, of the archive in `directory`."""
    entries = tuple(
        AccountEntry(each.name, each.platform, each.source, each.options) for each in accounts
    )
    return replace(config, accounts=entries, archive=replace(config.archive, directory=directory))


def _result_of(report: RunReport, account: FleetAccount, every: timedelta) -> AccountResult | None:
    """How the account went; None where the run was stopped."""
    if report.interrupted:
        return None
    errors = [each.error for each in report.accounts if each.error is not None]
    if errors:
        return _failure(account, errors[0], every)
    return AccountResult(account.name, report.accounts[0].outcome, None, None, every)


def _failure(account: FleetAccount, error: ArchiverError, every: timedelta) -> AccountResult:
    """What passes by itself is tried again soon, each time later; the rest once in its interval."""
    wait = min(FIRST_RETRY * 2 ** min(account.failures, 8), every)
    wait = wait if error.code in TEMPORARY else every
    return AccountResult(account.name, "failed", error.code, redact(str(error)), wait)


class Unsaved(ArchiverError):
    """A job that failed, and has written why at its accounts."""


def run_job(job: TenantJob, plugins: Registry | None = None) -> None:
    """Take a lease of the tenant and do the job.

    Raises Unsaved where the store or the disk failed; and Interrupted, LeaseLost, ConfigError,
    FleetDatabaseDown.
    """
    settings = load_fleet(Path(job.fleet))
    address = settings.database.reveal()
    lease = patiently(address, lambda database: take_lease(database, job.tenant, job.holder))
    if lease is None:
        return
    try:
        with storage_errors(settings.directory / job.tenant):
            TenantBackup(settings, lease, plugins or load_plugins()).back_up(job)
    except (LeaseLost, FleetDatabaseDown, Interrupted):
        raise
    except ArchiverError as error:
        asked_at, why = datetime.fromisoformat(job.asked_at), error
        patiently(
            address, lambda database: note_unsaved(database, lease, job.accounts, asked_at, why)
        )
        raise Unsaved(error.what, why=error.why, kept=error.kept, hint=error.hint) from error
    finally:
        patiently(address, lambda database: release(database, lease))


def do_job(job: TenantJob, plugins: Registry | None = None) -> int:
    """Do a job as a process that ends with its parent; its exit code."""
    end_with(job.parent)
    try:
        run_job(job, plugins)
    except ArchiverError as error:
        sys.stderr.write(redact(str(error)) + "\n")
        if isinstance(error, LeaseLost):
            return 0  # the other worker does it
        return TOLD if isinstance(error, Unsaved) else error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(do_job(TenantJob.from_json(sys.stdin.read())))
