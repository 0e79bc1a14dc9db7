"""Pings and messages around a backup, for those who are not there."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from archiver.cli.logins import token_expiries
from archiver.cli.shell import Shell
from archiver.errors import ArchiveLocked, ArchiverError

if TYPE_CHECKING:
    from archiver.config import Config
    from archiver.unattended.care import CareResult
    from archiver.unattended.sending import Ping


def ping(shell: Shell, config: "Config", what: "Ping") -> None:
    """Ping the URL of `[notify]`, if there is one; a failure is a warning."""
    if config.notify.ping is None:
        return
    import anyio

    from archiver.backup.routes import route_of
    from archiver.clock import SystemClock
    from archiver.unattended import sending

    address = config.notify.ping
    try:
        route = route_of(config.network)
    except ArchiverError as error:
        shell.warn(f"The ping could not be sent: {error}")
        return
    if failure := anyio.run(sending.ping, address, what, route, SystemClock()):
        shell.warn(failure)


def keep_contact(shell: Shell, config: "Config") -> None:
    """Keep how somebody is told, for the day when the config cannot be read any more."""
    from archiver.unattended.last_settings import keep_settings

    try:
        keep_settings(config)
    except ArchiverError as error:
        shell.warn(str(error))


def tell_of_broken_config(shell: Shell, error: ArchiverError) -> None:
    """Ping and tell by the settings of the last run whose config could be read."""
    from archiver.unattended.last_settings import last_settings

    try:
        config = last_settings(shell.config_path())
    except ArchiverError:  # not even known where it should be
        return
    if config is not None:
        ping(shell, config, "fail")
        notify(shell, config, error)


def notify(
    shell: Shell, config: "Config", error: ArchiverError | None = None, *,
    clock_is_wrong: bool = False, care: "Sequence[CareResult]" = (),
) -> None:  # fmt: skip
    """Tell the addresses of `[notify]` what has changed; what fails in that is a warning.

    Another run that holds the archive is no failure: it tells. `care` is what was done afterwards.
    """
    if not config.notify.on_failure or isinstance(error, ArchiveLocked):
        return
    from archiver.unattended.night_report import NightReport

    now = datetime.now(UTC)
    report = NightReport(config, now, token_expiries(config, now, shell.warn))
    try:
        unlogged = [result.entry for result in care if not result.is_logged]
        failures = report.send(error, clock_is_wrong=clock_is_wrong, unlogged=unlogged)
    except ArchiverError as problem:
        failures = [str(problem)]
    for failure in failures:
        shell.warn(f"A notification failed. {failure}")
