"""`archiver fleet`: many archives, backed up by many workers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from archiver.cli.shell import Shell, disable_core_dumps, pass_shell, subcommand
from archiver.cli.text import safe, table
from archiver.errors import OutputError, UsageError
from archiver.human import counted, size_text

if TYPE_CHECKING:
    from archiver.fleet.settings import FleetSettings

_DEFAULT = "fleet.toml"
_DEMO = "fleet-demo"
Action = Literal["demo", "init", "add", "worker", "run", "status", "pause", "resume"]


@subcommand(
    "fleet",
    short_help="Back up many archives with many workers.",
    example="archiver fleet demo\narchiver fleet init\narchiver fleet add accounts.csv\n"
    "archiver fleet worker\narchiver fleet run acme\narchiver fleet status",
)
@click.argument("action", type=click.Choice(get_args(Action)))
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--fleet", "file", default=_DEFAULT, metavar="FILE", show_default=True,
    type=click.Path(path_type=Path), help="The settings of the fleet.",
)  # fmt: skip
@click.option("--until-idle", is_flag=True, help="worker: end when there is nothing left to do.")
@click.option("--json", "as_json", is_flag=True, help="status: print one JSON object.")
@pass_shell
def command(
    shell: Shell, action: Action, names: tuple[str, ...], file: Path, until_idle: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Back up the accounts of many tenants, each into an archive of its own.

    PostgreSQL says what is due, and any number of workers on any number of machines take it.
    "demo [DIR]" shows all of it on this machine. "init" writes fleet.toml, and makes the tables
    once the database is named there; "add FILE" reads tenants and accounts from CSV; "worker" backs
    up what is due until it is stopped; "run [TENANT]" queues all accounts now; "status" shows each
    tenant; "pause TENANT" and "resume TENANT" stop one and let it go on.
    """
    from archiver.fleet.extra import require_extra

    require_extra()
    match action:
        case "demo":
            _demo(shell, names)
        case "init":
            _init(shell, file)
        case "add":
            _add(shell, file, names)
        case "worker":
            _work(file, until_idle=until_idle)
        case "run":
            _run(shell, file, names)
        case "status":
            _status(shell, file, as_json=as_json)
        case "pause" | "resume":
            _pause(shell, file, names, paused=action == "pause")


def _demo(shell: Shell, names: tuple[str, ...]) -> None:
    from archiver.clock import DemoClock
    from archiver.fleet.demo import TENANTS, run_demo, write_demo
    from archiver.webserver import listen_on_loopback, origin_of, running

    folder = Path(names[0] if names else _DEMO)
    days = 2
    clock = DemoClock(datetime.now(UTC), running=True)
    world = shell.plugins().demo().begin(clock.now)
    sockets = listen_on_loopback()

    def begin_day(day: int) -> None:
        world.begin_day(day)
        shell.report(f"Day {day}: two workers back up {len(TENANTS)} tenants")

    with running(world.app, sockets, quiet=True):
        accounts = write_demo(folder, world.serve_at([origin_of(sock) for sock in sockets]))
        failing = run_demo(folder, accounts, days, begin_day=begin_day)
    if failing:
        raise OutputError(f"{counted(failing, 'account')} of the demo failed")
    for tenant in TENANTS:
        shell.report(f"{folder / tenant}: look at it with archiver verify {folder / tenant}")


def _init(shell: Shell, file: Path) -> None:
    """Write the files that are missing; make the tables where the database is known."""
    import asyncio

    from archiver.errors import SecretError
    from archiver.fleet.jobs import open_queue
    from archiver.fleet.settings import SAMPLE, TENANT_SAMPLE, load_fleet

    for path, text in ((file, SAMPLE), (file.parent / "tenant.toml", TENANT_SAMPLE)):
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(text, "utf-8")
            shell.report(f"Wrote {path}")
    try:
        load_fleet(file).database.reveal()
    except SecretError as error:
        shell.report(f"The tables are not made yet: {safe(error.what)}. Then run this again")
        return

    async def prepare() -> None:
        queue = open_queue(file)
        async with queue.app.open_async():
            await queue.prepare()

    asyncio.run(prepare())
    shell.report("The tables are there")


def _add(shell: Shell, file: Path, names: tuple[str, ...]) -> None:
    import csv

    from archiver.fleet.account_lists import check_tenants, read_list
    from archiver.fleet.database import add_accounts, connected

    if not names:
        raise UsageError("fleet add needs a list", hint="archiver fleet add accounts.csv")
    settings = _settings(file)
    tenants = []
    for name in names:
        try:
            with Path(name).open(encoding="utf-8-sig", newline="") as lines:
                tenants += read_list(lines)
        except (OSError, UnicodeError, csv.Error) as error:
            raise UsageError(f"{name} cannot be read", why=str(error)) from error
    check_tenants(tenants, settings, shell.plugins())
    with connected(settings.database.reveal()) as connection:
        new = sum(
            add_accounts(connection, each.name, each.settings, each.accounts) for each in tenants
        )
    shell.report(f"{counted(len(tenants), 'tenant')}, {counted(new, 'new account')}")


def _work(file: Path, *, until_idle: bool) -> None:
    import asyncio

    from archiver.fleet.jobs import open_queue, work

    disable_core_dumps()
    _settings(file)
    asyncio.run(work(open_queue(file), until_idle=until_idle))


def _run(shell: Shell, file: Path, names: tuple[str, ...]) -> None:
    import asyncio

    from archiver.fleet.database import connected, take_due
    from archiver.fleet.jobs import ASKED, open_queue

    with connected(_settings(file).database.reveal()) as connection:
        due = take_due(connection, names, now=True)

    async def enqueue() -> int:
        queue = open_queue(file)
        async with queue.app.open_async():
            return await queue.enqueue(due, priority=ASKED)

    shell.report(f"Queued {counted(asyncio.run(enqueue()), 'job')}")


def _status(shell: Shell, file: Path, *, as_json: bool) -> None:
    from archiver.fleet.database import connected, tenant_rows

    with connected(_settings(file).database.reveal()) as connection:
        rows = tenant_rows(connection)
    if as_json:
        shell.json({"tenants": [_json_row(row) for row in rows]})
        return
    head = ("tenant", "accounts", "failing", "why", "oldest good run", "size", "state")
    cells = [
        (row.name, row.accounts, row.failing, ", ".join(row.reasons),
         row.oldest_good_at and f"{row.oldest_good_at.astimezone(UTC):%Y-%m-%d %H:%M}",
         size_text(row.size), "paused" if row.paused_at else "at work" if row.holder else "")
        for row in rows
    ]  # fmt: skip
    shell.out(table(cells, head, right=(1, 2, 5)) if rows else "There are no tenants yet")


def _json_row(row: Any) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row._asdict().items()
    }


def _pause(shell: Shell, file: Path, names: tuple[str, ...], *, paused: bool) -> None:
    from archiver.fleet.database import connected, set_paused

    if not names:
        raise UsageError("Name the tenants", hint="archiver fleet pause acme")
    with connected(_settings(file).database.reveal()) as connection:
        found = set_paused(connection, names, paused=paused)
    if found < len(set(names)):
        raise UsageError("Not all of these tenants are in the fleet", kept="The others are changed")
    shell.report(f"{'Paused' if paused else 'Resumed'} {counted(found, 'tenant')}")


def _settings(file: Path) -> "FleetSettings":
    from archiver.fleet.settings import load_fleet

    return load_fleet(file)
