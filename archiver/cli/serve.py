"""`archiver serve`: an API, answered from the archive."""

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

import click

from archiver.cli.shell import Shell, disable_core_dumps, pass_shell, secret_of, subcommand
from archiver.cli.tenants import TenantChoice, reading_place, tenant_options
from archiver.cli.values import WholeNumber
from archiver.errors import ArchiverError, UsageError

if TYPE_CHECKING:
    from archiver.config import Config
    from archiver.models import Account
    from archiver.serve.histories import Serving

_LOOPBACK = ("127.", "::1", "localhost")


@subcommand(
    "serve",
    short_help="Answer the history API from the archive.",
    example="ARCHIVE_TOKEN=choose-one archiver serve --token env:ARCHIVE_TOKEN --media",
)
@click.option(
    "--token",
    "reference",
    required=True,
    metavar="REFERENCE",
    help="What clients send as their API key; a reference such as env:NAME or file:PATH.",
)
@click.option(
    "--port",
    type=WholeNumber(0, 65535),
    default=8585,
    show_default=True,
    help="The port; 0 takes any free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="The address to listen on; by default this machine only.",
)
@click.option("--media", is_flag=True, help="Point records to this server for the files it has.")
@click.option(
    "--as-of",
    metavar="DATE",
    help="Answer with what was known at the end of a day, or at a time: 2026-03-17T12:00Z.",
)
@click.option(
    "--api",
    "api_name",
    metavar="NAME",
    help="Which API to answer, where plugins bring more than one; by default the only one.",
)
@click.option("--removed", is_flag=True, help="Serve posts too that were removed.")
@tenant_options
@pass_shell
def command(
    shell: Shell, reference: str, port: int, host: str, media: bool, as_of: str | None,
    api_name: str | None, removed: bool, chosen_tenant: TenantChoice,
) -> None:  # fmt: skip
    """Answer the history API from the archive, for programs that were written for that API.

    Reads only, and works while a backup runs. Clients send the token as their API key; with an
    account's label, or its profile key, as Profile-Key they choose the account. With --tenant, it
    answers from the version of the tenant's archive that is on record when the command begins.
    """
    from archiver.archive.database import reader
    from archiver.serve.histories import Serving

    disable_core_dumps()
    token = secret_of("--token", reference, "env:ARCHIVE_TOKEN").reveal()
    moment = _moment(as_of)
    with reading_place(shell, chosen_tenant) as place:
        with reader(place.directory):
            pass  # says so now where there is no archive
        answer = shell.plugins().served_api(api_name).begin(_accounts(shell, place.config))
        serving = Serving(place.directory, token, answer, media, moment, removed, place.store)
        _serve(shell, serving, place.name, host, port)


def _serve(shell: Shell, serving: "Serving", name: str, host: str, port: int) -> None:
    """Answer until the command is stopped."""
    from archiver.serve.app import application
    from archiver.webserver import listen, origin_of, running, wait_until_interrupted

    sock = listen(host, port)
    if not host.startswith(_LOOPBACK):
        shell.warn(f"Whoever can reach {host} and has the token can read the archive, unencrypted")
    with running(application(serving), [sock]) as thread:
        shell.out(f"{origin_of(sock)}/api answers from {name.rstrip(',')}")
        shell.say("Stop it with Ctrl-C.")
        wait_until_interrupted(thread)


def _accounts(shell: Shell, config: "Config") -> "list[Account]":
    """The accounts of the config; one with invalid settings has no options."""
    from archiver.models import Account

    plugins = shell.plugins()
    found = []
    for entry in config.accounts:
        try:
            found.append(config.account(entry, plugins))
        except ArchiverError as error:
            shell.warn(str(error))
            found.append(Account(entry.name, entry.platform, entry.source or "", None))
    return found


def _moment(text: str | None) -> datetime | None:
    """The moment; a day stands for all of it, and a time without a zone is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--as-of {text} is not a date", hint="Write for example --as-of 2026-03-17"
        ) from None
    if len(text) <= len("2026-03-17"):
        moment = datetime.combine(moment, time.max)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
